"""Conditions as predicates over records.

Two-valued, as SOQL is: a comparison with an empty field is false, except ``!=``, ``NOT IN`` and
``EXCLUDES``, which an empty field satisfies; a checkbox behind a missing parent counts as false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.literals import (
    DaySpan,
    comparable,
    invalid_operator,
    money,
    typed,
)
from salesforce_simulator.query.semi_joins import check_semi_join
from salesforce_simulator.query.soql.complaints import complain, misplaced
from salesforce_simulator.query.soql.like import LikePattern
from salesforce_simulator.query.soql.tokens import unquoted
from salesforce_simulator.query.soql.tree import (
    Aggregate,
    And,
    Comparison,
    Condition,
    FieldPath,
    Inclusion,
    Membership,
    Not,
    Or,
    Query,
)
from salesforce_simulator.store import Record
from salesforce_simulator.values import folded

Predicate = Callable[[Record], bool]
SemiJoinValues = Callable[[Query], frozenset[Any]]

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NOT_FOR_LIKE = {
    "boolean", "int", "long", "double", "currency", "percent", "date", "datetime", "time",
    "multipicklist",
}  # fmt: skip


class Filter:
    """Compiles the conditions of one query; ``bound`` collects the paths they use."""

    def __init__(
        self,
        scope: Scope,
        schema: ObjectSchema,
        alias: str | None,
        semi_join: SemiJoinValues,
    ) -> None:
        self._scope = scope
        self._schema = schema
        self._alias = alias
        self._semi_join = semi_join
        self.bound: list[BoundField] = []

    def compile(self, condition: Condition, *, nested: bool = False) -> Predicate:
        """The predicate of a condition; ``nested`` is below an OR, a NOT or parentheses."""
        match condition:
            case And(items):
                every = [self.compile(i, nested=nested or isinstance(i, And)) for i in items]
                return lambda record: all(predicate(record) for predicate in every)
            case Or(items):
                some = [self.compile(item, nested=True) for item in items]
                return lambda record: any(predicate(record) for predicate in some)
            case Not(item):
                inner = self.compile(item, nested=True)
                return lambda record: not inner(record)
            case Comparison():
                return self._comparison(condition)
            case Membership():
                return self._membership(condition, nested)
            case Inclusion():
                return self._inclusion(condition)

    def field(self, subject: FieldPath | Aggregate) -> BoundField:
        """The field a condition is about; it must be one that can be filtered."""
        if isinstance(subject, Aggregate):
            message = f"Aggregate function {subject.function} is not allowed in a WHERE clause"
            raise complain(self._scope.text, subject.offset, message)
        bound = self._scope.bind(self._schema, subject, self._alias)
        if not bound.field.filterable or bound.field.long_text:
            message = f"field '{bound.field.name}' can not be filtered in a query call"
            raise complain(self._scope.text, bound.offset, message, "INVALID_FIELD")
        self.bound.append(bound)
        return bound

    def _comparison(self, condition: Comparison) -> Predicate:
        bound = self.field(condition.subject)
        value = self._scope.value
        if condition.operator == "LIKE":
            return self._like(condition, bound)
        if condition.value.kind == "money":
            return self._amount(condition, bound)
        wanted = typed(self._scope, bound, condition.value)
        if isinstance(wanted, DaySpan):
            return self._in_span(bound, condition.operator, wanted)
        if condition.operator in {"=", "!="}:
            equal = condition.operator == "="
            return lambda record: (comparable(bound, self._of(record, bound)) == wanted) is equal
        if wanted is None or bound.field.type in {"boolean", "multipicklist"}:
            message = f"invalid operator on {bound.field.type} field"
            raise invalid_operator(self._scope, bound, message)
        ordering = _ORDERINGS[condition.operator]

        def ordered(record: Record) -> bool:
            found = value(record, bound)
            return found is not None and ordering(comparable(bound, found), wanted)

        return ordered

    def _amount(self, condition: Comparison, bound: BoundField) -> Predicate:
        """Amounts are compared in the org's currency."""
        value, wanted = self._scope.corporate_value, money(self._scope, bound, condition.value)
        if condition.operator in {"=", "!="}:
            equal = condition.operator == "="
            return lambda record: (value(record, bound) == wanted) is equal
        ordering = _ORDERINGS[condition.operator]

        def ordered(record: Record) -> bool:
            found = value(record, bound)
            return found is not None and ordering(found, wanted)

        return ordered

    def _of(self, record: Record, bound: BoundField) -> Any:
        found = self._scope.value(record, bound)
        return bool(found) if bound.field.type == "boolean" else found

    def _like(self, condition: Comparison, bound: BoundField) -> Predicate:
        kind = bound.field.type
        if kind in {"id", "reference"}:
            raise invalid_operator(self._scope, bound, "invalid operator on id field")
        if kind in _NOT_FOR_LIKE:
            raise invalid_operator(self._scope, bound, f"invalid operator on {kind} field")
        pattern = LikePattern(condition.value.text)

        def like(record: Record) -> bool:
            found = self._scope.value(record, bound)
            return found is not None and pattern.matches(folded(found))

        return like

    def _in_span(self, bound: BoundField, sign: str, span: DaySpan) -> Predicate:
        tests: dict[str, Callable[[str], bool]] = {
            "=": lambda found: span.start <= found < span.end,
            "!=": lambda found: not span.start <= found < span.end,
            "<": lambda found: found < span.start,
            "<=": lambda found: found < span.end,
            ">": lambda found: found >= span.end,
            ">=": lambda found: found >= span.start,
        }
        test = tests[sign]

        def within(record: Record) -> bool:
            found = self._scope.value(record, bound)
            return sign == "!=" if found is None else test(found)

        return within

    def _membership(self, condition: Membership, nested: bool) -> Predicate:
        bound = self.field(condition.subject)
        spans: list[DaySpan] = []
        if isinstance(condition.values, Query):
            check_semi_join(self._scope, self._schema, bound, condition.values, nested=nested)
            wanted = self._semi_join(condition.values)
        else:
            values = [typed(self._scope, bound, literal) for literal in condition.values]
            spans = [value for value in values if isinstance(value, DaySpan)]
            wanted = frozenset(value for value in values if not isinstance(value, DaySpan))
        within = [self._in_span(bound, "=", span) for span in spans]

        def member(record: Record) -> bool:
            found = comparable(bound, self._of(record, bound))
            inside = found in wanted or any(test(record) for test in within)
            return inside is not condition.negated

        return member

    def _inclusion(self, condition: Inclusion) -> Predicate:
        bound = self.field(condition.subject)
        if bound.field.type != "multipicklist":
            raise invalid_operator(
                self._scope,
                bound,
                "includes or excludes operator only valid on multipicklist field",
            )
        sets = []
        for literal in condition.values:
            if literal.kind != "string":
                raise misplaced(
                    self._scope.text, literal.offset, f"unexpected token: '{literal.text}'"
                )
            sets.append(frozenset(part.lower() for part in unquoted(literal.text).split(";")))

        def includes(record: Record) -> bool:
            found = self._scope.value(record, bound)
            chosen = frozenset((found or "").lower().split(";"))
            return any(wanted <= chosen for wanted in sets) is not condition.negated

        return includes
