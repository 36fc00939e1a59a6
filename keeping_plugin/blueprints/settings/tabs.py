"""The settings' tabs: one row, links all of them."""

from __future__ import annotations

from typing import NamedTuple

from flask import url_for

from keeping_plugin.objects import OBJECTS


class Tab(NamedTuple):
    """One tab; the current one is the page itself."""

    label: str
    url: str
    current: bool


def tabs(current: str) -> tuple[Tab, ...]:
    """All tabs. `current` is `settings`, an object's API name, `creating`, `automation`,
    `activity` or `audit`."""
    # As the product names them; an org may have other labels, which its own tab then shows.
    objects = [
        Tab(row.tab, url_for(".fields", object=row.name), current == row.name) for row in OBJECTS
    ]
    return (
        Tab("Connection", url_for(".settings"), current == "settings"),
        *objects,
        Tab("New records", url_for(".creating"), current == "creating"),
        Tab("Automation", url_for(".automation"), current == "automation"),
        Tab("Activity", url_for(".activity"), current == "activity"),
        Tab("Audit", url_for(".audit"), current == "audit"),
    )
