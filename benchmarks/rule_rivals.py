"""The rules of the two automations once more, as others would write them.

`by_hand` is the floor: ifs that stop at the first refusal and tell no reason. The engines are given
the facts ready-made, which costs them nothing here, and return all refusing codes by action.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import rules as predicates
import zen
from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.fields import FIELD_TEXT
from business_rules.variables import BaseVariables, boolean_rule_variable
from json_logic import jsonLogic

from keeping_plugin import Direction, MessageArrived
from keeping_plugin.addresses import address_key, domain_of, parent_domains
from keeping_plugin.rules import Policy

_predicate: Any = predicates.predicate  # type: ignore[attr-defined]  # it ships few types
Facts = Mapping[str, Any]
Refusals = dict[str, list[str]]  # action -> codes
Engine = Callable[[Facts], Refusals]

# -- the floor -----------------------------------------------------------------------------------
_LIST = (
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-post",
    "list-help",
    "list-subscribe",
    "list-owner",
    "list-archive",
)
_NOBODY = re.compile(
    r"no-?reply|do-?not-?reply|dont-?reply|nicht-?antworten|keine-?antwort|ne-?pas-?repondre|"
    r"niet-?beantwoorden|no-?respond[ae]r?|non-?rispondere|nao-?responda|"
    r"^mailer-?daemon$|^postmaster$|^bounces?(-|$)"
)


@lru_cache(maxsize=16_384)
def _customer(email: str) -> tuple[str, tuple[str, ...], bool]:
    address = address_key(email) or ""
    local = address.rpartition("@")[0].translate(str.maketrans("._+=", "----"))
    domains = parent_domains(domain_of(address)) if address else ()
    return address, domains, _NOBODY.search(local) is not None


def by_hand(message: MessageArrived, policy: Policy) -> tuple[bool, bool]:
    """Whether to add the customer, whether to log the message."""
    if not policy.connected or message.customer is None or not message.customer.email:
        return False, False
    if not policy.add_contacts and not policy.log_tasks:
        return False, False
    address, domains, nobody = _customer(message.customer.email)
    if not address or address in policy.internal:
        return False, False
    for domain in domains:
        if domain in policy.internal:
            return False, False
    logged = policy.log_tasks
    if logged:
        for domain in domains:
            if domain in policy.unlogged:
                logged = False
                break
    if not policy.add_contacts or message.direction is not Direction.INBOUND:
        return False, logged
    if not message.opens_conversation or nobody or len(address) > 80:
        return False, logged
    for domain in domains:
        if domain in policy.skipped:
            return False, logged
    if message.headers and _machine_mail({k.lower(): v for k, v in message.headers.items()}):
        return False, logged
    return True, logged


def _machine_mail(headers: Mapping[str, str]) -> bool:
    precedence = headers.get("precedence", "").strip().lower().replace("_", "-")
    if precedence.startswith(("auto-reply", "bulk", "junk", "list")):
        return True
    if headers.get("auto-submitted", "no").strip().lower().partition(";")[0] not in ("", "no"):
        return True
    for name in ("x-autoreply", "x-autorespond"):
        if headers.get(name, "no").strip().lower() not in ("no", "false", "0"):
            return True
    kind = headers.get("content-type", "").strip().lower()
    if kind.startswith(("multipart/report", "message/delivery-status")):
        return True
    if "x-failed-recipients" in headers or headers.get("return-path", "x").strip() in ("", "<>"):
        return True
    for name in _LIST:
        if name in headers:
            return True
    if kind.startswith("text/calendar"):
        return "method=request" not in kind and "method=publish" not in kind
    answer = "in-reply-to" in headers
    return answer and "calendarmessage" in headers.get("content-class", "").lower()


# -- the engines ---------------------------------------------------------------------------------
# Action, code, when it refuses: as ZEN says it, and as JsonLogic does.


def _var(name: str) -> dict[str, str]:
    return {"var": name}


_BOTH: tuple[tuple[str, str, Any], ...] = (
    ("not_connected", "not connected", {"!": _var("connected")}),
    ("no_customer", "customer == ''", {"==": [_var("customer"), ""]}),
    (
        "invalid_address",
        "address == '' and customer != ''",
        {"and": [{"==": [_var("address"), ""]}, {"!=": [_var("customer"), ""]}]},
    ),
    ("internal_address", "internal != ''", {"!=": [_var("internal"), ""]}),
)
_ADD: tuple[tuple[str, str, Any], ...] = (
    ("auto_add_off", "not add_contacts", {"!": _var("add_contacts")}),
    ("not_inbound", "not inbound", {"!": _var("inbound")}),
    ("not_opening", "not opens_conversation", {"!": _var("opens_conversation")}),
    # JsonLogic has no length: it is given one.
    ("address_too_long", "len(address) > 80", {">": [_var("address_length"), 80]}),
    ("skipped_domain", "skipped != ''", {"!=": [_var("skipped"), ""]}),
    ("auto_submitted", "auto_submitted != ''", {"!=": [_var("auto_submitted"), ""]}),
    ("delivery_report", "delivery_report != ''", {"!=": [_var("delivery_report"), ""]}),
    ("mailing_list", "mailing_list != ''", {"!=": [_var("mailing_list"), ""]}),
    ("calendar_reply", "calendar_reply != ''", {"!=": [_var("calendar_reply"), ""]}),
    ("no_reply_sender", "no_reply != ''", {"!=": [_var("no_reply"), ""]}),
)
_LOG: tuple[tuple[str, str, Any], ...] = (
    ("logging_off", "not log_tasks", {"!": _var("log_tasks")}),
    ("unlogged_domain", "unlogged != ''", {"!=": [_var("unlogged"), ""]}),
)
_TABLE = {"add_contact": _BOTH + _ADD, "log_task": _BOTH + _LOG}


def zen_engine() -> Engine:
    """A decision table of ZEN's that collects every refusal."""
    cells = [
        {"_id": f"{action}-{code}", "when": refuses, "a": f"'{action}'", "c": f"'{code}'"}
        for action, checks in _TABLE.items()
        for code, refuses, _ in checks
    ]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": "when", "name": "refuses", "type": "expression"}],
        "outputs": [
            {"id": "a", "field": "action", "name": "action", "type": "expression"},
            {"id": "c", "field": "code", "name": "code", "type": "expression"},
        ],
        "rules": cells,
    }
    content = {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "message"},
            {"id": "table", "type": "decisionTableNode", "name": "checks", "content": table},
            {"id": "out", "type": "outputNode", "name": "refusals"},
        ],
        "edges": [
            {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(content))

    def decide(facts: Facts) -> Refusals:
        found: Refusals = {action: [] for action in _TABLE}
        for row in decision.evaluate(dict(facts))["result"]:
            found[row["action"]].append(row["code"])
        return found

    return decide


class _Variables(BaseVariables):  # type: ignore[misc]
    def __init__(self, facts: Facts) -> None:
        self.facts = facts


class _Actions(BaseActions):  # type: ignore[misc]
    def __init__(self) -> None:
        self.found: Refusals = {action: [] for action in _TABLE}

    @rule_action(params={"action": FIELD_TEXT, "code": FIELD_TEXT})  # type: ignore[untyped-decorator]
    def refuse(self, action: str, code: str) -> None:
        self.found[action].append(code)


# One meaning of each code, for the engines that call Python back.
REFUSES: Mapping[str, Callable[[Facts], bool]] = {
    "not_connected": lambda f: not f["connected"],
    "no_customer": lambda f: f["customer"] == "",
    "invalid_address": lambda f: f["address"] == "" and f["customer"] != "",
    "internal_address": lambda f: f["internal"] != "",
    "auto_add_off": lambda f: not f["add_contacts"],
    "not_inbound": lambda f: not f["inbound"],
    "not_opening": lambda f: not f["opens_conversation"],
    "address_too_long": lambda f: len(f["address"]) > 80,
    "skipped_domain": lambda f: f["skipped"] != "",
    "auto_submitted": lambda f: f["auto_submitted"] != "",
    "delivery_report": lambda f: f["delivery_report"] != "",
    "mailing_list": lambda f: f["mailing_list"] != "",
    "calendar_reply": lambda f: f["calendar_reply"] != "",
    "no_reply_sender": lambda f: f["no_reply"] != "",
    "logging_off": lambda f: not f["log_tasks"],
    "unlogged_domain": lambda f: f["unlogged"] != "",
}


def _variable(code: str) -> Any:
    def refuses(self: _Variables) -> bool:
        return REFUSES[code](self.facts)

    refuses.__name__ = code
    return boolean_rule_variable(refuses)


for _code in REFUSES:
    setattr(_Variables, _code, _variable(_code))


def business_rules() -> Engine:
    """business-rules: one rule a check."""
    listed = [
        {
            "conditions": {"all": [{"name": code, "operator": "is_true", "value": True}]},
            "actions": [{"name": "refuse", "params": {"action": action, "code": code}}],
        }
        for action, checks in _TABLE.items()
        for code, _, _ in checks
    ]

    def decide(facts: Facts) -> Refusals:
        actions = _Actions()
        run_all(rule_list=listed, defined_variables=_Variables(facts), defined_actions=actions)
        return actions.found

    return decide


def json_logic() -> Engine:
    """json-logic-qubit: one expression an action, which merges the codes."""
    logic = {
        action: {"merge": [{"if": [refuses, [code], []]} for code, _, refuses in checks]}
        for action, checks in _TABLE.items()
    }

    def decide(facts: Facts) -> Refusals:
        return {action: jsonLogic(expression, facts) for action, expression in logic.items()}

    return decide


def predicate_package() -> Engine:
    """The package `rules`: a predicate a check, tested one by one, since it tells no reasons."""
    made = {code: _predicate(refuses, name=code) for code, refuses in REFUSES.items()}
    tested = {
        action: [(code, made[code]) for code, _, _ in checks] for action, checks in _TABLE.items()
    }

    def decide(facts: Facts) -> Refusals:
        return {
            action: [code for code, predicate in checks if predicate.test(facts)]
            for action, checks in tested.items()
        }

    return decide


ENGINES: Mapping[str, Callable[[], Engine]] = {
    "zen-engine": zen_engine,
    "business-rules": business_rules,
    "json-logic-qubit": json_logic,
    "rules": predicate_package,
}
