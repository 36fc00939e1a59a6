"""What the connection page shows, as values: one read of the database, none of Salesforce."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    FieldSelection,
    MailboxPolicy,
    PanelCard,
    SchemaLoad,
    now,
)
from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.services.connection import connect
from keeping_plugin.services.connection.disconnect_summary import (
    DisconnectSummary,
    disconnect_summary,
)
from keeping_plugin.services.people import address_fields, finding
from keeping_plugin.services.schema import describe, preflight, selection
from keeping_plugin.services.schema.changes import Change
from keeping_plugin.services.schema.preflight import Preflight
from keeping_plugin.types import ObjectSchema
from keeping_plugin.wording.barred import BarredReason, barred_reason
from keeping_plugin.wording.pauses import Pause, pause_of

# A describe that nobody began in this time: no worker is running.
_PATIENCE = timedelta(seconds=20)


class Standing(StrEnum):
    NEVER = "never"
    LIVE = "live"
    BARRED = "barred"
    LOST = "lost"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    """One object as the connected user sees it; `fields` is None if they cannot see it."""

    name: str
    label: str
    fields: int | None
    custom: int
    shown: int


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """A change that a refresh found. `shown`: agents see the field, or did until now; `finds`: it
    is ticked to find people."""

    object: str
    label: str
    change: Change
    at: datetime
    shown: bool
    finds: bool


@dataclass(frozen=True, slots=True)
class SchemaState:
    """How far the describe is. `stuck`: it is due, and no worker has begun it."""

    load: SchemaLoad | None
    stuck: bool
    objects: tuple[ObjectSummary, ...]
    changes: tuple[ObjectChange, ...]

    @property
    def running(self) -> bool:
        """Whether it has not come to its end."""
        return self.load is not None and self.load.finished_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """What an admin has done since connecting: chosen fields, switched an automation on, and
    opened a panel (somebody has)."""

    fields: bool
    automations: bool
    panel: bool

    @property
    def done(self) -> bool:
        return self.fields and self.automations and self.panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything of the page. `other` is a login to another org that waits for a word."""

    standing: Standing
    connection: Connection | None
    other: Connection | None
    schema: SchemaState | None
    preflight: Preflight | None
    disconnect_summary: DisconnectSummary | None
    first_steps: FirstSteps | None
    search: bool = False  # agents may search the whole org

    @property
    def pause(self) -> Pause | None:
        """Why mail is not logged for now."""
        if self.connection is None or self.standing is not Standing.LIVE:
            return None
        return pause_of(self.connection.pause_reason, self.connection.pause_words)

    @property
    def barred(self) -> BarredReason | None:
        """Why Salesforce is refusing the connection for now, and where that is mended."""
        if self.standing is not Standing.BARRED or self.connection is None:
            return None
        return barred_reason(self.connection.barred_reason)


def overview(session: Session, company_id: str) -> Overview:
    """The page of one company."""
    found = connect.latest(session, company_id)
    live = found if found is not None and found.current else None
    return Overview(
        standing=standing(found),
        connection=live,
        other=connect.unconfirmed(session, company_id),
        schema=schema_state(session, live) if live else None,
        preflight=preflight.last(live) if live else None,
        disconnect_summary=disconnect_summary(session, found) if found else None,
        first_steps=_first_steps(session, live) if live else None,
        search=finding.load(session, company_id).search,
    )


def _first_steps(session: Session, connection: Connection) -> FirstSteps:
    company = connection.company_id
    switched_on = or_(MailboxPolicy.add_contacts, MailboxPolicy.log_tasks)
    fields, automations, panel = (
        session.scalar(select(exists().where(*conditions))) is True
        for conditions in (
            (FieldSelection.company_id == company,),
            (MailboxPolicy.company_id == company, switched_on),
            (PanelCard.connection_id == connection.id,),
        )
    )
    return FirstSteps(fields=fields, automations=automations, panel=panel)


def standing(found: Connection | None) -> Standing:
    """How a company stands, given its latest connection."""
    if found is None:
        return Standing.NEVER
    if not found.current:
        return Standing.DISCONNECTED
    if found.status == ConnectionStatus.LOST:
        return Standing.LOST
    return Standing.BARRED if found.is_barred else Standing.LIVE


def schema_state(session: Session, connection: Connection) -> SchemaState:
    """How far the describe of a connection is, and what it found."""
    load = session.get(SchemaLoad, connection.id)
    return SchemaState(
        load,
        stuck=load is not None and _is_stuck(load, now(session)),
        objects=_summaries(session, connection),
        changes=_changes(session, connection),
    )


def _is_stuck(load: SchemaLoad, at: datetime) -> bool:
    waiting = load.finished_at is None and load.started_at is None
    return waiting and load.due_at is not None and at - load.due_at > _PATIENCE


def _summaries(session: Session, connection: Connection) -> tuple[ObjectSummary, ...]:
    if not describe.is_described(session, connection.id):
        return ()
    schemas = describe.schemas(session, connection.id)
    shown = selection.shown(session, connection.company_id, schemas)
    summaries = []
    for name in OBJECT_NAMES:
        found = schemas.get(name)
        if found is None:
            summaries.append(ObjectSummary(name, name, None, 0, 0))
            continue
        offered = selection.offered(found)
        custom = sum(spec.custom for spec in offered)
        summaries.append(
            ObjectSummary(name, found.label_plural, len(offered), custom, len(shown[name]))
        )
    return tuple(summaries)


def _changes(session: Session, connection: Connection) -> tuple[ObjectChange, ...]:
    chosen = selection.load(session, connection.company_id)
    ticked = address_fields.load(session, connection.company_id)
    schemas = describe.schemas(session, connection.id)
    found = describe.changes(session, connection.id)
    return tuple(
        ObjectChange(
            object=name,
            label=schemas[name].label if name in schemas else name,
            change=change,
            at=found[name][0],
            shown=change.required
            or _is_shown(schemas.get(name), name, change.field, chosen.get(name)),
            finds=change.field in ticked.get(name, ()),
        )
        for name in OBJECT_NAMES
        if name in found
        for change in found[name][1]
    )


def _is_shown(
    known: ObjectSchema | None, object: str, field: str, chosen: Sequence[str] | None
) -> bool:
    required = known is not None and field in selection.locked(known)
    return required or selection.is_wanted(object, field, chosen)
