"""``/composite``: up to 25 subrequests in one call that may use each other's answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.rest.composite_references import References
from salesforce_simulator.rest.wire import Request, Response, answer_error

LARGEST = 25
QUERIES = 5
REFERENCE_ID = re.compile(r"[A-Za-z0-9_]+")
FORBIDDEN_HEADERS = frozenset({"accept", "authorization", "content-type"})
#: The resources that may travel in a composite.
ALLOWED = re.compile(
    r"^(sobjects(/.*)?|query(All)?(/.*)?|composite/sobjects(/.*)?|ui-api/.*|parameterizedSearch)?$"
)
COUNTED_AS_QUERY = re.compile(r"^(query(All)?(/.*)?|composite/sobjects(/.*)?)$")
ROLLED_BACK = (
    "The transaction was rolled back since another operation in the same transaction failed."
)


class Halted(Exception):
    """Raised inside a transaction to roll it back; the answers tell why."""


def refused_request(message: str, code: str = "INVALID_INPUT") -> OrgError:
    """400 for the whole call: nothing of it was carried out."""
    return refuse(code, message, None)


def subrequests_of(
    body: Mapping[str, Any], key: str = "compositeRequest"
) -> Sequence[Mapping[str, Any]]:
    """The subrequests, their shape checked; what is wrong with one refuses the whole call."""
    parts = body.get(key)
    if not isinstance(parts, list) or not parts:
        raise refused_request(f"The request needs a {key} with at least one entry")
    seen: set[str] = set()
    for part in parts:
        if not isinstance(part, Mapping):
            raise refused_request(f"Each entry of {key} is an object")
        reference = part.get("referenceId")
        if not isinstance(reference, str) or REFERENCE_ID.fullmatch(reference) is None:
            raise refused_request(
                f"Provided referenceId ('{reference}') must contain only letters, digits and "
                "underscores"
            )
        if reference in seen:
            raise refused_request(f"Provided referenceId ('{reference}') is not unique")
        seen.add(reference)
        _check_part(part)
    return parts


def _check_part(part: Mapping[str, Any]) -> None:
    url, method = part.get("url"), part.get("method")
    if not isinstance(url, str) or not url.startswith("/services/data/v"):
        raise refused_request(f"Provided url ('{url}') must start with /services/data/vXX.X/")
    if method not in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"):
        raise refused_request(f"Provided method ('{method}') is no HTTP method in upper case")
    headers = part.get("httpHeaders") or {}
    if not isinstance(headers, Mapping):
        raise refused_request("httpHeaders is an object")
    for name in headers:
        if str(name).lower() in FORBIDDEN_HEADERS:
            raise refused_request(f"The header {name} is not allowed in a subrequest")


def resource_of(url: str) -> str:
    """The path below the version, without query and trailing slash."""
    return url.partition("?")[0].split("/", 4)[-1].rstrip("/") if url.count("/") >= 4 else ""


def entry(reference: str | None, response: Response) -> dict[str, Any]:
    """One answer in ``compositeResponse``."""
    return {
        "body": response.body,
        "httpHeaders": dict(response.headers),
        "httpStatusCode": response.status,
        "referenceId": reference,
    }


def halted(message: str) -> Response:
    """A subrequest that was not carried out, or was undone."""
    return Response(400, [{"errorCode": "PROCESSING_HALTED", "message": message}])


def _only(code: str, message: str) -> Response:
    """A call refused with HTTP 200 and a single answer without a referenceId."""
    refusal = Response(400, [{"errorCode": code, "message": message}])
    return Response(200, {"compositeResponse": [entry(None, refusal)]})


def composite(request: Request) -> Response:
    """``POST composite``: one API call, however many subrequests."""
    body = request.mapping()
    parts = body.get("compositeRequest")
    if isinstance(parts, list) and len(parts) > LARGEST:
        message = f"The request can’t contain more than {LARGEST} operations."
        return _only("LIMIT_EXCEEDED", message)
    parts = subrequests_of(body)
    queries = sum(COUNTED_AS_QUERY.match(resource_of(part["url"])) is not None for part in parts)
    if queries > QUERIES:
        message = (
            f"The request can’t contain more than {QUERIES} query or sObject Collections "
            "operations."
        )
        return _only("LIMIT_EXCEEDED", message)
    answers = run(request, parts, all_or_none=body.get("allOrNone") is True, inside="composite")
    return Response(200, {"compositeResponse": answers})


def run(
    request: Request, parts: Sequence[Mapping[str, Any]], *, all_or_none: bool, inside: str
) -> list[dict[str, Any]]:
    """Answer the subrequests in their order.

    With ``all_or_none`` the first refusal undoes everything, every other answer then says so.
    """
    request.cost.subrequests += len(parts)
    null_rows = request.site.settings.refused_rows_are_null
    references = References(refused_rows_are_null=null_rows)
    answers: list[dict[str, Any]] = []
    try:
        if all_or_none:
            with request.site.org.transaction():
                _run_all(request, parts, references, answers, inside=inside, stop=True)
        else:
            _run_all(request, parts, references, answers, inside=inside, stop=False)
    except Halted:
        failed = answers[-1]
        undone = halted(ROLLED_BACK)
        answers = [
            failed if part["referenceId"] == failed["referenceId"] else
            entry(part["referenceId"], undone)
            for part in parts
        ]  # fmt: skip
    return answers


def _run_all(
    request: Request,
    parts: Sequence[Mapping[str, Any]],
    references: References,
    answers: list[dict[str, Any]],
    *,
    inside: str,
    stop: bool,
) -> None:
    for part in parts:
        response = _run_one(request, part, references, inside=inside)
        references[part["referenceId"]] = response.body
        answers.append(entry(part["referenceId"], response))
        if stop and (response.status >= 400 or _has_refused_row(response)):
            raise Halted


def _has_refused_row(response: Response) -> bool:
    """A collection answers 200 even when rows were refused."""
    body = response.body
    return isinstance(body, list) and any(
        isinstance(row, Mapping) and row.get("success") is False for row in body
    )


def _run_one(
    request: Request, part: Mapping[str, Any], references: References, *, inside: str
) -> Response:
    method = str(part["method"])
    resource = resource_of(part["url"])
    request.trace.parts.append(f"{method} {resource}")
    try:
        if ALLOWED.match(resource) is None:
            message = f"{resource} cannot be used in a {inside} request"
            raise refuse("INVALID_INPUT", message, None)
        url = references.fill_url(part["url"])
        body = references.fill(part.get("body"))
        headers = {str(k): str(v) for k, v in (part.get("httpHeaders") or {}).items()}
        return request.route(request.subrequest(method, url, headers, body, inside=inside))
    except OrgError as error:
        return answer_error(error, base=request.base)
