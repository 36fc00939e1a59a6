"""Messages whose customer has no Contact yet: when they are looked for, and when no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import SyncEntry, now
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, JANE, MAILBOX, House

HOUR, DAY = 3_600.0, 86_400.0


def finds(house: House) -> list[int]:
    """How many addresses each look asked for."""
    return [call.rows for call in house.salesforce.calls if call.verb == "find"]


def waiting(house: House, number: int) -> None:
    """So many messages of as many customers, whose look is due; the first waits longest."""
    with house.database.write() as session:
        time = now(session)
        rows = [
            {
                "connection_id": house.connection_id,
                "company_id": COMPANY,
                "mailbox_id": MAILBOX.id,
                "conversation_id": f"c{each}",
                "message_id": f"m{each:05}",
                "action": Action.LOG_TASK,
                "epoch": 1,
                "address": f"p{each}@customer.example",
                "created_at": time,
                "state": "waiting",
                "reason": "no_contact",
                "waiting_since": time - timedelta(seconds=number - each),
                "due_at": time,
            }
            for each in range(number)
        ]
        for start in range(0, number, 1_000):
            session.execute(insert(SyncEntry), rows[start : start + 1_000])


def test_it_is_looked_for_after_ten_minutes_an_hour_six_hours_then_daily(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    for pause in (600.0, HOUR, 6 * HOUR, DAY, DAY, DAY):
        looks = len(finds(house))
        house.pass_time(pause - 30)
        house.drain()
        assert len(finds(house)) == looks, pause
        house.pass_time(60)
        house.drain()
        assert len(finds(house)) == looks + 1, pause
    assert house.states() == [("waiting", "no_contact")]


def test_one_composite_looks_for_a_thousand_addresses_and_a_ring_brings_the_rest(
    house: House,
) -> None:
    waiting(house, 1_200)
    house.drain()
    assert finds(house) == [1_000]
    assert house.queue.take()[0] == [house.connection_id]
    house.drain()
    assert finds(house) == [1_000, 200]
    assert house.queue.take()[0] == []


def test_beyond_five_thousand_the_oldest_are_given_up(house: House) -> None:
    waiting(house, 5_003)
    house.drain()
    ended = [entry.message_id for entry in house.entries() if entry.state == "cancelled"]
    assert ended == ["m00000", "m00001", "m00002"]
    assert {entry.reason for entry in house.entries()} == {"no_contact"}


@pytest.mark.both_databases
def test_a_look_that_finds_somebody_releases_him_alone(house: House) -> None:
    waiting(house, 3)
    house.salesforce.add("Contact", LastName="Doe", Email="p1@customer.example")
    house.drain()
    assert [entry.state for entry in house.entries()] == ["waiting", "pending", "waiting"]


def test_a_lead_is_no_contact_until_it_is_converted(house: House) -> None:
    lead = house.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    house.pass_time(601)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    contact = house.salesforce.convert(lead)
    house.pass_time(HOUR + 1)
    house.drain()
    house.drain()
    assert house.states() == [("done", "logged")]
    assert [task["WhoId"] for task in house.tasks()] == [contact]


@pytest.mark.both_databases
@pytest.mark.parametrize("used", [79, 95])
def test_looks_stay_within_the_automations_share(house: House, used: int) -> None:
    waiting(house, 1)
    house.salesforce.limit, house.salesforce.used = 100, used
    house.change(api_used=used, api_limit=100)
    house.drain()
    assert len(finds(house)) == (1 if used < 80 else 0)


def test_nothing_is_given_up_for_what_salesforce_did_not_answer(house: House) -> None:
    waiting(house, 2)
    house.salesforce.fail("find", SalesforceUnavailable("no answer", timed_out=True))
    house.drain()
    assert [entry.state for entry in house.entries()] == ["waiting", "waiting"]
    with house.database.write() as session:
        session.execute(update(SyncEntry).values(due_at=now(session)))
    house.drain()
    assert finds(house)[-1] == 2


@pytest.mark.field_case("C")
@pytest.mark.parametrize("address", ["mailer-daemon@mx.example", "no-reply@shop.example"])
def test_what_can_never_find_anybody_does_not_wait(house: House, address: str) -> None:
    house.owe("m1", Action.LOG_TASK, address=address)
    house.drain()
    assert house.states() == [("cancelled", "nobody_to_find")]


@pytest.mark.field_case("C")
def test_a_bounce_from_any_address_does_not_wait(house: House) -> None:
    report = {"content-type": "multipart/report; report-type=delivery-status"}
    house.owe("m1", Action.LOG_TASK)
    bounce = house.desk.company(COMPANY).messages["m1"]
    house.desk.add_message(replace(bounce, headers=report))
    house.drain()
    assert house.states() == [("cancelled", "nobody_to_find")]


def test_a_contact_with_an_address_that_nobody_reads_has_its_mail_logged(house: House) -> None:
    house.salesforce.add("Contact", LastName="Shop", Email="no-reply@shop.example")
    house.owe("m1", Action.LOG_TASK, address="no-reply@shop.example")
    house.drain()
    assert house.states() == [("done", "logged")]
