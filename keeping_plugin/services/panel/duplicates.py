"""What a duplicate rule found, and putting the customer's address onto one of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from keeping_plugin.addresses import address_key, salesforce_key
from keeping_plugin.errors import (
    DuplicatesFound,
    NotReady,
    RecordNotFound,
    SalesforceError,
    TooBusy,
)
from keeping_plugin.objects import logs_mail, title_field
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.ledger import waiting
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel import edit
from keeping_plugin.services.panel.edit import Changed, Target
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent, Record, Value

log = logging.getLogger("keeping_plugin.panel")

_MAX_READ = 5  # records read one by one
_FACTS = ("Title", "Company", "Phone")  # read only where an admin ticked them


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A record that looks like the one to be created."""

    object: str
    id: str
    title: str
    email: str
    facts: tuple[str, ...]


def read_found(
    runtime: Runtime, agent: Agent, link: Linked, error: DuplicatesFound
) -> list[Duplicate]:
    """The records that the rule named, with enough to tell them apart. One that is not there is
    left out; those that cannot be read just now are named by their kind alone. Raises nothing of
    Salesforce's: the agent has typed a form, which comes back in any case."""
    named = [
        (object, record_id) for object, record_id in error.record_ids if object in link.schemas
    ][:_MAX_READ]
    found: dict[str, Duplicate | None] = {}
    end = runtime.clock.monotonic() + runtime.times.seconds(PANEL_CALL)
    try:
        with runtime.turn(agent), runtime.metered(Feature.RECORDS) as gateways:
            for object, record_id in named:
                left = max(0.001, end - runtime.clock.monotonic())
                gateway = gateways(link.connection_id, deadline=left)
                found[record_id] = _read(gateway, link, object, record_id)
    except (SalesforceError, TooBusy, NotReady) as failure:
        log.info("duplicate_unread", extra={"code": failure.code})
    unread = {
        record_id: Duplicate(object=object, id=record_id, title="", email="", facts=())
        for object, record_id in named
    }
    return [one for one in {**unread, **found}.values() if one is not None]


def _read(
    gateway: SalesforceGateway, link: Linked, object: str, record_id: str
) -> Duplicate | None:
    facts = [name for name in _FACTS if name in link.shown.get(object, ())]
    title = title_field(object)
    names = [name for name in (title, "Email", *facts) if name in link.schemas[object].fields]
    try:
        fields = gateway.read(object, record_id, names).fields
    except RecordNotFound:
        return None
    return Duplicate(
        object=object,
        id=record_id,
        title=str(fields.get(title) or record_id),
        email=str(fields.get("Email") or ""),
        facts=tuple(str(fields[name]) for name in facts if fields.get(name)),
    )


def use(
    runtime: Runtime,
    agent: Agent,
    link: Linked,
    object: str,
    record_id: str,
    *,
    email: str,
    replace: bool,
    seen: str = "",
) -> str:
    """Give the record this address. Returns the address it has when that is another one, and
    `replace` is false or the agent has `seen` yet another: then nothing was changed. Raises what
    `edit.save` raises."""
    record = Record(object, record_id, {})
    key = address_key(email) or ""
    target = Target(link=link, address=key, record=record, schema=link.schemas[object], shown=())

    def unseen(now: Mapping[str, Value]) -> tuple[str, ...]:
        held = now["Email"]
        other = not replace or (seen and held != seen)
        return ("Email",) if held and (_same(held, email) or other) else ()

    done = edit.save(
        runtime,
        agent,
        target,
        {"Email": email},
        conflicts=unseen,
        allow_duplicates=True,
        detail="duplicate_used",
    )
    if isinstance(done, Changed):
        held = done.theirs["Email"]
        return "" if _same(held, email) else str(held)
    if logs_mail(object) and key:
        with runtime.database.write() as session:
            released = waiting.contact_appeared(session, link.connection_id, [key])
        if released:
            runtime.queue.ring([link.connection_id])
    return ""


def _same(held: Value, email: str) -> bool:
    return isinstance(held, str) and salesforce_key(held) == salesforce_key(email)
