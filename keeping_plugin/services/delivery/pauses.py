"""What an answer of Salesforce, or its absence, does to the whole connection.

The rows keep their state: the pause is the connection's, and the sweep passes over it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from keeping_plugin.errors import (
    CallNotStarted,
    ConnectionBarred,
    ConnectionLost,
    HelpDeskFailed,
    NotReady,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.models import Connection, ConnectionStatus, now
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.refusals import Advice, advice
from keeping_plugin.services.delivery.outcomes import backoff
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.ledger.outcome import words
from keeping_plugin.times import BUDGET_LOOK, PAUSES, Times

TIMEOUTS = 2  # in a row

# Pauses that no error of ours names (`pause_reason`).
READ_REFUSED = "read_refused"
ORG_CLOSED = "org_closed"


def record_answer(
    session: Session, connection_id: int, gateway: SalesforceGateway, *, answered: bool = True
) -> None:
    """Keep what Salesforce's last headers told. When the last call was `answered`, earlier silence
    is forgotten: an org that answers looks but hangs at every write hangs all the same. So is a
    pause, but for one that began meanwhile: then Salesforce answered that nothing more can pass."""
    connection = connection_first(session, connection_id)
    if connection is None:
        return
    until = connection.paused_until
    if answered and (until is None or until <= now(session)):
        connection.timeouts = connection.outages = 0
        connection.end_pause()
    keep_usage(session, connection, gateway)


def keep_usage(session: Session, connection: Connection, gateway: SalesforceGateway) -> None:
    """Usage and date, as the last answer's headers told them."""
    if gateway.usage is not None:
        connection.api_seen_at = now(session)
        connection.api_used, connection.api_limit = gateway.usage.used, gateway.usage.limit
    if gateway.server_date is not None:
        connection.server_date = gateway.server_date


def record_failure(
    session: Session, connection_id: int, error: SalesforceError | NotReady, times: Times
) -> bool:
    """Pause the connection if this error is about all of it; says whether it was."""
    connection = connection_first(session, connection_id)
    if connection is None:
        return True
    match error:
        case ConnectionLost() if connection.status != ConnectionStatus.LIVE:
            return True  # that is its state, and an admin's to mend
        case ConnectionBarred() if connection.barred_until is not None:
            # No sooner than the next try. Its words stand on the connection.
            connection.paused_until, connection.pause_reason = connection.barred_until, error.code
            connection.pause_words = None
            return True
        case ConnectionLost() | ConnectionBarred() | NotReady():
            wait = PAUSES[0]
        case SalesforceUnavailable(timed_out=True) | OutcomeUnclear(timed_out=True):
            connection.timeouts += 1
            if connection.timeouts >= TIMEOUTS:
                wait = PAUSES[min(connection.timeouts - TIMEOUTS, len(PAUSES) - 1)]
            else:
                wait = 0.0
        case SalesforceUnavailable() | CallNotStarted():
            wait = backoff(connection.outages)
            connection.outages += 1
        case RateLimited(daily=True):
            wait = BUDGET_LOOK
        case RateLimited():
            wait = backoff(connection.outages + 2)
            connection.outages += 1
        case PermissionDenied():
            wait = BUDGET_LOOK
        case SalesforceError() if advice(error.complaints) is Advice.PAUSE:
            read_refused(session, connection_id, error, times)
            return True
        case _:
            return False
    _pause(connection, now(session), error.code, times, wait, _words(error))
    return True


def read_refused(
    session: Session,
    connection_id: int,
    error: SalesforceError,
    times: Times,
) -> bool:
    """Salesforce said clearly that it does not answer this question, or takes nothing at all: that
    is no row's doing. The connection pauses with its words, 1 to 15 minutes, and asks again. Says
    whether this is news."""
    reason = ORG_CLOSED if advice(error.complaints) is Advice.PAUSE else READ_REFUSED
    connection = connection_first(session, connection_id)
    if connection is None:
        return False
    news = connection.outages == 0
    wait = PAUSES[min(connection.outages, len(PAUSES) - 1)]
    connection.outages += 1
    _pause(connection, now(session), reason, times, wait, _words(error))
    return news


def host_failed(session: Session, connection_id: int, times: Times) -> None:
    """The host cannot give its messages: 5 s, doubled each time, at most 15 minutes."""
    connection = connection_first(session, connection_id)
    if connection is None:
        return
    wait = backoff(connection.outages)
    connection.outages += 1
    _pause(connection, now(session), HelpDeskFailed.code, times, wait)


def _words(error: SalesforceError | NotReady) -> Any:
    return words(error.complaints) if isinstance(error, SalesforceError) else None


def over_budget(connection: Connection, share: float) -> bool:
    """The automations' share of the day's allowance is used up."""
    used, limit = connection.api_used, connection.api_limit
    return used is not None and limit is not None and used >= share * limit


def pause_for_budget(session: Session, connection_id: int, times: Times) -> None:
    """Agents keep the rest of the day's allowance; one cheap call in 15 minutes asks again."""
    connection = session.get_one(Connection, connection_id)
    _pause(connection, now(session), "budget", times, BUDGET_LOOK)


def _pause(
    connection: Connection,
    time: datetime,
    reason: str,
    times: Times,
    wait: float,
    told: Any = None,
) -> None:
    connection.paused_until = time + times.span(wait) if wait else None
    connection.pause_reason = reason if wait else ""
    connection.pause_words = told if wait else None
