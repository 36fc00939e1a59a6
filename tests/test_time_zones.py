"""Zones by the names that Salesforce gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from keeping_plugin.time_zones import zone


def test_a_zone_is_found_by_its_name() -> None:
    winter = datetime(2026, 11, 29, tzinfo=zone("America/Los_Angeles"))
    assert winter.utcoffset() == timedelta(hours=-8)
    assert datetime(2026, 7, 1, tzinfo=zone("GMT")).utcoffset() == timedelta(0)


@pytest.mark.field_case("A13")
@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "Mars/Olympus",
        "America",
        "../../etc/passwd",
        "/etc/passwd",
        "x" * 5_000,
        "a\0b",
        "\ud800",
    ],
)
def test_an_unknown_zone_is_utc(name: str | None) -> None:
    assert zone(name) is UTC
