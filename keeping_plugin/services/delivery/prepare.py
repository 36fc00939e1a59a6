"""Prepare: read the batch's messages from the host, and check again that they are to be sent."""

from __future__ import annotations

import logging
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.mail.task import marker
from keeping_plugin.models import (
    FindingPolicy,
    Installation,
    KeptOut,
    MailboxPolicy,
    PeoplePolicy,
    SyncEntry,
    UndoneAddress,
    listed,
)
from keeping_plugin.objects import emails_are_searched
from keeping_plugin.rules import Facts, Policy
from keeping_plugin.services.automation.history import without_text
from keeping_plugin.services.delivery.actions import (
    ACTIONS,
    Look,
    Material,
    Payload,
    spec_of,
)
from keeping_plugin.services.delivery.host_messages import Mail, is_believed
from keeping_plugin.services.delivery.judge_again import has_changed
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.copies import fingerprint
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.outcome import KEPT_OUT
from keeping_plugin.services.people import address_fields, owners, policy
from keeping_plugin.services.people import making as people_making
from keeping_plugin.services.people.address_fields import AddressFields
from keeping_plugin.services.people.making import Making
from keeping_plugin.services.people.policy import COMPANY
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.types import (
    Action,
    Agent,
    Conversation,
    Direction,
    MessageArrived,
)

log = logging.getLogger("keeping_plugin.delivery")

_OF_SENDS = owners.NOTES | people_making.NOTES  # written when a record is sent


@dataclass(frozen=True, slots=True)
class Prepared:
    """What records hold, by message; why rows are not to be sent any more (by row id); those whose
    message the inbox does not show, though it may only be late; and the messages whose customer is
    not any more the one for whom a row was granted. `writers` are the agents of the messages:
    who wrote it, else the conversation's assignee. `fingerprints` are those of Tasks to be sent,
    where one mail is logged once."""

    payloads: Mapping[str, Mapping[Action, Payload]]
    cancellations: Mapping[int, str]
    missing: Collection[int]
    markers: Mapping[int, str]
    changed: Mapping[str, MessageArrived]
    unfindable: Collection[str]  # messages whose customer nobody will ever add
    by_search: bool  # people are found by a search, which never knows that somebody is not there
    unread: Collection[str]  # messages for which the host raised, while it answered for others
    making: Making  # how people are added
    writers: Mapping[str, Agent | None]
    fingerprints: Mapping[int, str]
    address_fields: AddressFields  # which find a person beside Email


def prepare(runtime: Runtime, batch: Batch) -> Prepared:
    """Bodies are read one at a time and cut before the next. Ends the host's transaction."""
    company_id = batch.connection.company_id
    with runtime.database.read() as session:
        # With the company's choices in the same statement.
        found = session.execute(
            select(Installation.installation_id, PeoplePolicy, FindingPolicy.found_by)
            .select_from(Installation)
            .outerjoin(PeoplePolicy, PeoplePolicy.company_id == company_id)
            .outerjoin(FindingPolicy, FindingPolicy.company_id == company_id)
        ).all()
        policies, undone = _switches(session, company_id, batch.rows)
        kept_out = _kept_out(session, company_id, batch.rows)
        switched = {
            row.mailbox_id: {action for action, spec in ACTIONS.items() if spec.switched_on(row)}
            for row in policies
        }
        schemas = describe.schemas(session, batch.connection.id)
    installation = found[0].installation_id
    choices = policy.of_rows(row.PeoplePolicy for row in found if row.PeoplePolicy)
    salt = f"{installation} {company_id}" if choices.of(COMPANY).once_per_mail else None
    making = Making(choices, schemas)
    rows = [row for row in batch.rows if spec_of(row).look is Look.MARKER]
    markers = {
        row.id: marker(installation, company_id, row.message_id, spec_of(row).marker_kind)
        for row in rows
    }
    try:
        mailboxes = {box.id: box.name for box in runtime.helpdesk.mailboxes(company_id)}
        mail = Mail(runtime, batch)
        writers: dict[str, Agent | None] = {}
        names = mailboxes.values()
        payloads, there = _payloads(mail, batch, markers, names, making, writers, salt)
    finally:
        runtime.end_host_transaction()
    by_search = emails_are_searched(schemas)
    cancellations: dict[int, str] = {}
    missing: set[int] = set()
    changed: dict[str, MessageArrived] = {}
    for row in batch.rows:
        on = bool(row.by_agent) or row.action in switched.get(row.mailbox_id, ())
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
        elif row.id in kept_out:
            cancellations[row.id] = KEPT_OUT
        elif not on:
            cancellations[row.id] = "switched_off"
        elif has_changed(row, there[row.message_id]):
            changed[row.message_id] = there[row.message_id]
        elif by_search and spec_of(row).adds_person:
            cancellations[row.id] = "address_encrypted"
        elif spec_of(row).adds_person and row.address in undone:
            cancellations[row.id] = "undone_before"
    _note(runtime, batch, payloads)
    unfindable = {
        row.message_id
        for row in batch.rows
        if not spec_of(row).adds_person
        and row.message_id in there
        and Facts.of(there[row.message_id], Policy()).nobody_to_find
    }
    return Prepared(
        payloads,
        cancellations,
        missing,
        markers,
        changed,
        unfindable,
        by_search,
        mail.unread,
        making,
        writers,
        _fingerprints(batch, payloads, cancellations, changed),
        address_fields.usable(address_fields.of_row(found[0].found_by), schemas),
    )


