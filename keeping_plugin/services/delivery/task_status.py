"""The closed status of an org whose describe has not come so far yet."""

from __future__ import annotations

from sqlalchemy import update

from keeping_plugin.models import Connection
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Action


def ensure_task_status(runtime: Runtime, gateway: SalesforceGateway, batch: Batch) -> None:
    """Ask for the status of logged messages, once, before the first of them is sent. The describe
    asks too, but mail may come before it has ended, and a Task without a status is an open one.
    Raises what `closed_task_status` raises."""
    connection = batch.connection
    logs = any(row.action == Action.LOG_TASK for row in batch.rows)
    if connection.task_status is not None or not logs:
        return
    connection.task_status = gateway.closed_task_status()  # of this batch's copy
    with runtime.database.write() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection.id, Connection.task_status.is_(None))
            .values(task_status=connection.task_status)
        )
