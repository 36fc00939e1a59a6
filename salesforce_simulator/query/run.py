"""Running SOQL: from the statement to the body of ``/query``, batch by batch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.metadata.built_in import COMPUTED
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.query.aggregates import AggregateQuery, is_aggregate
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.columns import aggregate_columns, columns_of
from salesforce_simulator.query.computed import computed_rows
from salesforce_simulator.query.explain import plans
from salesforce_simulator.query.rows import SelectList
from salesforce_simulator.query.selection import Selection
from salesforce_simulator.query.soql import parse
from salesforce_simulator.query.soql.tree import Query, Subquery
from salesforce_simulator.results import User
from salesforce_simulator.store import Store
from salesforce_simulator.values import whole_number

_CURSOR_LIFE = timedelta(days=2)
_OPEN_CURSORS = 100
_SMALLEST, _LARGEST = 200, 2000


@dataclass(frozen=True, slots=True)
class _Cursor:
    """The rows of a query that did not fit into one answer; only its user may read on."""

    user_id: str
    rows: list[dict[str, Any]]
    weights: list[int]
    batch_size: int
    expires: datetime


class Queries:
    """Answers SOQL for the org. Rows are settled when the query runs; cursors only page them."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights, clock: OrgClock) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights
        self._clock = clock
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._lock = threading.Lock()

    def scope(self, user: User, text: str, *, all_rows: bool, api_version: str) -> Scope:
        """The view of the org that one statement has."""
        return Scope(
            store=self._store,
            catalog=self._catalog,
            rights=self._rights,
            user=user,
            text=text,
            now=self._clock.now(),
            all_rows=all_rows,
            api_version=api_version,
        )

    def run(
        self, user: User, soql: str, *, all_rows: bool, batch_size: int, api_version: str
    ) -> dict[str, Any]:
        """The first answer to a statement."""
        query = parse(soql)
        scope = self.scope(user, soql, all_rows=all_rows, api_version=api_version)
        schema = scope.object(query.source, query.source_offset)
        with self._store.reading():
            if schema.name in COMPUTED:
                rows = computed_rows(scope, schema, query)
                return {"totalSize": len(rows), "done": True, "records": rows}
            selection = Selection(scope)
            if query.counts_only:
                found = selection.count(schema, query)
                start = query.offset or 0
                limited = found - start if query.limit is None else min(found - start, query.limit)
                return {"totalSize": max(limited, 0), "done": True, "records": []}
            if is_aggregate(query):
                rows = AggregateQuery(scope, selection, schema, query).rows()
                if len(rows) > _LARGEST:
                    raise refuse(
                        "EXCEEDED_ID_LIMIT",
                        "Aggregate query does not support queryMore(), use LIMIT to restrict the "
                        "results to a single batch",
                        None,
                    )
                return {"totalSize": len(rows), "done": True, "records": rows}
            rows = selection.rows(schema, query)
        children = [item for item in query.select if isinstance(item, Subquery)]
        weights = [_weight(row) if children else 1 for row in rows]
        size = max(_SMALLEST, min(batch_size, _LARGEST))
        if sum(weights) <= size:
            return {"totalSize": len(rows), "done": True, "records": rows}
        cursor = _Cursor(user.id, rows, weights, size, self._clock.now() + _CURSOR_LIFE)
        with self._lock:
            number = self._store.next_number("cursor")
            name = f"0r8{number:015d}"
            self._cursors[name] = cursor
            while len(self._cursors) > _OPEN_CURSORS:
                self._cursors.popitem(last=False)
        return self._batch(name, cursor, 0, api_version)

    def explain(self, user: User, soql: str, *, api_version: str) -> dict[str, Any]:
        """``?explain=``: the plans of a statement, which is checked but not run."""
        query = parse(soql)
        scope = self.scope(user, soql, all_rows=False, api_version=api_version)
        schema = scope.object(query.source, query.source_offset)
        with self._store.reading():
            selection = Selection(scope)
            if is_aggregate(query) and not query.counts_only:
                AggregateQuery(scope, selection, schema, query)
            elif not query.counts_only:
                SelectList(scope, schema, query)
            return {"plans": plans(scope, selection, schema, query)}

    def more(self, user: User, locator: str, *, api_version: str) -> dict[str, Any]:
        """The batch a locator stands for."""
        name, _, text = locator.partition("-")
        place = whole_number(text)
        with self._lock:
            cursor = self._cursors.get(name)
        if (
            cursor is None
            or cursor.user_id != user.id
            or place is None
            or place >= len(cursor.rows)
            or cursor.expires < self._clock.now()
        ):
            raise invalid_locator()
        return self._batch(name, cursor, place, api_version)

    def _batch(self, name: str, cursor: _Cursor, start: int, api_version: str) -> dict[str, Any]:
        end, weight = start, 0
        while end < len(cursor.rows) and (
            end == start or weight + cursor.weights[end] <= cursor.batch_size
        ):
            weight += cursor.weights[end]
            end += 1
        done = end == len(cursor.rows)
        body: dict[str, Any] = {"totalSize": len(cursor.rows), "done": done}
        if not done:
            body["nextRecordsUrl"] = f"/services/data/v{api_version}/query/{name}-{end}"
        body["records"] = cursor.rows[start:end]
        return body

    def columns(self, user: User, soql: str) -> dict[str, Any]:
        """``?columns=true``: what the columns are, without any row."""
        query = parse(soql)
        scope = self.scope(user, soql, all_rows=False, api_version="66.0")
        schema = scope.object(query.source, query.source_offset)
        of = aggregate_columns if is_aggregate(query) else columns_of
        return {
            "columnMetadata": of(scope, schema, query),
            "entityName": schema.name,
            "groupBy": bool(query.group_by),
            "idSelected": _selects_id(query),
            "keyPrefix": schema.prefix,
        }


def _weight(row: dict[str, Any]) -> int:
    """How many rows a row counts for: itself and its child rows."""
    return 1 + sum(
        len(value["records"])
        for value in row.values()
        if isinstance(value, dict) and "records" in value
    )


def _selects_id(query: Query) -> bool:
    return any(getattr(item, "names", ("",))[-1].lower() == "id" for item in query.select)


def invalid_locator() -> OrgError:
    """400: unknown, finished or expired cursor, or another user's."""
    return refuse("INVALID_QUERY_LOCATOR", "invalid query locator", None)
