"""Automations stop at a share of the day's allowance, so that agents never run dry."""

from __future__ import annotations

from keeping_plugin.models import Connection
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.runtime import Runtime


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
