"""Whatever happens to an entry happens as the table of `entries` says, and in no other state."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, make_transient

import keeping_plugin
from keeping_plugin.models import Connection, EntryState, SyncEntry, now
from keeping_plugin.services.ledger import entries, events
from keeping_plugin.services.ledger import outcome as outcomes
from keeping_plugin.services.ledger.events import Event, Mark, Next, Step
from keeping_plugin.services.ledger.outcome import Outcome
from keeping_plugin.times import Times
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, MAILBOX, House

pytestmark = pytest.mark.both_databases

TOKEN = "batch"
USER, EARLIER_USER = "005000000000001AAA", "005000000000002AAA"
MARK = ("sent_at", "sent_user_id", "sent_after", "sent_epoch", "sent_key_field", "sent_key_at")
SETTLED = {
    EntryState.DONE: Event.DONE,
    EntryState.FAILED: Event.FAILED,
    EntryState.CANCELLED: Event.CANCELLED,
    EntryState.PENDING: Event.LATER,
    EntryState.SENDING: Event.UNCLEAR,
    EntryState.WAITING: Event.WAITS,
}
Row = Mapping[str, Any]
TIMES = Times()
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def columns(entry: SyncEntry) -> Row:
    return {each.key: getattr(entry, each.key) for each in SyncEntry.__table__.columns}


def mark_of(row: Row) -> Row:
    return {name: row[name] for name in MARK}


class Ledger:
    """One entry in each state, without a mark and with one, all of them held by one batch."""

    def __init__(self, house: House) -> None:
        self.database = house.database
        with self.database.write() as session:
            self.time = now(session)
            self.connection = session.get_one(Connection, house.connection_id)
            for state, marked in itertools.product(EntryState, (False, True)):
                session.add(self._entry(state, marked))
            session.flush()
            self.as_claimed = session.query(SyncEntry).order_by(SyncEntry.id).all()
            session.expunge_all()
        self.before = [columns(entry) for entry in self.as_claimed]

    def _entry(self, state: EntryState, marked: bool) -> SyncEntry:
        entry = SyncEntry(
            **self.granted(f"{state}-{marked}"),
            state=state,
            reason="as it was",
            due_at=self.time,
            claim=TOKEN,
            claimed_until=self.time + timedelta(seconds=45),
        )
        if marked:
            entry.sent_at = entry.sent_after = entry.sent_key_at = self.time - timedelta(hours=1)
            entry.sent_user_id = EARLIER_USER
            entry.sent_epoch, entry.sent_key_field = 1, "Keeping_Key__c"
        return entry

    def granted(self, message_id: str) -> dict[str, Any]:
        """What the rules grant of a message."""
        return {
            "connection_id": self.connection.id,
            "company_id": COMPANY,
            "mailbox_id": MAILBOX.id,
            "conversation_id": "c",
            "message_id": message_id,
            "action": Action.LOG_TASK,
            "lane": "a-live",
            "run_id": None,
            "epoch": 1,
            "address": "jane@customer.example",
            "created_at": self.time,
        }

    @property
    def ids(self) -> list[int]:
        return [row["id"] for row in self.before]

    def after(self) -> list[Row]:
        with self.database.read() as session:
            return [columns(row) for row in session.query(SyncEntry).order_by(SyncEntry.id)]

    def marked_since(self) -> list[SyncEntry]:
        """The entries as they were claimed, had their marks come with this batch's call."""
        for entry in self.as_claimed:
            make_transient(entry)
            for name in MARK:
                setattr(entry, name, None)
        return list(self.as_claimed)


@pytest.fixture
def ledger(house: House) -> Ledger:
    return Ledger(house)


def may(step: Step, row: Row) -> bool:
    marked = row["sent_at"] is not None
    allowed = {Mark.ABSENT: not marked, Mark.PRESENT: marked}.get(step.mark, True)
    return EntryState(row["state"]) in step.comes_from and allowed


def following(step: Step, row: Row) -> str:
    if isinstance(step.goes_to, EntryState):
        return step.goes_to
    if step.goes_to is Next.SENDING_IF_MARKED:
        return EntryState.PENDING if row["sent_at"] is None else EntryState.SENDING
    return str(row["state"])


def settle(event: Event, **more: Any) -> Callable[[Session, Ledger], object]:
    def happens(session: Session, ledger: Ledger) -> None:
        held = event is Event.HELD
        [state] = [state for state, settled in SETTLED.items() if settled is event or held][:1]
        entries.settle(
            session,
            {row.id: row for row in ledger.as_claimed},
            dict.fromkeys(ledger.ids, outcomes.held() if held else Outcome(state, "new", **more)),
            TOKEN,
            time=ledger.time,
            times=TIMES,
        )

    return happens


