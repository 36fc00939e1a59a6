"""Judge again what the host corrected while it was owed: the customer of a message.

An entry is written to the address under which it was claimed and looked for, or not at all. When
the message names another customer by now, its rows without a mark are judged anew, on an occasion
of their own: they get the new address, or end. A row with a mark keeps its address until the
outcome of its send is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key
from keeping_plugin.models import SyncEntry, now
from keeping_plugin.rules import Policy
from keeping_plugin.services.automation.decisions import corrected_occasion, judge_and_write
from keeping_plugin.services.automation.policy import read_policy, read_switches
from keeping_plugin.services.delivery.actions import spec_of
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Direction, MessageArrived

CUSTOMER_CHANGED = "customer_changed"
CHUNK = 160  # messages: with a Decision and two entries each, under 500 rows a transaction


def has_changed(row: SyncEntry, message: MessageArrived) -> bool:
    """Whether the message is no longer the one for which this row was granted: another customer or
    none, or no longer from the customer whom it adds."""
    customer = message.customer
    key = address_key(customer.email) if customer is not None else None
    turned = spec_of(row).adds_person and message.direction != Direction.INBOUND
    return key != row.address or turned


def judge_again(runtime: Runtime, batch: Batch, changed: Mapping[str, MessageArrived]) -> Batch:
    """The batch without the unmarked rows of these messages, which are settled or due at once under
    their new address. Ends the host's transaction."""
    if not changed:
        return batch
    leaving = [row for row in batch.rows if row.message_id in changed and row.sent_at is None]
    rows: dict[str, list[SyncEntry]] = {}
    for row in leaving:
        rows.setdefault(row.message_id, []).append(row)
    policies = _policies(runtime, batch, [changed[message_id] for message_id in rows])
    for start in range(0, len(rows), CHUNK):
        with runtime.database.write() as session:
            connection = connection_first(session, batch.connection.id)
            going_on = (
                connection is not None
                and connection.current
                and connection.epoch == batch.connection.epoch
            )
            for message_id in list(rows)[start : start + CHUNK] if going_on else ():
                message = changed[message_id]
                _judge(session, batch, message, rows[message_id], policies[message.mailbox_id])
    return replace(batch, rows=[row for row in batch.rows if row not in leaving])


def _policies(
    runtime: Runtime, batch: Batch, messages: Sequence[MessageArrived]
) -> Mapping[str, Policy]:
    """Today's policy of each mailbox, as it concerns these messages."""
    company_id = batch.connection.company_id
    by_mailbox: dict[str, list[MessageArrived]] = {}
    for message in messages:
        by_mailbox.setdefault(message.mailbox_id, []).append(message)
    try:
        with runtime.database.read() as session:
            database = session.connection()
            return {
                mailbox_id: read_policy(
                    database,
                    runtime.helpdesk,
                    theirs,
                    company_id=company_id,
                    switches=read_switches(database, company_id, mailbox_id),
                )
                for mailbox_id, theirs in by_mailbox.items()
            }
    finally:
        runtime.end_host_transaction()


def _judge(
    session: Session,
    batch: Batch,
    message: MessageArrived,
    rows: Sequence[SyncEntry],
    policy: Policy,
) -> None:
    asked_by = next((row.by_agent for row in rows if row.by_agent), "")
    judged = judge_and_write(
        session.connection(),
        message,
        policy._replace(asked_by=asked_by),
        connection_id=batch.connection.id,
        epoch=batch.connection.epoch,
        occasion=corrected_occasion(rows[0]),
    )
    granted = {verdict.action for verdict in judged.verdicts if verdict.granted}
    time = now(session)
    for row in rows:
        mine = entries.of_batch([row.id], batch.token)
        if row.action in granted and message.customer is not None:
            address = address_key(message.customer.email)
            entries.happen(session, Event.CORRECTED, *mine, address=address, due_at=time)
        else:
            entries.happen(
                session, Event.ABANDONED, *mine, reason=CUSTOMER_CHANGED, settled_at=time
            )
