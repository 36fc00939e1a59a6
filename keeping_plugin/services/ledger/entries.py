"""The only module that writes entries. Every statement is made from the table of `events`, so that
in any other state than its own an event changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection as DbConnection
from sqlalchemy import Update, and_, bindparam, case, delete, literal_column, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import INSERTS, Connection, EntryState, Lane, SyncEntry, change_rows
from keeping_plugin.services.ledger.events import (
    ANY,
    AS_IF_NEW,
    BATCHED,
    FINAL,
    OWED,
    UNCLAIMED,
    Event,
    Mark,
    Next,
)
from keeping_plugin.services.ledger.outcome import Outcome
from keeping_plugin.times import WAIT_LOOKS, Times

# Literals, so that both databases see that the partial indexes of models/ledger fit.
OWED_ROWS: Final[ColumnElement[bool]] = SyncEntry.state.in_(
    [literal_column(f"'{state}'") for state in OWED]
)
# The same that are due at some time, by every lane, as their index has them: whatever is held for
# review is not read over.
IN_TIME: Final = and_(
    OWED_ROWS,
    SyncEntry.lane.in_([literal_column(f"'{lane}'") for lane in Lane]),
    SyncEntry.due_at.is_not(None),
)

_MARK_FIELDS: Final = (
    "sent_at",
    "sent_user_id",
    "sent_after",
    "sent_epoch",
    "sent_key_field",
    "sent_key_at",
)
_NO_MARK: Final[Mapping[str, Any]] = dict.fromkeys(_MARK_FIELDS)
_BY_THE_TABLE: Final = frozenset({"state", *_MARK_FIELDS})
_PLAIN: Final = (Mark.ABSENT, Mark.PRESENT, Mark.KEPT, Mark.TAKEN_OFF)  # as `happen` writes it


def _mark_of(row: SyncEntry) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _MARK_FIELDS}


def _may(event: Event) -> list[ColumnElement[bool]]:
    """In which entries an event may happen."""
    step = event.value
    where: list[ColumnElement[bool]] = []
    if len(step.comes_from) == 1:
        where.append(SyncEntry.state == step.comes_from[0])
    elif step.comes_from != ANY:
        where.append(SyncEntry.state.in_(step.comes_from))
    if step.mark is Mark.ABSENT:
        where.append(SyncEntry.sent_at.is_(None))
    elif step.mark is Mark.PRESENT:
        where.append(SyncEntry.sent_at.is_not(None))
    return where


def _statement(event: Event) -> Update:
    step = event.value
    values = {**step.sets, **(_NO_MARK if step.mark is Mark.TAKEN_OFF else {})}
    if isinstance(step.goes_to, EntryState):
        values["state"] = step.goes_to
    elif step.goes_to is Next.SENDING_IF_MARKED:
        values["state"] = case(
            (SyncEntry.sent_at.is_not(None), EntryState.SENDING), else_=EntryState.PENDING
        )
    statement = update(SyncEntry).where(*_may(event)).values(values)
    return statement.execution_options(synchronize_session=False)


_UPDATES: Final = {event: _statement(event) for event in Event}


def happen(session: Session, event: Event, *where: ColumnElement[bool], **values: Any) -> int:
    """Write down, in one statement, that this has happened to these entries; returns to how many.
    Raises ValueError for what the table decides, or a function of its own writes."""
    if event.value.mark not in _PLAIN or not _BY_THE_TABLE.isdisjoint(values):
        raise ValueError(f"{event} {sorted(values)}")
    return change_rows(session, _UPDATES[event].where(*where).values(values))


def of_batch(
    row_ids: Collection[int], token: str
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """These entries, as far as the batch with this token still has them."""
    return SyncEntry.id.in_(sorted(row_ids)), SyncEntry.claim == token


_KEY: Final = ("connection_id", "message_id", "action")
_TAKEN: Final = (
    "mailbox_id",
    "conversation_id",
    "lane",
    "run_id",
    "epoch",
    "address",
    "due_at",
    "by_agent",
)
# Kept whole: building them would cost the host's request more than executing them does.
_GRANT: Final = {
    name: insert(SyncEntry).on_conflict_do_nothing().returning(SyncEntry.id)
    for name, insert in INSERTS.items()
}


def _new(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "state": Event.GRANTED.value.goes_to, "due_at": row["created_at"]}


def grant(database: DbConnection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Add entries, due at once, but for those that are there already; returns how many are new."""
    # Counted by what is returned: the row count of an upsert is not told alike by every driver.
    added = database.execute(_GRANT[database.dialect.name], [_new(row) for row in rows])
    return len(added.all())


def grant_again(database: DbConnection, row: Mapping[str, Any], *, granted_before: bool) -> int:
    """What a backfill or an agent grants: a new entry, or one that was cancelled before it was ever
    sent, as if new. Any other is left alone. None is added if it was `granted_before`: retention
    removed it."""
    new = {"by_agent": None, **_new(row)}
    if granted_before:
        same = [getattr(SyncEntry, name) == new[name] for name in _KEY]
        taken = {name: new[name] for name in _TAKEN}
        statement: Any = _UPDATES[Event.GRANTED_AGAIN].where(*same).values(taken)
    else:
        statement = INSERTS[database.dialect.name](SyncEntry).values(new)
        taken = {name: statement.excluded[name] for name in (*_TAKEN, "state")}
        cancelled, unmarked = _may(Event.GRANTED_AGAIN)
        statement = statement.on_conflict_do_update(
            index_elements=_KEY, set_={**taken, **AS_IF_NEW}, where=cancelled & unmarked
        )
    return len(database.execute(statement.returning(SyncEntry.id)).all())


