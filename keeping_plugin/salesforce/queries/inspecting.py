"""Records before they are deleted: who made and changed them, and what refers to them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeping_plugin.errors import (
    PermissionDenied,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
    SchemaStale,
)
from keeping_plugin.objects import CONVERSION, TASK, row_of
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.queries.payloads import mapping, text
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import format_soql
from keeping_plugin.types import Inspected, Inspection, Related

log = logging.getLogger(__name__)

MAX_RECORDS = 200
# SOQL takes 20 subqueries in a statement (SOQL and SOSL Reference, Relationship Queries).
_SUBQUERIES = 20
_HISTORY = (
    "Id",
    "IsDeleted",
    "CreatedById",
    "CreatedDate",
    "LastModifiedById",
    "LastModifiedDate",
)
_WHO = "WhoId"
# Where an org shares activities, each Task has such a row for every person it is about, the one in
# WhoId included (Object Reference, TaskRelation).
_TASK_RELATION, _RELATION = "TaskRelation", "RelationId"
# Lists of the Tasks and Events that are asked for as such. Salesforce refuses them to users without
# View All Data in any order but its own (Object Reference, ActivityHistory).
_LISTS = frozenset({"ActivityHistory", "OpenActivity"})
# Of a feed, only what people posted: these rows are made by Salesforce itself, for a tracked field,
# for the record or for a Task that was logged on it (Object Reference, FeedItem).
# Of Accounts, only further ones: the Contact's own one has such a row, too, where Contacts may have
# several (Object Reference, AccountContactRelation).
_SOMEBODYS = {
    "Feeds": "Type NOT IN ('TrackedChange', 'CreateRecordEvent', 'ActivityEvent')",
    "AccountContactRelations": "IsDirect = false",
}
# Salesforce understood the question and does not answer it for this user, now or later.
_UNREADABLE = (PermissionDenied, RecordNotFound, RecordRejected, SchemaStale)


@dataclass(frozen=True, slots=True)
class _Question:
    """One query: `asks` are the relationships of which it tells; of none, it is needed itself."""

    statement: str
    asks: tuple[Related, ...] = ()
    deleted_too: bool = False


def inspect(
    calls: Calls, object: str, record_ids: Sequence[str], related: Sequence[Related]
) -> Inspection:
    """One composite for up to 60 named relationships. Where Salesforce refuses a query, its
    relationships are asked for again in halves, until it is known which cannot be read."""
    if not 0 < len(record_ids) <= MAX_RECORDS:
        raise ValueError(f"1 to {MAX_RECORDS} records, not {len(record_ids)}")
    related = [each for each in related if each.object not in _LISTS]
    tasks = [each for each in related if each.object == TASK.name and each.field == _WHO]
    shared = [each for each in related if each.object == _TASK_RELATION]
    open_questions = [
        _Question(_records(object, record_ids), deleted_too=True),
        *(_Question(_tasks(record_ids), (each,), deleted_too=True) for each in tasks),
        *(
            _Question(_by_field(each, record_ids, "TaskId"), (each,))
            for each in shared
            if each.field == _RELATION
        ),
        *_of_others(
            object, record_ids, [each for each in related if each not in (*tasks, *shared)]
        ),
    ]
    found: dict[str, Inspected] = {}
    about: defaultdict[str, list[Inspected]] = defaultdict(list)
    others: defaultdict[str, dict[str, None]] = defaultdict(dict)
    about_too: list[tuple[str, str]] = []
    unreadable: dict[str, None] = {}
    while open_questions:
        asked, open_questions = (
            open_questions[: composite.QUERIES],
            open_questions[composite.QUERIES :],
        )
        for question, rows in _ask(calls, asked):
            if isinstance(rows, SalesforceError):
                if not question.asks or not isinstance(rows, _UNREADABLE):
                    raise rows
                if len(question.asks) == 1:
                    unreadable[question.asks[0].object] = None
                    log.warning("salesforce.inspect.unreadable object=%s", question.asks[0].object)
                else:
                    open_questions += _halves(object, record_ids, question.asks)
            elif not question.asks:
                found |= {each.id: each for each in map(_inspected, rows)}
            elif question.asks[0] in tasks:
                for each in map(_inspected, rows):
                    about[each.owner].append(each)
            elif question.asks[0] in shared:
                about_too += [(text(row, _RELATION), text(row, "TaskId")) for row in rows]
            else:
                for record_id, name in _present(rows, question.asks):
                    others[record_id][name] = None
    for record_id, task_id in about_too:
        if task_id not in {task.id for task in about[record_id]}:
            others[record_id][TASK.name] = None
    return Inspection(
        found,
        {record_id: tuple(same) for record_id, same in about.items()},
        {record_id: tuple(kinds) for record_id, kinds in others.items()},
        tuple(unreadable),
    )


def _ask(
    calls: Calls, questions: Sequence[_Question]
) -> Iterator[tuple[_Question, composite.Rows | SalesforceError]]:
    subs = [
        composite.query(f"q{number}", each.statement, deleted_too=each.deleted_too)
        for number, each in enumerate(questions)
    ]
    answers = composite.ask_all(calls, "inspect", subs)
    for question, sub in zip(questions, subs, strict=True):
        try:
            yield question, composite.rows(calls, "inspect", answers[sub.name])
        except SalesforceError as error:
            yield question, error


def _records(object: str, record_ids: Sequence[str]) -> str:
    person = row_of(names.checked_object(object)).person
    flag = [CONVERSION.flag] if person is not None and person.conversion is not None else []
    ids = [names.checked_id(record_id, object) for record_id in record_ids]
    return soql.select((*_HISTORY, *flag), object, where=[soql.id_in(ids)])


def _tasks(record_ids: Sequence[str]) -> str:
    where = [format_soql(_WHO + " IN {}", list(record_ids))]
    return soql.select((*_HISTORY, _WHO), TASK.name, where=where)


def _of_others(
    object: str, record_ids: Sequence[str], related: Sequence[Related]
) -> Iterator[_Question]:
    named = [each for each in related if each.name]
    for start in range(0, len(named), _SUBQUERIES):
        yield _subqueries(object, record_ids, named[start : start + _SUBQUERIES])
    for each in related:
        if not each.name:
            yield _Question(_by_field(each, record_ids), (each,))


def _by_field(each: Related, record_ids: Sequence[str], *fields: str) -> str:
    field, child = names.checked_field(each.field), names.checked_object(each.object)
    where = [format_soql(field + " IN {}", list(record_ids))]
    return soql.select(("Id", field, *fields), child, where=where)


def _subqueries(object: str, record_ids: Sequence[str], related: Sequence[Related]) -> _Question:
    children = (names.checked_object(each.name) for each in related)
    fields = ["Id", *(f"({_first(child)})" for child in children)]
    return _Question(soql.select(fields, object, where=[soql.id_in(record_ids)]), tuple(related))


def _first(child: str) -> str:
    where = [_SOMEBODYS[child]] if child in _SOMEBODYS else ()
    return soql.select(("Id",), child, where=where, limit=1)


def _halves(
    object: str, record_ids: Sequence[str], related: Sequence[Related]
) -> Iterator[_Question]:
    middle = len(related) // 2
    for half in (related[:middle], related[middle:]):
        yield _subqueries(object, record_ids, half)


def _inspected(row: Mapping[str, Any]) -> Inspected:
    owner = row.get(_WHO)
    return Inspected(
        id=payloads.record_id(row),
        created_by=text(row, "CreatedById"),
        created_at=payloads.moment(text(row, "CreatedDate")),
        modified_by=text(row, "LastModifiedById"),
        modified_at=payloads.moment(text(row, "LastModifiedDate")),
        deleted=row.get("IsDeleted") is True,
        converted=row.get(CONVERSION.flag) is True,
        owner=owner if isinstance(owner, str) else "",
    )


def _present(rows: composite.Rows, related: Sequence[Related]) -> Iterator[tuple[str, str]]:
    """Of which records there are which others."""
    for row in rows:
        for each in related:
            if not each.name:
                yield text(row, each.field), each.object
            elif payloads.child_rows(mapping(row).get(each.name)):
                yield payloads.record_id(row), each.object
