"""An agent creates a record for the person of a conversation. One form never creates two.

A save commits a row under its form's `attempt` before the call leaves. If Salesforce refuses, the
row is deleted. If there is no answer, the row stays, and the next save of the form first looks for
what the first one may have created.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import (
    BeingAdded,
    CallNotStarted,
    ConnectionLost,
    InvalidInput,
    KeepingError,
    NotConnected,
    OutcomeUnclear,
)
from keeping_plugin.mail.task import has_marker
from keeping_plugin.models import Connection, MadeRecord, insert_new, now
from keeping_plugin.objects import (
    CONTACT,
    CREATED,
    PERSON_ACCOUNT,
    StandardObject,
    title_field,
)
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel import cards
from keeping_plugin.services.panel.view import Linked, PanelState, PanelView
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import creating
from keeping_plugin.times import MARK_AGE, MARKS, MINUTE, SETTLE
from keeping_plugin.types import (
    Agent,
    BackLink,
    ContactMatch,
    CreateLook,
    LeadMatch,
    Record,
    Saved,
    Value,
)
from keeping_plugin.types.created import Created

_MARGIN = timedelta(seconds=MINUTE)  # of a look, before the Save that it looks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An object of which agents may create records; `reason` says why not for this person, "" when
    they can."""

    row: StandardObject
    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What is about to be created, in which conversation, and for whom. `attempt` identifies the
    form."""

    link: Linked
    conversation_id: str
    attempt: str
    row: StandardObject
    created: Created
    person: Record
    account: Record | None

    @property
    def to_person(self) -> dict[str, Value]:
        """The fields by which the new record belongs to the person."""
        name = self.created.to.get(self.person.object)
        return {name: self.person.id} if name else {}

    @property
    def linked(self) -> dict[str, Value]:
        """As `to_person`, with the Account."""
        name, fields = self.created.account, self.link.schemas[self.row.name].fields
        if not name or self.account is None or name not in fields or not fields[name].createable:
            return self.to_person
        return {**self.to_person, name: self.account.id}

    @property
    def assigns(self) -> bool:
        """Whether the org's assignment rules decide whose it is."""
        choice = self.link.creating.get(self.row.name)
        return self.created.assigned and choice is not None and choice.assigned

    @property
    def back(self) -> BackLink | None:
        """The field of the person that gets the new record, as long as nobody changed them."""
        if not self.created.back:
            return None
        at = self.person.fields.get("LastModifiedDate")
        return BackLink(
            object=self.person.object,
            record_id=self.person.id,
            field=self.created.back,
            unless_modified_since=datetime.fromisoformat(at) if isinstance(at, str) else None,
        )


def creatable(view: PanelView) -> list[Offer]:
    """What agents may create for the person that this panel shows, in the product's order. Leaves
    out what a person can have only once and already has."""
    link, match = view.linked, view.match
    if link is None or not isinstance(match, ContactMatch | LeadMatch):
        return []
    return [
        Offer(row=row, label=link.schemas[row.name].label, reason=_why_not(link, row, match))
        for row in CREATED
        if _allowed(link, row) and not _has(row, cards.person(match))
    ]


def _has(row: StandardObject, person: Record) -> bool:
    """Whether they have the one Account that a Contact can have, or are one."""
    back = row.created.back if row.created is not None else ""
    is_one = person.fields.get(PERSON_ACCOUNT.flag) is True
    return bool(back) and (is_one or bool(person.fields.get(back)))


def _allowed(link: Linked, row: StandardObject) -> bool:
    choice = link.creating.get(row.name)
    return choice is not None and choice.allowed and row.name in link.schemas


def _why_not(link: Linked, row: StandardObject, match: ContactMatch | LeadMatch) -> str:
    lacking = creating.lacking(link.schemas, row.name)
    if lacking is not None:
        return lacking.finding
    person, created = cards.person(match), row.created
    if created is None or (person.object not in created.to and person.object != CONTACT.name):
        return f"only for a {CONTACT.name}, so convert the {person.object} first."
    if _has(row, person):
        return f"this {person.object} has one already."
    if created.back and created.back not in person.fields:
        return f"the connected user cannot see whether this {person.object} has one."
    return ""