def claim(
    session: Session, *where: ColumnElement[bool], token: str, until: datetime
) -> Sequence[SyncEntry]:
    """Take these entries for a batch; returns them."""
    claimed = _UPDATES[Event.CLAIMED].where(*where).values(claim=token, claimed_until=until)
    return session.scalars(claimed.returning(SyncEntry)).all()


def mark(
    session: Session,
    row_ids: Collection[int],
    token: str,
    connection: Connection,
    *,
    at: datetime,
    server_date: datetime,
    key_field: str,
    **values: Any,
) -> Collection[int]:
    """Note that a call of this connection is about to leave; returns whose it may be.

    Where another user sent the entry before, only the org's key field can tell whether it arrived.
    Should the field be lost as well, whoever looks must still know whose it may be: the mark keeps
    that user and that time.
    """
    others = SyncEntry.sent_at.is_not(None) & (SyncEntry.sent_user_id != connection.user_id)
    marked = (
        _UPDATES[Event.MARKED]
        .where(*of_batch(row_ids, token))
        .values(
            sent_at=at,
            sent_user_id=case((others, SyncEntry.sent_user_id), else_=connection.user_id),
            sent_after=case((others, SyncEntry.sent_after), else_=server_date),
            sent_epoch=connection.epoch,
            sent_key_field=key_field,
            sent_key_at=at,
            **values,
        )
    )
    return session.scalars(marked.returning(SyncEntry.id)).all()


def unmark(
    session: Session,
    rows: Iterable[SyncEntry],
    token: str,
    *,
    at: datetime,
    look_at: datetime,
) -> None:
    """Take the mark of a call back that was clearly refused. Of an earlier send nothing new is
    known: entries that carried its mark when they were claimed get that one back, and are looked
    for at `look_at`."""
    chosen = list(rows)
    happen(session, Event.UNMARKED, *of_batch([row.id for row in chosen], token), due_at=at)
    for row in chosen:
        if row.sent_at is not None:
            earlier = {**_mark_of(row), "state": row.state, "due_at": look_at}
            put_back = _UPDATES[Event.PUT_BACK].where(*of_batch([row.id], token))
            session.execute(put_back.values(earlier))


_SETTLES: Final = {
    EntryState.DONE: Event.DONE,
    EntryState.FAILED: Event.FAILED,
    EntryState.CANCELLED: Event.CANCELLED,
    EntryState.PENDING: Event.LATER,
    EntryState.SENDING: Event.UNCLEAR,
    EntryState.WAITING: Event.WAITS,
}
# Executed for many rows at once, which takes no list of states as a parameter.
_SETTLE: Final = (
    update(SyncEntry)
    .where(
        SyncEntry.id == bindparam("row"),
        SyncEntry.claim == bindparam("token"),
        SyncEntry.state.in_([literal_column(f"'{state}'") for state in BATCHED]),
    )
    .execution_options(synchronize_session=False)
)


def settle(
    session: Session,
    rows: Mapping[int, SyncEntry],
    outcomes: Mapping[int, Outcome],
    token: str,
    *,
    time: datetime,
    times: Times,
) -> None:
    """Write down these outcomes of rows, as they were claimed, and give the rows back."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row_id, outcome in outcomes.items():
        values = _settled(rows[row_id], outcome, time, times)
        new = {f"new_{name}": value for name, value in values.items()}
        alike.setdefault(tuple(values), []).append({**new, "row": row_id, "token": token})
    connection = session.connection()
    for names, many in alike.items():
        columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        connection.execute(_SETTLE.values(columns), many)


def _settled(row: SyncEntry, outcome: Outcome, time: datetime, times: Times) -> dict[str, Any]:
    step = (Event.HELD if outcome.held else _SETTLES[outcome.state]).value
    final = step.goes_to in FINAL
    waits = step.goes_to == EntryState.WAITING
    values: dict[str, Any] = {
        "state": step.goes_to,
        "reason": outcome.reason,
        "words": outcome.words,
        "settled_at": time if final else None,
        "due_at": None if final or outcome.held else time + times.span(outcome.wait or 0.0),
        **UNCLAIMED,
        "retries": row.retries + 1 if outcome.retried else row.retries,
    }
    if outcome.attempted:
        values["attempts"] = row.attempts + 1
    if outcome.refused:
        values["refused_since"] = row.refused_since or time
    elif final or waits:
        values["refused_since"] = None
    if waits:
        values["waiting_since"] = row.waiting_since or time
        values["looks"] = 0
        values["due_at"] = time + times.span(WAIT_LOOKS[0])
    if final:
        values["record_id"] = outcome.record_id
        values["contact_id"] = outcome.contact_id
        values["candidates"] = outcome.candidates
    if not outcome.marked:
        earlier = step.mark is Mark.EARLIER and not outcome.looked_up
        values.update(_mark_of(row) if earlier and row.sent_at is not None else _NO_MARK)
    elif outcome.wait is None and not final:
        values.pop("due_at")  # as the mark set it
    return values


_IDENTIFY: Final = (
    _UPDATES[Event.ANNOTATED]
    .where(SyncEntry.id == bindparam("row"), SyncEntry.claim == bindparam("token"))
    .values(fingerprint=bindparam("new_fingerprint"))
)


def identify(session: Session, fingerprints: Mapping[int, str], token: str) -> None:
    """Keep by what these entries of a batch are recognized as the copies of one mail."""
    session.connection().execute(
        _IDENTIFY,
        [
            {"row": row_id, "token": token, "new_fingerprint": found}
            for row_id, found in fingerprints.items()
        ],
    )


def remove(session: Session, *where: ColumnElement[bool]) -> int:
    """Delete these entries; returns how many."""
    return change_rows(session, delete(SyncEntry).where(*_may(Event.REMOVED), *where))
