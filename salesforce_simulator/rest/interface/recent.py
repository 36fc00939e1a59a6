"""``recent``: the records that the user looked at or saved last, by this API or on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.ids import normalised
from salesforce_simulator.records.recently_viewed import MAX_RECENT
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.values import whole_number

_FOR_VIEW = re.compile(r"\bFOR\s+(VIEW|REFERENCE)\s*$", re.IGNORECASE)
#: How many recent items the resource of one object lists.
_OF_AN_OBJECT = 25


def note_recent(request: Request, response: Response) -> None:
    """Remember the records of an answered operation.

    ``Sforce-Mru`` is on unless a call says otherwise; a query counts only with FOR VIEW or FOR
    REFERENCE (REST API Developer Guide, "MRU Header").
    """
    if response.status not in {200, 201, 204}:
        return
    if request.headers.get("sforce-mru", "").replace(" ", "").lower() == "updatemru=false":
        return
    for object_name, record_id in _touched(request, response.body):
        request.site.recent.note(request.session.user.id, object_name, record_id)


def _touched(request: Request, body: Any) -> Iterator[tuple[str, str]]:
    parts = request.path.rstrip("/").split("/")
    if parts[0] == "query":
        if _FOR_VIEW.search(request.query.get("q", "")) and isinstance(body, Mapping):
            for row in body.get("records") or ():
                yield _named(row)
    elif parts[0] == "sobjects" and request.method != "DELETE":
        if len(parts) == 3 and (record_id := normalised(parts[2])) is not None:
            yield request.site.org.canonical_name(request.session.user, parts[1]), record_id
        elif isinstance(body, Mapping) and "attributes" in body:
            yield _named(body)
        elif isinstance(body, Mapping) and body.get("success") is True:
            yield request.site.org.canonical_name(request.session.user, parts[1]), str(body["id"])


def _named(row: Mapping[str, Any]) -> tuple[str, str]:
    *_, object_name, record_id = str(row["attributes"]["url"]).split("/")
    return object_name, record_id


def recent_items(
    request: Request, object_name: str | None = None, *, most: int = _OF_AN_OBJECT
) -> list[dict[str, Any]]:
    """The recent records that still exist and that the user may read: their id and name."""
    user, org = request.session.user, request.site.org
    found: list[dict[str, Any]] = []
    for name, record_id in request.site.recent.of(user.id):
        if len(found) == most:
            break
        if object_name in (None, name):
            try:
                described = org.describe(user, name)
                title = [f["name"] for f in described["fields"] if f.get("nameField")] or ["Id"]
                row = org.read(user, name, record_id, title, api_version=request.version)
            except OrgError:  # deleted since, or out of the user's sight
                continue
            found.append({"attributes": row["attributes"], "Id": row["Id"], **row})
    return found


def recent(request: Request) -> Response:
    """``GET recent?limit=``."""
    limit = request.query.get("limit", str(MAX_RECENT))
    most = whole_number(limit)
    if most is None or not 1 <= most <= MAX_RECENT:
        raise refuse(
            "INVALID_QUERY_PARAMETER", f"limit must be 1 to {MAX_RECENT}, not {limit}", None
        )
    items = recent_items(request, most=most)
    request.cost.rows += len(items)
    return Response(200, items)
