"""Writes: one record with everything Salesforce says about it, or many, each standing alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from keeping_plugin.errors import (
    BatchRefused,
    InvalidInput,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
    SchemaStale,
)
from keeping_plugin.salesforce import errors, names
from keeping_plugin.salesforce.queries.payloads import Malformed
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import Answer
from keeping_plugin.salesforce.wire.composite import Sub
from keeping_plugin.types import BackLink, NewRecord, Saved, Value

COLLECTION = 200
MAX_RECORDS = COLLECTION * composite.QUERIES
_COLLECTIONS = "composite/sobjects"

Rows = Sequence[Mapping[str, Any]]
# What is known of the rows of a collection: an outcome each, or the error that stands for all.
Told = Sequence[Saved | SalesforceError] | SalesforceError


# Why each write says these two things, instead of leaving them to Salesforce's defaults:
# * Without `Sforce-Auto-Assign: FALSE` a Lead made through the API runs the org's assignment rules
#   and may at once belong to somebody the agent never chose. `assign` asks for them.
# * Duplicate rules are obeyed: a save that a rule refuses stays refused until a person has seen the
#   matches and saves anyway (`allowSave`). The matches are those this user may see.
def write_headers(*, allow_duplicates: bool = False, assign: bool = False) -> dict[str, str]:
    """The headers of every write."""
    allow = "true" if allow_duplicates else "false"
    rule = f"allowSave={allow}, includeRecordDetails=false, runAsCurrentUser=true"
    return {
        "Sforce-Auto-Assign": "TRUE" if assign else "FALSE",
        "Sforce-Duplicate-Rule-Header": rule,
    }


def create(
    calls: Calls,
    object: str,
    fields: Mapping[str, Value],
    *,
    allow_duplicates: bool,
    assign: bool,
    back: BackLink | None,
) -> Saved:
    """Create one record, and with `back` have another one refer to it."""
    path, body = "sobjects/" + names.checked_object(object), _checked(fields)
    headers = write_headers(allow_duplicates=allow_duplicates, assign=assign)
    if back is not None:
        return _create_linked(calls, Sub("made", path, "POST", body, headers), back)
    try:
        answer = calls.ask(
            "create",
            "POST",
            path,
            body=body,
            headers=headers,
            write=True,
            accept=frozenset({201}),
        )
    except RecordNotFound as error:
        # There is no record to miss: it is the object that this user no longer sees.
        raise SchemaStale(complaints=error.complaints, object=object) from error
    saved = _saved(answer.body)
    if saved is None:
        raise errors.unusable(write=True)
    return saved


# What an answer says that is only about another one's refusal.
_NOT_ITS_OWN = frozenset({"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})


def _create_linked(calls: Calls, made: Sub, back: BackLink) -> Saved:
    """Both in one request, or neither. In a composite Salesforce takes `@{name.path}` in any text
    for a reference, with no way to escape it, so that such a text is refused here."""
    for name, value in made.body.items():
        if isinstance(value, str) and "@{" in value:
            raise InvalidInput("Salesforce does not accept “@{” here: remove it.", field=name)
    headers = write_headers()
    if back.unless_modified_since is not None:
        headers["If-Unmodified-Since"] = format_datetime(back.unless_modified_since, usegmt=True)
    record_id = names.checked_id(back.record_id, back.object)
    path = f"sobjects/{names.checked_object(back.object)}/{record_id}"
    body = {names.checked_field(back.field): f"@{{{made.name}.id}}"}
    subs = [made, Sub("link", path, "PATCH", body, headers)]
    try:
        answers = composite.ask_all(
            calls, "create", subs, write=True, headers=made.headers, all_or_none=True
        )
    except Malformed as error:
        raise errors.unusable(write=True) from error
    for answer in answers.values():
        told = errors.complaints_of(answer.body)
        if answer.status >= 300 and not {each.code for each in told} & _NOT_ITS_OWN:
            raise errors.of_answer(answer, write=True)
    created = answers.get(made.name)
    saved = _saved(created.body) if created is not None and created.status == 201 else None
    if saved is None or len(answers) < len(subs):
        raise errors.unusable(write=True)
    return saved


def update(
    calls: Calls,
    object: str,
    record_id: str,
    changes: Mapping[str, Value],
    *,
    unless_modified_since: datetime | None,
    allow_duplicates: bool,
) -> None:
    """Write these fields. `If-Unmodified-Since` counts whole seconds."""
    path = f"sobjects/{names.checked_object(object)}/{names.checked_id(record_id, object)}"
    headers = write_headers(allow_duplicates=allow_duplicates)
    if unless_modified_since is not None:
        headers["If-Unmodified-Since"] = format_datetime(unless_modified_since, usegmt=True)
    calls.ask(
        "update",
        "PATCH",
        path,
        body=_checked(changes),
        headers=headers,
        write=True,
        accept=frozenset({204}),
    )


def create_many(calls: Calls, records: Sequence[NewRecord]) -> Sequence[Saved | SalesforceError]:
    """One request: a collection, or a composite of up to five. Rows of one type stand together,
    since a collection may hold ten runs of equal type."""
    if not 0 < len(records) <= MAX_RECORDS:
        raise ValueError(f"1 to {MAX_RECORDS} records, not {len(records)}")
    kinds = list(dict.fromkeys(names.checked_object(record.object) for record in records))
    order = sorted(range(len(records)), key=lambda index: kinds.index(records[index].object))
    chunks = [order[start : start + COLLECTION] for start in range(0, len(order), COLLECTION)]
    collections = [[_row(records[index]) for index in chunk] for chunk in chunks]
    told = _together(calls, collections) if len(chunks) > 1 else [_alone(calls, *collections)]
    refused = [error for error in told if isinstance(error, SalesforceError)]
    if len(refused) == len(told) and len({type(error) for error in refused}) == 1:
        raise refused[0]
    outcomes: dict[int, Saved | SalesforceError] = {}
    for chunk, rows in zip(chunks, told, strict=True):
        each = [rows] * len(chunk) if isinstance(rows, SalesforceError) else rows
        outcomes |= zip(chunk, each, strict=True)
    return [outcomes[index] for index in range(len(records))]


def update_many(
    calls: Calls, object: str, changes: Mapping[str, Mapping[str, Value]]
) -> Mapping[str, SalesforceError | None]:
    """One collection by itself, as `_alone`."""
    if not 0 < len(changes) <= COLLECTION:
        raise ValueError(f"1 to {COLLECTION} records, not {len(changes)}")
    rows = [
        {**_row(NewRecord(object, fields)), "id": names.checked_id(record_id, object)}
        for record_id, fields in changes.items()
    ]
    told = _sent(calls, "update_many", "PATCH", _COLLECTIONS, len(rows), body=_collection(rows))
    if isinstance(told, SalesforceError):
        raise told
    return {
        record_id: answer if isinstance(answer, SalesforceError) else None
        for record_id, answer in zip(changes, told, strict=True)
    }


def delete_many(calls: Calls, record_ids: Sequence[str]) -> Sequence[Saved | SalesforceError]:
    """One collection. The ids stand in the address, where 200 of them take 4,000 characters."""
    if not 0 < len(record_ids) <= COLLECTION:
        raise ValueError(f"1 to {COLLECTION} records, not {len(record_ids)}")
    ids = ",".join(map(names.checked_id, record_ids))
    path = f"{_COLLECTIONS}?ids={ids}&allOrNone=false"
    told = _sent(calls, "delete_many", "DELETE", path, len(record_ids))
    if isinstance(told, SalesforceError):
        raise told
    return told


def _sent(calls: Calls, name: str, method: str, path: str, count: int, *, body: Any = None) -> Told:
    try:
        answer = calls.ask(name, method, path, body=body, headers=write_headers(), write=True)
    except RecordRejected as error:
        return _refused(error, count)
    return _outcomes(answer, count)


def _alone(calls: Calls, rows: Rows) -> Told:
    """One collection by itself, where text is text and nothing in it a reference."""
    return _sent(calls, "create_many", "POST", _COLLECTIONS, len(rows), body=_collection(rows))


def _together(calls: Calls, collections: Sequence[Rows]) -> list[Told]:
    """Several collections in one composite. There Salesforce takes `@{name.path}` in any text for a
    reference to another part, with no way to escape it: a mail that holds one would halt its whole
    collection, or have an id put into its words. Such rows travel alone."""
    if any("@{" in value for rows in collections for value in _texts(rows)):
        raise BatchRefused("A text looks like a reference; send at most 200 rows with it.")
    headers = write_headers()
    subs = [
        Sub(f"rows{number}", _COLLECTIONS, "POST", _collection(rows), headers)
        for number, rows in enumerate(collections)
    ]
    try:
        answers = composite.ask_all(calls, "create_many", subs, write=True, headers=headers)
    except Malformed as error:
        raise errors.unusable(write=True) from error
    except RecordRejected as error:
        raise BatchRefused(complaints=error.complaints) from error
    return [
        _outcomes(answers.get(sub.name), len(rows))
        for sub, rows in zip(subs, collections, strict=True)
    ]


def _outcomes(answer: Answer | None, count: int) -> Told:
    """One a row, or the error of a collection that tells nothing of its rows. Fewer rows than were
    sent cannot be told apart, so they tell nothing either."""
    if answer is None:
        return errors.unusable(write=True)
    if answer.status != 200:
        return _refused(errors.of_answer(answer, write=True), count)
    if not isinstance(answer.body, list) or len(answer.body) != count:
        return errors.unusable(write=True)
    return [_outcome(row) for row in answer.body]


def _refused(error: SalesforceError, count: int) -> Told:
    """A collection refused as a whole; a row alone has nobody else to blame."""
    if not isinstance(error, RecordRejected):
        return error
    return [error] if count == 1 else BatchRefused(complaints=error.complaints)


def _outcome(row: object) -> Saved | SalesforceError:
    if isinstance(row, dict) and row.get("success") is False:
        return errors.of_row(row)
    return _saved(row) or errors.unusable(write=True)


def _saved(body: object) -> Saved | None:
    if not isinstance(body, dict) or body.get("success") is not True:
        return None
    made = body.get("id")
    return Saved(made) if isinstance(made, str) and names.is_id(made) else None


def _checked(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {names.checked_field(name): value for name, value in fields.items()}


def _row(record: NewRecord) -> dict[str, Any]:
    return {"attributes": {"type": record.object}, **_checked(record.fields)}


def _collection(rows: Rows) -> dict[str, Any]:
    return {"allOrNone": False, "records": rows}


def _texts(rows: Rows) -> Iterator[str]:
    for row in rows:
        yield from (value for value in row.values() if isinstance(value, str))
