"""Look: one composite finds all people of a batch, and Tasks that may have been sent already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from keeping_plugin.models import SyncEntry
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.types import Action, Found, TaskLook

# Salesforce's Date of the answer before the send, less this, is where the look begins.
LOOK_BACK = timedelta(minutes=10)


def look(
    gateway: SalesforceGateway,
    batch: Batch,
    *,
    rows: Collection[SyncEntry],
    markers: Mapping[int, str],
    endings: Collection[int],
    changed: Collection[str] = (),
    start_by: float,
) -> Found:
    """Everyone with an address of these rows; of marked Tasks, whether they are there.

    `endings` are rows, `changed` messages that are not to be sent again. Raises what `find` raises:
    an answer that is late, refused or not complete is no answer.
    """
    by_user: dict[str, list[SyncEntry]] = {}
    for row in rows:
        marked = row.action == Action.LOG_TASK and row.sent_at is not None
        # With a unique key field the create itself answers; only a row that is not to be sent
        # again needs to be looked for.
        again = row.id not in endings and row.message_id not in changed
        settles_itself = batch.connection.activity_key_field is not None and again
        if marked and not settles_itself:
            by_user.setdefault(row.sent_user_id or "", []).append(row)
    addresses = sorted({row.address for row in rows})
    looks = [_task_look(user, marked, markers) for user, marked in by_user.items()]
    found = gateway.find(addresses, tasks=looks[0] if looks else None, start_by=start_by)
    tasks = dict(found.tasks)
    for further in looks[1:]:  # rows marked under an earlier user of the connection
        tasks.update(gateway.find((), tasks=further, start_by=start_by).tasks)
    return Found(found.people, tasks)


def _task_look(user: str, rows: Collection[SyncEntry], markers: Mapping[int, str]) -> TaskLook:
    since: datetime = min(row.sent_after or row.sent_at or row.created_at for row in rows)
    return TaskLook(frozenset(markers[row.id] for row in rows), user, since - LOOK_BACK)
