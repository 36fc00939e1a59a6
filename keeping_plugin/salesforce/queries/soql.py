"""SOQL, built from checked names and from values that only `format_soql` puts in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote

from keeping_plugin.addresses import salesforce_forms
from keeping_plugin.objects import ACCOUNT, CONTACT, TASK, row_of, title_field
from keeping_plugin.salesforce.wire.client import format_soql
from keeping_plugin.types import CreateLook, TaskLook

# A statement may hold 100,000 characters; an address takes at most 163 of them.
STATEMENT = 90_000
ADDRESSES = 500
EMAIL = ("Email",)
_LATEST = 50  # of one person and one user
_OWNER = ("OwnerId", "Owner.IsActive")
ACCOUNT_OWNER = tuple(f"Account.{field}" for field in _OWNER)


def select(
    fields: Iterable[str],
    source: str,
    *,
    where: Sequence[str] = (),
    order: str = "",
    limit: int | None = None,
) -> str:
    """A statement; names are checked by the caller, conditions come from the functions below."""
    parts = ["SELECT", ", ".join(dict.fromkeys(fields)), "FROM", source]
    if where:
        parts += ["WHERE", " AND ".join(where)]
    if order:
        parts += ["ORDER BY", order]
    if limit is not None:
        parts += ["LIMIT", str(int(limit))]
    return " ".join(parts)


def address_in(forms: Sequence[str], fields: Sequence[str] = EMAIL) -> str:
    """Those with one of these addresses in one of these fields, whose names the caller has checked.
    Salesforce compares text without regard to case; callers compare again by salesforce_key."""
    value = format_soql("= {}", forms[0]) if len(forms) == 1 else format_soql("IN {}", list(forms))
    named = [f"{field} {value}" for field in fields]
    return named[0] if len(named) == 1 else f"({' OR '.join(named)})"


def id_in(ids: Sequence[str]) -> str:
    """Records by their ids."""
    return format_soql("Id IN {}", list(ids))


def either(condition: str, record_id: str) -> str:
    """Those that meet the condition, and this one record."""
    return f"({condition} OR {id_in([record_id])})"


def one_of(field: str, values: Sequence[str]) -> str:
    """Records with one of these texts in a field whose name is the product's own."""
    return field + format_soql(" IN {}", list(values))


def _in_a_list(form: str) -> int:
    return len(format_soql("{},", form))


def address_chunks(
    addresses: Iterable[str],
    *,
    length: Callable[[str], int] = _in_a_list,
    room: int = STATEMENT,
    most: int | None = ADDRESSES,
) -> Iterator[list[str]]:
    """The forms of these addresses in as few statements as fit: at most `room` characters, as
    `length` counts those of a form, and at most so many forms."""
    chunk: list[str] = []
    size = 0
    for address in dict.fromkeys(addresses):
        for form in salesforce_forms(address):
            needed = length(form)
            if chunk and (len(chunk) == most or size + needed > room):
                yield chunk
                chunk, size = [], 0
            chunk.append(form)
            size += needed
    if chunk:
        yield chunk


def people(
    object: str,
    forms: Sequence[str],
    ids: Sequence[str] = (),
    *,
    account_owners: bool = False,
    by: Sequence[str] = EMAIL,
) -> str:
    """People of one kind with one of these addresses (in one of the fields `by`) or ids, but for
    those that were converted."""
    named = [*([address_in(forms, by)] if forms else []), *([id_in(ids)] if ids else [])]
    where = [named[0] if len(named) == 1 else f"({' OR '.join(named)})"]
    person = row_of(object).person
    if person is not None and person.conversion is not None:
        where.append(person.conversion.unconverted)
    fields = ["Id", "Email", "CreatedDate", *by]
    if account_owners and object == CONTACT.name:
        fields += ACCOUNT_OWNER
    return select(fields, object, where=where)


def owners(accounts: Sequence[str]) -> str:
    """Who owns these Accounts."""
    return select(("Id", *_OWNER), ACCOUNT.name, where=[id_in(accounts)])


def tasks(look: TaskLook) -> str:
    """Every Task the look may mean; for queryAll."""
    where = [
        format_soql("CreatedById = {}", look.created_by),
        format_soql("CreatedDate >= {}", look.since),
    ]
    if look.until is not None:
        where.append(format_soql("CreatedDate <= {}", look.until))
    return select(("Id", *TASK.title), TASK.name, where=where)


def created(look: CreateLook) -> str:
    """The latest records that may match the look."""
    where = [
        format_soql("CreatedById = {}", look.created_by),
        f"{look.field} = " + format_soql("{}", look.person_id)
        if look.field
        else f"Id IN ({select((look.back,), look.person, where=[id_in([look.person_id])])})",
    ]
    fields = ("Id", title_field(look.object), "CreatedDate")
    return select(fields, look.object, where=where, order="CreatedDate DESC", limit=_LATEST)


def record(object: str, record_id: str, fields: Sequence[str]) -> str:
    """One record by its id."""
    return select(("Id", *fields), object, where=[format_soql("Id = {}", record_id)])


def named_like(object: str, text: str, limit: int) -> str:
    """Records whose title contains the text, whatever wildcards stand in it."""
    title = title_field(object)
    return select(
        ("Id", title),
        object,
        where=[title + " LIKE " + format_soql("'%{:like}%'", text)],
        order=title,
        limit=limit,
    )


def path(soql: str, *, deleted_too: bool = False) -> str:
    """The statement as a resource below the API's root."""
    return ("queryAll/?q=" if deleted_too else "query/?q=") + quote(soql, safe="")
