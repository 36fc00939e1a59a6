"""Waiting Tasks: one composite now and then asks for a Contact of everyone waited for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.errors import HelpDeskFailed, NotReady, SalesforceError
from keeping_plugin.models import Connection, EntryState, SyncEntry, now
from keeping_plugin.services.automation.history import facts_of, tells_facts
from keeping_plugin.services.delivery import lease as leases
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.budget import within_budget
from keeping_plugin.services.delivery.claim import drainable
from keeping_plugin.services.delivery.judge_again import has_changed
from keeping_plugin.services.delivery.lease import Lease
from keeping_plugin.services.delivery.plan import contacts_of
from keeping_plugin.services.delivery.unanswered import REFUSALS, is_about_rights
from keeping_plugin.services.ledger import waiting
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.times import BATCH, WAIT_LIMIT, WAIT_LOOKS, WAIT_ROWS, Times
from keeping_plugin.types import emails_are_searched

ADDRESSES = 1_000  # a look, as many as one composite holds
FEW_BODIES = 10  # read after a look, of a host that tells nothing without them

_PLAIN = update(SyncEntry).execution_options(synchronize_session=False)


def look_due(time: datetime) -> ColumnElement[bool]:
    """Waiting rows of which nothing was ever sent, whose next look is due."""
    return and_(
        SyncEntry.state == EntryState.WAITING,
        SyncEntry.sent_at.is_(None),
        SyncEntry.due_at <= time,
    )


def look_for_waiting(runtime: Runtime, lease: Lease, connection_id: int) -> None:
    """Look for up to 1,000 addresses whose look is due, and release the Tasks of those found.
    When Salesforce does not answer, nothing is learned and nothing moves but the next look."""
    connection, addresses = _due_addresses(runtime, lease, connection_id)
    if connection is None or not addresses:
        return
    with runtime.database.read() as session:
        by_search = emails_are_searched(describe.schemas(session, connection_id))
    try:
        gateway = runtime.gateways(connection_id)
        if not within_budget(runtime, gateway, connection):
            return
        found = gateway.find(addresses, by_search=by_search, start_by=lease.start_by(runtime))
    except (SalesforceError, NotReady) as error:
        with runtime.database.write() as session:
            if isinstance(error, REFUSALS) and is_about_rights(error):
                pauses.read_refused(session, connection_id, error, runtime.times)
            elif not pauses.record_failure(session, connection_id, error, runtime.times):
                _wait_on(session, connection_id, addresses, runtime.times)
        return
    with runtime.database.write() as session:
        pauses.record_answer(session, connection_id, gateway)
        _wait_on(session, connection_id, addresses, runtime.times)
        known = [address for address in addresses if contacts_of(found, address)]
        if known:
            waiting.contact_appeared(session, connection_id, known)
    _judge_corrected(runtime, connection, set(addresses) - set(known))


def _judge_corrected(runtime: Runtime, connection: Connection, addresses: Collection[str]) -> None:
    """Bring back Tasks that wait for somebody who is not their message's customer any more: the
    next batch judges them again. Asked of the host after each look, as far as it tells of messages
    without their bodies; otherwise of a few, so that slow bodies hold nobody up."""
    if not addresses:
        return
    with runtime.database.read() as session:
        rows = session.scalars(
            select(SyncEntry)
            .where(
                SyncEntry.connection_id == connection.id,
                SyncEntry.state == EntryState.WAITING,
                SyncEntry.sent_at.is_(None),
                SyncEntry.address.in_(sorted(addresses)),
            )
            .order_by(SyncEntry.looks, SyncEntry.waiting_since.desc(), SyncEntry.id.desc())
            .limit(BATCH if tells_facts(runtime.helpdesk) else FEW_BODIES)
        ).all()
    waits = {row.message_id: row for row in rows}
    try:
        told = facts_of(runtime.helpdesk, connection.company_id, list(waits))
        corrected = [
            waits[each.message_id].id for each in told if has_changed(waits[each.message_id], each)
        ]
    except HelpDeskFailed:
        return  # the log has its place; the next look asks again
    finally:
        runtime.end_host_transaction()
    if not corrected:
        return
    with runtime.database.write() as session:
        connection_first(session, connection.id)
        session.execute(
            _PLAIN.where(
                SyncEntry.id.in_(corrected),
                SyncEntry.state == EntryState.WAITING,
                SyncEntry.sent_at.is_(None),
            ).values(state=EntryState.PENDING, due_at=now(session))
        )


def _due_addresses(
    runtime: Runtime, lease: Lease, connection_id: int
) -> tuple[Connection | None, Sequence[str]]:
    with runtime.database.write() as session:
        time = now(session)
        connection = connection_first(session, connection_id)
        if connection is None or not drainable(connection, time):
            return connection, ()
        expire(session, connection_id, time, runtime.times)
        addresses = session.scalars(
            select(SyncEntry.address)
            .where(SyncEntry.connection_id == connection_id, look_due(time))
            .distinct()
            .limit(ADDRESSES)
        ).all()
        held = bool(addresses) and leases.renew(runtime, session, lease)
    return connection, addresses if held else ()


def _wait_on(
    session: Session,
    connection_id: int,
    addresses: Collection[str],
    times: Times,
) -> None:
    """Each look is followed by a longer wait: 10 min, 1 h, 6 h, then a day."""
    mine = (SyncEntry.connection_id == connection_id, SyncEntry.address.in_(sorted(addresses)))
    time = now(session)
    last = len(WAIT_LOOKS) - 1
    # From the last to the first, so that no row is moved on twice.
    for looks in range(last, -1, -1):
        seen = SyncEntry.looks >= looks if looks == last else SyncEntry.looks == looks
        following = WAIT_LOOKS[min(looks + 1, last)]
        session.execute(
            _PLAIN.where(*mine, look_due(time), seen).values(
                looks=min(looks + 1, last), due_at=time + times.span(following)
            )
        )


def expire(session: Session, connection_id: int, time: datetime, times: Times) -> None:
    """Nothing waits longer than 14 days, nor behind 5,000 younger ones."""
    ended = {
        "state": EntryState.CANCELLED,
        "reason": "no_contact",
        "due_at": None,
        "settled_at": time,
    }
    waits = (
        SyncEntry.connection_id == connection_id,
        SyncEntry.state == EntryState.WAITING,
        SyncEntry.sent_at.is_(None),
    )
    too_old = time - times.span(WAIT_LIMIT)
    session.execute(_PLAIN.where(*waits, SyncEntry.waiting_since <= too_old).values(ended))
    beyond = session.scalars(
        select(SyncEntry.id)
        .where(*waits)
        .order_by(SyncEntry.waiting_since.desc(), SyncEntry.id.desc())
        .offset(WAIT_ROWS)
    ).all()
    if beyond:
        session.execute(_PLAIN.where(SyncEntry.id.in_(beyond)).values(ended))