def begin(view: PanelView, conversation_id: str, row: StandardObject, attempt: str) -> Making:
    """What a form for a new record is about. Raises what keeps it from being created: what the
    panel could not tell, or InvalidInput with the reason."""
    link, match = view.linked, view.match
    if link is None:
        raise NotConnected("Salesforce is not connected.")
    if view.state is PanelState.CONNECTION_LOST:
        raise ConnectionLost
    if not isinstance(match, ContactMatch | LeadMatch):
        if isinstance(view.error, KeepingError):
            raise view.error
        raise InvalidInput("Choose or add the person in Salesforce first.")
    if row.created is None or not _allowed(link, row):
        raise InvalidInput(f"Creating {row.tab} is not switched on.")
    reason = _why_not(link, row, match)
    if reason:
        raise InvalidInput(f"{link.schemas[row.name].label}: {reason}")
    return Making(
        link=link,
        conversation_id=conversation_id,
        attempt=attempt,
        row=row,
        created=row.created,
        person=cards.person(match),
        account=match.account if isinstance(match, ContactMatch) else None,
    )


def make(
    runtime: Runtime,
    agent: Agent,
    making: Making,
    fields: Mapping[str, Value],
    *,
    allow_duplicates: bool = False,
) -> Saved:
    """Create the record, or return the one that an earlier Save of the same form made.

    Raises BeingAdded while that Save may still have created it; RecordRejected, DuplicatesFound and
    RecordChanged with Salesforce's words; OutcomeUnclear when no answer came to this one; TooBusy.
    """
    link = making.link
    with runtime.asked_by(agent, link.connection_id, Feature.RECORDS) as gateway:
        earlier = _claim(runtime, agent, making)
        if earlier is not None:
            found = _earlier(runtime, gateway, agent, making, earlier)
            if found is not None:
                return found
        return _create(runtime, gateway, agent, making, fields, allow_duplicates)


def _of(making: Making) -> tuple[ColumnElement[bool], ...]:
    return (
        MadeRecord.connection_id == making.link.connection_id,
        MadeRecord.attempt == making.attempt,
    )


def _claim(runtime: Runtime, agent: Agent, making: Making) -> MadeRecord | None:
    """Write the attempt down; the row of an earlier Save of the same form, if there was one."""
    link = making.link
    with runtime.database.write() as session:
        user_id = session.get_one(Connection, link.connection_id).user_id
        row = {
            "connection_id": link.connection_id,
            "attempt": making.attempt,
            "conversation_id": making.conversation_id,
            "object": making.row.name,
            "person_id": making.person.id,
            "made_by": agent.id,
            "sent_as": user_id,
            "sent_at": now(session),
        }
        if insert_new(session, MadeRecord, [row]):
            return None
        found = session.scalars(select(MadeRecord).where(*_of(making))).one()
        session.expunge(found)
    mine = (found.conversation_id, found.object, found.made_by)
    if mine != (making.conversation_id, making.row.name, agent.id):
        raise InvalidInput("This form belongs to another record. Open it again.")
    return found


def _earlier(
    runtime: Runtime,
    gateway: SalesforceGateway,
    agent: Agent,
    making: Making,
    earlier: MadeRecord,
) -> Saved | None:
    """The record that the earlier save created; None if it created none, so that this one may."""
    if earlier.record_id:
        return Saved(earlier.record_id)
    found = _look(runtime, gateway, making, earlier)
    with runtime.database.write() as session:
        if found is not None:
            _keep(session, agent, making, found, detail="found")
            return Saved(found)
        settled = now(session) - runtime.times.span(SETTLE)
        # Of two saves that find nothing, only one continues.
        mine = session.scalar(
            update(MadeRecord)
            .where(*_of(making), MadeRecord.sent_at == earlier.sent_at)
            .where(MadeRecord.sent_at <= settled, MadeRecord.record_id.is_(None))
            .values(sent_at=now(session), person_id=making.person.id)
            .returning(MadeRecord.id)
        )
    if mine is None:
        raise BeingAdded(
            "Salesforce has not answered an earlier attempt to save this. It is being checked."
        )
    return None


