"""The page about the rules is the table in the code."""

from __future__ import annotations

import re

from keeping_plugin.rules import MACHINE_HEADERS, RULES, Facts, Rule
from keeping_plugin.wording.actions import TITLES
from tests.servers.needs import ROOT

PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")


def part(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE, re.DOTALL)
    assert found is not None, f"docs/rules.md has no part called {name}"
    return found[1]


def table(rule: Rule) -> str:
    rows = [f"| `{check.code}` | {check.sentence} | {check.refusal} |" for check in rule.require]
    head = ["| Code | Condition | Message if it is not met |", "|---|---|---|"]
    return "\n".join([f"## {TITLES[rule.action]}", "", f"{rule.on}.", "", *head, *rows])


def test_every_code_stands_there_with_its_sentences() -> None:
    wanted = "\n\n".join(table(rule) for rule in RULES)
    assert part("rules") == wanted, f"put this into docs/rules.md:\n{wanted}"


def test_every_header_that_is_read_stands_there() -> None:
    wanted = ", ".join(f"`{name}`" for name in sorted(MACHINE_HEADERS))
    assert " ".join(part("headers").split()) == wanted, f"put this there:\n{wanted}"


def test_every_fact_stands_there() -> None:
    assert re.findall(r"^\| `(\w+)`", part("facts"), re.MULTILINE) == list(Facts._fields)
