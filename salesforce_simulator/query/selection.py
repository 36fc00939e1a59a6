"""Which records a query is about: rights, condition, order, page."""

from __future__ import annotations

from typing import Any

from salesforce_simulator.files.queries import check_query, hidden_without_filter
from salesforce_simulator.mail.archiving import ACTIVITIES, RUNS
from salesforce_simulator.metadata.features import JUNCTION
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.activity_lists import activity_list, check_order, reference_of
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.candidates import Candidates
from salesforce_simulator.query.filters import Filter
from salesforce_simulator.query.ordering import Ordering
from salesforce_simulator.query.rows import ChildSets, SelectList
from salesforce_simulator.query.soql.complaints import no_such_relationship, plainly
from salesforce_simulator.query.soql.tree import FieldPath, Query
from salesforce_simulator.store import Record

_SEMI_JOIN_LIMIT = 2
_LISTED_IDS = 500


class Selection:
    """Runs the parts of one statement; semi-joins are read once.

    ``within`` limits the outermost object to these ids, as a search does.
    """

    def __init__(self, scope: Scope, *, within: frozenset[str] | None = None) -> None:
        self._scope = scope
        self._within = within
        self._semi_joins: dict[int, frozenset[Any]] = {}

    # -- records -----------------------------------------------------------------------------------
    def matching(self, schema: ObjectSchema, query: Query) -> list[Record]:
        """The records the WHERE lets through, in the order of their ids."""
        check_query(schema.name, query.where)
        if query.where is None:
            user = self._scope.user
            everything = self._everything(schema)
            return [r for r in everything if not hidden_without_filter(user, schema.name, r)]
        chosen = Filter(self._scope, schema, query.alias, self.semi_join)
        predicate = chosen.compile(query.where)
        ids = Candidates(self._scope, schema, query.alias, self.semi_join).of(query.where)
        if ids is None:
            records = self._everything(schema)
        else:
            found = self._scope.store.get_many(sorted(ids))
            records = [found[i] for i in sorted(found) if self._belongs(schema, found[i])]
        self._scope.prefetch(records, chosen.bound)
        return [record for record in records if predicate(record)]

    def count(self, schema: ObjectSchema, query: Query) -> int:
        """How many records match; without a condition no record is read for it."""
        created = schema.field("CreatedDate")
        check_query(schema.name, query.where)
        some_hidden = schema.name.startswith("Content") or (
            schema.name in ACTIVITIES and bool(self._scope.store.settings(RUNS))
        )
        counted = not (self._scope.all_rows or self._scope.rights.hides_rows or some_hidden)
        if query.where is None and counted and created is not None:
            old = self._scope.store.ids_between(
                schema.name, created, None, self._scope.year_ago, limit=0
            )
            if old is not None:  # nothing is old enough to be archived
                return self._scope.store.count(schema.name)
        return len(self.matching(schema, query))

    def _everything(self, schema: ObjectSchema) -> list[Record]:
        records = list(self._scope.store.scan(schema.name, deleted=self._scope.all_rows))
        if self._scope.all_rows:
            records.sort(key=lambda record: str(record["Id"]))
        return [record for record in records if self.alive(record)]

    def _belongs(self, schema: ObjectSchema, record: Record) -> bool:
        return record["Id"].startswith(schema.prefix) and self.alive(record)

    def alive(self, record: Record) -> bool:
        """Whether the statement sees the record: deleted and archived rows only by queryAll, and
        none that sharing hides from the user."""
        scope = self._scope
        listed = scope.all_rows or not (record.get("IsDeleted") or scope.archived(record))
        return listed and scope.sees(record)

    def semi_join(self, query: Query) -> frozenset[Any]:
        """The ids that an inner SELECT yields."""
        known = self._semi_joins.get(id(query))
        if known is not None:
            return known
        if len(self._semi_joins) >= _SEMI_JOIN_LIMIT:
            raise plainly(f"Maximum {_SEMI_JOIN_LIMIT} semi join sub-selects are allowed")
        schema = self._scope.object(query.source, query.source_offset)
        item = query.select[0]
        assert isinstance(item, FieldPath)  # checked where the semi-join stands
        bound = self._scope.bind(schema, item, query.alias)
        values = {self._scope.value(record, bound) for record in self.matching(schema, query)}
        found = frozenset(value for value in values if value is not None)
        self._semi_joins[id(query)] = found
        return found

    # -- rows --------------------------------------------------------------------------------------
    def rows(self, schema: ObjectSchema, query: Query) -> list[dict[str, Any]]:
        """The rows of a query without aggregates."""
        select = SelectList(self._scope, schema, query)
        ordering = Ordering(self._scope, schema, query)
        children = {key: self._child(schema, child) for key, child in select.children.items()}
        records = self.matching(schema, query)
        if self._within is not None:
            records = [record for record in records if record["Id"] in self._within]
        self._scope.prefetch(records, ordering.bound)
        ordering.sort(records)
        records = ordering.page(records)
        self._scope.prefetch(records, select.bound)
        _check_lists(select, records)
        sets: dict[str, ChildSets] = {
            key: child.sets(self, [record["Id"] for record in records])
            for key, child in children.items()
        }
        return [select.row(record, sets) for record in records]

    def _child(self, parent: ObjectSchema, query: Query) -> _Child:
        schema, reference = child_of(self._scope, parent, query)
        return _Child(self._scope, schema, reference, query)


