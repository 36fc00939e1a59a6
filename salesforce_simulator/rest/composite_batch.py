"""``/composite/batch``: up to 25 independent subrequests, each of them an API call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.rest.composite import refused_request, resource_of
from salesforce_simulator.rest.wire import Request, Response, answer_error

LARGEST = 25
ALLOWED = re.compile(
    r"^(limits|query(All)?(/.*)?|search|parameterizedSearch|sobjects(/.*)?|ui-api/.*)?$"
)


def batch(request: Request) -> Response:
    """``POST composite/batch``."""
    body = request.mapping()
    parts = body.get("batchRequests")
    if not isinstance(parts, list) or not parts:
        raise refused_request("The request needs batchRequests with at least one entry")
    if len(parts) > LARGEST:
        message = f"The request can’t contain more than {LARGEST} operations."
        raise refuse("LIMIT_EXCEEDED", message, None)
    for part in parts:
        if not isinstance(part, Mapping) or not isinstance(part.get("url"), str):
            raise refused_request("Each entry of batchRequests needs a url")
    halt, halting = body.get("haltOnError") is True, False
    results: list[dict[str, Any]] = []
    request.cost.subrequests += len(parts)
    for number, part in enumerate(parts):
        if halting:
            results.append(_result(_halted()))
            continue
        if number:
            request.cost.api_requests += 1
            request.site.usage.add(1)
        response = _run_one(request, part)
        results.append(_result(response))
        halting = halt and response.status >= 400
    return Response(
        200,
        {"hasErrors": any(r["statusCode"] >= 400 for r in results), "results": results},
    )


def _result(response: Response) -> dict[str, Any]:
    return {"statusCode": response.status, "result": response.body}


def _halted() -> Response:
    message = "Batch processing halted per request"
    return Response(412, [{"errorCode": "BATCH_PROCESSING_HALTED", "message": message}])


def _run_one(request: Request, part: Mapping[str, Any]) -> Response:
    url = str(part["url"])
    if not url.startswith("/services/data/"):
        url = "/services/data/" + url.lstrip("/")
    method = str(part.get("method", "GET")).upper()
    resource = resource_of(url)
    request.trace.parts.append(f"{method} {resource}")
    try:
        if ALLOWED.match(resource) is None:
            raise refuse("INVALID_INPUT", f"{resource} cannot be used in a batch request", None)
        inner = request.subrequest(method, url, {}, part.get("richInput"), inside="batch")
        return request.route(inner)
    except OrgError as error:
        return answer_error(error, base=request.base)
