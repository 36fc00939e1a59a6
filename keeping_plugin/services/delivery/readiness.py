"""What must be right with a connection before anything is sent with it.

Its login: tried when Salesforce has refused it for a while, renewed before it has idled for too
long. Its budget: automations stop at a share of the day's allowance, so that agents never run dry.
The closed status of Tasks, of an org whose describe has not come so far yet. And the org's unique
field for our Tasks, which may be lost while mail is on its way.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import ConnectionLost, NotConnected, NotReady, SalesforceError
from keeping_plugin.models import Connection, now
from keeping_plugin.objects import TASK
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.connection import idle
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.actions import spec_of
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe, task_key
from keeping_plugin.times import Times

log = logging.getLogger(__name__)


def care_due(time: datetime, times: Times) -> ColumnElement[bool]:
    """Live connections to be rung though they may owe nothing."""
    barred = and_(
        Connection.barred_since >= Connection.connected_at, Connection.barred_until <= time
    )
    return or_(barred, idle.due(time, times))


def needs_care(connection: Connection, time: datetime, times: Times) -> bool:
    """The same of one that is about to be drained."""
    return connection.is_barred or idle.is_due(connection, time, times)


def tend_login(runtime: Runtime, connection: Connection) -> bool:
    """Try a barred login with one cheap call, or renew an idle one; false when nothing may be sent
    now."""
    if connection.is_barred:
        return _try(runtime, connection)
    try:
        runtime.keep_login(connection.id)
    except (SalesforceError, NotReady) as error:
        log.warning("login_not_renewed", extra={"connection_id": connection.id, "code": error.code})
        return not isinstance(error, NotConnected | ConnectionLost)
    return True


def _try(runtime: Runtime, connection: Connection) -> bool:
    try:
        with runtime.gateway(connection.id, Feature.AUTOMATIONS) as gateway:
            gateway.limits()
    except (SalesforceError, NotReady) as error:
        if not isinstance(error, NotConnected):
            with runtime.database.write() as session:
                pauses.record_failure(session, connection.id, error, runtime.times)
        return False
    return True


def within_budget(runtime: Runtime, gateway: SalesforceGateway, connection: Connection) -> bool:
    """Whether anything may be asked for now. When the share was used up, one cheap call asks how
    things stand; if they stand as before, the connection pauses. Raises what `limits` raises."""
    if not pauses.over_budget(connection, runtime.config.budget_share):
        return True
    gateway.limits()
    with runtime.database.write() as session:
        row = connection_first(session, connection.id)
        if row is None:
            return False
        pauses.keep_usage(session, row, gateway)
        if not pauses.over_budget(row, runtime.config.budget_share):
            return True
        pauses.pause_for_budget(session, row.id, runtime.times)
    return False


def ensure_task_status(runtime: Runtime, gateway: SalesforceGateway, batch: Batch) -> None:
    """Ask for the status of logged messages, once, before the first of them is sent. The describe
    asks too, but mail may come before it has ended, and a Task without a status is an open one.
    Raises what `closed_task_status` raises."""
    connection = batch.connection
    logs = any(spec_of(row).object == TASK.name for row in batch.rows)
    if connection.task_status is not None or not logs:
        return
    connection.task_status = gateway.closed_task_status()  # of this batch's copy
    with runtime.database.write() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection.id, Connection.task_status.is_(None))
            .values(task_status=connection.task_status)
        )


def refuses_key_field(batch: Batch, error: SalesforceError) -> bool:
    """Whether Salesforce refuses Tasks because of this field."""
    return task_key.is_refused(error, batch.connection.activity_key_field)


def lose_key_field(session: Session, batch: Batch) -> None:
    """Send without it from now on, and have the org described again; the sweep rings for that, if
    nobody else does."""
    task_key.keep(session, batch.connection.id, None)
    describe.start_load(session, batch.connection.id, at=now(session))
