"""Query plans: how a statement would be answered, without running it.

An index serves a condition when it narrows the records, alone or in an AND; an OR is served when an
index serves each of its parts. The cost compares what remains with a selective share of the object.
"""

from __future__ import annotations

from typing import Any

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.candidates import Candidates
from salesforce_simulator.query.filters import Filter
from salesforce_simulator.query.selection import Selection
from salesforce_simulator.query.soql.tree import (
    And,
    Comparison,
    Condition,
    FieldPath,
    Membership,
    Or,
    Query,
)

#: A condition is selective below this share of an object's records.
SELECTIVE = 0.1
_UNINDEXED = "Not considering filter for optimization because unindexed"


def plans(
    scope: Scope, selection: Selection, schema: ObjectSchema, query: Query
) -> list[dict[str, Any]]:
    """The plans of a statement, the cheapest first."""
    total = scope.store.count(schema.name)
    found: list[dict[str, Any]] = []
    if query.where is not None:
        Filter(scope, schema, query.alias, selection.semi_join).compile(query.where)
        candidates = Candidates(scope, schema, query.alias, selection.semi_join)
        ids = candidates.of(query.where)
        if ids is not None:
            fields = sorted(_indexed(scope, schema, query, query.where))
            cost = len(ids) / max(1.0, SELECTIVE * total)
            found.append(_plan(schema, "Index", fields, len(ids), cost, total))
    cardinality = min(total, query.limit) if query.limit is not None else total
    # A scan reads every record, whatever remains of them: never below the threshold.
    scan = _plan(schema, "TableScan", [], cardinality, 1.0 + (total > 0), total)
    return sorted([*found, scan], key=lambda plan: plan["relativeCost"])


def _plan(
    schema: ObjectSchema, kind: str, fields: list[str], cardinality: int, cost: float, total: int
) -> dict[str, Any]:
    note = {"description": _UNINDEXED, "fields": ["IsDeleted"], "tableEnumOrId": schema.name}
    return {
        "cardinality": cardinality,
        "fields": fields,
        "leadingOperationType": kind,
        "notes": [note],
        "relativeCost": round(cost, 3),
        "sobjectCardinality": total,
        "sobjectType": schema.name,
    }


def _indexed(scope: Scope, schema: ObjectSchema, query: Query, condition: Condition) -> set[str]:
    """The names of the condition's fields that an index holds."""
    match condition:
        case And(items) | Or(items):
            return {name for item in items for name in _indexed(scope, schema, query, item)}
        case Comparison(FieldPath() as path) | Membership(FieldPath() as path):
            bound = scope.bind(schema, path, query.alias)
            served = bound.field.indexed or bound.field.type == "id"
            return {bound.field.name} if served else set()
        case _:
            return set()
