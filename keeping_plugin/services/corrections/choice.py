"""Which records an undo takes, how many there are, and its start and end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, case, delete, func, insert, literal, null, select, update
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_key
from keeping_plugin.errors import InvalidInput, NotConnected, NotFound
from keeping_plugin.models import (
    BackfillRun,
    Connection,
    ConnectionStatus,
    EntryState,
    ItemState,
    SyncEntry,
    UndoItem,
    UndoneAddress,
    UndoRun,
    UndoState,
    now,
)
from keeping_plugin.objects import CONTACT, LEAD, TASK
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger.outcome import MADE
from keeping_plugin.types import Agent

# What the automations make, and so what can be undone.
UNDOABLE = (CONTACT, LEAD, TASK)
OPEN = (UndoState.RUNNING, UndoState.STOPPING)
_HOUR = timedelta(hours=1)
_ID = 19  # digits


class By(StrEnum):
    """By what records are chosen."""

    ENTRY = "entry"
    RUN = "run"
    HOUR = "hour"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Choice:
    """One action (the id of its entry), a backfill (its run), an hour of UTC in which records were
    made (its beginning, ISO), or the addresses of a domain (without its subdomains)."""

    by: By
    value: str

    @property
    def hour(self) -> datetime:
        """The beginning of the hour. Raises ValueError for another choice."""
        return datetime.fromisoformat(self.value)

    def chosen(self) -> ColumnElement[bool]:
        """The entries of this choice."""
        match self.by:
            case By.ENTRY:
                return SyncEntry.id == int(self.value)
            case By.RUN:
                return SyncEntry.run_id == int(self.value)
            case By.HOUR:
                settled = SyncEntry.settled_at
                return (settled >= self.hour) & (settled < self.hour + _HOUR)
            case By.DOMAIN:
                return SyncEntry.address.endswith(f"@{self.value}", autoescape=True)


def read_choice(values: Mapping[str, str]) -> Choice:
    """The choice of a form or an address: the first of `entry`, `run`, `hour` and `domain` that is
    given. Raises InvalidInput, whose `field` names it, and NotFound for an id that can be none."""
    by = next((each for each in By if values.get(each, "").strip()), None)
    if by is None:
        raise InvalidInput("Choose an hour, a domain or an import.", field=By.HOUR)
    text = values[by].strip()
    if by in (By.ENTRY, By.RUN):
        if not (text.isascii() and text.isdecimal() and len(text) < _ID):
            raise NotFound("There is nothing to undo here.")
        return Choice(by, text)
    if by is By.DOMAIN:
        domain = domain_key(text.removeprefix("@"))
        if domain is None or "." not in domain:
            raise InvalidInput("Enter a domain, such as acme.com.", field=by)
        return Choice(by, domain)
    return Choice(by, _hour(text))


def _hour(text: str) -> str:
    """The hour of a `datetime-local` field, which has no zone: it is read as UTC."""
    try:
        found = datetime.fromisoformat(text)
        whole = found.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        whole + 2 * _HOUR
    except (ValueError, OverflowError) as error:
        raise InvalidInput("Enter a day and an hour.", field=By.HOUR) from error
    return whole.isoformat(timespec="minutes") + "+00:00"


def undoable(connection: Connection) -> ColumnElement[bool]:
    """Entries whose record was made by the automations in this org and was not deleted since."""
    return (
        (SyncEntry.connection_id == connection.id)
        & (SyncEntry.company_id == connection.company_id)
        & (SyncEntry.state == EntryState.DONE)
        & SyncEntry.reason.in_(sorted(MADE))
    )


# An id's first three characters tell its object; "" for an entry that never learned the id.
_OBJECT: ColumnElement[str] = case(
    *(
        (func.substr(SyncEntry.record_id, 1, 3) == row.prefix, literal(row.name))
        for row in UNDOABLE
    ),
    else_=literal(""),
)


def live_connection(session: Session, company_id: str, *, lock: bool = False) -> Connection:
    """The company's connection. Raises NotConnected."""
    query = select(Connection).where(
        Connection.company_id == company_id,
        Connection.current,
        Connection.confirmed,
        Connection.status == ConnectionStatus.LIVE,
    )
    found = session.scalars(query.with_for_update(key_share=True) if lock else query).one_or_none()
    if found is None:
        raise NotConnected("Salesforce is not connected.")
    return found


