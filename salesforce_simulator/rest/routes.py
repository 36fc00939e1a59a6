"""The door of the REST API: ``/services/data``, its versions, its routes and its refusals."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import OrgError, not_found, refuse
from salesforce_simulator.files.multipart import parse_multipart
from salesforce_simulator.oauth.bounds import within_hours
from salesforce_simulator.rest import (
    composite,
    composite_batch,
    composite_collections,
    composite_graph,
    composite_tree,
    replication,
)
from salesforce_simulator.rest import describe as rest_describe
from salesforce_simulator.rest import query as rest_query
from salesforce_simulator.rest import records as rest_records
from salesforce_simulator.rest.interface.recent import note_recent
from salesforce_simulator.rest.interface.routes import INTERFACE_ROUTES
from salesforce_simulator.rest.session import Call, api_session
from salesforce_simulator.rest.wire import Handler, Request, Response, answer_error, parse_query
from salesforce_simulator.site import Site
from salesforce_simulator.trace import Cost, Trace

logger = logging.getLogger(__name__)
VERSION = re.compile(r"^v(\d{2})\.0$")
#: Versions 21.0 to 30.0 were retired; older ones never answer.
RETIRED = range(7, 31)
LARGEST_BODY = 52_428_800
JSON_PART = {"content-type": "application/json"}
SEASONS = ("Spring", "Summer", "Winter")

#: One entry for each shape of path below the version; "*" is a segment that varies. The first that
#: fits answers.
ROUTES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    ("", {"GET": rest_describe.resources}),
    ("sobjects", {"GET": rest_describe.describe_global}),
    ("sobjects/*/describe", {"GET": rest_describe.describe}),
    ("sobjects/*/updated", {"GET": replication.updated}),
    ("sobjects/*/deleted", {"GET": replication.deleted}),
    *INTERFACE_ROUTES,
    ("sobjects/*", {"GET": rest_describe.basics, "POST": rest_records.create}),
    (
        "sobjects/*/*",
        {"GET": rest_records.read, "PATCH": rest_records.update, "DELETE": rest_records.delete},
    ),
    ("sobjects/ContentVersion/*/VersionData", {"GET": rest_records.file_content}),
    (
        "sobjects/*/*/*",
        {
            "GET": rest_records.read_by_key,
            "PATCH": rest_records.upsert,
            "DELETE": rest_records.delete_by_key,
        },
    ),
    ("query", {"GET": rest_query.query}),
    ("queryAll", {"GET": rest_query.query_all}),
    ("query/*", {"GET": rest_query.query_more}),
    ("queryAll/*", {"GET": rest_query.query_more}),
    ("search", {"GET": rest_query.search}),
    (
        "parameterizedSearch",
        {"GET": rest_query.parameterized_search, "POST": rest_query.parameterized_search},
    ),
    ("limits", {"GET": rest_describe.limits}),
    ("ui-api/object-info/*/picklist-values/*", {"GET": rest_describe.picklist_values}),
    ("composite", {"POST": composite.composite}),
    ("composite/batch", {"POST": composite_batch.batch}),
    ("composite/graph", {"POST": composite_graph.graph}),
    ("composite/tree/*", {"POST": composite_tree.tree}),
    (
        "composite/sobjects",
        {
            "POST": composite_collections.create,
            "PATCH": composite_collections.update,
            "DELETE": composite_collections.delete,
        },
    ),
    (
        "composite/sobjects/*",
        {"GET": composite_collections.read, "POST": composite_collections.read},
    ),
    ("composite/sobjects/*/*", {"PATCH": composite_collections.upsert}),
)


def label(version: int) -> str:
    """The release a version belongs to: 66 is Spring '26."""
    year, season = divmod(version - 39, 3)
    return f"{SEASONS[season]} '{year + 17 + (season == 2)}"


