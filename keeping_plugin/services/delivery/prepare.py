"""Prepare: read the batch's messages from the host, and check again that they are to be sent."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from keeping_plugin.addresses import address_key
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.mail.task import marker, task_text
from keeping_plugin.models import Installation, MailboxPolicy, SyncEntry
from keeping_plugin.objects import emails_are_searched
from keeping_plugin.rules import Facts, Policy
from keeping_plugin.services.automation.history import without_text
from keeping_plugin.services.delivery.host_messages import Mail, is_believed
from keeping_plugin.services.delivery.judge_again import has_changed
from keeping_plugin.services.delivery.plan import MessageFields
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.entries import Event
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.services.schema.sending import sendable
from keeping_plugin.time_zones import zone
from keeping_plugin.types import (
    Action,
    Address,
    MessageArrived,
    ObjectSchema,
    Value,
)

log = logging.getLogger("keeping_plugin.delivery")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Letters by message, why rows are not to be sent any more (by row id), those whose message the
    inbox does not show, though it may only be late, and the messages whose customer is not any more
    the one for whom a row was granted."""

    message_fields: Mapping[str, MessageFields]
    cancellations: Mapping[int, str]
    missing: Collection[int]
    markers: Mapping[int, str]
    changed: Mapping[str, MessageArrived]
    unfindable: Collection[str]  # messages whose customer nobody will ever add
    by_search: bool  # people are found by a search, which never knows that somebody is not there
    unread: Collection[str]  # messages for which the host raised, while it answered for others


def prepare(runtime: Runtime, batch: Batch) -> Prepared:
    """Bodies are read one at a time and cut before the next. Ends the host's transaction."""
    company_id = batch.connection.company_id
    with runtime.database.read() as session:
        installation = session.scalars(select(Installation.installation_id)).one()
        switched = {
            row.mailbox_id: {Action.ADD_CONTACT: row.add_contacts, Action.LOG_TASK: row.log_tasks}
            for row in session.scalars(
                select(MailboxPolicy).where(MailboxPolicy.company_id == company_id)
            )
        }
        schemas = describe.schemas(session, batch.connection.id)
    logged = [row for row in batch.rows if row.action == Action.LOG_TASK]
    marked = {row.message_id: marker(installation, company_id, row.message_id) for row in logged}
    try:
        mailboxes = {box.id: box.name for box in runtime.helpdesk.mailboxes(company_id)}
        mail = Mail(runtime, batch)
        message_fields, there = _letters(mail, batch, marked, mailboxes.values(), schemas)
    finally:
        runtime.end_host_transaction()
    by_search = emails_are_searched(schemas)
    cancellations: dict[int, str] = {}
    missing: set[int] = set()
    changed: dict[str, MessageArrived] = {}
    for row in batch.rows:
        on = switched.get(row.mailbox_id, {}).get(Action(row.action), False)
        if row.message_id in mail.unread:
            continue
        if row.epoch != batch.connection.epoch:
            cancellations[row.id] = "disconnected"
        elif row.mailbox_id not in mailboxes or row.message_id not in there:
            if not is_believed(row, batch.began_at, runtime.times):
                missing.add(row.id)
            elif row.mailbox_id not in mailboxes:
                cancellations[row.id] = "mailbox_deleted"
            else:
                cancellations[row.id] = "message_deleted"
        elif there[row.message_id].mailbox_id != row.mailbox_id:
            cancellations[row.id] = "mailbox_moved"
        elif not on:
            cancellations[row.id] = "switched_off"
        elif has_changed(row, there[row.message_id]):
            changed[row.message_id] = there[row.message_id]
        elif by_search and row.action == Action.ADD_CONTACT:
            cancellations[row.id] = "address_encrypted"
    _note(runtime, batch, logged, message_fields)
    markers = {row.id: marked[row.message_id] for row in logged}
    unfindable = {
        row.message_id
        for row in logged
        if row.message_id in there and Facts.of(there[row.message_id], Policy()).nobody_to_find
    }
    return Prepared(
        message_fields,
        cancellations,
        missing,
        markers,
        changed,
        unfindable,
        by_search,
        mail.unread,
    )


def _letters(
    mail: Mail,
    batch: Batch,
    marked: Mapping[str, str],
    mailbox_names: Collection[str],
    schemas: Mapping[str, ObjectSchema],
) -> tuple[dict[str, MessageFields], dict[str, MessageArrived]]:
    addresses = {row.message_id: row.address for row in batch.rows}
    added = {row.message_id for row in batch.rows if row.action == Action.ADD_CONTACT}
    message_fields: dict[str, MessageFields] = {}
    there: dict[str, MessageArrived] = {}
    for message, conversation in mail.read(list(addresses)):
        if message.message_id not in addresses:
            continue
        there[message.message_id] = without_text(message)
        task: Mapping[str, Value] = {}
        note = None
        if message.message_id in marked:
            made = task_text(
                message,
                conversation=conversation,
                marker=marked[message.message_id],
                zone=zone(batch.connection.timezone),
            )
            note = made.note
            task = _task(batch, made.fields, marked[message.message_id])
            task = sendable(schemas.get("Task"), task, Action.LOG_TASK)
        contact: Mapping[str, Value] = {}
        if message.message_id in added:
            customer = _as_claimed(message.customer, addresses[message.message_id])
            contact = contact_fields(customer, not_names=mailbox_names)
            contact = sendable(schemas.get("Contact"), contact, Action.ADD_CONTACT)
        message_fields[message.message_id] = MessageFields(contact, task, note)
    return message_fields, there


def _note(
    runtime: Runtime,
    batch: Batch,
    logged: Sequence[SyncEntry],
    message_fields: Mapping[str, MessageFields],
) -> None:
    """Keep with the rows what an admin is to know of their Tasks. Hardly ever anything."""
    for row in logged:
        note = message_fields[row.message_id].note if row.message_id in message_fields else row.note
        if note == row.note:
            continue
        if note is not None:
            log.warning("text_too_slow", extra={"entry_id": row.id})
        with runtime.database.write() as session:
            mine = entries.held([row.id], batch.token)
            entries.happen(session, Event.ANNOTATED, *mine, note=note)


def _as_claimed(customer: Address | None, address: str) -> Address:
    """The customer, with the address that is claimed and looked for, whatever the host says now."""
    if customer is not None and address_key(customer.email) == address:
        return customer
    return Address(address)


def _task(batch: Batch, fields: dict[str, Value], marker: str) -> Mapping[str, Value]:
    connection = batch.connection
    if connection.task_status:
        fields["Status"] = connection.task_status
    if connection.activity_key_field:
        fields[connection.activity_key_field] = marker
    return fields
