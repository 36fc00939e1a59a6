"""The org's users and its queues for Leads, as possible owners of records: by the addresses of
agents, and by name."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from keeping_plugin.errors import SchemaStale
from keeping_plugin.objects import LEAD
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import format_soql
from keeping_plugin.salesforce.wire.composite import Sub
from keeping_plugin.types import UserFound
from keeping_plugin.types.records import QUEUE

log = logging.getLogger(__name__)

# Portal, guest and automated users own no records of ours (User.UserType).
_ACTIVE = ("IsActive = true", "UserType = 'Standard'")
_FIELDS = ("Id", "Name", "Username", "Email")
_FEDERATION = "FederationIdentifier"
_QUEUES = "queues"
_ADDRESSES = 250  # a statement; two lists of them in one stay below 100,000 characters
_IDS = 200
_NAMED = 20  # shown of a name
# What a sandbox appends to the addresses of its users, so that it mails nobody.
SANDBOX = ".invalid"

T = TypeVar("T")


def users(calls: Calls, addresses: Sequence[str], ids: Sequence[str]) -> Sequence[UserFound]:
    """One composite as a rule: two statements for 250 addresses, one for 200 ids. In a sandbox an
    Email may end in `.invalid`; it is returned as it stands."""
    return _found(calls, list(_subs(addresses, ids)))


def _found(calls: Calls, subs: Sequence[Sub]) -> Sequence[UserFound]:
    found: dict[str, UserFound] = {}
    for part in _parts(subs, composite.QUERIES):
        answers = composite.ask_all(calls, "users", part)
        for sub in part:
            try:
                rows = composite.rows(calls, "users", answers[sub.name])
            except SchemaStale:
                # If the connected user cannot read Federation IDs or queues, the other results are
                # still returned.
                if not sub.name.startswith((_FEDERATION, _QUEUES)):
                    raise
                if sub.name.startswith(_QUEUES):
                    log.warning("salesforce.users.queues_unreadable")
                else:
                    log.warning("salesforce.users.federation_unreadable")
                continue
            read = _queue if sub.name.startswith(_QUEUES) else _user
            found |= {user.id: user for user in map(read, rows)}
    return list(found.values())


def named(calls: Calls, text: str) -> Sequence[UserFound]:
    """Users whose name contains the text, or whose username or address begins with it; then queues
    whose name contains it. One composite."""
    inside = format_soql("'%{:like}%'", text)
    first = format_soql("'{:like}%'", text)
    wanted = f"(Name LIKE {inside} OR Username LIKE {first} OR Email LIKE {first})"
    people = soql.select(_FIELDS, "User", where=[*_ACTIVE, wanted], order="Name", limit=_NAMED)
    subs = [
        composite.query("users0", people),
        _queues("0", f"Queue.Name LIKE {inside}", order="Queue.Name", limit=_NAMED),
    ]
    return _found(calls, subs)


def _subs(addresses: Sequence[str], ids: Sequence[str]) -> Iterator[Sub]:
    for number, part in enumerate(_parts(list(dict.fromkeys(addresses)), _ADDRESSES)):
        forms = [form for address in part for form in (address, address + SANDBOX)]
        wanted = format_soql("(Email IN {} OR Username IN {})", forms, list(part))
        yield _query(f"users{number}", _FIELDS, wanted)
        wanted = format_soql(f"{_FEDERATION} IN {{}}", list(part))
        yield _query(f"{_FEDERATION}{number}", (*_FIELDS, _FEDERATION), wanted)
    mine = [names.checked_id(each, "User") for each in ids if not each.startswith(QUEUE)]
    for number, some in enumerate(_parts(list(dict.fromkeys(mine)), _IDS)):
        yield _query(f"ids{number}", _FIELDS, soql.id_in(some))
    queues = [names.checked_id(each) for each in ids if each.startswith(QUEUE)]
    for number, some in enumerate(_parts(list(dict.fromkeys(queues)), _IDS)):
        yield _queues(str(number), soql.one_of("QueueId", some))


def _queues(number: str, wanted: str, **more: Any) -> Sub:
    """Queues may own the objects that they are made for; of ours, people can only be Leads."""
    for_leads = format_soql("SobjectType = {}", LEAD.name)
    fields = ("Queue.Id", "Queue.Name")
    statement = soql.select(fields, "QueueSobject", where=[for_leads, wanted], **more)
    return composite.query(f"{_QUEUES}{number}", statement)


def _query(name: str, fields: Sequence[str], wanted: str) -> Sub:
    return composite.query(name, soql.select(fields, "User", where=[*_ACTIVE, wanted]))


def _parts(all_of_them: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (all_of_them[start : start + size] for start in range(0, len(all_of_them), size))


def _queue(row: Mapping[str, Any]) -> UserFound:
    queue = payloads.mapping(row.get("Queue"))
    return UserFound(payloads.record_id(queue), payloads.text(queue, "Name"), "")


def _user(row: Mapping[str, Any]) -> UserFound:
    return UserFound(
        payloads.record_id(row),
        payloads.text(row, "Name"),
        payloads.text(row, "Username"),
        str(row.get("Email") or ""),
        str(row.get(_FEDERATION) or ""),
    )
