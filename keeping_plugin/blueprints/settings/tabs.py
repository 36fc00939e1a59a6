"""The settings' tabs: one row, links all of them."""

from __future__ import annotations

from typing import NamedTuple

from flask import url_for

# As the product names them; an org may have other labels, which its own tab then shows.
OBJECT_TABS = {
    "Contact": "Contacts",
    "Lead": "Leads",
    "Account": "Accounts",
    "Opportunity": "Opportunities",
    "Case": "Cases",
}


class Tab(NamedTuple):
    """One tab; the current one is the page itself."""

    label: str
    url: str
    current: bool


def tabs(current: str) -> tuple[Tab, ...]:
    """All tabs. `current` is `settings`, an object's API name, `automation`, `activity`
    or `audit`."""
    objects = [
        Tab(label, url_for(".fields", object=name), current == name)
        for name, label in OBJECT_TABS.items()
    ]
    return (
        Tab("Connection", url_for(".settings"), current == "settings"),
        *objects,
        Tab("Automation", url_for(".automation"), current == "automation"),
        Tab("Activity", url_for(".activity"), current == "activity"),
        Tab("Audit", url_for(".audit"), current == "audit"),
    )