def plainly(event: Event, **values: Any) -> Callable[[Session, Ledger], object]:
    def happens(session: Session, ledger: Ledger) -> None:
        entries.happen(session, event, SyncEntry.id.in_(ledger.ids), **values)

    return happens


def take(session: Session, ledger: Ledger) -> None:
    found = entries.claim(session, SyncEntry.id.in_(ledger.ids), token="other", until=LATER)
    assert {row.claim for row in found} == {"other"}


def mark(session: Session, ledger: Ledger) -> None:
    ledger.connection.user_id, ledger.connection.epoch = USER, 2
    entries.mark(
        session,
        ledger.ids,
        TOKEN,
        ledger.connection,
        at=LATER,
        server_date=LATER,
        key_field="",
        due_at=LATER,
        claimed_until=LATER,
    )


def unmark(session: Session, ledger: Ledger) -> None:
    entries.unmark(session, ledger.marked_since(), TOKEN, at=LATER, look_at=LATER)


def put_back(session: Session, ledger: Ledger) -> None:
    marked = [row for row in ledger.as_claimed if row.sent_at is not None]
    entries.unmark(session, marked, TOKEN, at=ledger.time, look_at=LATER)


def grant(session: Session, ledger: Ledger) -> None:
    there = [ledger.granted(row["message_id"]) for row in ledger.before]
    assert entries.grant(session.connection(), [*there, ledger.granted("new")]) == 1


def grant_again(session: Session, ledger: Ledger) -> None:
    database = session.connection()
    for row, before in itertools.product(ledger.before, (True, False)):
        entries.grant_again(database, ledger.granted(row["message_id"]), granted_before=before)


def remove(session: Session, ledger: Ledger) -> None:
    assert entries.remove(session, SyncEntry.id.in_(ledger.ids)) == len(ledger.ids)


HAPPENS: Mapping[Event, Callable[[Session, Ledger], object]] = {
    Event.GRANTED: grant,
    Event.GRANTED_AGAIN: grant_again,
    Event.ASKED: plainly(Event.ASKED, by_agent="Gus Agent"),
    Event.CLAIMED: take,
    Event.RELEASED: plainly(Event.RELEASED),
    Event.POSTPONED: plainly(Event.POSTPONED, due_at=LATER),
    Event.MARKED: mark,
    Event.UNMARKED: unmark,
    Event.PUT_BACK: put_back,
    **{event: settle(event) for event in SETTLED.values()},
    Event.HELD: settle(Event.HELD),
    Event.RESUMED: plainly(Event.RESUMED, due_at=LATER),
    Event.NO_OUTCOME: plainly(Event.NO_OUTCOME),
    Event.CORRECTED: plainly(Event.CORRECTED, address="new@customer.example"),
    Event.CONTACT_APPEARED: plainly(Event.CONTACT_APPEARED, due_at=LATER),
    Event.CUSTOMER_CHANGED: plainly(Event.CUSTOMER_CHANGED, due_at=LATER),
    Event.LOOKED_FOR: plainly(Event.LOOKED_FOR, looks=3),
    Event.ABANDONED: plainly(Event.ABANDONED, reason="disconnected"),
    Event.GIVEN_UP: plainly(Event.GIVEN_UP),
    Event.RETRIED: plainly(Event.RETRIED),
    Event.CONFIRMED: plainly(Event.CONFIRMED),
    Event.UNDONE: plainly(Event.UNDONE),
    Event.SENT_AGAIN: plainly(Event.SENT_AGAIN),
    Event.ANNOTATED: plainly(Event.ANNOTATED, note="new"),
    Event.FIELD_LOST: plainly(Event.FIELD_LOST),
    Event.REMOVED: remove,
}


def happen(ledger: Ledger, happens: Callable[[Session, Ledger], object]) -> dict[int, Row]:
    with ledger.database.write() as session:
        happens(session, ledger)
    return {row["id"]: row for row in ledger.after()}


