"""What agents decide by hand, beside everything else that happens to a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from keeping_plugin.errors import NotConnected
from keeping_plugin.models import Connection, now
from keeping_plugin.services.admin import held
from keeping_plugin.services.automation import by_hand
from keeping_plugin.services.connection.disconnect import end_connection
from keeping_plugin.services.connection.leftovers import settle as settle_leftovers
from keeping_plugin.services.operations.forget import forget
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.types import Action, Address, Agent
from tests.services.automation import test_backfill as backfills
from tests.services.automation.test_by_hand import (
    arrive,
    house,
    jane,
    keep_out,
    kept_out,
    log_now,
    occasions,
    reasons,
)
from tests.services.delivery.house import COMPANY, JANE, House

__all__ = ["house"]

ADMIN = Agent("ada", COMPANY, "Ada", is_admin=True)
LOGGED = ("done", "logged")


def of_tasks(house: House) -> list[tuple[str, str]]:
    return [(row.state, row.reason) for row in house.entries() if row.action == Action.LOG_TASK]


def test_logging_by_hand_does_not_release_a_held_person(house: House) -> None:
    house.switch(add_contacts=True, log_tasks=True)
    house.choose(an_hour=1)
    arrive(house, "m1", address="p1@company1.example")
    arrive(house, "m2", address="p2@company2.example")
    house.drain()
    log_now(house, "m2")
    house.drain()
    assert of_tasks(house) == [LOGGED, ("pending", "held")]
    held.add(house.database, ADMIN, domain=None, until=10**9)
    house.switch(log_tasks=False)
    house.drain()
    house.drain()
    assert of_tasks(house) == [LOGGED, LOGGED], "its switch is not asked again"
    assert len(house.tasks()) == 2


def test_the_same_mail_is_logged_once_where_the_company_wants_it_so(house: House) -> None:
    jane(house)
    house.add_mailbox("support")
    house.switch(add_contacts=False, log_tasks=False)
    house.choose(once_per_mail=True)
    same = {"rfc_message_id": "<1@customer.example>", "text": "Hello"}
    arrive(house, "m1", **same)
    arrive(house, "m2", mailbox_id="support", **same)
    log_now(house, "m1")
    log_now(house, "m2")
    house.drain()
    house.drain()
    assert house.states() == [LOGGED, ("done", "logged_elsewhere")]
    log_now(house, "m2")
    house.drain()
    assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_an_import_neither_logs_what_is_kept_out_nor_what_was_logged_by_hand(house: House) -> None:
    jane(house)
    house.switch(log_tasks=True)
    arrive(house, "m1")
    keep_out(house, "m1")
    house.switch(log_tasks=False)
    arrive(house, "m2")
    log_now(house, "m2")
    arrive(house, "m3")
    by_hand.do_not_log_conversation(house.runtime, ADMIN, "c-m3")
    house.drain()
    house.switch(log_tasks=True)
    backfills.advance_to_the_end(house, backfills.start(house))
    house.drain()
    assert of_tasks(house) == [("cancelled", "kept_out"), LOGGED]
    assert reasons(house)["log_task"] == ("kept_out",)
    assert len(house.tasks()) == 1


def test_a_corrected_customer_is_logged_by_hand_all_the_same(house: House) -> None:
    janet = "janet@customer.example"
    house.salesforce.add("Contact", LastName="Doe", Email=janet)
    arrive(house)
    log_now(house)
    messages = house.desk.company(COMPANY).messages
    messages["m1"] = replace(messages["m1"], customer=Address(janet))
    house.drain()
    house.drain()
    assert house.states() == [LOGGED]
    (entry,) = house.entries()
    assert (entry.address, entry.by_agent) == (janet, "Gus Agent")
    assert [each.partition(":")[0] for each in occasions(house)] == ["live", "agent", "corrected"]
    assert len(house.tasks()) == 1


def _pause(house: House) -> None:
    with house.database.read() as session:
        house.change(paused_until=now(session) + timedelta(minutes=5), pause_reason="unavailable")


def _resume(house: House) -> None:
    house.change(paused_until=None, pause_reason="")


AWAY = {
    "paused": (_pause, _resume),
    "lost": (lambda house: house.change(status="lost"), lambda house: house.change(status="live")),
}


@pytest.mark.parametrize("away", AWAY)
def test_a_message_logged_by_hand_waits_while_salesforce_is_away(house: House, away: str) -> None:
    leave, come_back = AWAY[away]
    jane(house)
    arrive(house)
    leave(house)
    log_now(house)
    log_now(house)
    house.drain()
    assert house.states() == [("pending", "")]
    come_back(house)
    house.drain()
    assert house.states() == [LOGGED]
    assert len(house.tasks()) == 1


def test_what_a_disconnect_ended_is_logged_after_the_next_login(house: House) -> None:
    jane(house)
    arrive(house)
    log_now(house)
    with house.database.write() as session:
        end_connection(
            session,
            session.get_one(Connection, house.connection_id),
            agent_id=ADMIN.id,
            at=now(session),
            times=house.runtime.times,
        )
    assert settle_leftovers(house.database, seconds=5)
    assert house.states() == [("cancelled", "disconnected")]
    with pytest.raises(NotConnected):
        log_now(house)
    house.change(current=True, status="live", disconnected_at=None)
    log_now(house)
    house.drain()
    assert house.states() == [LOGGED]
    assert len(house.tasks()) == 1


def test_retention_and_forgetting_leave_what_is_kept_out_kept_out(house: House) -> None:
    jane(house)
    house.switch(log_tasks=True)
    conversation = arrive(house)
    by_hand.do_not_log_conversation(house.runtime, ADMIN, conversation)
    house.pass_time(40 * 86_400)
    run_retention(house.database, house.runtime.times, keep_days=30)
    assert (house.states(), kept_out(house)) == ([], [""])
    forget(house.database, COMPANY, JANE)
    assert kept_out(house) == [""]
    arrive(house, "m2", conversation_id=conversation, opens_conversation=False)
    house.drain()
    assert reasons(house)["log_task"] == ("kept_out",)
    assert not house.tasks()