def _switches(
    session: Session, company_id: str, rows: Collection[SyncEntry]
) -> tuple[set[MailboxPolicy], set[str]]:
    """The company's mailboxes, and in the same statement the addresses of people to add whom an
    admin had deleted again."""
    added = {row.address for row in rows if spec_of(row).adds_person}
    of_them = UndoneAddress.address.in_(select(listed(session, added)))
    found = session.execute(
        select(MailboxPolicy, UndoneAddress.address)
        .outerjoin(UndoneAddress, (UndoneAddress.company_id == company_id) & of_them)
        .where(MailboxPolicy.company_id == company_id)
    ).all()
    return {row.MailboxPolicy for row in found}, {row.address for row in found if row.address}


def _kept_out(session: Session, company_id: str, rows: Collection[SyncEntry]) -> set[int]:
    """Those of these rows that an agent chose not to log, though they were being sent by then, or
    arrived at the same moment."""
    related = {row.id: row for row in rows if not spec_of(row).adds_person}
    found = session.execute(
        select(KeptOut.conversation_id, KeptOut.message_id).where(
            KeptOut.company_id == company_id,
            KeptOut.conversation_id.in_({row.conversation_id for row in related.values()}),
        )
    ).all()
    kept = {tuple(row) for row in found}
    return {
        row_id
        for row_id, row in related.items()
        if (row.conversation_id, row.message_id) in kept
        or (not row.by_agent and (row.conversation_id, "") in kept)
    }


def _payloads(
    mail: Mail,
    batch: Batch,
    markers: Mapping[int, str],
    mailbox_names: Collection[str],
    making: Making,
    writers: dict[str, Agent | None],
    salt: str | None,
) -> tuple[dict[str, dict[Action, Payload]], dict[str, MessageArrived]]:
    wanted: dict[str, list[SyncEntry]] = {}
    for row in batch.rows:
        wanted.setdefault(row.message_id, []).append(row)
    payloads: dict[str, dict[Action, Payload]] = {}
    there: dict[str, MessageArrived] = {}
    for message, conversation in mail.read(list(wanted)):
        if message.message_id not in wanted:
            continue
        there[message.message_id] = without_text(message)
        writers[message.message_id] = _writer(message, conversation)
        made = payloads[message.message_id] = {}
        for row in wanted[message.message_id]:
            action, spec = Action(row.action), spec_of(row)
            marked = markers.get(row.id, "")
            material = Material(
                message,
                conversation,
                row.address,
                marked,
                mailbox_names,
                batch.connection,
                making.choices(row.mailbox_id),
            )
            payload = spec.payload(material)
            fields = making.filled(
                row.mailbox_id, payload.object or spec.object, payload.fields, action
            )
            made[action] = replace(payload, fields=fields)
            if salt is not None and spec.look is Look.MARKER:
                known_by = fingerprint(message, row.address, salt=salt)
                made[action] = replace(made[action], fingerprint=known_by)
    return payloads, there


def _fingerprints(
    batch: Batch,
    payloads: Mapping[str, Mapping[Action, Payload]],
    cancellations: Container[int],
    changed: Container[str],
) -> dict[int, str]:
    """Of the rows that may be sent, by what the copies of one mail are recognized."""
    found = {
        row.id: payloads[row.message_id][Action(row.action)].fingerprint
        for row in batch.rows
        if row.message_id in payloads
        and row.message_id not in changed
        and row.id not in cancellations
    }
    return {row_id: known_by for row_id, known_by in found.items() if known_by is not None}


def _writer(message: MessageArrived, conversation: Conversation | None) -> Agent | None:
    """The agent whose mail this is, if they are one of the company's."""
    written = message.author if message.direction is Direction.OUTBOUND else None
    agent = written or (conversation.assignee if conversation else None)
    return agent if agent is not None and agent.company_id == message.company_id else None


def _note(runtime: Runtime, batch: Batch, payloads: Mapping[str, Mapping[Action, Payload]]) -> None:
    """Keep with the rows what an admin is to know of their records. Hardly ever anything."""
    for row in batch.rows:
        if row.message_id not in payloads:
            continue
        note = payloads[row.message_id][Action(row.action)].note
        if note == row.note or (note is None and row.note in _OF_SENDS):
            continue
        if note is not None:
            log.warning("text_too_slow", extra={"entry_id": row.id})
        with runtime.database.write() as session:
            mine = entries.of_batch([row.id], batch.token)
            entries.happen(session, Event.ANNOTATED, *mine, note=note)
