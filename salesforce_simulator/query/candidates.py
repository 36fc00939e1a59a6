"""Which records can satisfy a condition, from the index alone: a superset, or None for "any".

The filter decides; this only spares it most of the records.
"""

from __future__ import annotations

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.filters import SemiJoinValues
from salesforce_simulator.query.literals import DaySpan, typed
from salesforce_simulator.query.soql.like import LikePattern
from salesforce_simulator.query.soql.tree import (
    And,
    Comparison,
    Condition,
    FieldPath,
    Membership,
    Or,
    Query,
)

_LIMIT = 5000
_LAST = "\U0010ffff"


class Candidates:
    """Asks the index about one query's condition, which has been checked by the filter before."""

    def __init__(
        self, scope: Scope, schema: ObjectSchema, alias: str | None, semi_join: SemiJoinValues
    ) -> None:
        self._scope = scope
        self._schema = schema
        self._alias = alias
        self._semi_join = semi_join

    def of(self, condition: Condition) -> set[str] | None:
        """Ids of a superset of the matching records; None when the index cannot narrow them."""
        match condition:
            case And(items):
                return self._all(items)
            case Or(items):
                found: set[str] = set()
                for item in items:
                    some = self.of(item)
                    if some is None:
                        return None
                    found |= some
                return found
            case Comparison(FieldPath() as path, sign, literal):
                bound = self._bind(path)
                if bound is None:
                    return None
                if sign == "LIKE":
                    prefix = LikePattern(literal.text).prefix
                    if not prefix or bound.field.case_sensitive:
                        return None
                    return self._between(bound, prefix, prefix + _LAST)
                return self._compared(bound, sign, typed(self._scope, bound, literal))
            case Membership(FieldPath() as path, False, values):
                bound = self._bind(path)
                if bound is None:
                    return None
                if isinstance(values, Query):
                    wanted = set(self._semi_join(values))
                else:
                    wanted = {typed(self._scope, bound, literal) for literal in values}
                if None in wanted or any(isinstance(value, DaySpan) for value in wanted):
                    return None
                return self._equal(bound, wanted)
            case _:
                return None

    def _all(self, items: tuple[Condition, ...]) -> set[str] | None:
        """The smallest set any conjunct gives, narrowed by the others that give one."""
        found: set[str] | None = None
        for item in sorted(items, key=_cost):
            if found is not None and len(found) <= 50:
                break
            some = self.of(item)
            if some is not None:
                found = some if found is None else found & some
        return found

    def _bind(self, path: FieldPath) -> BoundField | None:
        bound = self._scope.bind(self._schema, path, self._alias)
        if bound.schema is None:
            return None
        return bound if bound.field.indexed or bound.field.type == "id" else None

    def _compared(self, bound: BoundField, sign: str, value: object) -> set[str] | None:
        if isinstance(value, DaySpan):
            ends = {
                "=": (value.start, value.end),
                "<": (None, value.start),
                "<=": (None, value.end),
                ">": (value.end, None),
                ">=": (value.start, None),
            }.get(sign)
            return None if ends is None else self._between(bound, *ends)
        if value is None or sign == "!=":
            return None
        if sign == "=":
            return self._equal(bound, {value})
        return self._between(bound, *((None, value) if sign[0] == "<" else (value, None)))

    def _equal(self, bound: BoundField, values: set[object]) -> set[str] | None:
        if bound.field.type == "id":
            ids = {str(value) for value in values}
        else:
            assert bound.schema is not None
            ids = self._scope.store.ids_equal(bound.schema.name, bound.field, values)
        return self._downwards(bound, ids)

    def _between(self, bound: BoundField, low: object, high: object) -> set[str] | None:
        if bound.field.type == "id":
            return None
        assert bound.schema is not None
        store, name = self._scope.store, bound.schema.name
        limit = max(_LIMIT, store.count(name) // 2)
        ids = store.ids_between(name, bound.field, low, high, limit=limit)
        return None if ids is None else self._downwards(bound, ids)

    def _downwards(self, bound: BoundField, ids: set[str]) -> set[str] | None:
        """From the records at the end of a path to those at its start."""
        owners = self._owners(bound)
        for owner, step in zip(reversed(owners), reversed(bound.steps), strict=True):
            if len(ids) > _LIMIT:
                return None
            ids = self._scope.store.ids_equal(owner.name, step, ids)
        return ids

    def _owners(self, bound: BoundField) -> list[ObjectSchema]:
        """The object that holds each step of a path."""
        owners, here = [], self._schema
        for step in bound.steps:
            owners.append(here)
            if len(step.references) == 1:
                here = self._scope.catalog.get(step.references[0])
        return owners


def _cost(condition: Condition) -> int:
    """Equality first: it narrows most."""
    match condition:
        case Comparison(_, "="):
            return 0
        case Membership(negated=False):
            return 1
        case Comparison(_, "LIKE"):
            return 2
        case Or():
            return 3
        case _:
            return 4
