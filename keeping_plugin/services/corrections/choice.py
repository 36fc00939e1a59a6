"""Which records an undo takes, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, literal_column, select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_key
from keeping_plugin.errors import InvalidInput, NotConnected, NotFound
from keeping_plugin.models import (
    BackfillRun,
    Connection,
    SyncEntry,
    UndoneAddress,
    UndoRun,
    UndoState,
)
from keeping_plugin.objects import CONTACT, LEAD, TASK
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger.outcome import MADE
from keeping_plugin.types import Agent

# What the automations make, and so what can be undone.
UNDOABLE = (CONTACT, LEAD, TASK)
OPEN = (UndoState.RUNNING, UndoState.STOPPING)
MAX_COUNTED = 10_000
# Literals, not parameters: only then do both databases use the partial index of models/ledger.
MADE_ROWS = and_(
    SyncEntry.state == literal_column("'done'"),
    SyncEntry.reason.in_([literal_column(f"'{reason}'") for reason in sorted(MADE)]),
)
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


def undoable(connection_id: int) -> ColumnElement[bool]:
    """Entries whose record was made by the automations in this org and was not deleted since."""
    return (SyncEntry.connection_id == connection_id) & MADE_ROWS


# An id's first three characters tell its object; "" for an entry that never learned the id.
OBJECT: ColumnElement[str] = case(
    *(
        (func.substr(SyncEntry.record_id, 1, 3) == row.prefix, literal(row.name))
        for row in UNDOABLE
    ),
    else_=literal(""),
)


def live_connection(session: Session, company_id: str, *, lock: bool = False) -> Connection:
    """The company's connection. Raises NotConnected."""
    query = select(Connection).where(
        Connection.company_id == company_id, Connection.is_live, Connection.confirmed
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


@dataclass(frozen=True, slots=True)
class Counted:
    """How many records there are of each object, those whose id is not known under "". `more`:
    there are more than 10,000, of which these are some."""

    records: Mapping[str, int]
    more: bool


def counted(session: Session, connection_id: int, choice: Choice) -> Counted:
    """Count what is chosen: one statement, which reads at most 10,001 of these entries."""
    some = (
        select(SyncEntry.record_id, OBJECT.label("object"))
        .where(undoable(connection_id), choice.chosen())
        .limit(MAX_COUNTED + 1)
        .subquery()
    )
    rows = session.execute(select(some.c.object, func.count()).group_by(some.c.object))
    records = {row[0]: row[1] for row in rows}
    return Counted(MappingProxyType(records), sum(records.values()) > MAX_COUNTED)


def under_way(session: Session, company_id: str) -> int | None:
    """The company's run that is not over."""
    return session.scalar(
        select(UndoRun.id).where(UndoRun.company_id == company_id, UndoRun.state.in_(OPEN))
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
