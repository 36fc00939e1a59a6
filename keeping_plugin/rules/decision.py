"""From a table of rules and the facts of a message to its verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from keeping_plugin.rules.facts import Facts
from keeping_plugin.types import Action


class Check(NamedTuple):
    """One requirement. `code` is the fixed name under which it refuses, `sentence` says what it
    asks, `refusal` why it said no."""

    code: str
    holds: Callable[[Facts], bool]
    sentence: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An action, when it comes into question, and all that it requires.

    Raises ValueError for a rule that requires nothing, which would grant everything, or that
    names one code twice.
    """

    action: Action
    on: str
    require: tuple[Check, ...]

    def __post_init__(self) -> None:
        codes = [check.code for check in self.require]
        if not codes or len(set(codes)) < len(codes):
            raise ValueError(f"{self.action} needs at least one check, and each code once")


class Verdict(NamedTuple):
    """What a rule said of a message: `reasons` are the codes of all checks that refused it."""

    action: Action
    reasons: tuple[str, ...]

    @property
    def granted(self) -> bool:
        return not self.reasons


def decide(rules: Iterable[Rule], facts: Facts) -> tuple[Verdict, ...]:
    """Every rule's verdict, in order, each with all the reasons that refuse it.

    Pure and total: no clock, no I/O, and a check that raises is a bug that surfaces.
    """
    verdicts = []
    for rule in rules:
        reasons: tuple[str, ...] = ()
        for check in rule.require:
            if not check.holds(facts):
                reasons += (check.code,)
        verdicts.append(Verdict(rule.action, reasons))
    return tuple(verdicts)
