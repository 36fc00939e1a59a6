"""Aggregate queries: COUNT(Id), SUM and their kin, GROUP BY and HAVING."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.literals import comparable
from salesforce_simulator.query.ordering import picklist_rank
from salesforce_simulator.query.selection import Selection
from salesforce_simulator.query.soql.complaints import complain, not_modelled
from salesforce_simulator.query.soql.tree import (
    Aggregate,
    And,
    Comparison,
    Condition,
    FieldPath,
    Not,
    Or,
    OrderItem,
    Query,
)
from salesforce_simulator.store import Record

Row = dict[str, Any]
_SUMMABLE = frozenset({"int", "long", "double", "currency", "percent"})


def is_aggregate(query: Query) -> bool:
    """Whether the answer holds AggregateResult rows."""
    return bool(query.group_by) or any(isinstance(item, Aggregate) for item in query.select)


class AggregateQuery:
    """One aggregate query, bound to its fields."""

    def __init__(self, scope: Scope, selection: Selection, schema: ObjectSchema, query: Query):
        self._scope = scope
        self._selection = selection
        self._schema = schema
        self._query = query
        self._groups = [self._group(path) for path in query.group_by]
        self._columns: list[tuple[str, Aggregate | BoundField]] = []
        unnamed = 0
        for item in query.select:
            if isinstance(item, Aggregate):
                self._check(item)
                name = item.alias or f"expr{unnamed}"
                unnamed += item.alias is None
                self._columns.append((name, item))
            elif isinstance(item, FieldPath):
                if item.function is not None:
                    raise not_modelled(f"the function {item.function}() in a grouped query")
                bound = scope.bind(schema, item, query.alias)
                if not any(_same(bound, group) for group in self._groups):
                    message = f"Field must be grouped or aggregated: {item.text}"
                    raise complain(scope.text, item.offset, message)
                self._columns.append((item.alias or bound.field.name, bound))
            else:
                raise complain(
                    scope.text, item.offset, "Grouped query can not use child relationships"
                )

    def _group(self, path: FieldPath) -> BoundField:
        bound = self._scope.bind(self._schema, path, self._query.alias)
        if not bound.field.groupable or bound.field.long_text:
            message = f"field '{bound.field.name}' can not be grouped in a query call"
            raise complain(self._scope.text, path.offset, message)
        return bound

    def _check(self, item: Aggregate) -> BoundField | None:
        if item.argument is None:
            return None
        bound = self._scope.bind(self._schema, item.argument, self._query.alias)
        kind = bound.field.type
        fits = bound.field.aggregatable and not bound.field.long_text
        if item.function in {"SUM", "AVG"}:
            fits = fits and kind in _SUMMABLE
        elif item.function in {"MIN", "MAX"}:
            fits = fits and kind not in {"boolean", "multipicklist", "address", "location"}
        if not fits:
            message = (
                f"field {bound.field.name} does not support aggregate operator {item.function}"
            )
            raise complain(self._scope.text, item.argument.offset, message)
        return bound

    # -- running -----------------------------------------------------------------------------------
    def rows(self) -> list[Row]:
        """The AggregateResult rows."""
        scope = self._scope
        records = self._selection.matching(self._schema, self._query)
        scope.prefetch(records, self._groups)
        groups: dict[tuple[Any, ...], list[Record]] = {}
        for record in records:
            key = tuple(comparable(b, scope.value(record, b)) for b in self._groups)
            groups.setdefault(key, []).append(record)
        if not self._groups:
            groups.setdefault((), [])
        kept = list(groups.values())
        if self._query.having is not None:
            holds = self._having(self._query.having)
            kept = [some for some in kept if holds(some)]
        for item in reversed(self._query.order_by):
            self._sort(kept, item)
        if not self._query.order_by and self._groups:
            for bound in reversed(self._groups):
                self._sort_by(kept, self._of_group(bound), descending=False, nulls_first=True)
        start = self._query.offset or 0
        end = None if self._query.limit is None else start + self._query.limit
        return [self._row(some) for some in kept[start:end]]

    def _row(self, records: list[Record]) -> Row:
        row: Row = {"attributes": {"type": "AggregateResult"}}
        for name, column in self._columns:
            if isinstance(column, Aggregate):
                row[name] = self.value(column, records)
            else:
                row[name] = self._scope.value(records[0], column)
        return row

    def value(self, item: Aggregate, records: list[Record]) -> Any:
        """What an aggregate makes of the records of a group."""
        if item.argument is None:
            return len(records)
        bound = self._check(item)
        assert bound is not None
        self._scope.prefetch(records, [bound])
        found = (self._scope.corporate_value(record, bound) for record in records)
        values = [value for value in found if value is not None]
        match item.function:
            case "COUNT":
                return len(values)
            case "COUNT_DISTINCT":
                return len({comparable(bound, value) for value in values})
            case "SUM":
                return sum(values) if values else None
            case "AVG":
                return sum(values) / len(values) if values else None
            case "MIN":
                return min(values, key=self._rank(bound), default=None)
            case _:
                return max(values, key=self._rank(bound), default=None)

    def _rank(self, bound: BoundField) -> Callable[[Any], Any]:
        if bound.field.type == "picklist" and bound.field.picklist:
            return picklist_rank(bound.field)
        return lambda value: comparable(bound, value)

    def _of_group(self, bound: BoundField) -> Callable[[list[Record]], Any]:
        rank = self._rank(bound)

        def ranked(records: list[Record]) -> Any:
            value = self._scope.value(records[0], bound)
            return None if value is None else rank(value)

        return ranked

    def _sort(self, groups: list[list[Record]], item: OrderItem) -> None:
        subject = item.subject
        if isinstance(subject, Aggregate):
            self._check(subject)
            key: Callable[[list[Record]], Any] = lambda some: self.value(subject, some)  # noqa: E731
        else:
            bound = self._scope.bind(self._schema, subject, self._query.alias)
            if not any(_same(bound, group) for group in self._groups):
                message = f"Ordered field must be grouped or aggregated: {subject.text}"
                raise complain(self._scope.text, subject.offset, message)
            key = self._of_group(bound)
        nulls_first = item.nulls_first is not False
        self._sort_by(groups, key, descending=item.descending, nulls_first=nulls_first)

    def _sort_by(
        self,
        groups: list[list[Record]],
        key: Callable[[list[Record]], Any],
        *,
        descending: bool,
        nulls_first: bool,
    ) -> None:
        empty = nulls_first is descending

        def sort_key(records: list[Record]) -> tuple[bool, Any]:
            value = key(records)
            return (empty, 0) if value is None else (not empty, value)

        groups.sort(key=sort_key, reverse=descending)

    def _having(self, condition: Condition) -> Callable[[list[Record]], bool]:
        match condition:
            case And(items):
                every = [self._having(item) for item in items]
                return lambda records: all(holds(records) for holds in every)
            case Or(items):
                some = [self._having(item) for item in items]
                return lambda records: any(holds(records) for holds in some)
            case Not(item):
                inner = self._having(item)
                return lambda records: not inner(records)
            case Comparison(Aggregate() as subject, sign, literal) if literal.kind == "number":
                self._check(subject)
                wanted = float(literal.text)
                tests: dict[str, Callable[[float], bool]] = {
                    "=": lambda found: found == wanted,
                    "!=": lambda found: found != wanted,
                    "<": lambda found: found < wanted,
                    "<=": lambda found: found <= wanted,
                    ">": lambda found: found > wanted,
                    ">=": lambda found: found >= wanted,
                }
                test = tests[sign]

                def holds(records: list[Record]) -> bool:
                    found = self.value(subject, records)
                    return isinstance(found, int | float) and test(found)

                return holds
            case _:
                raise not_modelled("HAVING on anything but an aggregate and a number")


def _same(one: BoundField, other: BoundField) -> bool:
    return one.field is other.field and one.steps == other.steps
