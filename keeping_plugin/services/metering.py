"""Who used the org's API requests: counted by day, mailbox and feature, for the settings.

A count, not a ledger: what Salesforce itself counts stands on the connection (`api_used`), and a
process that dies takes the few requests along that it had not written down yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from keeping_plugin.models import (
    INSERTS,
    ApiUse,
    Connection,
    Database,
    Lane,
    SyncEntry,
    change_rows,
    now,
)
from keeping_plugin.ports import Gateways, SalesforceGateway
from keeping_plugin.types import Usage


class Feature(StrEnum):
    """What a request was made for; the fixed codes of `ApiUse.feature`."""

    AUTOMATIONS = "automations"
    BACKFILL = "backfill"
    WAITING = "waiting"
    PANEL = "panel"
    RECORDS = "records"
    SCHEMA = "schema"
    UNDO = "undo"


FEATURES: Mapping[str, str] = {
    Feature.AUTOMATIONS: "Automations",
    Feature.BACKFILL: "Earlier mail",
    Feature.WAITING: "Looking for missing Contacts",
    Feature.PANEL: "Conversation panel",
    Feature.RECORDS: "Agents’ edits and searches",
    Feature.SCHEMA: "Fields and checks",
    Feature.UNDO: "Undo and repair",
}

Use = Mapping[tuple[str, Feature], int]
"""Requests by mailbox ("" when of none) and feature."""


class Meter:
    """A `Gateways` that remembers what it opened, so that the requests can be counted once."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways
        self._opened: list[tuple[int, SalesforceGateway]] = []

    def __call__(self, connection_id: int, *, deadline: float | None = None) -> SalesforceGateway:
        gateway = self._gateways(connection_id, deadline=deadline)
        self._opened.append((connection_id, gateway))
        return gateway

    def requests(self) -> dict[int, int]:
        """Requests so far, by connection; connections that were not asked are left out."""
        made: Counter[int] = Counter()
        for connection_id, gateway in self._opened:
            made[connection_id] += gateway.requests
        return {connection_id: count for connection_id, count in made.items() if count}

    def usage(self, connection_id: int) -> Usage | None:
        """What Salesforce's last answer told of the org's day; None when no answer told it."""
        told = [each.usage for opened, each in self._opened if opened == connection_id]
        return next((usage for usage in reversed(told) if usage is not None), None)


def keep_usage(session: Session, connection_id: int, usage: Usage | None) -> None:
    """Keep what an answer told of the org's day, so that automations stop in time however little
    they ask themselves. The first statement of its transaction (`ledger/locking`). Panels come by
    the second: within a minute, only what moves by a hundredth of the allowance is written."""
    if usage is None:
        return
    time = now(session)
    moved = func.abs(usage.used - Connection.api_used) * 100 >= usage.limit
    due = or_(
        Connection.api_seen_at.is_(None),
        Connection.api_seen_at <= time - _USAGE_AGE,
        Connection.api_limit != usage.limit,
        moved,
    )
    statement = update(Connection).where(Connection.id == connection_id, Connection.current, due)
    values = {"api_used": usage.used, "api_limit": usage.limit, "api_seen_at": time}
    change_rows(session, statement.values(values))


_USAGE_AGE = timedelta(minutes=1)


def add(session: Session, connection_id: int, use: Use) -> None:
    """Add to today's counts. The last statement of its transaction: every panel of a company adds
    to the same few rows."""
    day = f"{now(session):%Y-%m-%d}"
    rows = [
        {
            "connection_id": connection_id,
            "day": day,
            "mailbox_id": mailbox_id,
            "feature": feature,
            "requests": requests,
        }
        for (mailbox_id, feature), requests in sorted(use.items())
        if requests
    ]
    if not rows:
        return
    session.connection().execute(_ADD[session.get_bind().dialect.name], rows)


def _adding(statement: Any) -> Any:
    return statement.on_conflict_do_update(
        index_elements=["connection_id", "day", "mailbox_id", "feature"],
        set_={"requests": ApiUse.requests + statement.excluded.requests},
    )


# Kept whole: every panel adds.
_ADD = {name: _adding(insert(ApiUse)) for name, insert in INSERTS.items()}


def shared(requests: int, rows: Iterable[SyncEntry]) -> Counter[tuple[str, Feature]]:
    """A batch's requests among the mailboxes whose rows it carried, by their number of rows: whole
    requests, all of them, the largest remainders first."""
    weights = Counter(
        (row.mailbox_id, Feature.BACKFILL if row.lane == Lane.BACKFILL else Feature.AUTOMATIONS)
        for row in rows
    )
    total = weights.total()
    use = Counter({key: requests * weight // total for key, weight in weights.items()})
    rest = sorted(weights, key=lambda key: (-(requests * weights[key] % total), key))
    use.update(rest[: requests - use.total()])
    return use


def write_down(database: Database, meter: Meter, feature: Feature, *, mailbox_id: str = "") -> None:
    """Add what a meter counted, and keep what the answers told of the org's day, in a transaction
    of its own; none when nothing was asked."""
    for connection_id, requests in meter.requests().items():
        with database.write() as session:
            keep_usage(session, connection_id, meter.usage(connection_id))
            add(session, connection_id, {(mailbox_id, feature): requests})


@dataclass(frozen=True, slots=True)
class UsedBy:
    """Requests of one feature for one mailbox ("" when of none), today (UTC) and in all days."""

    feature: str
    mailbox_id: str
    today: int
    total: int


def used_by(session: Session, connection_id: int, *, days: int) -> tuple[UsedBy, ...]:
    """Who used the requests of the last `days` days, today included, the most of it first."""
    time = now(session)
    today, first = f"{time:%Y-%m-%d}", f"{time - timedelta(days=days - 1):%Y-%m-%d}"
    rows = session.execute(
        select(
            ApiUse.feature,
            ApiUse.mailbox_id,
            func.sum(ApiUse.requests).filter(ApiUse.day == today),
            func.sum(ApiUse.requests),
        )
        .where(ApiUse.connection_id == connection_id, ApiUse.day >= first)
        .group_by(ApiUse.feature, ApiUse.mailbox_id)
    )
    found = [UsedBy(feature, box, int(now_ or 0), int(all_)) for feature, box, now_, all_ in rows]
    return tuple(sorted(found, key=lambda one: (-one.total, one.feature, one.mailbox_id)))
