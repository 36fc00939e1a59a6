"""What Salesforce's answer to a delete means for one record, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import (
    BatchRefused,
    OutcomeUnclear,
    RateLimited,
    RecordNotFound,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.models import (
    Connection,
    ItemState,
    SyncEntry,
    UndoItem,
    UndoneAddress,
    UndoRun,
    change_rows,
    insert_new,
    listed,
    now,
)
from keeping_plugin.objects import PERSON_NAMES, TASK
from keeping_plugin.refusals import Advice, advice
from keeping_plugin.services import audit
from keeping_plugin.services.corrections.judge import Verdict
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.outcome import MADE
from keeping_plugin.times import SETTLE
from keeping_plugin.types import Saved

TRIES = 3  # of a refusal that usually passes
RETRY = 30.0  # unscaled seconds, doubled each time
_WORDS = 255


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """How an item is written down. `wait`: its run is due in so many unscaled seconds; `smaller`:
    its record is to be deleted with fewer others."""

    item: UndoItem
    state: ItemState
    reason: str = ""
    detail: str = ""
    wait: float = 0.0
    smaller: bool = False


def of_verdict(item: UndoItem, verdict: Verdict) -> ItemOutcome:
    """An item that is left, or whose record our own earlier call has deleted."""
    if verdict.gone:
        return ItemOutcome(item, ItemState.DELETED)
    return ItemOutcome(item, ItemState.LEFT, verdict.left, verdict.detail)


def read(item: UndoItem, answer: Saved | SalesforceError, *, alone: bool) -> ItemOutcome:
    """What one answer of a collection means."""
    if isinstance(answer, Saved):
        return ItemOutcome(item, ItemState.DELETED)
    if isinstance(answer, OutcomeUnclear | RecordNotFound):
        # Gone by whose hand? The look tells.
        return ItemOutcome(item, ItemState.SENT, wait=SETTLE)
    words = str(answer)[:_WORDS]
    if not alone and is_for_smaller(answer):
        return ItemOutcome(item, ItemState.CHOSEN, smaller=True)
    if isinstance(answer, SalesforceUnavailable | RateLimited) and item.tries + 1 < TRIES:
        return ItemOutcome(item, ItemState.CHOSEN, wait=RETRY * 2**item.tries)
    return ItemOutcome(item, ItemState.LEFT, "refused", words)


def is_for_smaller(error: SalesforceError | Exception) -> bool:
    """Whether a record may have been refused for those that travelled with it."""
    if isinstance(error, BatchRefused):
        return True
    return (
        isinstance(error, SalesforceError)
        and bool(error.complaints)
        and error.complaints[0].code != "DELETE_FAILED"
        and advice(error.complaints) is Advice.SMALLER
    )


def smaller_than(size: int) -> int:
    """The next smaller step: ten records, then one."""
    return 10 if size > 10 else 1


_UPDATE = (
    update(UndoItem)
    .where(UndoItem.run_id == bindparam("of_run"), UndoItem.entry_id == bindparam("of_entry"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in ("state", "reason", "detail", "tries", "sent_at")
        }
    )
    .execution_options(synchronize_session=False)
)


def write(
    session: Session,
    connection: Connection,
    run: UndoRun,
    outcomes: Sequence[ItemOutcome],
    verdicts: Mapping[int, Verdict],
) -> None:
    """Settle these items: entries whose record is gone are undone, with the Tasks that went along,
    their people are not added again, and each record leaves a row in the audit trail. In the
    caller's transaction, which has locked the connection."""
    time = now(session)
    session.connection().execute(_UPDATE, [_values(run, outcome, time) for outcome in outcomes])
    deleted = [each.item for each in outcomes if each.state == ItemState.DELETED]
    if not deleted:
        return
    along = [task for item in deleted for task in verdicts[item.entry_id].tasks]
    of_tasks = session.scalars(
        select(SyncEntry.id).where(
            SyncEntry.connection_id == connection.id,
            SyncEntry.record_id.in_(select(listed(session, along))),
        )
    ).all()
    ids = [item.entry_id for item in deleted]
    entries.happen(
        session,
        Event.UNDONE,
        SyncEntry.id.in_([*ids, *of_tasks]),
        SyncEntry.reason.in_(sorted(MADE)),
        note=None,
    )
    chosen_too = update(UndoItem).where(UndoItem.run_id == run.id, UndoItem.entry_id.in_(of_tasks))
    change_rows(session, chosen_too.values(state=ItemState.DELETED, reason="", detail=""))
    people = {item.address for item in deleted if item.object in PERSON_NAMES}
    if not connection.current and _has_other_org(session, connection):
        people = set()  # what was undone there is nobody's decision about this org
    insert_new(
        session,
        UndoneAddress,
        [
            {"company_id": run.company_id, "address": address, "undone_at": time}
            for address in sorted(people)
        ],
    )
    records = [(item.object, item.record_id or "") for item in deleted]
    records += [(TASK.name, task) for task in along]
    audit.record_deleted(session, connection, records, agent_id=run.started_by, run_id=run.id)


def _has_other_org(session: Session, connection: Connection) -> bool:
    """Whether the company has confirmed another org since; the lock on this connection keeps it
    from doing so until this is committed."""
    other = select(Connection.id).where(
        Connection.company_id == connection.company_id,
        Connection.id != connection.id,
        Connection.current,
        Connection.confirmed,
    )
    return session.scalar(other.limit(1)) is not None


def _values(run: UndoRun, outcome: ItemOutcome, time: datetime) -> dict[str, object]:
    item = outcome.item
    again = outcome.state == ItemState.CHOSEN and not outcome.smaller
    sent = outcome.state == ItemState.SENT
    return {
        "of_run": run.id,
        "of_entry": item.entry_id,
        "new_state": outcome.state,
        "new_reason": outcome.reason,
        "new_detail": outcome.detail,
        "new_tries": item.tries + 1 if again else item.tries,
        "new_sent_at": time if sent else None,
    }
