"""ORDER BY, OFFSET and LIMIT. Empty values come first, always so behind a relationship."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.literals import comparable
from salesforce_simulator.query.soql.complaints import complain
from salesforce_simulator.query.soql.tree import Aggregate, OrderItem, Query
from salesforce_simulator.store import Record


def picklist_rank(field: FieldSchema) -> Callable[[Any], Any]:
    """Picklists sort in the order of their entries; values they do not list come last."""
    ranks = {str(e["value"]).lower(): rank for rank, e in enumerate(field.picklist)}
    return lambda value: (ranks.get(str(value).lower(), len(ranks)), str(value).lower())


def _key(bound: BoundField) -> Callable[[Any], Any]:
    if bound.field.type == "picklist" and bound.field.picklist:
        return picklist_rank(bound.field)
    return lambda value: comparable(bound, value)


class Ordering:
    """The order of one query's rows; ``bound`` are its paths."""

    def __init__(self, scope: Scope, schema: ObjectSchema, query: Query) -> None:
        self._scope = scope
        self._query = query
        self._items: list[tuple[BoundField, OrderItem]] = []
        for item in query.order_by:
            if isinstance(item.subject, Aggregate):
                message = f"Ordered field must be grouped or aggregated: {item.subject.function}"
                raise complain(scope.text, item.subject.offset, message)
            bound = scope.bind(schema, item.subject, query.alias)
            if not bound.field.sortable or bound.field.long_text:
                message = f"field '{bound.field.name}' can not be sorted in a query call"
                raise complain(scope.text, bound.offset, message, "INVALID_FIELD")
            self._items.append((bound, item))

    @property
    def bound(self) -> list[BoundField]:
        """The paths that the order looks at."""
        return [bound for bound, _ in self._items]

    def sort(self, records: list[Record]) -> None:
        """Sort in place; records come in the order of their ids, which settles ties."""
        for bound, item in reversed(self._items):
            key = _key(bound)
            nulls_first = item.nulls_first is not False or bool(bound.steps)
            # Reversed for DESC, so "first" has to be said the other way round there.
            empty = nulls_first is item.descending

            def sort_key(
                record: Record,
                bound: BoundField = bound,
                key: Callable[[Any], Any] = key,
                empty: bool = empty,
            ) -> tuple[bool, Any]:
                value = self._scope.value(record, bound)
                if bound.field.type == "boolean":
                    value = bool(value)
                return (empty, 0) if value is None else (not empty, key(value))

            records.sort(key=sort_key, reverse=item.descending)

    def page(self, rows: list[Any]) -> list[Any]:
        """What OFFSET and LIMIT leave."""
        start = self._query.offset or 0
        end = None if self._query.limit is None else start + self._query.limit
        return rows[start:end]