def check_theirs(session: Session, company_id: str, choice: Choice) -> None:
    """Raises NotFound if the company has no such entry or import."""
    model = {By.ENTRY: SyncEntry, By.RUN: BackfillRun}.get(choice.by)
    if model is None:
        return
    found = session.scalar(
        select(model.company_id).where(model.id == int(choice.value))  # type: ignore[attr-defined]
    )
    if found != company_id:
        raise NotFound("There is nothing to undo here.")


def counted(session: Session, connection: Connection, choice: Choice) -> Mapping[str, int]:
    """How many records there are of each object, those whose id is not known under ""."""
    rows = session.execute(
        select(_OBJECT.label("object"), func.count())
        .where(undoable(connection), choice.chosen())
        .group_by("object")
    )
    return MappingProxyType({row[0]: row[1] for row in rows})


def under_way(session: Session, company_id: str) -> int | None:
    """The company's run that is not over."""
    return session.scalar(
        select(UndoRun.id).where(UndoRun.company_id == company_id, UndoRun.state.in_(OPEN))
    )


def start(session: Session, agent: Agent, choice: Choice) -> int:
    """A new run, due at once. Raises NotConnected, NotFound, and InvalidInput while another run is
    under way or when there is nothing to undo."""
    connection = live_connection(session, agent.company_id, lock=True)
    check_theirs(session, agent.company_id, choice)
    if under_way(session, agent.company_id) is not None:
        raise InvalidInput("Another undo is still under way.")
    time = now(session)
    run = UndoRun(
        connection_id=connection.id,
        epoch=connection.epoch,
        company_id=agent.company_id,
        chosen_by=choice.by,
        value=choice.value,
        started_by=agent.id,
        started_at=time,
        due_at=time,
    )
    session.add(run)
    session.flush()
    unknown = SyncEntry.record_id.is_(None)
    items = select(
        literal(run.id),
        SyncEntry.id,
        _OBJECT,
        SyncEntry.record_id,
        SyncEntry.address,
        case((unknown, literal(ItemState.LEFT)), else_=literal(ItemState.CHOSEN)),
        case((unknown, literal("no_id")), else_=literal("")),
        literal(""),
        literal(0),
        null(),
    ).where(undoable(connection), choice.chosen())
    columns = [column.key for column in UndoItem.__table__.columns]
    session.execute(insert(UndoItem).from_select(columns, items, include_defaults=False))
    chosen = session.scalar(
        select(func.count()).select_from(UndoItem).where(UndoItem.run_id == run.id)
    )
    if not chosen:
        raise InvalidInput("There is nothing left to undo.")
    audit.record_by(
        session,
        agent,
        Audited.UNDO_STARTED,
        connection_id=connection.id,
        detail=f"{run.id} {choice.by} {chosen}",
    )
    return run.id


def stop(session: Session, agent: Agent, run_id: int) -> None:
    """Delete nothing more. What was sent is still looked up, so that the list is true. Raises
    NotFound, InvalidInput."""
    run = session.scalars(
        select(UndoRun)
        .where(UndoRun.id == run_id, UndoRun.company_id == agent.company_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if run is None:
        raise NotFound("This undo does not exist.")
    if run.state != UndoState.RUNNING:
        raise InvalidInput("This undo has ended.")
    run.state, run.due_at = UndoState.STOPPING, now(session)
    leave_chosen(session, run_id, "stopped")
    audit.record_by(
        session, agent, Audited.UNDO_STOPPED, connection_id=run.connection_id, detail=str(run_id)
    )


def leave_chosen(session: Session, run_id: int, reason: str) -> None:
    """Leave every record that was not sent yet."""
    session.execute(
        update(UndoItem)
        .where(UndoItem.run_id == run_id, UndoItem.state == ItemState.CHOSEN)
        .values(state=ItemState.LEFT, reason=reason)
        .execution_options(synchronize_session=False)
    )


def allow(session: Session, agent: Agent, address: str) -> None:
    """Let automations add this address again. Raises NotFound."""
    gone = session.scalars(
        delete(UndoneAddress)
        .where(UndoneAddress.company_id == agent.company_id, UndoneAddress.address == address)
        .returning(UndoneAddress.address)
    ).all()
    if not gone:
        raise NotFound("This address can be added already.")
    audit.record_by(session, agent, Audited.ADDRESS_ALLOWED)


def imports(session: Session, company_id: str, connection_id: int) -> list[BackfillRun]:
    """The latest imports, of which records may be undone."""
    return list(
        session.scalars(
            select(BackfillRun)
            .where(BackfillRun.company_id == company_id, BackfillRun.connection_id == connection_id)
            .order_by(BackfillRun.id.desc())
            .limit(20)
        )
    )
