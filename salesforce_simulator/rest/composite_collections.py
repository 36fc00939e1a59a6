"""``/composite/sobjects``: up to 200 records in one call, 2,000 to read, an outcome for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from salesforce_simulator.errors import OrgError, SeveralMatches, refuse
from salesforce_simulator.rest.composite import Halted
from salesforce_simulator.rest.records import (
    readable,
    remove,
    save_by_key,
    save_change,
    save_new,
    save_options,
)
from salesforce_simulator.rest.transactions import save_rows, wait_for_triggers
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.rules.triggers import Operation

LARGEST = 200
MOST_READ = 2000
RUNS = 10
ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header"
)
Save = Callable[[Any], dict[str, Any]]


def _too_many(most: int = LARGEST) -> OrgError:
    message = f"record limit reached. cannot submit more than {most} records into this call"
    return refuse("EXCEEDED_ID_LIMIT", message, None)


def _records(request: Request) -> tuple[list[Mapping[str, Any]], bool]:
    """The records of the body and allOrNone; the shape of every record is checked first."""
    body = request.mapping()
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise refuse("REQUIRED_FIELD_MISSING", "At least 1 record is required", None)
    if len(records) > LARGEST:
        raise _too_many()
    runs, last = 0, None
    for record in records:
        kind = _type_of(record)
        runs, last = runs + (kind != last), kind
    if runs > RUNS:
        message = f"The records change their type more than {RUNS} times"
        raise refuse("LIMIT_EXCEEDED", message, None)
    return records, body.get("allOrNone") is True


def _type_of(record: Any) -> str:
    attributes = record.get("attributes") if isinstance(record, Mapping) else None
    kind = attributes.get("type") if isinstance(attributes, Mapping) else None
    if not isinstance(kind, str) or not kind:
        message = "Each record needs attributes with a type"
        raise refuse("INVALID_INPUT", message, None)
    return kind.lower()


def _object_of(record: Mapping[str, Any]) -> str:
    return str(record["attributes"]["type"])


def _no_more(item: Any) -> dict[str, Any]:
    """Rows of most calls say nothing more when they are refused."""
    return {}


def _save_all(
    request: Request,
    items: Sequence[Any],
    save: Save,
    *,
    object_of: Callable[[Any], str],
    operation: Operation,
    all_or_none: bool,
    refused: Save = _no_more,
) -> Response:
    """Save row by row: a refused row says why and, unless ``all_or_none``, harms no other but by
    triggers. ``refused`` gives what a refused row says beside its errors."""
    rows: list[dict[str, Any]] = []
    wait_for_triggers(request, items, object_of, operation)
    try:
        with request.site.org.transaction():
            rows = save_rows(
                request,
                items,
                save,
                object_of=object_of,
                operation=operation,
                all_or_none=all_or_none,
                refused=refused,
            )
            if all_or_none and not all(row["success"] for row in rows):
                raise Halted
    except Halted:
        undone = {
            "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "message": ROLLED_BACK,
            "fields": [],
        }
        rows = [_undone(row, undone) if row["success"] else row for row in rows]
    return Response(200, rows)


def _undone(row: Mapping[str, Any], error: Mapping[str, Any]) -> dict[str, Any]:
    """A row that was good by itself, once everything has been rolled back."""
    kept = {"created": row["created"]} if "created" in row else {}
    return {"success": False, **kept, "errors": [error]}


def _saved(record_id: str, **more: Any) -> dict[str, Any]:
    return {"id": record_id, "success": True, "errors": [], **more}


def create(request: Request) -> Response:
    """``POST composite/sobjects``."""
    records, all_or_none = _records(request)
    options = save_options(request)

    def save(record: Mapping[str, Any]) -> dict[str, Any]:
        return _saved(save_new(request, _object_of(record), record, options))

    return _save_all(
        request, records, save, object_of=_object_of, operation="create", all_or_none=all_or_none
    )


def _without_id(record: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    fields = {name: value for name, value in record.items() if name.lower() != "id"}
    found = [value for name, value in record.items() if name.lower() == "id"]
    return (str(found[0]) if found and found[0] is not None else None), fields


def update(request: Request) -> Response:
    """``PATCH composite/sobjects``: each record carries its ``id``."""
    records, all_or_none = _records(request)
    options = save_options(request)

    def save(record: Mapping[str, Any]) -> dict[str, Any]:
        record_id, fields = _without_id(record)
        if record_id is None:
            raise refuse("MISSING_ARGUMENT", "Id not specified in an update call", [])
        return _saved(save_change(request, _object_of(record), record_id, fields, options))

    return _save_all(
        request, records, save, object_of=_object_of, operation="update", all_or_none=all_or_none
    )


def upsert(request: Request) -> Response:
    """``PATCH composite/sobjects/{Object}/{Field}``: each record carries the field's value."""
    *_, object_name, key = request.segments()
    records, all_or_none = _records(request)
    options = save_options(request)

    def save(record: Mapping[str, Any]) -> dict[str, Any]:
        if _object_of(record).lower() != object_name.lower():
            raise refuse("INVALID_TYPE", f"The records of this call are {object_name}", [])
        fields = {name: value for name, value in record.items() if name.lower() != key.lower()}
        values = [value for name, value in record.items() if name.lower() == key.lower()]
        if not values or values[0] in (None, ""):
            raise refuse("MISSING_ARGUMENT", f"{key} not specified", [])
        if key.lower() == "id":
            found = save_change(request, object_name, str(values[0]), fields, options)
            return _saved(found, created=False)
        record_id, is_new = save_by_key(
            request, object_name, (key, str(values[0])), fields, options
        )
        return _saved(record_id, created=is_new)

    def refused(record: Mapping[str, Any]) -> dict[str, Any]:
        values = [value for name, value in record.items() if name.lower() == key.lower()]
        known = bool(values) and _is_known(request, object_name, key, values[0])
        return {"created": bool(values) and not known}

    return _save_all(
        request,
        records,
        save,
        object_of=_object_of,
        operation="upsert",
        all_or_none=all_or_none,
        refused=refused,
    )