def child_of(scope: Scope, parent: ObjectSchema, query: Query) -> tuple[ObjectSchema, str]:
    """The object of a child subquery and its reference to the parent; INVALID_FIELD if none."""
    activities = activity_list(query)
    task = None if activities is None else scope.readable_object("Task")
    if task is not None:
        reference = reference_of(task, parent)
        if reference is not None and scope.rights.visible(scope.user, task, reference) is not None:
            check_order(scope, query)
            return task, reference
    relationship = parent.children.get(query.source.lower())
    schema = None if relationship is None else scope.readable_object(relationship.child)
    if relationship is not None and schema is not None:
        field = schema.field(relationship.field)
        if field is not None and scope.rights.may_read(scope.user, schema, field):
            return schema, field.name
    raise no_such_relationship(
        scope.text, query.source_offset, query.source, "FROM part of query call"
    )


def _check_lists(select: SelectList, records: list[Record]) -> None:
    """A query shows at most 500 ids in its JunctionIdList fields."""
    names = [b.field.name for b in select.bound if b.field.type == JUNCTION and not b.steps]
    shown = sum(len(record.get(name) or ()) for record in records for name in names)
    if shown > _LISTED_IDS:
        message = f"JunctionIdList fields: {shown} ids, at most {_LISTED_IDS} can be queried"
        raise plainly(message)


class _Child:
    """A child subquery: checked before any record is read, run for all parents at once."""

    def __init__(self, scope: Scope, schema: ObjectSchema, reference: str, query: Query) -> None:
        self._scope = scope
        self._schema = schema
        self._reference = reference
        self._query = query
        self._activities = activity_list(query)
        self._select = SelectList(scope, schema, query)
        self._ordering = Ordering(scope, schema, query)

    def sets(self, selection: Selection, parents: list[str]) -> ChildSets:
        """``{"totalSize", "done", "records"}`` by parent; nothing for a parent without children."""
        field = self._schema.fields[self._reference.lower()]
        scope = self._scope
        predicate = None
        ids = scope.store.ids_equal(self._schema.name, field, parents)
        found = scope.store.get_many(sorted(ids))
        records = [found[i] for i in sorted(found) if selection.alive(found[i])]
        if self._query.where is not None:
            chosen = Filter(scope, self._schema, self._query.alias, selection.semi_join)
            predicate = chosen.compile(self._query.where, nested=True)
            scope.prefetch(records, chosen.bound)
            records = [record for record in records if predicate(record)]
        if self._activities is not None:
            records = [r for r in records if bool(r.get("IsClosed")) == self._activities.closed]
        scope.prefetch(records, self._ordering.bound)
        self._ordering.sort(records)
        by_parent: dict[str, list[Record]] = {}
        for record in records:
            by_parent.setdefault(record[self._reference], []).append(record)
        shown = {parent: self._ordering.page(some) for parent, some in by_parent.items()}
        scope.prefetch([record for some in shown.values() for record in some], self._select.bound)
        return {
            parent: {
                "totalSize": len(some),
                "done": True,
                "records": [self._row(record) for record in some],
            }
            for parent, some in shown.items()
            if some
        }

    def _row(self, record: Record) -> dict[str, Any]:
        row = self._select.row(record, {})
        return row if self._activities is None else self._activities.shown(row)