def _look(
    runtime: Runtime, gateway: SalesforceGateway, making: Making, earlier: MadeRecord
) -> str | None:
    """The record that the earlier Save made: of our user, of this person, made since, and of no
    other form."""
    records = gateway.created(
        CreateLook(
            object=making.row.name,
            person=making.person.object,
            person_id=earlier.person_id,
            created_by=earlier.sent_as,
            field=next(iter(making.to_person), ""),
            back=making.created.back,
        )
    )
    with runtime.database.read() as session:
        # By Salesforce's clock, which may differ from the database's.
        ago = now(session) - earlier.sent_at
        since = (gateway.server_date or now(session)) - ago - _MARGIN
        known = set(
            session.scalars(
                select(MadeRecord.record_id).where(
                    MadeRecord.connection_id == making.link.connection_id,
                    MadeRecord.record_id.in_([record.id for record in records]),
                )
            )
        )
    title = title_field(making.row.name)
    ours = [
        record
        for record in records
        if record.id not in known
        and datetime.fromisoformat(str(record.fields["CreatedDate"])) >= since
        and not has_marker(str(record.fields.get(title) or ""))
    ]
    return ours[0].id if ours else None


def _create(
    runtime: Runtime,
    gateway: SalesforceGateway,
    agent: Agent,
    making: Making,
    fields: Mapping[str, Value],
    allow_duplicates: bool,
) -> Saved:
    sent = {**fields, **making.to_person}
    try:
        saved = _send(runtime, gateway, making, sent, allow_duplicates)
    except OutcomeUnclear:
        with runtime.database.write() as session:
            what = Audited.RECORD_CREATED, making.row.name, "", sorted(sent)
            _note(session, agent, making, *what, detail="outcome_unclear")
        raise
    except KeepingError:
        with runtime.database.write() as session:
            session.execute(delete(MadeRecord).where(*_of(making)))
        raise
    with runtime.database.write() as session:
        _keep(session, agent, making, saved.id, fields=sent)
    return saved


def _send(
    runtime: Runtime,
    gateway: SalesforceGateway,
    making: Making,
    fields: Mapping[str, Value],
    allow_duplicates: bool,
) -> Saved:
    """Create it soon after the row was written: a call that could not start is marked anew. The
    user may be another than of an earlier Save, if an admin has logged in again meanwhile."""
    user = select(Connection.user_id).where(Connection.id == making.link.connection_id)
    for _ in range(MARKS):
        with runtime.database.write() as session:
            start_by = runtime.clock.monotonic() + runtime.times.seconds(MARK_AGE)
            sent = {"sent_at": now(session), "sent_as": user.scalar_subquery()}
            session.execute(update(MadeRecord).where(*_of(making)).values(sent))
        try:
            return gateway.create(
                making.row.name,
                fields,
                allow_duplicates=allow_duplicates,
                assign=making.assigns and "OwnerId" not in fields,
                back=making.back,
                start_by=start_by,
            )
        except CallNotStarted:
            continue
    raise CallNotStarted("The server is too busy to send this in time; nothing was sent.")


def _keep(
    session: Session,
    agent: Agent,
    making: Making,
    record_id: str,
    *,
    fields: Mapping[str, Value] | None = None,
    detail: str = "",
) -> None:
    """Write down which record it was, and that its person refers to it where that was asked for."""
    session.execute(update(MadeRecord).where(*_of(making)).values(record_id=record_id))
    row, person, back = making.row, making.person, making.created.back
    made = Audited.RECORD_CREATED, row.name, record_id, sorted(fields or {})
    changed = Audited.RECORD_UPDATED, person.object, person.id, [back]
    for one in (made, changed) if back else (made,):
        _note(session, agent, making, *one, detail=detail)


def _note(
    session: Session,
    agent: Agent,
    making: Making,
    action: Audited,
    object: str,
    record_id: str,
    fields: list[str],
    *,
    detail: str,
) -> None:
    audit.record_by(
        session,
        agent,
        action,
        connection_id=making.link.connection_id,
        object=object,
        record_id=record_id,
        fields=fields,
        detail=detail,
    )
