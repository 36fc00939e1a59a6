"""Look: one composite finds all people of a batch, and Tasks that may have been sent already."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from keeping_plugin.errors import NOT_OF_THE_QUESTION, SalesforceError
from keeping_plugin.models import SyncEntry
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.delivery.actions import Look, spec_of
from keeping_plugin.services.people import address_fields
from keeping_plugin.services.people.address_fields import AddressFields
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Found, TaskLook

log = logging.getLogger(__name__)

# Salesforce's Date of the answer before the send, less this, is where the look begins.
LOOK_BACK = timedelta(minutes=10)
# Where it ends: a call is answered or given up within 20 s of its mark, and Salesforce itself ends
# what runs for ten minutes. The rest is for clocks that differ.
LOOK_AHEAD = timedelta(minutes=15)
LOOKS = 4  # spans of time a batch asks about; further ones wait for the next


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found. `unlooked`: marked rows whose Tasks could not be looked up; `unasked`:
    addresses that were searched in Email only."""

    found: Found
    unlooked: frozenset[int]
    unasked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Span:
    """Marked rows whose Tasks may have been created by one user in one stretch of time."""

    user: str
    since: datetime
    until: datetime
    rows: tuple[SyncEntry, ...]

    def look(self, markers: Mapping[int, str]) -> TaskLook:
        found = frozenset(markers[row.id] for row in self.rows)
        return TaskLook(found, self.user, self.since, self.until)


def look(
    gateway: SalesforceGateway,
    *,
    rows: Collection[SyncEntry],
    markers: Mapping[int, str],
    chosen: Mapping[str, str] | None = None,
    by_search: bool = False,
    account_owners: Sequence[str] | None = None,
    start_by: float,
) -> Looked:
    """Everyone with an address of these rows, or chosen for it; of marked Tasks, whether they are
    there.

    Tasks are looked for whether or not the org has a unique field for us, in the same request: the
    field may have been added, emptied or lost between the send and now. A look for Tasks that is
    not answered holds up those rows alone. Raises what `find` raises when people are not found
    either: an answer that is late, refused or not complete is no answer.
    """
    addresses = sorted({row.address for row in rows})
    find = partial(
        gateway.find, by_search=by_search, account_owners=account_owners, start_by=start_by
    )
    people = partial(find, addresses, chosen=chosen)
    spans = _spans(rows)
    if not spans:
        return Looked(people(), frozenset())
    first, *further = spans
    unlooked = {row.id for span in further[LOOKS - 1 :] for row in span.rows}
    try:
        found = people(tasks=first.look(markers))
    except NOT_OF_THE_QUESTION:
        raise
    except SalesforceError as error:
        found = people()
        unlooked |= _not_answered(first, error)
    tasks = dict(found.tasks)
    for span in further[: LOOKS - 1]:
        try:
            tasks.update(find((), tasks=span.look(markers)).tasks)
        except SalesforceError as error:
            unlooked |= _not_answered(span, error)
    return Looked(replace(found, tasks=tasks), frozenset(unlooked))


def with_other_fields(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection_id: int,
    looked: Looked,
    fields: AddressFields,
    addresses: Collection[str],
    *,
    chosen: Collection[str] = (),
    start_by: float,
) -> Looked:
    """Adds people whom Email does not find but the other address fields do. A separate request, for
    these addresses only: a field without an index may be too slow, and that must not hold up
    anybody else. Raises errors of the connection or of the moment."""
    try:
        found = address_fields.find(
            runtime,
            gateway,
            connection_id,
            looked.found,
            fields,
            addresses,
            chosen=chosen,
            start_by=start_by,
        )
    except NOT_OF_THE_QUESTION:
        raise
    except SalesforceError as error:
        rest = address_fields.left_open(looked.found, fields, addresses, chosen)
        log.warning("delivery.look.other_fields code=%s addresses=%d", error.code, len(rest))
        return replace(looked, unasked=frozenset(rest))
    return replace(looked, found=found)


def _not_answered(span: _Span, error: SalesforceError) -> set[int]:
    log.warning("delivery.look.unanswered code=%s rows=%d", error.code, len(span.rows))
    return {row.id for row in span.rows}


def _spans(rows: Collection[SyncEntry]) -> Sequence[_Span]:
    """The stretches of time in which marked Tasks of these rows may have been created, the oldest
    first. An old mark does not make a young one's stretch any longer."""
    found: list[_Span] = []
    marked = [row for row in rows if row.sent_at is not None and spec_of(row).look is Look.MARKER]
    for row in sorted(marked, key=lambda row: (row.sent_user_id or "", _sent(row))):
        since, until = made_since(row), _sent_by(row) + LOOK_AHEAD
        last = found[-1] if found else None
        if last is not None and last.user == (row.sent_user_id or "") and since <= last.until:
            until = max(until, last.until)
            found[-1] = _Span(last.user, last.since, until, (*last.rows, row))
        else:
            found.append(_Span(row.sent_user_id or "", since, until, (row,)))
    return sorted(found, key=lambda span: span.since)


def made_since(row: SyncEntry) -> datetime:
    """Nothing that Salesforce created before this time is of this marked row's send."""
    return _sent(row) - LOOK_BACK


def _sent(row: SyncEntry) -> datetime:
    """Salesforce's time of its last answer before the send, or the database's time of the send."""
    return row.sent_after or row.sent_at or row.created_at


def _sent_by(row: SyncEntry) -> datetime:
    """The later of the two, since their clocks may differ."""
    return max(_sent(row), row.sent_at or row.created_at)
