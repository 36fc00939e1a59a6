"""``?columns=true``: the columns of a statement, parents and child sets as columns of their own."""

from __future__ import annotations

from typing import Any

from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.rows import SelectList
from salesforce_simulator.query.selection import child_of
from salesforce_simulator.query.soql.tree import Aggregate, FieldPath, Query

Column = dict[str, Any]


def columns_of(scope: Scope, schema: ObjectSchema, query: Query) -> list[Column]:
    """The columns of a query without aggregates, in the order of its SELECT list."""
    select = SelectList(scope, schema, query)
    found: list[Column] = []
    for bound in select.bound:
        _place(found, bound)
    for name, child in select.children.items():
        joined = columns_of(scope, child_of(scope, schema, child)[0], child)
        found.append({**_column(name), "aggregate": True, "joinColumns": joined})
    return found


def aggregate_columns(scope: Scope, schema: ObjectSchema, query: Query) -> list[Column]:
    """The columns of a grouped query: fields by name or alias, functions by alias or number."""
    found, unnamed = [], 0
    for item in query.select:
        if isinstance(item, Aggregate):
            argument = "" if item.argument is None else item.argument.text
            shown = f"{item.function.lower()}({argument})"
            found.append(
                {**_column(item.alias or f"expr{unnamed}", item.alias or shown), "aggregate": True}
            )
            unnamed += item.alias is None
        elif isinstance(item, FieldPath):
            bound = scope.bind(schema, item, query.alias)
            found.append(_column(item.alias or bound.field.name, field=bound.field))
    return found


def _place(columns: list[Column], bound: BoundField) -> None:
    """Put a field where its path leads, below the columns of its parents."""
    for step in bound.steps:
        name = str(step.relationship)
        parent = next((c for c in columns if c["columnName"] == name), None)
        if parent is None:
            parent = _column(name)
            columns.append(parent)
        columns = parent["joinColumns"]
    columns.append(_column(bound.field.name, field=bound.field))


def _column(name: str, shown: str | None = None, *, field: FieldSchema | None = None) -> Column:
    return {
        "aggregate": False,
        "apexType": None,
        "booleanType": field is not None and field.type == "boolean",
        "columnName": name,
        "custom": name.endswith("__c"),
        "displayName": shown or name,
        "foreignKeyName": None,
        "insertable": field is not None and field.createable,
        "joinColumns": [],
        "numberType": field is not None and field.numeric,
        "textType": field is not None and not field.numeric and field.type != "boolean",
        "updatable": field is not None and field.updateable,
    }
