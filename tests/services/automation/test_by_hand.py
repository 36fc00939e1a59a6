"""Agents log messages by hand or keep them out: through the rules, the ledger and the drain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from keeping_plugin import failpoints
from keeping_plugin.errors import InvalidInput, NotConnected, NotFound, OutcomeUnclear
from keeping_plugin.models import (
    AuditRecord,
    Database,
    Decision,
    Installation,
    KeptOut,
    SkippedDomain,
    SyncEntry,
)
from keeping_plugin.services.automation import by_hand
from keeping_plugin.services.automation.explain import explain_message
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.types import Agent
from keeping_plugin.wording.audit import detail_text
from tests.services.delivery.house import COMPANY, JANE, House

GUS = Agent("gus", COMPANY, "Gus Agent")
ANN = Agent("ann", COMPANY, "Ann Agent")


@pytest.fixture
def house(database: Database) -> House:
    """A house whose logging is off, and in which no process of 0.1.0 runs."""
    house = House(database)
    with database.write() as session:
        session.execute(update(Installation).values(contract=1))
    house.switch(add_contacts=False, log_tasks=False)
    return house


def arrive(house: House, message_id: str = "m1", **facts: Any) -> str:
    """A message comes in, through the rules; its conversation."""
    house.add_mail(message_id, **facts)
    message = house.desk.company(COMPANY).messages[message_id]
    with house.database.write() as session:
        message_arrived(house.runtime, session, message)
    return message.conversation_id


def log_now(house: House, message_id: str = "m1", agent: Agent = GUS) -> None:
    by_hand.log_now(house.runtime, agent, f"c-{message_id}", message_id)


def keep_out(house: House, message_id: str = "m1", agent: Agent = ANN) -> None:
    by_hand.do_not_log(house.runtime, agent, f"c-{message_id}", message_id)


def jane(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)


def occasions(house: House) -> list[str]:
    with house.database.read() as session:
        return list(session.scalars(select(Decision.occasion).order_by(Decision.id)))


def reasons(house: House) -> Any:
    """Of the latest decision, by action."""
    with house.database.read() as session:
        decision = session.scalars(select(Decision).order_by(Decision.id.desc())).first()
        assert decision is not None
        return {action: tuple(why) for action, why in decision.verdicts}


def audited(house: House) -> list[tuple[str, str, str]]:
    with house.database.read() as session:
        rows = session.scalars(select(AuditRecord).order_by(AuditRecord.id)).all()
    return [(row.action, row.agent_name, row.record_id) for row in rows if row.agent_name]


def kept_out(house: House) -> list[str]:
    with house.database.read() as session:
        return list(session.scalars(select(KeptOut.message_id)))


@pytest.mark.both_databases
def test_a_message_is_logged_by_hand_while_the_automation_is_off(house: House) -> None:
    jane(house)
    arrive(house)
    house.drain()
    assert house.states() == []
    log_now(house)
    assert (occasions(house), reasons(house)) == (["live", "agent:1"], {"log_task": ()})
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1
    assert house.entries()[0].by_agent == "Gus Agent"
    assert audited(house) == [("logged_by_hand", "Gus Agent", "m1")]
    with house.database.read() as session:
        lines = "\n".join(explain_message(session, house.desk, COMPANY, "m1"))
    assert "agent:1" in lines
    assert "by hand: Gus Agent" in lines
    assert "Add as Contact: NO" in lines, "of the first decision and of today's"
    asked = lines[lines.index("agent:1") : lines.index("by hand: Gus")]
    assert "Add as Contact" not in asked


def test_a_person_who_is_not_in_salesforce_is_waited_for_not_added(house: House) -> None:
    arrive(house)
    log_now(house)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    assert not house.contacts()
    log_now(house, agent=ANN)
    assert house.states() == [("waiting", "no_contact")]
    jane(house)
    house.pass_time(700)
    house.drain()
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1


def _pending(house: House) -> None:
    house.switch(log_tasks=True)
    arrive(house)
    house.switch(log_tasks=False)


def _cancelled(house: House) -> None:
    _pending(house)
    house.drain()
    assert house.states() == [("cancelled", "switched_off")]


def _kept_out(house: House) -> None:
    _pending(house)
    keep_out(house)
    assert house.states() == [("cancelled", "kept_out")]


def _failed(house: House) -> None:
    _pending(house)
    with house.database.write() as session:
        entries.happen(session, Event.GIVEN_UP)
        session.execute(update(SyncEntry).values(state="failed", reason="rejected", due_at=None))


def _logged(house: House) -> None:
    house.switch(log_tasks=True)
    arrive(house)
    house.drain()
    house.switch(log_tasks=False)


def _undone(house: House) -> None:
    _logged(house)
    with house.database.write() as session:
        entries.happen(session, Event.UNDONE)


BEFORE: dict[str, tuple[Callable[[House], Any], tuple[str, str], int]] = {
    "refused by the switch": (arrive, ("done", "logged"), 1),
    "pending, and switched off since": (_pending, ("done", "logged"), 1),
    "cancelled": (_cancelled, ("done", "logged"), 1),
    "kept out by an agent": (_kept_out, ("done", "logged"), 1),
    "failed, which is tried again otherwise": (_failed, ("failed", "rejected"), 0),
    "logged": (_logged, ("done", "logged"), 1),
    "undone by an admin, which stands": (_undone, ("done", "undone"), 1),
}


@pytest.mark.parametrize("before", BEFORE)
def test_two_presses_give_one_task_whatever_was_before(house: House, before: str) -> None:
    prepare, state, tasks = BEFORE[before]
    jane(house)
    prepare(house)
    log_now(house)
    log_now(house, agent=ANN)
    house.drain()
    log_now(house, agent=ANN)
    house.drain()
    assert house.states() == [state]
    assert len(house.tasks()) == tasks
    assert kept_out(house) == []


@pytest.mark.both_databases
def test_agents_who_press_at_once_while_drains_run_get_one_task(house: House) -> None:
    jane(house)
    _cancelled(house)
    start = threading.Barrier(6)
    errors: list[BaseException] = []

    def run(what: Callable[[], None]) -> None:
        try:
            start.wait(30)
            what()
        except BaseException as error:  # noqa: BLE001 - reported by the test
            errors.append(error)

    works: list[Callable[[], None]] = [lambda: log_now(house), lambda: log_now(house, agent=ANN)]
    works = works * 2 + [lambda: house.drain(house.worker())] * 2
    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    house.drain()
    house.pass_time(60)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1
    assert occasions(house) == ["live", "agent:1"]


def test_a_batch_that_is_about_to_end_an_entry_loses_it(house: House) -> None:
    """It read the switch before the agent pressed."""
    jane(house)
    _pending(house)
    gone: list[str] = []

    def pressed(*_: object) -> None:
        if not gone:
            gone.append("pressed")
            log_now(house)

    runtime = replace(house.runtime, end_host_transaction=pressed)
    house.drain(runtime)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1


REFUSED = {
    "an internal address": ({"internal": [JANE]}, "internal_address"),
    "a domain that is not to be logged": ({}, "unlogged_domain"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_that_agents_cannot_override_says_why(house: House, what: str) -> None:
    changes, code = REFUSED[what]
    jane(house)
    arrive(house)
    for name, values in changes.items():
        getattr(house.desk.company(COMPANY), name).extend(values)
    if not changes:
        with house.database.write() as session:
            session.add(
                SkippedDomain(company_id=COMPANY, domain="customer.example", skip_logging=True)
            )
    log_now(house)
    house.drain()
    assert reasons(house) == {"log_task": (code,)}
    assert house.states() == []
    with house.database.read() as session:
        (asked,) = session.scalars(select(AuditRecord))
    assert "refused" in detail_text(asked.action, asked.detail)


def test_what_retention_has_removed_is_not_logged_a_second_time(house: House) -> None:
    jane(house)
    _logged(house)
    with house.database.write() as session:
        entries.remove(session)
    with pytest.raises(InvalidInput, match="no longer stored"):
        log_now(house)
    house.drain()
    assert len(house.tasks()) == 1
    assert occasions(house) == ["live"], "nothing of it is written"


def test_without_a_connection_nothing_is_logged(house: House) -> None:
    arrive(house)
    house.change(status="disconnected", current=False)
    with pytest.raises(NotConnected):
        log_now(house)


@pytest.mark.both_databases
def test_a_message_that_is_not_in_the_conversation_is_not_found(house: House) -> None:
    arrive(house)
    for message_id in ("m2", "", "x" * 256, "a\0b", "a\ud800"):
        with pytest.raises(NotFound):
            by_hand.log_now(house.runtime, GUS, "c-m1", message_id)
        with pytest.raises(NotFound):
            by_hand.do_not_log(house.runtime, GUS, "c-m1", message_id)
        with pytest.raises(NotFound):
            by_hand.do_not_log(house.runtime, GUS, "c-other", message_id or "m1")


def test_nothing_is_decided_by_hand_beside_0_1_0(house: House) -> None:
    """Its workers would ask the switch again, and its intake would log what is kept out."""
    arrive(house)
    with house.database.write() as session:
        session.execute(update(Installation).values(contract=0))
    with pytest.raises(InvalidInput, match="db contract"):
        log_now(house)
    with pytest.raises(InvalidInput, match="db contract"):
        keep_out(house)
    with house.database.read() as session:
        offered = by_hand.by_hand(session, COMPANY, "c-m1")
    assert (offered.may_log, offered.may_keep_out) == (False, False)


@pytest.mark.both_databases
def test_waiting_mail_is_not_sent_once_an_agent_chose_not_to_log_it(house: House) -> None:
    house.switch(log_tasks=True)
    arrive(house)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    keep_out(house)
    keep_out(house, agent=GUS)
    jane(house)
    house.pass_time(700)
    house.drain()
    assert house.states() == [("cancelled", "kept_out")]
    assert house.entries()[0].by_agent == "Ann Agent"
    assert audited(house)[0] == ("kept_out", "Ann Agent", "m1")
    assert not house.tasks()


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("point", "sent"),
    [
        ("drain.claimed", False),
        ("drain.looked", False),
        ("drain.marked", True),
        ("drain.sent", True),
    ],
)
def test_the_mark_decides_whether_an_entry_in_a_batch_is_sent(
    house: House, point: str, sent: bool
) -> None:
    jane(house)
    house.switch(log_tasks=True)
    arrive(house)
    pressed: list[str] = []

    def press() -> None:
        if not pressed:
            pressed.append(point)
            keep_out(house)

    failpoints.arm(point, press)
    try:
        house.drain()
    finally:
        failpoints.disarm()
    house.drain()
    assert pressed
    assert house.states() == [("done", "logged") if sent else ("cancelled", "kept_out")]
    assert len(house.tasks()) == sent


@pytest.mark.parametrize("arrived", [True, False])
def test_one_that_was_being_sent_is_looked_for_and_not_sent_again(
    house: House, arrived: bool
) -> None:
    jane(house)
    house.switch(log_tasks=True)
    arrive(house)
    house.salesforce.fail("create_many", OutcomeUnclear("no answer"), after=arrived)
    house.drain()
    assert [state for state, _ in house.states()] == ["sending"]
    keep_out(house)
    assert [state for state, _ in house.states()] == ["sending"]
    house.pass_time(60)
    house.drain()
    assert house.states() == [("done", "logged") if arrived else ("cancelled", "kept_out")]
    assert len(house.tasks()) == arrived
    if arrived:
        with pytest.raises(InvalidInput, match="An admin can undo that"):
            keep_out(house)
    else:
        log_now(house)
        house.drain()
        assert house.states() == [("done", "logged")]
        assert len(house.tasks()) == 1


@pytest.mark.both_databases
def test_a_conversation_is_kept_out_until_somebody_lets_it_in(house: House) -> None:
    jane(house)
    house.switch(log_tasks=True)
    conversation = arrive(house)
    by_hand.do_not_log_conversation(house.runtime, ANN, conversation)
    assert house.states() == [("cancelled", "kept_out")]
    for number in ("m2", "m3"):
        arrive(house, number, conversation_id=conversation, opens_conversation=False)
    arrive(house, "m4")
    house.drain()
    assert reasons(house)["log_task"] == ()
    assert [row.message_id for row in house.entries()] == ["m1", "m4"]
    by_hand.log_now(house.runtime, GUS, conversation, "m2")
    house.drain()
    assert len(house.tasks()) == 2, "m4, and m2 by hand"
    by_hand.log_conversation_again(house.runtime, GUS, conversation)
    by_hand.log_conversation_again(house.runtime, GUS, conversation)
    arrive(house, "m5", conversation_id=conversation, opens_conversation=False)
    house.drain()
    assert len(house.tasks()) == 3
    said = [row[0] for row in audited(house)]
    assert said == ["kept_out", "logged_by_hand", "let_in"]


def test_mail_that_commits_as_its_conversation_is_kept_out_is_not_sent(house: House) -> None:
    jane(house)
    house.switch(log_tasks=True)
    conversation = arrive(house)
    with house.database.write() as session:
        row = {"company_id": COMPANY, "conversation_id": conversation, "message_id": ""}
        session.add(KeptOut(**row, agent="Ann Agent", at=house.entries()[0].created_at))
    house.drain()
    assert house.states() == [("cancelled", "kept_out")]
    assert not house.tasks()
