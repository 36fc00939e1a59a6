"""One mail that came to several mailboxes is logged once, for companies that want it so.

Copies are told by a fingerprint: Message-ID, sender, direction, time, text and customer together.
Anybody may write a Message-ID; whoever forges one with another text hides nothing. The customer is
part of it, because copies in the conversations of two customers are two Tasks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key
from keeping_plugin.models import EntryState, SyncEntry, now
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.events import OWED
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.services.ledger.outcome import Outcome, done
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CLAIM_BUSY, PAUSES, Times
from keeping_plugin.types import Message

# The reason of an entry that ended because another copy was logged; the reasons of such a copy.
ELSEWHERE: Final = "logged_elsewhere"
LOGGED: Final = ("logged", "confirmed")
OTHER_FIRST: Final = "copy_first"


def fingerprint(message: Message, address: str, *, salt: str) -> str | None:
    """What is equal for the copies of one mail, logged for the customer with this address; None
    without a Message-ID. Nothing can be read from it."""
    mail_id = message.rfc_message_id.strip().removeprefix("<").removesuffix(">").strip()
    if not mail_id:
        return None
    sender = message.sender.email if message.sender is not None else ""
    text = message.text if message.text is not None else message.html or ""
    parts = (
        salt,
        mail_id,
        address_key(sender) or sender,
        message.direction,
        f"{message.sent_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        _digest(text.replace("\r\n", "\n").strip()),
        address,
    )
    return _digest(json.dumps(parts))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def log_once(runtime: Runtime, batch: Batch, fingerprints: Mapping[int, str]) -> Batch:
    """The batch without copies of a mail that is logged already, or that another entry is about to
    log: those end, or come due after it. One whose outcome a person has yet to settle holds the
    others back, since it may have arrived. Nothing is asked of Salesforce for them. `fingerprints`
    are those of the rows that may be sent."""
    if not fingerprints:
        return batch
    with runtime.database.write() as session:
        lock_connection(session, batch.connection.id)
        fresh = {
            row.id: fingerprints[row.id]
            for row in batch.rows
            if row.id in fingerprints and row.fingerprint != fingerprints[row.id]
        }
        if fresh:
            entries.identify(session, fresh, batch.token)
        copies: dict[str, list[SyncEntry]] = {}
        for copy in session.scalars(
            select(SyncEntry).where(
                SyncEntry.connection_id == batch.connection.id,
                SyncEntry.fingerprint.in_(set(fingerprints.values())),
                or_(
                    SyncEntry.state.in_((*OWED, EntryState.DONE)),
                    and_(SyncEntry.state == EntryState.FAILED, SyncEntry.sent_at.is_not(None)),
                ),
            )
        ):
            copies.setdefault(copy.fingerprint or "", []).append(copy)
        here = frozenset(batch.row_ids)
        dropped = here - fingerprints.keys()
        time = now(session)
        outcomes: dict[int, Outcome] = {}
        for row in batch.rows:
            if row.sent_at is None and row.id in fingerprints:
                # Without even the row itself: it was ended or removed after it was claimed.
                same = copies.get(fingerprints[row.id], ())
                others = [each for each in same if each.id != row.id]
                outcome = _after(row, others, here, dropped, time, runtime.times)
                if outcome is not None:
                    outcomes[row.id] = outcome
        if outcomes:
            settle(session, batch, outcomes, times=runtime.times)
    return replace(batch, rows=[row for row in batch.rows if row.id not in outcomes])


def _after(
    row: SyncEntry,
    others: Iterable[SyncEntry],
    here: Collection[int],
    dropped: Collection[int],
    time: datetime,
    times: Times,
) -> Outcome | None:
    """What the other copies mean for this one; None: it is the one to be logged. `here` are the
    rows of its batch, `dropped` those of them that are not to be sent."""
    waits: list[float] = []
    for other in others:
        if other.state == EntryState.DONE:
            if other.reason in LOGGED:
                return done(ELSEWHERE, other.record_id, contact_id=other.contact_id)
        elif other.state == EntryState.FAILED:
            waits.append(PAUSES[-1])
        elif other.sent_at is not None or (_is_due(other) and _goes_first(other, row)):
            if other.id in here:
                if other.id not in dropped or other.sent_at is not None:
                    waits.append(0.0)
            else:
                left = ((other.due_at or time) - time).total_seconds() / times.scale
                waits.append(left if left > 0 else CLAIM_BUSY)
    return Outcome(EntryState.PENDING, OTHER_FIRST, min(waits)) if waits else None


def _is_due(other: SyncEntry) -> bool:
    """Whether it will be sent or end. One that waits for its customer to be added waits with this
    one: whichever learns of the Contact first is logged."""
    return other.state != EntryState.WAITING and other.due_at is not None


def _goes_first(other: SyncEntry, row: SyncEntry) -> bool:
    return (other.lane, other.id) < (row.lane, row.id)


@dataclass(frozen=True, slots=True)
class LoggedCopy:
    """The copy that was logged."""

    mailbox_id: str
    conversation_id: str


def logged_copies(session: Session, rows: Iterable[SyncEntry]) -> Mapping[int, LoggedCopy]:
    """The logged copies of those of these entries that ended for one, by the entries' ids. One
    statement, none without such entries; one whose logged copy is no longer kept is left out."""
    wanted = {
        entry.id: (entry.connection_id, entry.fingerprint)
        for entry in rows
        if entry.reason == ELSEWHERE
    }
    if not wanted:
        return {}
    found = session.execute(
        select(
            SyncEntry.connection_id,
            SyncEntry.fingerprint,
            SyncEntry.mailbox_id,
            SyncEntry.conversation_id,
        ).where(
            SyncEntry.connection_id.in_({connection_id for connection_id, _ in wanted.values()}),
            SyncEntry.fingerprint.in_({known for _, known in wanted.values() if known}),
            SyncEntry.state == EntryState.DONE,
            SyncEntry.reason.in_(LOGGED),
        )
    )
    copies = {
        (row.connection_id, row.fingerprint): LoggedCopy(row.mailbox_id, row.conversation_id)
        for row in found
    }
    return {entry_id: copies[key] for entry_id, key in wanted.items() if key in copies}
