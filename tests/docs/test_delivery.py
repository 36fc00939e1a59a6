"""docs/delivery.md and the table of the ledger are one text."""

from __future__ import annotations

import re

from keeping_plugin.services.ledger.events import ANY, Event
from tests.servers.needs import ROOT


def test_what_may_happen_to_an_entry_stands_there() -> None:
    page = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- entries -->\n(.*?)\n<!-- /entries -->", page, re.DOTALL)
    shown = found[1].splitlines()[2:] if found else []
    wanted = []
    for event in Event:
        step = event.value
        states = "any" if step.comes_from == ANY else ", ".join(step.comes_from) or "–"
        name = event.name.lower().replace("_", " ")
        wanted.append(f"| {name} | {states} | {step.goes_to} | {step.mark} | {step.when} |")
    assert shown == wanted, "put this into docs/delivery.md:\n" + "\n".join(wanted)
