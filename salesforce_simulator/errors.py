"""Salesforce's refusals: one exception, one entry type, and the words the service uses.

``OrgError.body()`` is the array a single-record, query or describe call answers with;
``OrgError.row()`` is the form a row of a collection carries (``statusCode`` for ``errorCode``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One complaint: ``fields`` is None where Salesforce leaves the key out.

    ``in_rows`` is what a row of a collection says instead, where the service tells it otherwise.
    """

    code: str
    message: str
    fields: tuple[str, ...] | None = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    in_rows: ErrorEntry | None = None

    def body(self) -> dict[str, Any]:
        """The entry as single-record, query and describe calls show it."""
        entry: dict[str, Any] = {**self.extra, "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            entry["fields"] = list(self.fields)
        return entry

    def row(self) -> dict[str, Any]:
        """The entry as a row of a collection shows it; details of duplicates are left out."""
        if self.in_rows is not None:
            return self.in_rows.row()
        return {
            "statusCode": self.code,
            "message": self.message,
            "fields": list(self.fields or ()),
        }


class OrgError(Exception):
    """The org refuses; nothing of the refused operation has been stored."""

    def __init__(self, status: int, entries: Iterable[ErrorEntry]) -> None:
        self.status = status
        self.entries = tuple(entries)
        super().__init__("; ".join(f"{e.code}: {e.message}" for e in self.entries))

    def body(self) -> list[dict[str, Any]]:
        """The JSON array of a refused call."""
        return [entry.body() for entry in self.entries]

    def row(self) -> list[dict[str, Any]]:
        """The ``errors`` of a refused row in a collection."""
        return [entry.row() for entry in self.entries]


class SeveralMatches(OrgError):
    """An external id that matches several records: HTTP 300, the body is a list of URLs."""

    def __init__(self, object_name: str, ids: Iterable[str]) -> None:
        self.object_name = object_name
        self.ids = tuple(ids)
        message = f"multiple records found: {', '.join(self.ids)}"
        super().__init__(300, [ErrorEntry("MULTIPLE_CHOICES", message)])


def refuse(
    code: str,
    message: str,
    fields: Iterable[str] | None = (),
    *,
    status: int = 400,
    extra: Mapping[str, Any] | None = None,
) -> OrgError:
    """An OrgError with a single entry."""
    named = None if fields is None else tuple(fields)
    return OrgError(status, [ErrorEntry(code, message, named, extra or {})])


def not_found(message: str = "The requested resource does not exist") -> OrgError:
    """404: unknown object, id or version; no access looks the same."""
    return refuse("NOT_FOUND", message, None, status=404)


def no_such_record() -> OrgError:
    """404 for an id without a record; in a collection a broken reference."""
    message = "The requested resource does not exist"
    row = ErrorEntry("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return OrgError(404, [ErrorEntry("NOT_FOUND", message, None, in_rows=row)])


def no_such_id(label: str, record_id: str) -> OrgError:
    """404 for what is no id of the object; in a collection a malformed id."""
    message = f"Provided external ID field does not exist or is not accessible: {record_id}"
    row = malformed_id(label, record_id, "Id").entries[0]
    return OrgError(404, [ErrorEntry("NOT_FOUND", message, None, in_rows=row)])


def no_such_record_here(label: str, record_id: str) -> OrgError:
    """404 for the id of another object; in a collection a malformed id."""
    row = malformed_id(label, record_id, "Id").entries[0]
    message = "The requested resource does not exist"
    return OrgError(404, [ErrorEntry("NOT_FOUND", message, None, in_rows=row)])


def entity_is_deleted() -> OrgError:
    """404 for changing a record that lies in the recycle bin."""
    return refuse("ENTITY_IS_DELETED", "entity is deleted", status=404)


def no_such_column(name: str, object_name: str) -> OrgError:
    """400 for writing a field that does not exist or that the user cannot see."""
    message = f"No such column '{name}' on sobject of type {object_name}"
    return refuse("INVALID_FIELD", message, None)


def malformed_id(label: str, value: str, field_name: str) -> OrgError:
    """400: wrong prefix, case or length."""
    return refuse("MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [field_name])


def access_denied(status: int = 400) -> OrgError:
    """Object permission is missing."""
    message = "insufficient access rights on object id"
    return refuse("INSUFFICIENT_ACCESS_OR_READONLY", message, status=status)
