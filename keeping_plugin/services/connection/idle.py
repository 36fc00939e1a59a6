"""A login is renewed in time, though it works: Salesforce may end a refresh token that was not used
for 30 days, and calls with an access token that lives on do not count as use."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from keeping_plugin.models import Connection
from keeping_plugin.times import RENEW_LOGIN, RENEW_RETRY, Times


def due(time: datetime, times: Times) -> ColumnElement[bool]:
    """Connections whose login is to be renewed now."""
    return or_(
        Connection.renew_at <= time,
        and_(
            Connection.renew_at.is_(None), Connection.connected_at <= time - times.span(RENEW_LOGIN)
        ),
    )


def is_due(row: Connection, time: datetime, times: Times) -> bool:
    """The same of one connection."""
    return (row.renew_at or row.connected_at + times.span(RENEW_LOGIN)) <= time


def renewed(row: Connection, *, at: datetime, times: Times) -> None:
    """The login was renewed."""
    row.refreshed_at, row.renew_at = at, at + times.span(RENEW_LOGIN)


def put_off(row: Connection, *, at: datetime, times: Times) -> None:
    """It could not be renewed just now."""
    row.renew_at = at + times.span(RENEW_RETRY)


def begin(row: Connection) -> None:
    """A new login has taken the place of the one before."""
    row.refreshed_at = row.renew_at = None
