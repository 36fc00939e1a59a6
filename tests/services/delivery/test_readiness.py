"""Before anything is sent: a barred login is tried once, an idle one is renewed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keeping_plugin.errors import ConnectionBarred, SalesforceUnavailable
from keeping_plugin.models import now
from keeping_plugin.services.delivery.sweep import sweep
from tests.services.delivery.house import House

WORDS = "ip restricted or invalid login hours"


def bar(house: House, *, due_in: float) -> None:
    """Salesforce has refused this connection; it is tried again so many seconds from now."""
    with house.database.read() as session:
        at = now(session)
    until = at + timedelta(seconds=due_in)
    house.change(
        barred_since=at,
        barred_reason="restricted",
        barred_words=WORDS,
        barred_until=until,
        barred_probes=0,
        paused_until=until,
        pause_reason="connection_barred",
    )


def due_since(house: House, seconds: float) -> None:
    with house.database.read() as session:
        house.change(renew_at=now(session) - timedelta(seconds=seconds))


def swept(house: House) -> list[int]:
    house.queue.take()
    sweep(house.runtime)
    return house.queue.take()[0]


@pytest.mark.field_case("A1")
def test_a_barred_connection_is_rung_when_its_try_is_due_though_it_owes_nothing(
    house: House,
) -> None:
    assert swept(house) == []
    bar(house, due_in=60)
    assert swept(house) == []
    bar(house, due_in=-1)
    assert swept(house) == [house.connection_id]


@pytest.mark.field_case("A1")
def test_a_barred_connection_is_tried_with_one_cheap_call_before_anything_is_claimed(
    house: House,
) -> None:
    house.owe("m1")
    bar(house, due_in=-1)
    house.salesforce.fail("limits", ConnectionBarred(WORDS, reason="restricted"))
    house.drain()
    assert [call.verb for call in house.salesforce.calls] == ["limits"]
    assert house.states() == [("pending", ""), ("pending", "")]
    assert all(entry.claim is None and entry.sent_at is None for entry in house.entries())
    house.drain()
    assert house.states() == [("done", "created"), ("done", "logged")]


@pytest.mark.field_case("A1")
def test_nothing_is_asked_before_the_try_is_due(house: House) -> None:
    house.owe("m1")
    bar(house, due_in=60)
    house.drain()
    assert house.salesforce.calls == []
    assert swept(house) == []


def test_an_idle_login_is_rung_for_and_renewed_before_the_mail_goes(house: House) -> None:
    assert swept(house) == []
    due_since(house, 1)
    assert swept(house) == [house.connection_id]
    house.owe("m1")
    house.drain()
    assert house.renewed == [house.connection_id]
    assert house.states() == [("done", "created"), ("done", "logged")]


def test_a_login_that_could_not_be_renewed_goes_on_working(house: House) -> None:
    def away(connection_id: int) -> None:
        raise SalesforceUnavailable("away")

    due_since(house, 1)
    house.owe("m1")
    parts = house.worker()
    object.__setattr__(parts, "keep_login", away)
    house.drain(parts)
    assert house.states() == [("done", "created"), ("done", "logged")]
