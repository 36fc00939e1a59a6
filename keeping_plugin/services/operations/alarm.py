"""The alarm: agents of one company had Salesforce asked far more often than on their usual day, or
one of them searched far more often than anybody needs.

It reads the counts of `api_use`, which all processes share, and counts what agents make happen:
panels, searches and saves. Automations follow the mail and have their own budget.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from keeping_plugin.models import ApiUse, AuditRecord, Connection, Database, Search, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.wording.terminal import escaped

log = logging.getLogger("keeping_plugin.security")

TIMES_USUAL = 10
LEAST = 600  # requests a day: below, ten times a quiet day is no burst
DAYS = 14  # that make the usual day: the mean of those on which anything was asked
LEARNING = 3  # days with use, before which nobody knows what is usual
UNLEARNED = 6_000  # requests of a day before that: a hundred agents with sixty panels each
# Of one agent and day, from the first day on: searches by name, and those that the limits refused.
SEARCHES, REFUSED = 100, 10

_AGENTS = (Feature.PANEL, Feature.RECORDS)


@dataclass(frozen=True, slots=True)
class UnusualUse:
    """A connection whose agents asked `requests` times today (UTC), `usual` on their usual day.
    With an `agent_id`: how often that agent searched, refused searches among them."""

    connection_id: int
    company_id: str
    requests: int
    usual: int
    agent_id: str = ""


def raise_alarms(database: Database) -> list[UnusualUse]:
    """Find every live connection with a burst that nobody was told of today; each leaves one audit
    row, for the company's admins, and one warning in the log, for operators."""
    with database.read() as session:
        at = now(session)
        found = [*_bursts(session, at), *_searchers(session, at)]
    if found:
        with database.write() as session:
            at = now(session)
            found = [burst for burst in found if not _told(session, burst, at)]
            for burst in found:
                audit.record(
                    session,
                    Audited.UNUSUAL_USE,
                    company_id=burst.company_id,
                    agent_id=burst.agent_id,
                    agent_name=_name(session, burst),
                    at=at,
                    connection_id=burst.connection_id,
                    detail=(
                        f"searches={burst.requests}"
                        if burst.agent_id
                        else f"requests={burst.requests} usual={burst.usual}"
                    ),
                )
    for burst in found:
        log.warning(
            "unusual_use",
            extra={
                "agent_id": escaped(burst.agent_id),
                "company_id": escaped(burst.company_id),
                "connection_id": burst.connection_id,
                "requests": burst.requests,
                "usual": burst.usual,
            },
        )
    return found


def _bursts(session: Session, at: datetime) -> list[UnusualUse]:
    today, first = f"{at:%Y-%m-%d}", f"{at - timedelta(days=DAYS):%Y-%m-%d}"
    days = (
        select(ApiUse.connection_id, ApiUse.day, func.sum(ApiUse.requests).label("requests"))
        .where(ApiUse.feature.in_(_AGENTS), ApiUse.day >= first)
        .group_by(ApiUse.connection_id, ApiUse.day)
        .subquery()
    )
    before = days.c.day < today
    rows = session.execute(
        select(
            Connection.id,
            Connection.company_id,
            func.coalesce(func.sum(days.c.requests).filter(~before), 0),
            func.coalesce(func.sum(days.c.requests).filter(before), 0),
            func.count().filter(before),
        )
        .join(days, days.c.connection_id == Connection.id)
        .where(Connection.current)
        .group_by(Connection.id, Connection.company_id)
    )
    return [
        UnusualUse(connection_id, company_id, int(asked), int(past) // number if number else 0)
        for connection_id, company_id, asked, past, number in rows
        if asked >= _unusual(int(past), number)
    ]


def _unusual(past: int, days: int) -> float:
    """How many requests of a day are too many, after so many in so many days."""
    return max(LEAST, TIMES_USUAL * past / days) if days >= LEARNING else UNLEARNED


def _searchers(session: Session, at: datetime) -> list[UnusualUse]:
    refused = func.count().filter(Search.refused)
    rows = session.execute(
        select(Connection.id, Connection.company_id, Search.agent_id, func.count())
        .join(Search, Search.connection_id == Connection.id)
        .where(Connection.current, Search.at >= _midnight(at))
        .group_by(Connection.id, Connection.company_id, Search.agent_id)
        .having((func.count() >= SEARCHES) | (refused >= REFUSED))
    )
    return [
        UnusualUse(connection_id, company_id, searches, 0, agent_id)
        for connection_id, company_id, agent_id, searches in rows
    ]


def _name(session: Session, burst: UnusualUse) -> str:
    """The agent's name, as the trail of their searches has it."""
    name = session.scalar(
        select(AuditRecord.agent_name)
        .where(
            AuditRecord.company_id == burst.company_id,
            AuditRecord.agent_id == burst.agent_id,
            AuditRecord.agent_id != "",
        )
        .order_by(AuditRecord.at.desc())
        .limit(1)
    )
    return name or ""


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _told(session: Session, burst: UnusualUse, at: datetime) -> bool:
    return bool(
        session.scalar(
            select(
                exists().where(
                    AuditRecord.company_id == burst.company_id,
                    AuditRecord.connection_id == burst.connection_id,
                    AuditRecord.action == Audited.UNUSUAL_USE,
                    AuditRecord.agent_id == burst.agent_id,
                    AuditRecord.at >= _midnight(at),
                )
            )
        )
    )
