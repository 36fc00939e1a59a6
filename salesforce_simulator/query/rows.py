"""The SELECT list: from records to the nested objects of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from salesforce_simulator.metadata.built_in import COMPUTED
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.query.activity_lists import activity_list
from salesforce_simulator.query.binding import BoundField, Scope
from salesforce_simulator.query.soql.complaints import complain, plainly
from salesforce_simulator.query.soql.tree import FieldPath, FieldsMacro, Query, Subquery
from salesforce_simulator.store import Record

ChildSets = dict[str, dict[str, Any] | None]
"""The answer of a child subquery by parent id."""


@dataclass(eq=False)
class _Level:
    """One object of the answer: its keys in the order they were first named."""

    schema: ObjectSchema | None
    keys: dict[str, FieldSchema | _Converted | _Parent | Query] = field(default_factory=dict)


@dataclass(frozen=True)
class _Converted:
    """An amount in the currency of the user who asks."""

    field: FieldSchema


@dataclass(eq=False)
class _Parent:
    step: FieldSchema
    level: _Level


class SelectList:
    """The SELECT list of one query, bound; ``bound`` collects its paths, for reading ahead."""

    def __init__(self, scope: Scope, schema: ObjectSchema, query: Query) -> None:
        self._scope = scope
        self._schema = schema
        self._top = _Level(schema)
        self.bound: list[BoundField] = []
        self.children: dict[str, Query] = {}
        for item in query.select:
            if isinstance(item, FieldPath):
                bound = scope.bind(schema, item, query.alias)
                self._add(bound, item.alias, self._converted(bound, item))
            elif isinstance(item, FieldsMacro):
                self._expand(item, query.limit)
            elif isinstance(item, Subquery):
                self._add_child(item)
            else:
                message = f"aggregate {item.function} is not allowed in this SELECT list"
                raise complain(scope.text, item.offset, message)

    def _converted(self, bound: BoundField, item: FieldPath) -> _Converted | None:
        """The function around a field; refused for a field it does not take."""
        if item.function is None:
            return None
        if bound.field.type != "currency" or not self._scope.money.several:
            message = f"field {bound.field.name} does not support the function {item.function}"
            raise complain(self._scope.text, bound.offset, message)
        return _Converted(bound.field)

    def _add(
        self, bound: BoundField, alias: str | None = None, converted: _Converted | None = None
    ) -> None:
        level = self._top
        for depth, step in enumerate(bound.steps):
            assert step.relationship is not None
            last = depth == len(bound.steps) - 1
            entry = level.keys.get(step.relationship)
            if entry is None:
                schema = bound.schema if last else self._scope.catalog.get(step.references[0])
                entry = _Parent(step, _Level(schema))
                level.keys[step.relationship] = entry
            assert isinstance(entry, _Parent)
            level = entry.level
        key = alias or bound.field.name
        if key in level.keys:
            message = f"duplicate field selected: {bound.text}"
            raise complain(self._scope.text, bound.offset, message)
        level.keys[key] = converted or bound.field
        self.bound.append(bound)

    def _expand(self, macro: FieldsMacro, limit: int | None) -> None:
        if macro.which != "STANDARD" and (limit is None or limit > 200):
            raise plainly(
                "The SOQL FIELDS function must have a LIMIT of at most 200 when it is used with "
                "ALL or CUSTOM"
            )
        for fld in self._schema.fields.values():
            custom = fld.name.endswith("__c")
            if macro.which == "ALL" or custom == (macro.which == "CUSTOM"):
                if self._scope.rights.may_read(self._scope.user, self._schema, fld):
                    self._add(BoundField((), self._schema, fld, macro.offset, fld.name))

    def _add_child(self, item: Subquery) -> None:
        name = item.query.source
        child = self._schema.children.get(name.lower())
        activities = activity_list(item.query)
        if activities is not None:
            name = activities.relationship
        key = child.name if child is not None else name
        if key in self._top.keys:
            message = f"duplicate field selected: {key}"
            raise complain(self._scope.text, item.offset, message)
        self._top.keys[key] = item.query
        self.children[key] = item.query

    def row(self, record: Record, children: dict[str, ChildSets]) -> dict[str, Any]:
        """A record as the answer shows it."""
        return self._row(record, self._top, children, polymorphic=False)

    def _row(
        self, record: Record, level: _Level, children: dict[str, ChildSets], *, polymorphic: bool
    ) -> dict[str, Any]:
        scope = self._scope
        kind = "Name" if polymorphic else scope.object_of(record["Id"]).name
        url = scope.url(record["Id"])
        if level.schema is not None and level.schema.name in COMPUTED:
            kind, url = level.schema.name, url.replace(f"/{kind}/", f"/{level.schema.name}/")
        row: dict[str, Any] = {"attributes": {"type": kind, "url": url}}
        for key, entry in level.keys.items():
            if isinstance(entry, FieldSchema):
                row[key] = scope.field_of(record, level.schema, entry)
            elif isinstance(entry, _Converted):
                row[key] = self._convert(record, level, entry.field)
            elif isinstance(entry, _Parent):
                parent = scope.record(record.get(entry.step.name))
                row[key] = (
                    None
                    if parent is None
                    else self._row(parent, entry.level, {}, polymorphic=entry.level.schema is None)
                )
            else:
                row[key] = children[key].get(record["Id"])
        return row

    def _convert(self, record: Record, level: _Level, field: FieldSchema) -> Any:
        value = self._scope.field_of(record, level.schema, field)
        return None if value is None else self._scope.money.own(value, record)
