"""SOQL and SOSL over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import refuse
from salesforce_simulator.rest.interface import list_views
from salesforce_simulator.rest.records import ID
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.values import whole_number

SMALLEST_BATCH, LARGEST_BATCH = 200, 2000


def _batch_size(request: Request) -> int:
    """The ``batchSize`` hint of Sforce-Query-Options, kept within 200 to 2,000."""
    for part in request.headers.get("sforce-query-options", "").split(","):
        name, _, value = part.strip().partition("=")
        size = whole_number(value.strip())
        if name.lower() == "batchsize" and size is not None:
            return min(LARGEST_BATCH, max(SMALLEST_BATCH, size))
    return LARGEST_BATCH


def _counted(request: Request, body: dict[str, Any]) -> Response:
    request.cost.rows += len(body.get("records") or body.get("searchRecords") or ())
    return Response(200, body)


def _query(request: Request, *, all_rows: bool) -> Response:
    soql = request.query.get("q")
    if not soql:
        raise refuse("MALFORMED_QUERY", "A query string has to be specified", None)
    org, user = request.site.org, request.session.user
    if request.flag("columns"):
        return Response(200, org.query_columns(user, soql))
    return _counted(
        request,
        org.query(
            user,
            soql,
            all_rows=all_rows,
            batch_size=_batch_size(request),
            api_version=request.version,
        ),
    )


def query(request: Request) -> Response:
    """``GET query?q=``, or the plans of ``?explain=``, which takes a list view's id as well."""
    explained = request.query.get("explain")
    if explained is not None:
        return _explain(request, explained)
    return _query(request, all_rows=False)


def _explain(request: Request, explained: str) -> Response:
    soql: str | None = explained
    if ID.match(explained):
        soql = list_views.query_of(request, explained)
        if soql is None:
            raise refuse("INVALID_ID", f"no report or list view has this id: {explained}", None)
    if not soql:
        raise refuse("MALFORMED_QUERY", "A query string has to be specified", None)
    user = request.session.user
    return Response(200, request.site.org.explain(user, soql, api_version=request.version))


def query_all(request: Request) -> Response:
    """``GET queryAll?q=``: deleted and archived rows too."""
    return _query(request, all_rows=True)


def query_more(request: Request) -> Response:
    """``GET query/{locator}``."""
    locator = request.segments()[1]
    user = request.session.user
    return _counted(
        request, request.site.org.query_more(user, locator, api_version=request.version)
    )


def search(request: Request) -> Response:
    """``GET search?q=``."""
    sosl = request.query.get("q")
    if not sosl:
        message = "No search term found. The search term must be enclosed in braces."
        raise refuse("MALFORMED_SEARCH", message, None)
    return _counted(
        request,
        request.site.org.search(request.session.user, sosl, api_version=request.version),
    )


def parameterized_search(request: Request) -> Response:
    """``GET`` or ``POST parameterizedSearch``."""
    if request.method == "POST":
        text, scope, limit, objects = _search_body(request)
    else:
        text, scope, limit, objects = _search_parameters(request)
    if not text:
        raise refuse("INVALID_SEARCH", "A search term has to be specified", None)
    if not objects:
        described = request.site.org.describe_global(request.session.user)["sobjects"]
        objects = {str(entry["name"]): [] for entry in described if entry.get("searchable")}
    return _counted(
        request,
        request.site.org.parameterized_search(
            request.session.user,
            text,
            scope=scope,
            objects=objects,
            limit=limit,
            api_version=request.version,
        ),
    )


Search = tuple[str, str, int, dict[str, list[str]]]


def _limit(value: Any) -> int:
    number = None if isinstance(value, bool) else whole_number(str(value))
    if number is None or not 1 <= number <= 2000:
        raise refuse("INVALID_SEARCH", f"overallLimit must be 1 to 2000, not {value}", None)
    return number


def _search_parameters(request: Request) -> Search:
    query = request.query
    names = [name.strip() for name in query.get("sobject", "").split(",") if name.strip()]
    shared = query.get("fields", "")
    objects = {
        name: [f.strip() for f in query.get(f"{name}.fields", shared).split(",") if f.strip()]
        for name in names
    }
    limit = _limit(query.get("overallLimit", "2000"))
    return query.get("q", ""), query.get("in", "ALL"), limit, objects


def _search_body(request: Request) -> Search:
    body = request.mapping()
    shared = _listed(body, "fields")
    objects: dict[str, list[str]] = {}
    for entry in _listed(body, "sobjects"):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise refuse("INVALID_SEARCH", "each of sobjects needs a name", None)
        objects[entry["name"]] = [str(f) for f in _listed(entry, "fields") or shared]
    limit = _limit(body.get("overallLimit", 2000))
    return str(body.get("q") or ""), str(body.get("in") or "ALL"), limit, objects


def _listed(body: Mapping[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    if value is not None and not isinstance(value, list):
        raise refuse("INVALID_SEARCH", f"{key} is a list", None)
    return value or []