@pytest.mark.parametrize("event", [each for each in Event if each is not Event.PUT_BACK])
def test_an_event_leads_on_from_its_states_and_changes_nothing_in_others(
    ledger: Ledger, event: Event
) -> None:
    """Settled here are entries that were sent for the first time: no earlier mark is put back."""
    step = event.value
    happens = HAPPENS[event]
    if step.mark is Mark.EARLIER:
        happens = settle(event, looked_up=True)
    after = happen(ledger, happens)
    if event is Event.GRANTED:
        [new] = [row for key, row in after.items() if key not in ledger.ids]
        assert (new["state"], new["due_at"]) == (step.goes_to, ledger.time)
        assert not any(mark_of(new).values())
    for row in ledger.before:
        if not may(step, row):
            assert after[row["id"]] == row
        elif step.goes_to is Next.NONE:
            assert row["id"] not in after
        else:
            now_ = after[row["id"]]
            assert now_ != row
            assert now_["state"] == following(step, row)
            if step.mark in (Mark.KEPT, Mark.ABSENT):
                assert mark_of(now_) == mark_of(row)
            elif step.mark is Mark.PRESENT:
                assert now_["sent_at"] == row["sent_at"]
            elif step.mark is Mark.SET:
                assert now_["sent_at"] == LATER
            else:
                assert not any(mark_of(now_).values())


def test_a_call_that_never_left_gives_an_entry_back_as_it_was_claimed(ledger: Ledger) -> None:
    after = happen(ledger, put_back)
    step = Event.UNMARKED.value
    for row in ledger.before:
        now_ = after[row["id"]]
        assert mark_of(now_) == mark_of(row)
        assert now_["state"] == row["state"]
        came_back = may(step, row) and row["sent_at"] is not None
        assert now_["due_at"] == (LATER if came_back else row["due_at"])


@pytest.mark.parametrize("event", SETTLED.values())
def test_an_entry_keeps_its_mark_while_a_send_is_in_doubt(ledger: Ledger, event: Event) -> None:
    after = happen(ledger, settle(event, marked=True))
    for row in ledger.before:
        assert mark_of(after[row["id"]]) == mark_of(row)
        assert after[row["id"]]["state"] == (
            event.value.goes_to if may(event.value, row) else row["state"]
        )


@pytest.mark.parametrize("event", SETTLED.values())
def test_a_refused_send_puts_back_the_mark_of_the_one_before(ledger: Ledger, event: Event) -> None:
    happen(ledger, mark)
    after = happen(ledger, settle(event))
    for row in ledger.before:
        if EntryState(row["state"]) in events.OWED:
            earlier = event.value.mark is Mark.EARLIER
            kept = mark_of(row) if earlier else dict.fromkeys(MARK)
            assert mark_of(after[row["id"]]) == kept


def test_the_mark_of_another_user_keeps_its_user_and_time(ledger: Ledger) -> None:
    after = happen(ledger, mark)
    for row in ledger.before:
        if EntryState(row["state"]) in events.OWED:
            new = after[row["id"]]
            first = row["sent_at"] is None
            assert new["sent_user_id"] == (USER if first else EARLIER_USER)
            assert new["sent_after"] == (LATER if first else row["sent_after"])
            assert (new["sent_at"], new["sent_epoch"], new["sent_key_field"]) == (LATER, 2, "")


@pytest.mark.parametrize("event", [each for each in Event if "reset to new" in each.value.when])
def test_an_entry_as_if_new_differs_from_a_new_one_in_nothing(ledger: Ledger, event: Event) -> None:
    with ledger.database.write() as session:
        for entry in session.query(SyncEntry):
            entry.refused_since = entry.waiting_since = entry.settled_at = ledger.time
            entry.attempts = entry.retries = entry.looks = 2
            entry.batch_size, entry.words = 1, [["CODE", "words", []]]
    after = happen(ledger, HAPPENS[event])
    happen(ledger, grant)
    [new] = [row for row in ledger.after() if row["message_id"] == "new"]
    again = after[
        next(r["id"] for r in ledger.before if r["state"] == "cancelled" and not r["sent_at"])
    ]
    own = ("id", "message_id")
    assert {**again, **{name: new[name] for name in own}} == new


def test_nobody_writes_a_state_or_a_mark_past_the_table(ledger: Ledger) -> None:
    with ledger.database.write() as session:
        for values in ({"state": EntryState.DONE}, {"sent_at": None}):
            with pytest.raises(ValueError, match="POSTPONED"):
                entries.happen(session, Event.POSTPONED, **values)
        for event in (Event.MARKED, Event.PUT_BACK, *SETTLED.values()):
            with pytest.raises(ValueError, match=event.name):
                entries.happen(session, event)
    assert ledger.after() == ledger.before


def test_every_event_is_used() -> None:
    package = Path(keeping_plugin.__file__).parent
    used: set[str] = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used |= {node.attr} if node.value.id == "Event" else set()
    assert used == {event.name for event in Event}


def test_what_an_entry_is_in_is_a_state_of_the_table() -> None:
    states: Sequence[EntryState] = [state for event in Event for state in event.value.comes_from]
    assert set(states) == set(EntryState)
