"""``/composite/tree/{Object}``: records with their children, created together or not at all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.rest.composite import Halted, refused_request
from salesforce_simulator.rest.records import save_new, save_options
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.rules.triggers import refused_rows, seconds_of

LARGEST = 200
LEVELS = 5
TYPES = 5


def tree(request: Request) -> Response:
    """``POST composite/tree/{Object}``: one API call; 201, or 400 with what was refused."""
    object_name = request.segments()[2]
    records = request.mapping().get("records")
    if not isinstance(records, list) or not records:
        raise refused_request("The request needs records with at least one entry")
    seen: list[str] = []
    for record in records:
        _check(record, seen, level=1)
    if len(seen) > LARGEST:
        raise refuse("LIMIT_EXCEEDED", f"A tree has at most {LARGEST} records", None)
    if len(_types(records)) > TYPES:
        raise refuse("LIMIT_EXCEEDED", f"A tree has at most {TYPES} types of records", None)
    stopped = _stopped_by_triggers(request, records)
    if stopped:
        return Response(400, {"hasErrors": True, "results": stopped})
    created: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    try:
        with request.site.org.transaction():
            for record in records:
                _save(request, object_name, record, {}, created, refused)
            if refused:
                raise Halted
    except Halted:
        return Response(400, {"hasErrors": True, "results": refused})
    return Response(201, {"hasErrors": False, "results": created})


def _stopped_by_triggers(request: Request, records: list[Any]) -> list[dict[str, Any]]:
    """What the triggers refuse, which run once for each object of a level."""
    level = records
    while level:
        by_object: dict[str, list[str]] = {}
        for record in level:
            attributes = record["attributes"]
            by_object.setdefault(attributes["type"], []).append(attributes["referenceId"])
        for object_name, references in by_object.items():
            triggers = request.site.org.triggers.on(object_name, "create")
            time.sleep(seconds_of(triggers, len(references)))
            found, _ = refused_rows(triggers, "create", range(len(references)))
            if found:
                return [
                    {"referenceId": references[place], "errors": error.row()}
                    for place, error in found.items()
                ]
        level = [
            child
            for record in level
            for value in record.values()
            if _is_children(value)
            for child in value["records"]
        ]
    return []


def _types(records: list[Any]) -> set[str]:
    found = {record["attributes"]["type"].lower() for record in records}
    below = [value for record in records for value in record.values() if _is_children(value)]
    return found.union(*(_types(children["records"]) for children in below))


def _is_children(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("records"), list)


def _check(record: Any, seen: list[str], *, level: int) -> None:
    if level > LEVELS:
        raise refuse("LIMIT_EXCEEDED", f"A tree has at most {LEVELS} levels", None)
    attributes = record.get("attributes") if isinstance(record, Mapping) else None
    if not isinstance(attributes, Mapping) or not isinstance(attributes.get("type"), str):
        raise refused_request("Each record needs attributes with a type")
    reference = attributes.get("referenceId")
    if not isinstance(reference, str) or reference in seen:
        raise refused_request(f"Provided referenceId ('{reference}') is missing or not unique")
    seen.append(reference)
    for value in record.values():
        if _is_children(value):
            for child in value["records"]:
                _check(child, seen, level=level + 1)


def _save(
    request: Request,
    object_name: str,
    record: Mapping[str, Any],
    parent: Mapping[str, str],
    created: list[dict[str, Any]],
    refused: list[dict[str, Any]],
) -> None:
    reference = record["attributes"]["referenceId"]
    fields = {name: value for name, value in record.items() if not _is_children(value)}
    fields["attributes"] = {"type": record["attributes"]["type"]}
    try:
        record_id = save_new(request, object_name, {**fields, **parent}, save_options(request))
    except OrgError as error:
        refused.append({"referenceId": reference, "errors": error.row()})
        return
    created.append({"referenceId": reference, "id": record_id})
    described = request.site.org.describe(request.session.user, object_name)
    relations = {
        str(relation["relationshipName"]).lower(): relation
        for relation in described["childRelationships"]
        if relation.get("relationshipName")
    }
    for name, value in record.items():
        if not _is_children(value):
            continue
        relation = relations.get(name.lower())
        if relation is None:
            message = f"No such relationship '{name}' on {object_name}"
            refused.append({
                "referenceId": reference,
                "errors": refuse("INVALID_FIELD", message, [name]).row(),
            })  # fmt: skip
            continue
        for child in value["records"]:
            link = {relation["field"]: record_id}
            _save(request, relation["childSObject"], child, link, created, refused)
