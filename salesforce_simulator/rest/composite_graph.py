"""``/composite/graph``: up to 75 graphs with 500 nodes together, each all or none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from salesforce_simulator.errors import refuse
from salesforce_simulator.json_text import dumps
from salesforce_simulator.rest.composite import (
    REFERENCE_ID,
    refused_request,
    resource_of,
    run,
    subrequests_of,
)
from salesforce_simulator.rest.composite_references import REFERENCE
from salesforce_simulator.rest.wire import Request, Response, split_url

NODES, GRAPHS, DEPTH = 500, 75, 15
MAX_GRAPH_ID = 39
MAX_KINDS = 15
"""Different combinations of version, method and object in one request."""
MAX_FAILED = 14
"""When more graphs fail, those that follow are not carried out."""
SINCE = 50
#: Only records: sObject rows and rows by external id.
ALLOWED = re.compile(r"^sobjects/[^/]+(/[^/]+){0,2}$")


def graph(request: Request) -> Response:
    """``POST composite/graph``: one API call."""
    if float(request.version) < SINCE:
        raise refuse("NOT_FOUND", "The requested resource does not exist", None, status=404)
    graphs = request.mapping().get("graphs")
    if not isinstance(graphs, list) or not graphs:
        raise refused_request("The request needs graphs with at least one entry")
    if len(graphs) > GRAPHS:
        raise refuse("LIMIT_EXCEEDED", f"A request has at most {GRAPHS} graphs", None)
    checked = [_checked(one) for one in graphs]
    if len({graph_id for graph_id, _ in checked}) != len(checked):
        raise refused_request("Each graphId is unique")
    if sum(len(parts) for _, parts in checked) > NODES:
        raise refuse("LIMIT_EXCEEDED", f"A request has at most {NODES} nodes", None)
    kinds = {_kind(part) for _, parts in checked for part in parts}
    if len(kinds) > MAX_KINDS:
        message = f"A request has at most {MAX_KINDS} combinations of version, method and object"
        raise refuse("LIMIT_EXCEEDED", message, None)
    answers: list[dict[str, Any]] = []
    for graph_id, parts in checked:
        failed = sum(not answer["isSuccessful"] for answer in answers)
        halted = failed > MAX_FAILED
        answers.append((_halted if halted else _answer)(request, graph_id, parts))
    return Response(200, {"graphs": answers})


def _kind(part: Mapping[str, Any]) -> tuple[str, str, str]:
    version, path, _ = split_url(part["url"])
    return version, part["method"], path.split("/")[1].lower()


def _halted(_request: Request, graph_id: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    message = f"More than {MAX_FAILED} graphs of this request have failed."
    entry = {"errorCode": "PROCESSING_HALTED", "message": message}
    answers = [
        {
            "body": [entry],
            "httpHeaders": {},
            "httpStatusCode": 400,
            "referenceId": part["referenceId"],
        }
        for part in parts
    ]
    response = {"compositeResponse": answers}
    return {"graphId": graph_id, "graphResponse": response, "isSuccessful": False}


def _checked(one: Any) -> tuple[str, Sequence[Mapping[str, Any]]]:
    if not isinstance(one, Mapping):
        raise refused_request("Each entry of graphs is an object")
    graph_id = one.get("graphId")
    if (
        not isinstance(graph_id, str)
        or REFERENCE_ID.fullmatch(graph_id) is None
        or len(graph_id) > MAX_GRAPH_ID
    ):
        raise refused_request(f"Provided graphId ('{graph_id}') is not valid")
    parts = subrequests_of(one)
    depths: dict[str, int] = {}
    for part in parts:
        resource = resource_of(part["url"])
        if ALLOWED.match(resource) is None or resource.endswith("/describe"):
            raise refused_request(f"{resource} cannot be used in a graph")
        text = part["url"] + dumps(part.get("body")).decode()
        parents = [depths.get(found.group(1), 0) for found in REFERENCE.finditer(text)]
        depths[part["referenceId"]] = 1 + max(parents, default=0)
    if max(depths.values()) > DEPTH:
        raise refuse("LIMIT_EXCEEDED", f"A graph is at most {DEPTH} nodes deep", None)
    return graph_id, parts


def _answer(request: Request, graph_id: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    answers = run(request, parts, all_or_none=True, inside="graph")
    good = all(answer["httpStatusCode"] < 400 for answer in answers)
    return {
        "graphId": graph_id,
        "graphResponse": {"compositeResponse": answers},
        "isSuccessful": good,
    }
