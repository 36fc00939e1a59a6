"""What a connection's login needs before anything is sent with it: a try when Salesforce has
refused it for a while, and a renewal before it has idled for too long."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from keeping_plugin.errors import ConnectionLost, NotConnected, NotReady, SalesforceError
from keeping_plugin.models import Connection
from keeping_plugin.services.connection import idle
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
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