def versions(site: Site) -> list[dict[str, str]]:
    """What ``GET /services/data`` lists."""
    retired = site.settings.retired_versions
    every = range(site.settings.oldest_version, site.settings.newest_version + 1)
    served = [n for n in every if f"{n}.0" not in retired]
    return [
        {"label": label(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in served
    ]


def _known_version(site: Site, text: str) -> str:
    found = VERSION.match(text)
    if found is None:
        raise not_found()
    number = int(found.group(1))
    if number in RETIRED or f"{number}.0" in site.settings.retired_versions:
        message = f"API version {number}.0 has been retired. Use a later version."
        raise refuse("GONE", message, None, status=410)
    if not site.settings.oldest_version <= number <= site.settings.newest_version:
        raise not_found()
    return f"{number}.0"


def parse_json(body: bytes, headers: Mapping[str, str]) -> Any:
    """The body as JSON, None when there is none; 415 and JSON_PARSER_ERROR as the service."""
    if not body:
        return None
    whole = headers.get("content-type", "")
    kind = whole.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return parse_multipart(body, whole, lambda text: parse_json(text, JSON_PART))
    if len(body) > LARGEST_BODY:
        message = (
            f"Maximum size of request reached. Maximum size of request is {LARGEST_BODY} bytes."
        )
        raise refuse("JSON_PARSER_ERROR", message, None)
    if kind != "application/json":
        message = f"Content type {kind or 'null'} unsupported: only application/json is modelled"
        raise refuse("UNSUPPORTED_MEDIA_TYPE", message, None, status=415)
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        message = f"Unexpected input: {error.msg} at [line:{error.lineno}, column:{error.colno}]"
        raise refuse("JSON_PARSER_ERROR", message, None) from error
    except (UnicodeError, ValueError) as error:
        message = "Invalid UTF-8 or number at [line:1, column:1]"
        raise refuse("JSON_PARSER_ERROR", message, None) from error
    except RecursionError as error:
        message = "The JSON is nested too deeply at [line:1, column:1]"
        raise refuse("JSON_PARSER_ERROR", message, None) from error
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def route(request: Request) -> Response:
    """Answer one operation; refusals become Responses, here and for subrequests alike."""
    try:
        response = _handler(request)(request)
    except OrgError as error:
        return answer_error(error, base=request.base)
    except Exception:
        logger.exception("%s %s could not be answered", request.method, request.path)
        message = "An unexpected error occurred. Please include this ErrorId if you contact support"
        return answer_error(
            refuse("UNKNOWN_EXCEPTION", message, None, status=500), base=request.base
        )
    note_recent(request, response)
    return response


def _handler(request: Request) -> Handler:
    segments = request.segments()
    for pattern, handlers in ROUTES:
        if _fits(pattern, segments):
            handler = handlers.get("GET" if request.method == "HEAD" else request.method)
            if handler is None:
                raise _not_allowed(request.method, handlers)
            return handler
    raise not_found()


def _fits(pattern: str, segments: list[str]) -> bool:
    wanted = pattern.split("/")
    if len(wanted) != len(segments):
        return False
    return all(bool(s) if w == "*" else w == s for w, s in zip(wanted, segments, strict=True))


def _not_allowed(method: str, handlers: Mapping[str, Handler]) -> OrgError:
    allowed = set(handlers) | ({"HEAD"} if "GET" in handlers else set())
    message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(sorted(allowed))}"
    return refuse("METHOD_NOT_ALLOWED", message, None, status=405)


def answer(
    site: Site,
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    origin: str,
    body: bytes,
    trace: Trace,
) -> Response:
    """Answer an HTTP call below ``/services/data``; its cost and caller go into ``trace``."""
    path, _, raw_query = target.partition("?")
    rest = path.removeprefix("/services/data").lstrip("/")
    if not rest:
        return Response(200, versions(site))
    version, _, resource = rest.partition("/")
    counted = False
    try:
        call = Call(method, origin.rstrip("/") + path, headers.get("dpop", ""))
        session = api_session(site, headers, call)
        trace.user, trace.token = session.user.username, session.fingerprint
        site.usage.count(1)
        counted = True
        trace.cost = Cost()
        query = parse_query(raw_query)
        request = Request(
            method=_method(method, query),
            version=_known_version(site, version),
            path=resource,
            query=query,
            headers=headers,
            body=parse_json(body, headers),
            site=site,
            session=session,
            cost=trace.cost,
            trace=trace,
            route=route,
        )
        if within_hours(site.settings.maintenance, site.clock.now()):
            raise refuse("SERVER_UNAVAILABLE", "Org is in maintenance", None, status=503)
        response = route(request)
        if site.settings.deprecated(request.version):
            response = response.with_headers(
                Warning='299 - "This API is deprecated and will be removed soon."'
            )
    except OrgError as error:
        response = answer_error(error, base=f"/services/data/{version}")
    if counted or response.status == 403:
        response = response.with_headers(Sforce_Limit_Info=site.usage.header())
    return response


def _method(method: str, query: dict[str, str]) -> str:
    """``POST ...?_HttpMethod=PATCH`` is the escape for clients that cannot PATCH."""
    override = query.pop("_HttpMethod", None)
    return override.upper() if method == "POST" and override else method
