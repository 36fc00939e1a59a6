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
from keeping_plugin.services.delivery.parts import Delivery
from keeping_plugin.services.metering import Feature, Meter, write_down
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


def tend_login(parts: Delivery, connection: Connection) -> bool:
    """Try a barred login with one cheap call, or renew an idle one; false when nothing may be sent
    now."""
    if connection.is_barred:
        return _try(parts, connection)
    try:
        parts.keep_login(connection.id)
    except (SalesforceError, NotReady) as error:
        log.warning("login_not_renewed", extra={"connection_id": connection.id, "code": error.code})
        return not isinstance(error, NotConnected | ConnectionLost)
    return True


def _try(parts: Delivery, connection: Connection) -> bool:
    meter = Meter(parts.gateways)
    try:
        meter(connection.id).limits()
    except (SalesforceError, NotReady) as error:
        if not isinstance(error, NotConnected):
            with parts.database.write() as session:
                pauses.refused(session, connection.id, error, parts.times)
        return False
    finally:
        write_down(parts.database, meter, Feature.AUTOMATIONS)
    return True
