"""``updated`` and ``deleted``: the ids that changed within a timespan, for clients that copy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.values import parse_datetime, show_datetime

UPDATED_DAYS, DELETED_DAYS = 30, 15
MINUTE = timedelta(minutes=1)


def _invalid(message: str) -> OrgError:
    return refuse("INVALID_REPLICATION_DATE", message, None)


def _minute(request: Request, name: str) -> datetime:
    """A parameter as a moment; its seconds do not count."""
    text = request.query.get(name)
    if text is None:
        raise refuse("MISSING_ARGUMENT", f"{name} has to be specified", None)
    moment = parse_datetime(text)
    if moment is None:
        raise _invalid(f"{name} is not a valid dateTime: {text}")
    return moment.replace(second=0, microsecond=0)


def _span(request: Request, days: int) -> tuple[datetime, datetime, datetime]:
    """Start and end as asked for, and the moment up to which the answer is complete."""
    start, end = _minute(request, "start"), _minute(request, "end")
    now = request.site.clock.now().replace(second=0, microsecond=0)
    if end - start < MINUTE:
        raise _invalid("endDate must follow startDate by at least 1 minute")
    if start < now - timedelta(days=days):
        raise _invalid(f"startDate can not be more than {days} days before now")
    return start, end, min(end, now)


def _rows(
    request: Request, start: datetime, end: datetime, *, deleted: bool
) -> Iterator[tuple[str, str]]:
    """(id, when) of what changed from ``start`` up to but not including ``end``."""
    org, user, version = request.site.org, request.session.user, request.version
    described = org.describe(user, request.segments()[1])
    name = described["name"]
    if not described.get("replicateable", True):
        message = f"entity type {name} does not support replication"
        raise refuse("INVALID_TYPE_FOR_OPERATION", message, None)
    fields = {field["name"] for field in described["fields"]}
    stamp = "SystemModstamp" if "SystemModstamp" in fields else "LastModifiedDate"
    soql = (
        f"SELECT Id, {stamp} FROM {name} WHERE {stamp} >= {start:%Y-%m-%dT%H:%M:%SZ} "
        f"AND {stamp} < {end:%Y-%m-%dT%H:%M:%SZ}"
    )
    if deleted:
        soql += " AND IsDeleted = true"
    found = org.query(user, soql, all_rows=deleted, api_version=version)
    while True:
        yield from ((str(row["Id"]), str(row[stamp])) for row in found["records"])
        if found["done"]:
            return
        locator = found["nextRecordsUrl"].rpartition("/")[2]
        found = org.query_more(user, locator, api_version=version)


def updated(request: Request) -> Response:
    """``GET sobjects/{Object}/updated?start=&end=``: records created or changed."""
    start, end, covered = _span(request, UPDATED_DAYS)
    ids = [record_id for record_id, _ in _rows(request, start, end, deleted=False)]
    request.cost.rows += len(ids)
    return Response(200, {"ids": ids, "latestDateCovered": show_datetime(covered)})


def deleted(request: Request) -> Response:
    """``GET sobjects/{Object}/deleted?start=&end=``: records in the recycle bin."""
    start, end, covered = _span(request, DELETED_DAYS)
    gone: list[dict[str, Any]] = [
        {"id": record_id, "deletedDate": when}
        for record_id, when in _rows(request, start, end, deleted=True)
    ]
    request.cost.rows += len(gone)
    earliest = covered - timedelta(days=DELETED_DAYS)
    return Response(
        200,
        {
            "deletedRecords": gone,
            "earliestDateAvailable": show_datetime(earliest),
            "latestDateCovered": show_datetime(covered),
        },
    )
