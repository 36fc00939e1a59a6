"""Requests and responses of the REST API as plain values.

The HTTP layer makes a ``Request`` of what came over the socket; composite and batch make further
ones of their subrequests; every one of them is answered by the same handlers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from salesforce_simulator.errors import OrgError, SeveralMatches, not_found, refuse
from salesforce_simulator.trace import Cost, Trace

if TYPE_CHECKING:
    from salesforce_simulator.rest.session import Session
    from salesforce_simulator.site import Site


@dataclass(frozen=True, slots=True)
class Response:
    """A status, the headers that belong to this answer alone, and a JSON body or none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> Response:
        """The same answer with more headers; underscores stand for dashes."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **extra})


Handler = Callable[["Request"], Response]


@dataclass(frozen=True, slots=True)
class Request:
    """One operation below ``/services/data/vXX.X/``: of a call, or a subrequest of one.

    ``path`` is the raw path after the version, without a leading slash and still percent-encoded,
    because a value in an upsert path may hold an encoded slash. ``headers`` has lower-case names.
    """

    method: str
    version: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    site: Site
    session: Session
    cost: Cost
    trace: Trace
    #: Answers a further operation of the same call.
    route: Handler
    #: "" for a call of its own, else the resource it travels in: composite, batch, graph.
    inside: str = ""

    @property
    def base(self) -> str:
        """The path below which every resource of this version lives."""
        return f"/services/data/v{self.version}"

    def segments(self) -> list[str]:
        """The decoded parts of the path; a trailing slash does not count."""
        return [unquote(part) for part in self.path.rstrip("/").split("/")]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter of the query string."""
        value = self.query.get(name)
        return default if value is None else value.strip().lower() == "true"

    def mapping(self) -> Mapping[str, Any]:
        """The body as a JSON object; anything else is refused as the service's parser does."""
        if not isinstance(self.body, Mapping):
            raise unreadable_body(self.body)
        return self.body

    def subrequest(
        self, method: str, url: str, headers: Mapping[str, str], body: Any, *, inside: str
    ) -> Request:
        """A request of the same session and cost for a part of this one."""
        version, path, query = split_url(url)
        merged = {k: v for k, v in self.headers.items() if k in INHERITED_HEADERS}
        merged.update({k.lower(): v for k, v in headers.items()})
        return replace(
            self,
            method=method,
            version=version,
            path=path,
            query=query,
            headers=merged,
            body=body,
            inside=inside,
        )


#: Headers of a composite that hold for its subrequests as well.
INHERITED_HEADERS = frozenset(
    {
        "sforce-duplicate-rule-header",
        "sforce-auto-assign",
        "sforce-mru",
        "sforce-query-options",
        "sforce-call-options",
    }
)


def split_url(url: str) -> tuple[str, str, dict[str, str]]:
    """Version, raw path below it and query of ``/services/data/vXX.X/...``; else NOT_FOUND."""
    parts = urlsplit(url)
    prefix = "/services/data/v"
    if not parts.path.startswith(prefix):
        raise not_found()
    version, _, path = parts.path[len(prefix) :].partition("/")
    return version, path, parse_query(parts.query)


def parse_query(raw: str) -> dict[str, str]:
    """A query string as a dict; the last of equal names wins, but ``sobject`` may be repeated."""
    pairs = parse_qsl(raw, keep_blank_values=True)
    found = dict(pairs)
    if "sobject" in found:
        found["sobject"] = ",".join(value for name, value in pairs if name == "sobject")
    return found


def unreadable_body(body: Any) -> OrgError:
    """JSON_PARSER_ERROR for a body that is JSON, but not an object."""
    kind = "START_ARRAY" if isinstance(body, list) else "VALUE_STRING"
    if body is None:
        message = "The HTTP entity body is required, but this request has no entity body."
    else:
        message = (
            f"Cannot deserialize request body from {kind} value {body!s:.80} or request may be "
            "missing a required field at [line:1, column:1]"
        )
    return refuse("JSON_PARSER_ERROR", message, None)


def answer_error(error: OrgError, *, base: str) -> Response:
    """The Response that a refusal becomes; several matches of an external id list record URLs."""
    if isinstance(error, SeveralMatches):
        return Response(300, [f"{base}/sobjects/{error.object_name}/{i}" for i in error.ids])
    return Response(error.status, error.body())
