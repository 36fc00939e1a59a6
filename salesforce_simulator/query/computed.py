"""Queries for objects without stored rows: UserRecordAccess and UserPermissionAccess.

UserRecordAccess answers what one user may do with up to 200 named records, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from salesforce_simulator.ids import normalised
from salesforce_simulator.metadata.built_in import PERMISSION_FLAGS, TASK_FLAGS
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.soql.complaints import plainly
from salesforce_simulator.query.soql.tokens import unquoted
from salesforce_simulator.query.soql.tree import (
    And,
    Comparison,
    Condition,
    FieldPath,
    Literal,
    Membership,
    Query,
)
from salesforce_simulator.sharing.access import access_row

MAX_RECORDS = 200


def computed_rows(scope: Scope, schema: ObjectSchema, query: Query) -> list[dict[str, Any]]:
    """The rows of a query for one of these objects."""
    names = []
    for item in query.select:
        if not isinstance(item, FieldPath) or item.function is not None:
            raise plainly(f"{schema.name} only takes plain fields in its SELECT list")
        bound = scope.bind(schema, item, query.alias)
        if bound.steps:
            raise plainly(f"{schema.name} has no relationships in the simulated org")
        names.append(bound.field.name)
    if query.group_by or query.order_by:
        raise plainly(f"{schema.name} can be neither grouped nor sorted")
    if schema.name == "UserPermissionAccess":
        rows = [_permissions(scope, query)]
    else:
        rows = list(_accesses(scope, query))
    start = query.offset or 0
    end = None if query.limit is None else start + query.limit
    return [_shown(scope, schema, row, names) for row in rows[start:end]]


def _shown(
    scope: Scope, schema: ObjectSchema, row: dict[str, Any], names: list[str]
) -> dict[str, Any]:
    url = f"/services/data/v{scope.api_version}/sobjects/{schema.name}/{row['Id']}"
    attributes = {"type": schema.name, "url": url}
    return {"attributes": attributes, **{name: row[name] for name in names}}


def _permissions(scope: Scope, query: Query) -> dict[str, Any]:
    """One row, about the user who asks."""
    if query.where is not None:
        raise plainly("UserPermissionAccess is about the user who asks and takes no WHERE")
    flags = {name: own in scope.user.permissions for name, own in PERMISSION_FLAGS.items()}
    tasks = scope.rights.on_object(scope.user, scope.catalog.get("Task"))
    return {
        "Id": scope.user.id,
        **flags,
        **{name: bool(getattr(tasks, right)) for name, right in TASK_FLAGS.items()},
    }


def _accesses(scope: Scope, query: Query) -> Iterable[dict[str, Any]]:
    wanted = _conditions(scope, query)
    if set(wanted) != {"UserId", "RecordId"}:
        raise plainly("UserRecordAccess has to be filtered by UserId and by RecordId")
    if len(wanted["UserId"]) != 1:
        raise plainly("UserRecordAccess takes one UserId")
    if len(wanted["RecordId"]) > MAX_RECORDS:
        raise plainly(f"UserRecordAccess takes at most {MAX_RECORDS} values of RecordId")
    found = scope.store.get(wanted["UserId"][0])
    if found is None or found[0] != "User":
        return
    user = scope.rights.user_of(found[1])
    records = scope.store.get_many(wanted["RecordId"])
    for record_id in wanted["RecordId"]:
        record = records.get(record_id)
        if record is None or record.get("IsDeleted"):
            continue
        schema = scope.object_of(record_id)
        if scope.rights.shares(scope.user, schema, record):
            yield access_row(user.id, record_id, scope.rights.allowed(user, schema, record))


def _conditions(scope: Scope, query: Query) -> dict[str, list[str]]:
    """Ids by field, of conditions that are joined by AND."""
    found: dict[str, list[str]] = {}
    schema = scope.object(query.source, query.source_offset)
    for item in _parts(query.where):
        match item:
            case Comparison(FieldPath() as path, "=", literal):
                values: tuple[Literal, ...] = (literal,)
            case Membership(FieldPath() as path, False, tuple() as literals):
                values = literals
            case _:
                raise plainly("UserRecordAccess takes = and IN alone, joined by AND")
        name = scope.bind(schema, path, query.alias).field.name
        ids = [normalised(unquoted(value.text)) for value in values]
        found[name] = list(dict.fromkeys(i for i in ids if i is not None))
    return found


def _parts(condition: Condition | None) -> tuple[Condition, ...]:
    match condition:
        case None:
            return ()
        case And(items):
            return items
        case _:
            return (condition,)
