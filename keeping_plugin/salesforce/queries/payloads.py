"""Salesforce's JSON into our frozen values. What is not as documented raises Malformed, so that a
half answer is never read as an empty one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from keeping_plugin.objects import ACCOUNT
from keeping_plugin.salesforce import names
from keeping_plugin.types import PersonFound, PicklistValue, Record, Usage, Value


class Malformed(Exception):
    """An answer that is not of the shape Salesforce documents."""


def mapping(value: object) -> Mapping[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, dict):
        raise Malformed("an object was expected")
    return value


def sequence(value: object) -> Sequence[Any]:
    """The value, if it is a JSON array."""
    if not isinstance(value, list):
        raise Malformed("an array was expected")
    return value


def text(row: Mapping[str, Any], key: str) -> str:
    """A string that must be there."""
    value = row.get(key)
    if not isinstance(value, str):
        raise Malformed("a text was expected")
    return value


def record_id(row: Mapping[str, Any]) -> str:
    """The id of a row, which every query of ours selects."""
    value = row.get("Id")
    if not isinstance(value, str) or not names.is_id(value):
        raise Malformed("an id was expected")
    return value


def child_rows(value: object) -> Sequence[Mapping[str, Any]]:
    """The rows of a child set: an empty one is null."""
    if value is None:
        return ()
    return [mapping(row) for row in sequence(mapping(value).get("records"))]


def at_path(row: Mapping[str, Any], path: str) -> Value:
    """What stands at a field or relationship path; None behind a parent that is null. Salesforce
    answers in its own spelling of a name, whatever was asked."""
    value: Any = row
    for part in path.split("."):
        if value is None:
            return None
        parent = mapping(value)
        if part in parent:
            value = parent[part]
            continue
        spelt = {key.lower(): key for key in parent}
        if part.lower() not in spelt:
            raise Malformed("a field that was asked for is missing")
        value = parent[spelt[part.lower()]]
    if isinstance(value, list):
        raise Malformed("a value was expected")
    made: Value = value
    return made


def record(row: Mapping[str, Any], object: str, fields: Sequence[str]) -> Record:
    """A record with these fields, in this order."""
    return Record(object, record_id(row), {name: at_path(row, name) for name in fields})


def person(row: Mapping[str, Any], object: str) -> PersonFound:
    """A row of `soql.people`."""
    # Who was asked for by id may have no address.
    email = "" if row.get("Email") is None else text(row, "Email")
    found = PersonFound(object, record_id(row), email, moment(text(row, "CreatedDate")))
    account = row.get(ACCOUNT.name)
    return replace(found, account_owner=_owner(account)) if isinstance(account, dict) else found


def active_owner(row: Mapping[str, Any]) -> tuple[str, str | None]:
    """The first 15 characters of an Account's id, and its owner, if they are active."""
    return record_id(row)[:15], _owner(row)


def _owner(row: Mapping[str, Any]) -> str | None:
    return text(row, "OwnerId") if at_path(row, "Owner.IsActive") is True else None


def moment(value: str) -> datetime:
    """`2022-02-26T22:47:14.000+0000` as an aware datetime."""
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is None:
            raise Malformed("a datetime with its offset was expected")
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # an offset may carry it past the year 9999
        raise Malformed("a datetime was expected") from error


def http_date(value: str | None) -> datetime | None:
    """A `Date` header; None when there is none that can be read."""
    if not value:
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):  # its zone may carry it past the year 9999
        return None


def daily_requests(body: object) -> Usage:
    """`{"DailyApiRequests": {"Max": 15000, "Remaining": 14976}}` of the limits resource."""
    row = mapping(mapping(body).get("DailyApiRequests"))
    most, left = row.get("Max"), row.get("Remaining")
    if not isinstance(most, int) or not isinstance(left, int):
        raise Malformed("two counts were expected")
    return Usage(most - left, most)


def picklists(body: object) -> Mapping[str, tuple[PicklistValue, ...]]:
    """The picklist-values answer of the UI API: what one record type offers, by field. What a
    value depends on is left to the describe: here it is counted by the type's own entries."""
    made = {}
    for name, given in mapping(mapping(body).get("picklistFieldValues")).items():
        entry = mapping(given)
        default = entry.get("defaultValue")
        chosen = default.get("value") if isinstance(default, dict) else None
        made[name] = tuple(
            PicklistValue(
                text(value, "value"),
                text(value, "label"),
                default=value.get("value") == chosen,
            )
            for value in map(mapping, sequence(entry.get("values")))
        )
    return made