def _is_known(request: Request, object_name: str, key: str, value: Any) -> bool:
    """Whether an upsert would find a record, or several, instead of creating one."""
    try:
        request.site.org.read_by_key(request.session.user, object_name, key, str(value), ["Id"])
    except OrgError as error:
        return isinstance(error, SeveralMatches) or error.status != 404
    return True


def delete(request: Request) -> Response:
    """``DELETE composite/sobjects?ids=``: ids of several objects may be mixed."""
    ids = [i.strip() for i in request.query.get("ids", "").split(",") if i.strip()]
    if not ids:
        raise refuse("MISSING_ARGUMENT", "ids have to be specified", None)
    if len(ids) > LARGEST:
        raise _too_many()
    by_prefix = {
        entry["keyPrefix"]: entry["name"]
        for entry in request.site.org.describe_global(request.session.user)["sobjects"]
        if entry.get("keyPrefix")
    }

    def save(record_id: str) -> dict[str, Any]:
        object_name = by_prefix.get(record_id[:3])
        if object_name is None:
            raise refuse("MALFORMED_ID", f"malformed id {record_id}", [])
        return _saved(remove(request, object_name, record_id))

    return _save_all(
        request,
        ids,
        save,
        object_of=lambda record_id: str(by_prefix.get(record_id[:3], "")),
        operation="delete",
        all_or_none=request.flag("allOrNone"),
    )


def read(request: Request) -> Response:
    """``GET`` or ``POST composite/sobjects/{Object}``: null stands for what is not there."""
    object_name = request.segments()[2]
    if request.method == "POST":
        body = request.mapping()
        ids, fields = body.get("ids"), body.get("fields")
    else:
        ids = [i for i in request.query.get("ids", "").split(",") if i]
        fields = [f.strip() for f in request.query.get("fields", "").split(",") if f.strip()]
    if not isinstance(ids, list) or not isinstance(fields, list) or not ids or not fields:
        raise refuse("MISSING_ARGUMENT", "ids and fields have to be specified", None)
    if len(ids) > MOST_READ:
        raise _too_many(MOST_READ)
    names = [str(name) for name in fields]
    readable(request, object_name, names)
    records = [_one(request, object_name, str(i), names) for i in ids]
    request.cost.rows += len(records)
    return Response(200, records)


def _one(
    request: Request, object_name: str, record_id: str, fields: list[str]
) -> dict[str, Any] | None:
    user = request.session.user
    try:
        return request.site.org.read(
            user, object_name, record_id, fields, api_version=request.version
        )
    except OrgError as error:
        if error.status == 404 or error.entries[0].code == "MALFORMED_ID":
            return None
        raise
