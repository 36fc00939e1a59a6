"""Which messages add a Contact and which are logged: pure, and readable by an admin."""

from keeping_plugin.rules.decision import Check, Rule, Verdict, decide
from keeping_plugin.rules.facts import MACHINE_HEADERS, Facts, Policy
from keeping_plugin.rules.table import BY_HAND, CHECKS, GIVES_WAY, RULES, RULES_VERSION

__all__ = [
    "BY_HAND",
    "CHECKS",
    "GIVES_WAY",
    "MACHINE_HEADERS",
    "RULES",
    "RULES_VERSION",
    "Check",
    "Facts",
    "Policy",
    "Rule",
    "Verdict",
    "decide",
]
