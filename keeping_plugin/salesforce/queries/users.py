"""The org's users, as possible owners of records: by the addresses of agents, and by name."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from keeping_plugin.errors import SchemaStale
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import format_soql
from keeping_plugin.salesforce.wire.composite import Sub
from keeping_plugin.types import UserFound

log = logging.getLogger(__name__)

# Portal, guest and automated users own no records of ours (User.UserType).
_ACTIVE = ("IsActive = true", "UserType = 'Standard'")
_FIELDS = ("Id", "Name", "Username", "Email")
_FEDERATION = "FederationIdentifier"
_ADDRESSES = 250  # a statement; two lists of them in one stay below 100,000 characters
_IDS = 200
_NAMED = 20  # shown of a name
# What a sandbox appends to the addresses of its users, so that it mails nobody.
SANDBOX = ".invalid"

T = TypeVar("T")


def users(calls: Calls, addresses: Sequence[str], ids: Sequence[str]) -> Sequence[UserFound]:
    """One composite as a rule: two statements for 250 addresses, one for 200 ids. In a sandbox an
    Email may end in `.invalid`; it is returned as it stands."""
    found: dict[str, UserFound] = {}
    subs = list(_subs(addresses, ids))
    for part in _parts(subs, composite.QUERIES):
        answers = composite.ask_all(calls, "users", part)
        for sub in part:
            try:
                rows = composite.rows(calls, "users", answers[sub.name])
            except SchemaStale:
                # Whoever may not see who logs in by single sign-on finds the others all the same.
                if not sub.name.startswith(_FEDERATION):
                    raise
                log.warning("salesforce.users.federation_unreadable")
                continue
            found |= {user.id: user for user in map(_user, rows)}
    return list(found.values())


def named(calls: Calls, text: str) -> Sequence[UserFound]:
    """Users whose name contains the text, or whose username or address begins with it."""
    inside = format_soql("'%{:like}%'", text)
    first = format_soql("'{:like}%'", text)
    wanted = f"(Name LIKE {inside} OR Username LIKE {first} OR Email LIKE {first})"
    statement = soql.select(_FIELDS, "User", where=[*_ACTIVE, wanted], order="Name", limit=_NAMED)
    [rows] = composite.query_rows(calls, "users", statement)
    return [_user(row) for row in rows]


def _subs(addresses: Sequence[str], ids: Sequence[str]) -> Iterator[Sub]:
    for number, part in enumerate(_parts(list(dict.fromkeys(addresses)), _ADDRESSES)):
        forms = [form for address in part for form in (address, address + SANDBOX)]
        wanted = format_soql("(Email IN {} OR Username IN {})", forms, list(part))
        yield _query(f"users{number}", _FIELDS, wanted)
        wanted = format_soql(f"{_FEDERATION} IN {{}}", list(part))
        yield _query(f"{_FEDERATION}{number}", (*_FIELDS, _FEDERATION), wanted)
    for number, some in enumerate(_parts(list(dict.fromkeys(ids)), _IDS)):
        checked = [names.checked_id(user_id, "User") for user_id in some]
        yield _query(f"ids{number}", _FIELDS, soql.id_in(checked))


def _query(name: str, fields: Sequence[str], wanted: str) -> Sub:
    return composite.query(name, soql.select(fields, "User", where=[*_ACTIVE, wanted]))


def _parts(all_of_them: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (all_of_them[start : start + size] for start in range(0, len(all_of_them), size))


def _user(row: Mapping[str, Any]) -> UserFound:
    return UserFound(
        payloads.record_id(row),
        payloads.text(row, "Name"),
        payloads.text(row, "Username"),
        str(row.get("Email") or ""),
        str(row.get(_FEDERATION) or ""),
    )
