"""Claims on addresses: whoever may create a person holds one from before the look until the
outcome is recorded, so that an agent and a drain, or two of either, never both create.

A claim lasts at most 60 s. After an unclear create it stands until the send time plus the settle
time, whoever sent it: the next holder looks first, and by then a look can be believed.

Claimed are both the address's key and what Salesforce takes for equal to it: 0.1.0, which may run
beside us, knows only the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import case, delete, literal, select, true, update
from sqlalchemy.orm import Session

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.models import AddressClaim, EntryState, SyncEntry, inserting, listed, now
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.outcome import Outcome
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CLAIM, CLAIM_BUSY, SETTLE, Times
from keeping_plugin.types import Action


def take(
    session: Session, *, org_id: str, addresses: Collection[str], owner: str, times: Times
) -> frozenset[str]:
    """Claim these addresses in one statement; returns those now held by `owner`."""
    if not addresses:
        return frozenset()
    spellings = {address: _spellings([address]) for address in addresses}
    time = now(session)
    until = time + times.span(CLAIM)
    each = listed(session, _spellings(addresses))
    rows = select(
        literal(org_id), each, literal(owner), literal(until, AddressClaim.until.type)
    ).where(true())  # SQLite would take ON CONFLICT for the ON of a join
    statement = inserting(session, AddressClaim).from_select(
        ["org_id", "address", "owner", "until"], rows
    )
    claiming = statement.on_conflict_do_update(
        index_elements=["org_id", "address"],
        set_={"owner": owner, "until": until, "sent_at": None},
        where=(AddressClaim.until < time) | (AddressClaim.owner == owner),
    ).returning(AddressClaim.address)
    taken = frozenset(session.scalars(claiming))
    held = frozenset(each for each, both in spellings.items() if taken.issuperset(both))
    spare = taken.difference(_spellings(held))
    if spare:  # one spelling is ours, the other somebody else's
        _release(session, org_id, sorted(spare), owner)
    return held


def _spellings(addresses: Collection[str]) -> list[str]:
    """Sorted, so that two batches claiming the same addresses never deadlock on their row locks."""
    return sorted({*addresses, *(salesforce_key(each) or each for each in addresses)})


def mark(
    session: Session,
    *,
    org_id: str,
    addresses: Collection[str],
    owner: str,
    at: datetime,
    times: Times,
) -> frozenset[str]:
    """Note that a create is about to leave for these addresses: whatever becomes of its sender, the
    claim outlives the time in which it may still be carried out. Returns those that `owner` still
    holds. For any other nothing may leave: its owner stood still for so long that somebody else may
    have added the person since it looked."""
    if not addresses:
        return frozenset()
    settled = at + times.span(SETTLE)
    marked = session.scalars(
        update(AddressClaim)
        .where(
            AddressClaim.org_id == org_id,
            AddressClaim.address.in_(select(listed(session, _spellings(addresses)))),
            AddressClaim.owner == owner,
        )
        .values(
            sent_at=at,
            until=case((AddressClaim.until < settled, settled), else_=AddressClaim.until),
        )
        .returning(AddressClaim.address)
        .execution_options(synchronize_session=False)
    )
    held = frozenset(marked)
    return frozenset(each for each in addresses if held.issuperset(_spellings([each])))


def release(session: Session, *, org_id: str, addresses: Collection[str], owner: str) -> None:
    """Give back claims whose outcome is recorded, or whose create never left."""
    if addresses:
        _release(session, org_id, _spellings(addresses), owner)


def _release(session: Session, org_id: str, spellings: Sequence[str], owner: str) -> None:
    session.execute(
        delete(AddressClaim).where(
            AddressClaim.org_id == org_id,
            AddressClaim.address.in_(select(listed(session, spellings))),
            AddressClaim.owner == owner,
        )
    )


def release_unsent(session: Session, *, org_id: str, owner: str) -> None:
    """Give back every claim of this owner under which no create has left."""
    session.execute(
        delete(AddressClaim).where(
            AddressClaim.org_id == org_id,
            AddressClaim.owner == owner,
            AddressClaim.sent_at.is_(None),
        )
    )


def keep(
    session: Session, *, org_id: str, addresses: Collection[str], owner: str, times: Times
) -> None:
    """After an unclear create: nobody creates these people before the settle time has passed
    since it was sent."""
    if not addresses:
        return
    rows = session.scalars(
        select(AddressClaim).where(
            AddressClaim.org_id == org_id,
            AddressClaim.address.in_(select(listed(session, _spellings(addresses)))),
            AddressClaim.owner == owner,
            AddressClaim.sent_at.is_not(None),
        )
    )
    for row in rows:
        if row.sent_at is not None:
            row.until = row.sent_at + times.span(SETTLE)


def address_busy(row: SyncEntry) -> Outcome:
    """As it was, until the person has been added by somebody else."""
    return Outcome(
        EntryState(row.state), "address_busy", CLAIM_BUSY, marked=row.sent_at is not None
    )


def claim_addresses(runtime: Runtime, batch: Batch) -> list[SyncEntry]:
    """The rows that may go on. Those of addresses that somebody else holds come due again in 5 s,
    Tasks too."""
    wanted = {row.address for row in batch.rows if row.action == Action.ADD_CONTACT}
    if not wanted:
        return list(batch.rows)
    with runtime.database.write() as session:
        held = take(
            session,
            org_id=batch.connection.org_id,
            addresses=wanted,
            owner=batch.token,
            times=runtime.times,
        )
    busy = wanted - held
    waiting = {row.id: address_busy(row) for row in batch.rows if row.address in busy}
    if waiting:
        with runtime.database.write() as session:
            settle(session, batch, waiting, times=runtime.times)
    return [row for row in batch.rows if row.address not in busy]
