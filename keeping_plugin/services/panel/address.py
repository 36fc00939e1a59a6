"""Putting a conversation's address onto the record that an agent chose for it.

Only the address is written, and only to two fields: the one that an admin selected for it, and the
record's Email. Neither is overwritten unless the agent has seen its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from keeping_plugin.addresses import for_salesforce, salesforce_key
from keeping_plugin.services.panel import cards, edit
from keeping_plugin.services.panel.edit import Changed, Target
from keeping_plugin.services.panel.view import Linked, PanelView
from keeping_plugin.services.people.finding import EMAIL
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema.fields import why_read_only
from keeping_plugin.types import Agent, ContactMatch, LeadMatch, Record, Value


class Way(StrEnum):
    ADD = "add"  # into the field that an admin named
    REPLACE = "replace"  # the record's Email


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One way to write the address to a record: the field, its current value, and why it cannot be
    written ("" if it can)."""

    way: Way
    record: Record
    field: str
    label: str
    held: str
    reason: str

    @property
    def asks(self) -> bool:
        """Whether the agent has to confirm after seeing both values."""
        return self.way is Way.REPLACE or bool(self.held)


def chosen(view: PanelView) -> Record | None:
    """The person whom an agent chose for this panel's address."""
    if not view.chosen or not isinstance(view.match, ContactMatch | LeadMatch):
        return None
    return cards.person(view.match)


def is_of(found: cards.Found, record: Record) -> bool:
    """Whether this match is that person."""
    return cards.person(found).id == record.id


def carries(link: Linked, record: Record, address: str) -> bool:
    """Whether the record has this address already, in one of the two fields."""
    fields = (EMAIL, link.add_to.get(record.object, ""))
    return any(_same(_text(record.fields.get(name)), address) for name in fields)


def offers(link: Linked, record: Record, address: str) -> tuple[Offer, ...]:
    """The ways to write the address to this record: none if agents may not search, or if the record
    already has it."""
    if not link.may_search or carries(link, record, address):
        return ()
    fields = {Way.ADD: link.add_to.get(record.object, ""), Way.REPLACE: EMAIL}
    return tuple(_offer(link, record, way, field) for way, field in fields.items() if field)


def addable(link: Linked, object: str) -> bool:
    """Whether an address can be added to records of this object, as far as the describe tells."""
    schema, field = link.schemas.get(object), link.add_to.get(object, "")
    return schema is not None and field in schema.fields and not why_read_only(schema, field)


def _offer(link: Linked, record: Record, way: Way, field: str) -> Offer:
    schema = link.schemas[record.object]
    spec = schema.fields.get(field)
    there = spec is not None and field in record.fields
    return Offer(
        way=way,
        record=record,
        field=field,
        label=spec.label if spec is not None else field,
        held=_text(record.fields.get(field)),
        reason=(why_read_only(schema, field) or "") if there else "Not visible",
    )


def target(link: Linked, address: str, record: Record) -> Target:
    """The record as something to be saved."""
    return Target(
        link=link,
        address=address,
        record=record,
        schema=link.schemas[record.object],
        shown=link.shown[record.object],
    )


def write(
    runtime: Runtime,
    agent: Agent,
    link: Linked,
    address: str,
    offer: Offer,
    *,
    seen: str,
    allow_duplicates: bool = False,
) -> str | None:
    """Write the address, unless the field holds something other than the agent has `seen`: then
    nothing is written, and what it holds is returned. The offer's record was read in this request,
    so this costs one request if nobody else saves the record at this moment. Raises what
    `edit.save` raises."""
    field = offer.field

    def unseen(now: Mapping[str, Value]) -> tuple[str, ...]:
        held = _text(now[field])
        return () if held == seen or _same(held, address) else (field,)

    done = edit.save(
        runtime,
        agent,
        target(link, address, offer.record),
        {field: for_salesforce(address)},
        conflicts=unseen,
        allow_duplicates=allow_duplicates,
        just_read=True,
    )
    return _text(done.theirs[field]) if isinstance(done, Changed) else None


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _same(held: str, address: str) -> bool:
    return bool(held) and salesforce_key(held) == salesforce_key(address)
