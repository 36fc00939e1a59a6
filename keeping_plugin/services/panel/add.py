"""An agent adds a person: never a second one with the same address, whoever else is at it.

The claim on the address is taken before the look and kept until the outcome is recorded. A create
without an answer keeps it until the settle time has passed, and the next Save looks first.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key
from keeping_plugin.errors import (
    BeingAdded,
    CallNotStarted,
    InvalidInput,
    KeepingError,
    OutcomeUnclear,
)
from keeping_plugin.models import AddressClaim, now
from keeping_plugin.objects import logs_mail
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger import claims, waiting
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.people import address_fields
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import MARK_AGE, MARKS
from keeping_plugin.types import Agent, NewRecord, PersonFound, Saved, Value


@dataclass(frozen=True, slots=True)
class Exists:
    """Nothing was created: these people have the address already."""

    people: Sequence[PersonFound]


def add_person(
    runtime: Runtime,
    agent: Agent,
    link: Linked,
    object: str,
    fields: Mapping[str, Value],
    *,
    allow_duplicates: bool = False,
) -> Saved | Exists:
    """Create a Contact or a Lead, unless somebody with its address is there already.

    Raises BeingAdded when somebody else is adding this address now, or when an attempt without an
    answer may still turn up; RecordRejected and DuplicatesFound with Salesforce's words;
    OutcomeUnclear when no answer came to this one; TooBusy.
    """
    email = fields.get("Email")
    key = address_key(email) if isinstance(email, str) else None
    if key is None:
        raise InvalidInput("Enter an email address: it is how people are found.", field="Email")
    with runtime.asked_by(agent, link.connection_id, Feature.RECORDS) as gateway:
        record = NewRecord(object, fields)
        return _add(runtime, gateway, agent, link, key, record, allow_duplicates)


def _add(
    runtime: Runtime,
    gateway: SalesforceGateway,
    agent: Agent,
    link: Linked,
    key: str,
    record: NewRecord,
    allow_duplicates: bool,
) -> Saved | Exists:
    object, fields = record.object, record.fields
    owner = f"agent:{secrets.token_hex(16)}"
    if not _take(runtime, link, key, owner):
        return _unclear_or_busy(runtime, gateway, link, key)
    try:
        people = _known(runtime, gateway, link, key)
        if people:
            _release(runtime, link, key, owner)
            _learn(runtime, link, key, people)
            return Exists(people)
        saved = _create(runtime, gateway, link, key, owner, record, allow_duplicates)
        if saved is None:  # this process stood still for longer than a claim lasts
            return _unclear_or_busy(runtime, gateway, link, key)
    except OutcomeUnclear:
        with runtime.database.write() as session:
            claims.keep(
                session, org_id=link.org_id, addresses=[key], owner=owner, times=runtime.times
            )
            _note(session, agent, link, object, fields, detail="outcome_unclear")
        raise
    except KeepingError:
        _release(runtime, link, key, owner)
        raise
    with runtime.database.write() as session:
        _note(session, agent, link, object, fields, record_id=saved.id)
        claims.release(session, org_id=link.org_id, addresses=[key], owner=owner)
        released = 0
        if logs_mail(object):
            released = waiting.contact_appeared(session, link.connection_id, [key])
    if released:
        runtime.queue.ring([link.connection_id])
    return saved


def _known(
    runtime: Runtime, gateway: SalesforceGateway, link: Linked, key: str
) -> Sequence[PersonFound]:
    found = gateway.find([key], by_search=link.by_search)
    more = address_fields.find(runtime, gateway, link.connection_id, found, link.others, [key])
    return more.people.get(key, ())


def _create(
    runtime: Runtime,
    gateway: SalesforceGateway,
    link: Linked,
    key: str,
    owner: str,
    record: NewRecord,
    allow_duplicates: bool,
) -> Saved | None:
    """Mark the claim, then create; None when the claim is no longer ours. A call that could not
    start soon enough after its mark is marked anew. Raises what `create` raises."""
    for _ in range(MARKS):
        with runtime.database.write() as session:
            start_by = runtime.clock.monotonic() + runtime.times.seconds(MARK_AGE)
            held = claims.mark(
                session,
                org_id=link.org_id,
                addresses=[key],
                owner=owner,
                at=now(session),
                times=runtime.times,
            )
        if not held:
            return None
        try:
            return gateway.create(
                record.object,
                record.fields,
                allow_duplicates=allow_duplicates,
                start_by=start_by,
            )
        except CallNotStarted:
            continue
    raise CallNotStarted("The server is too busy to send this in time; nothing was sent.")


def _take(runtime: Runtime, link: Linked, key: str, owner: str) -> bool:
    with runtime.database.write() as session:
        taken = claims.take(
            session, org_id=link.org_id, addresses=[key], owner=owner, times=runtime.times
        )
    return key in taken


def _release(runtime: Runtime, link: Linked, key: str, owner: str) -> None:
    with runtime.database.write() as session:
        claims.release(session, org_id=link.org_id, addresses=[key], owner=owner)


def _unclear_or_busy(
    runtime: Runtime, gateway: SalesforceGateway, link: Linked, key: str
) -> Exists:
    """The claim is somebody's. Found is found; not found says nothing yet."""
    people = _known(runtime, gateway, link, key)
    if people:
        _learn(runtime, link, key, people)
        return Exists(people)
    with runtime.database.read() as session:
        claim = session.scalar(
            select(AddressClaim.sent_at).where(
                AddressClaim.org_id == link.org_id, AddressClaim.address == key
            )
        )
    if claim is None:
        raise BeingAdded("This person is being added right now. Wait a moment, then check again.")
    raise BeingAdded(
        "Salesforce did not answer an earlier attempt to add this person, so it is being "
        "checked. Save again in half a minute; no duplicate will be created."
    )


def _learn(runtime: Runtime, link: Linked, key: str, people: Sequence[PersonFound]) -> None:
    contacts = [one for one in people if logs_mail(one.object)]
    if not contacts or address_fields.undecided(contacts):
        return
    with runtime.database.write() as session:
        released = waiting.contact_appeared(session, link.connection_id, [key])
    if released:
        runtime.queue.ring([link.connection_id])


def _note(
    session: Session,
    agent: Agent,
    link: Linked,
    object: str,
    fields: Mapping[str, Value],
    *,
    record_id: str = "",
    detail: str = "",
) -> None:
    audit.record_by(
        session,
        agent,
        Audited.RECORD_CREATED,
        connection_id=link.connection_id,
        object=object,
        record_id=record_id,
        fields=sorted(fields),
        detail=detail,
    )
