"""List views: *All*, *My* and *Recently Viewed* of each object with an owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from salesforce_simulator.errors import not_found, refuse
from salesforce_simulator.ids import from_sequence, normalised
from salesforce_simulator.rest.interface.columns import chosen_fields, name_field
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.values import parse_datetime, whole_number

_PREFIX = "00B"
_ALWAYS = ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp")
_PAGE, _MAX_PAGE = 25, 2000
_SCOPES = ("All", "My", "RecentlyViewed")
_DIRECTIONS = {"datetime": ("Newest to Oldest", "Oldest to Newest"), "phone": ("9-0", "0-9")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """One view of an object's records, as its user sees it."""

    id: str
    scope: str
    developer_name: str
    label: str
    described: Mapping[str, Any]
    owner_id: str

    @property
    def name(self) -> str:
        """The object."""
        return str(self.described["name"])

    @property
    def fields(self) -> list[Mapping[str, Any]]:
        """The columns, hidden ones at the end."""
        shown = chosen_fields(self.described)
        known = {field["name"]: field for field in self.described["fields"]}
        seen = {field["name"] for field in shown}
        return [*shown, *(known[n] for n in _ALWAYS if n in known and n not in seen)]

    @property
    def order(self) -> str:
        """The field that rows are sorted by."""
        named = name_field(self.described)
        return str(named["name"]) if named.get("sortable", True) else "Id"

    def soql(self, recent: list[str]) -> str:
        """The statement whose rows the view shows."""
        names = ", ".join(field["name"] for field in self.fields)
        seen = "Id IN ('" + "', '".join(recent) + "')" if recent else "Id = null"
        where = {
            "All": "",
            "My": f" WHERE OwnerId = '{self.owner_id}'",
            "RecentlyViewed": f" WHERE {seen}",
        }[self.scope]
        order = ", ".join(f"{name} ASC NULLS FIRST" for name in dict.fromkeys((self.order, "Id")))
        return f"SELECT {names} FROM {self.name}{where} ORDER BY {order}"


def _views(request: Request, object_name: str) -> list[ListView]:
    org, user = request.site.org, request.session.user
    described = org.describe(user, object_name)
    if "OwnerId" not in {field["name"] for field in described["fields"]}:
        return []
    name = str(described["name"])
    place = org.object_names(user).index(name) * len(_SCOPES)
    plural = str(described.get("labelPlural") or name)
    code = request.site.organization_id[3:7]
    return [
        ListView(
            id=from_sequence(_PREFIX, code, place + n),
            scope=scope,
            developer_name=f"{scope}{plural.replace(' ', '')}",
            label=f"{'Recently Viewed' if scope == 'RecentlyViewed' else scope} {plural}",
            described=described,
            owner_id=user.id,
        )
        for n, scope in enumerate(_SCOPES, start=1)
    ]


def _named(request: Request) -> ListView:
    _, object_name, _, view_id, *_ = request.segments()
    wanted = normalised(view_id)
    for view in _views(request, object_name):
        if view.id == wanted:
            return view
    raise not_found()


def query_of(request: Request, view_id: str) -> str | None:
    """The statement behind the list view of this id; None when there is none."""
    wanted = normalised(view_id)
    for name in request.site.org.object_names(request.session.user):
        for view in _views(request, name):
            if view.id == wanted:
                return view.soql(_recent(request, view))
    return None


def _recent(request: Request, view: ListView) -> list[str]:
    seen = request.site.recent.of(request.session.user.id)
    return [record_id for name, record_id in seen if name == view.name]


def _entry(request: Request, view: ListView) -> dict[str, Any]:
    url = f"{request.base}/sobjects/{view.name}/listviews/{view.id}"
    return {
        "describeUrl": f"{url}/describe",
        "developerName": view.developer_name,
        "id": view.id,
        "label": view.label,
        "resultsUrl": f"{url}/results",
        "soqlCompatible": True,
        "url": url,
    }


def list_views(request: Request) -> Response:
    """``GET sobjects/{Object}/listviews``."""
    name = request.site.org.canonical_name(request.session.user, request.segments()[1])
    views = [_entry(request, view) for view in _views(request, name)]
    body = {"done": True, "listviews": views, "nextRecordsUrl": None, "size": len(views)}
    return Response(200, {**body, "sobjectType": name})


def list_view(request: Request) -> Response:
    """``GET sobjects/{Object}/listviews/{id}``."""
    return Response(200, _entry(request, _named(request)))


def _columns(view: ListView) -> list[dict[str, Any]]:
    shown = len(chosen_fields(view.described))
    return [
        {
            "ascendingLabel": _DIRECTIONS.get(field.get("type", ""), ("Z-A", "A-Z"))[0],
            "descendingLabel": _DIRECTIONS.get(field.get("type", ""), ("Z-A", "A-Z"))[1],
            "fieldNameOrPath": field["name"],
            "hidden": place >= shown,
            "label": field.get("label") or field["name"],
            "selectListItem": field["name"],
            "sortDirection": "ascending" if field["name"] == view.order else None,
            "sortIndex": 0 if field["name"] == view.order else None,
            "sortable": place < shown and bool(field.get("sortable", True)),
            "type": field.get("type"),
        }
        for place, field in enumerate(view.fields)
    ]


def describe(request: Request) -> Response:
    """``GET sobjects/{Object}/listviews/{id}/describe``."""
    view = _named(request)
    order = [
        {"fieldNameOrPath": name, "nullsPosition": "first", "sortDirection": "ascending"}
        for name in dict.fromkeys((view.order, "Id"))
    ]
    return Response(
        200,
        {
            "columns": _columns(view),
            "id": view.id,
            "orderBy": order,
            "query": view.soql(_recent(request, view)),
            "scope": "mine" if view.scope == "My" else None,
            "sobjectType": view.name,
            "whereCondition": None,
        },
    )


def _page(request: Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    number = whole_number(text)
    if number is None or number > most:
        raise refuse("INVALID_QUERY_PARAMETER", f"{name} must be 0 to {most}, not {text}", None)
    return number


def _shown(value: Any) -> str | None:
    """A value as list views show it: text, dates as Java writes them."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    moment = parse_datetime(value) if isinstance(value, str) and "T" in value else None
    return str(value) if moment is None else f"{moment:%a %b %d %H:%M:%S GMT %Y}"


def results(request: Request) -> Response:
    """``GET sobjects/{Object}/listviews/{id}/results?limit=&offset=``."""
    view, org, user = _named(request), request.site.org, request.session.user
    limit = _page(request, "limit", _PAGE, _MAX_PAGE)
    offset = _page(request, "offset", 0, _MAX_PAGE)
    soql = view.soql(_recent(request, view))
    found = org.query(user, f"{soql} LIMIT {limit + 1} OFFSET {offset}")["records"]
    rows = [
        {"columns": [{"fieldNameOrPath": f["name"], "value": _shown(row[f["name"]])}
                     for f in view.fields]}
        for row in found[:limit]
    ]  # fmt: skip
    request.cost.rows += len(rows)
    return Response(
        200,
        {
            "columns": _columns(view),
            "developerName": view.developer_name,
            "done": len(found) <= limit,
            "id": view.id,
            "label": view.label,
            "records": rows,
            "size": len(rows),
        },
    )
