"""Waiting Tasks: one composite now and then asks for a Contact of everyone waited for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select

from keeping_plugin.errors import HelpDeskFailed, NotReady, SalesforceError
from keeping_plugin.models import Connection, EntryState, FindingPolicy, SyncEntry, now
from keeping_plugin.objects import emails_are_searched
from keeping_plugin.services.automation.history import facts_of, tells_facts
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.judge_again import has_changed
from keeping_plugin.services.delivery.look import Looked, with_other_fields
from keeping_plugin.services.delivery.plan import contacts_of
from keeping_plugin.services.delivery.readiness import within_budget
from keeping_plugin.services.delivery.unanswered import REFUSALS, is_about_rights
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import drainable
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.lease import Lease, renew_lease
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.ledger.waiting import contact_appeared, expire, look_due, wait_on
from keeping_plugin.services.people import address_fields, picks
from keeping_plugin.services.people.address_fields import AddressFields
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.times import BATCH, WAIT_ROWS

ADDRESSES = 1_000  # a look, as many as one composite holds
FEW_BODIES = 10  # read after a look, of a host that tells nothing without them


def look_for_waiting(runtime: Runtime, lease: Lease, connection_id: int) -> None:
    """Look for up to 1,000 addresses whose look is due, and release the Tasks of those found.
    When Salesforce does not answer, nothing is learned and nothing moves but the next look."""
    connection, addresses, ticked = _due_addresses(runtime, lease, connection_id)
    if connection is None or not addresses:
        return
    with runtime.database.read() as session:
        schemas = describe.schemas(session, connection_id)
        fields = address_fields.usable(ticked, schemas)
        # No mail is logged on a chosen Lead, and nothing has to be looked up for it.
        chosen = picks.load(session, connection_id, addresses) if fields else {}
    by_search = emails_are_searched(schemas)
    try:
        gateway = runtime.gateways(connection_id)
        if not within_budget(runtime, gateway, connection):
            return
        found = gateway.find(addresses, by_search=by_search, start_by=lease.start_by(runtime))
        looked = with_other_fields(
            runtime,
            gateway,
            connection_id,
            Looked(found, frozenset()),
            fields,
            addresses,
            chosen=chosen,
            start_by=lease.start_by(runtime),
        )
    except (SalesforceError, NotReady) as error:
        with runtime.database.write() as session:
            if isinstance(error, REFUSALS) and is_about_rights(error):
                pauses.read_refused(session, connection_id, error, runtime.times)
            elif not pauses.record_failure(session, connection_id, error, runtime.times):
                wait_on(session, connection_id, addresses, runtime.times)
        return
    with runtime.database.write() as session:
        pauses.record_answer(session, connection_id, gateway)
        wait_on(session, connection_id, addresses, runtime.times)
        known = [address for address in addresses if contacts_of(looked.found, address)]
        if known:
            contact_appeared(session, connection_id, known)
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
                entries.OWED_ROWS,
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
        entries.happen(
            session, Event.CUSTOMER_CHANGED, SyncEntry.id.in_(corrected), due_at=now(session)
        )


def _due_addresses(
    runtime: Runtime, lease: Lease, connection_id: int
) -> tuple[Connection | None, Sequence[str], AddressFields]:
    """The connection, the addresses, and which fields beside Email find a person."""
    with runtime.database.write() as session:
        time = now(session)
        connection = connection_first(session, connection_id)
        if connection is None or not drainable(connection, time):
            return connection, (), {}
        expire(session, connection_id, time, runtime.times)
        # Limited, so that SQLite looks for what is due, and not for addresses.
        some = (
            select(SyncEntry.address)
            .where(SyncEntry.connection_id == connection_id, look_due(time))
            .limit(WAIT_ROWS)
            .subquery()
        )
        wanted = select(some.c.address).distinct().limit(ADDRESSES).subquery()
        rows = session.execute(
            select(wanted.c.address, FindingPolicy.found_by)
            .select_from(wanted)
            .outerjoin(FindingPolicy, FindingPolicy.company_id == connection.company_id)
        ).all()
        if not rows or not renew_lease(runtime, session, lease):
            return connection, (), {}
    ticked = address_fields.of_row(rows[0].found_by)
    return connection, [row.address for row in rows], ticked
