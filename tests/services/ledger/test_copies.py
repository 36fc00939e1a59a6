"""One mail in several mailboxes is logged once, and no other mail is taken for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, update

from keeping_plugin import failpoints
from keeping_plugin.errors import OutcomeUnclear, RecordRejected, RowLocked, SalesforceUnavailable
from keeping_plugin.models import Lane, SyncEntry
from keeping_plugin.services.ledger import retry
from keeping_plugin.services.ledger.copies import LoggedCopy, logged_copies
from keeping_plugin.types import Action, Address, Agent, Direction
from tests.servers.statements import counted
from tests.services.delivery.house import COMPANY, JANE, House

SENT = datetime(2026, 5, 6, 9, tzinfo=UTC)
SAME: dict[str, Any] = {"rfc_message_id": "<1@customer.example>", "text": "Hello"}
LOGGED, ELSEWHERE = ("done", "logged"), ("done", "logged_elsewhere")


@pytest.fixture
def once(house: House) -> House:
    """Two mailboxes, Jane in Salesforce, and the switch on."""
    house.add_mailbox("support")
    house.choose(once_per_mail=True)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    return house


def both(house: House, first: dict[str, Any] | None = None, second: Any = None) -> None:
    """The same mail in both mailboxes, but for these facts."""
    house.owe("m1", Action.LOG_TASK, **{**SAME, **(first or {})})
    house.owe("m2", Action.LOG_TASK, mailbox_id="support", **{**SAME, **(second or {})})


def drained(house: House, jobs: int = 1) -> list[tuple[str, str]]:
    for _ in range(jobs):
        house.drain()
    return house.states()


@pytest.mark.both_databases
def test_two_mailboxes_of_one_batch_log_one_mail_once(once: House) -> None:
    both(once)
    assert drained(once) == [LOGGED, ELSEWHERE]
    [task] = once.tasks()
    logged, copy = once.entries()
    assert copy.record_id == logged.record_id == task["Id"]
    assert copy.contact_id == logged.contact_id
    with once.database.read() as session:
        told = logged_copies(session, session.query(SyncEntry).all())
    assert told == {copy.id: LoggedCopy("sales", "c-m1")}
    # The copy asked nothing of Salesforce: one lookup and one send, as for one mail.
    assert once.salesforce.used == 2


@pytest.mark.both_databases
def test_a_copy_that_comes_later_ends_where_the_mail_was_logged(once: House) -> None:
    once.owe("m1", Action.LOG_TASK, **SAME)
    assert drained(once) == [LOGGED]
    used = once.salesforce.used
    once.owe("m2", Action.LOG_TASK, mailbox_id="support", lane=Lane.BACKFILL, **SAME)
    assert drained(once) == [LOGGED, ELSEWHERE]
    assert once.salesforce.used == used


@pytest.mark.parametrize(
    "other",
    [
        {"rfc_message_id": "<2@customer.example>"},
        {"rfc_message_id": ""},
        {"text": "Hello, this is somebody else with a Message-ID that they have seen."},
        {"sender": Address("mallory@stranger.example")},
        {"direction": Direction.OUTBOUND},
        {"sent_at": SENT + timedelta(seconds=1)},
    ],
    ids=["another id", "no id", "forged", "another sender", "another way", "another time"],
)
def test_what_differs_in_anything_is_another_mail(once: House, other: dict[str, Any]) -> None:
    both(once, second=other)
    assert drained(once) == [LOGGED, LOGGED]
    assert len(once.tasks()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"rfc_message_id": " 1@customer.example "},
        {"sender": Address("JANE@Customer.example", "Jane")},
        {"sent_at": SENT.astimezone(tz=None) + timedelta(milliseconds=300)},
        {"text": "Hello\r\n"},
    ],
    ids=["brackets", "spelling", "fraction", "line ends"],
)
def test_what_is_only_written_otherwise_is_the_same_mail(
    once: House, other: dict[str, Any]
) -> None:
    both(once, second=other)
    assert drained(once) == [LOGGED, ELSEWHERE]


def test_copies_of_two_customers_are_two_tasks(once: House) -> None:
    """Our mail to two people, each in the conversation of another mailbox."""
    once.salesforce.add("Contact", LastName="Roe", Email="john@customer.example")
    ours = {"sender": Address("agent@acme.example"), "direction": Direction.OUTBOUND}
    both(once, ours, {**ours, "address": "john@customer.example"})
    assert drained(once) == [LOGGED, LOGGED]


def test_without_the_switch_or_a_message_id_each_mailbox_logs(house: House) -> None:
    house.add_mailbox("support")
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    both(house)
    assert drained(house) == [LOGGED, LOGGED]
    house.choose(once_per_mail=True)
    both_without = {"rfc_message_id": "<>"}
    house.owe("m3", Action.LOG_TASK, **{**SAME, **both_without})
    house.owe("m4", Action.LOG_TASK, mailbox_id="support", **{**SAME, **both_without})
    assert drained(house)[2:] == [LOGGED, LOGGED]
    assert all(entry.fingerprint is None for entry in house.entries())


@pytest.mark.both_databases
def test_a_copy_waits_while_the_other_is_in_doubt_and_is_sent_if_that_ends_without_a_task(
    once: House,
) -> None:
    both(once)
    once.salesforce.refuse_rows(RowLocked("locked"))
    assert drained(once) == [("pending", "row_locked"), ("pending", "copy_first")]
    first, second = once.entries()
    assert first.due_at
    assert second.due_at
    assert timedelta(0) <= second.due_at - first.due_at < timedelta(seconds=5)
    once.pass_time(30)
    once.salesforce.refuse_rows(RecordRejected("no"))
    assert drained(once, 2)[0] == ("failed", "rejected")
    assert once.states()[1] == LOGGED
    assert len(once.tasks()) == 1


def test_the_copy_of_a_mail_whose_mailbox_is_switched_off_is_sent(once: House) -> None:
    both(once)
    once.salesforce.refuse_rows(RowLocked("locked"))
    once.drain()
    once.pass_time(30)
    once.switch("sales", log_tasks=False)
    assert drained(once, 2) == [("cancelled", "switched_off"), LOGGED]


@pytest.mark.both_databases
def test_an_answer_that_is_lost_sends_no_copy_before_it_is_looked_up(once: House) -> None:
    both(once)
    once.salesforce.fail("create_many", OutcomeUnclear("late"), after=True)
    assert drained(once) == [("sending", ""), ("pending", "copy_first")]
    once.pass_time(40)
    assert drained(once) == [LOGGED, ("pending", "copy_first")]
    once.pass_time(6)
    assert drained(once) == [LOGGED, ELSEWHERE]
    assert len(once.tasks()) == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("there", [True, False], ids=["found", "not found"])
def test_a_copy_that_failed_and_may_have_arrived_holds_the_other_until_a_person_settles_it(
    once: House, there: bool
) -> None:
    once.owe("m1", Action.LOG_TASK, **SAME)
    once.salesforce.fail("create_many", OutcomeUnclear("late"), after=True)
    once.drain()
    with once.database.write() as session:
        session.execute(
            update(SyncEntry).values(state="failed", reason="outcome_unknown", due_at=None)
        )
    once.owe("m2", Action.LOG_TASK, mailbox_id="support", **SAME)
    held = [("failed", "outcome_unknown"), ("pending", "copy_first")]
    for _ in range(2):
        assert drained(once) == held
        once.pass_time(16 * 60)
    admin = Agent("admin", COMPANY, "Admin", is_admin=True)
    settle = retry.it_is_there if there else retry.send_again
    with once.database.write() as session:
        settle(session, admin, once.entries()[0].id)
    once.drain()
    once.pass_time(60)
    ends = [("done", "confirmed"), ELSEWHERE] if there else [LOGGED, ELSEWHERE]
    assert drained(once) == ends


def test_a_mail_that_is_removed_after_it_was_claimed_holds_up_no_other(once: House) -> None:
    once.owe("m1", Action.LOG_TASK, **SAME)
    once.owe("m2", Action.LOG_TASK, **{**SAME, "rfc_message_id": "<2@customer.example>"})

    def remove() -> None:
        failpoints.disarm()
        with once.database.write() as session:
            session.execute(delete(SyncEntry).where(SyncEntry.message_id == "m1"))

    failpoints.arm("drain.claimed", remove)
    assert drained(once) == [LOGGED]
    assert len(once.tasks()) == 1


def test_a_live_copy_does_not_wait_for_imported_mail(once: House) -> None:
    once.owe("m1", Action.LOG_TASK, lane=Lane.BACKFILL, **SAME)
    once.owe("m2", Action.LOG_TASK, mailbox_id="support", **SAME)
    assert drained(once) == [ELSEWHERE, LOGGED]


@pytest.mark.both_databases
def test_copies_whose_customer_is_not_there_wait_and_one_is_logged(once: House) -> None:
    both(once, {"address": "new@customer.example"}, {"address": "new@customer.example"})
    assert drained(once) == [("waiting", "no_contact")] * 2
    once.salesforce.add("Contact", LastName="New", Email="new@customer.example")
    once.pass_time(700)
    assert sorted(drained(once, 2)) == [LOGGED, ELSEWHERE]


def test_new_customers_are_added_once_and_their_mail_is_logged_once(once: House) -> None:
    for number, box in enumerate(("sales", "support")):
        once.owe(f"m{number}", mailbox_id=box, address="new@customer.example", **SAME)
    assert drained(once) == [("done", "created"), LOGGED, ("done", "exists"), ELSEWHERE]


def test_a_worker_killed_before_its_mark_leaves_the_order_as_it_was(once: House) -> None:
    both(once)
    once.salesforce.fail("find", SalesforceUnavailable("away"))
    assert drained(once)[1] == ("pending", "copy_first")
    once.pass_time(120)
    assert drained(once, 2) == [LOGGED, ELSEWHERE]


@pytest.mark.both_databases
def test_a_hundred_copies_cost_as_many_statements_as_one(once: House) -> None:
    """The drain's own statements are counted with them: one that is made for each copy shows."""

    def statements(name: str, number: int) -> int:
        for each in range(number):
            same = {**SAME, "rfc_message_id": f"{name}-{each}"}
            once.owe(f"{name}-{each}", Action.LOG_TASK, **same)
        once.drain()
        for each in range(number):
            same = {**SAME, "rfc_message_id": f"{name}-{each}"}
            once.owe(f"{name}-{each}-b", Action.LOG_TASK, mailbox_id="support", **same)
        with counted(once.database) as found:
            once.drain()
        assert once.states()[-number:] == [ELSEWHERE] * number
        return len(found)

    one = statements("a", 1)
    assert statements("b", 100) == one


def test_off_it_costs_no_statement_and_on_four(house: House) -> None:
    """On: a transaction, the connection's lock, the fingerprints, and the copies."""
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    statements: list[str] = []

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def note(_c: Any, _x: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    def counted(message_id: str) -> int:
        house.owe(message_id, Action.LOG_TASK, **{**SAME, "rfc_message_id": message_id})
        statements.clear()
        house.drain()
        assert house.states()[-1] == LOGGED
        return len(statements)

    off = counted("m1")
    assert not any("SET fingerprint" in each for each in statements)
    house.choose(once_per_mail=True)
    assert counted("m2") == off + 4
