"""The sidebar opens: whom does Salesforce know by this address, and what stands around them?

One HTTP round trip. Whatever becomes of it, the answer is a `PanelView`: Salesforce that does not
answer is a state with the last known card, never "no match".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key, salesforce_key
from keeping_plugin.errors import (
    ConnectionBarred,
    ConnectionLost,
    NotConnected,
    NotReady,
    PermissionDenied,
    RateLimited,
    SalesforceError,
    TooBusy,
)
from keeping_plugin.mail.numbers import record_numbers
from keeping_plugin.models import Connection, Pick, now
from keeping_plugin.objects import PEOPLE, PERSON_NAMES
from keeping_plugin.services import metering
from keeping_plugin.services.automation.auto_adding import is_being_added
from keeping_plugin.services.ledger import waiting
from keeping_plugin.services.metering import Feature, Meter
from keeping_plugin.services.panel import call, cards
from keeping_plugin.services.panel.cards import Found
from keeping_plugin.services.panel.view import Linked, PanelState, PanelView, linked
from keeping_plugin.services.people import picks
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import (
    Address,
    Agent,
    ContactMatch,
    LeadMatch,
    Match,
    NoMatch,
    SeveralMatches,
)

log = logging.getLogger("keeping_plugin.panel")

# How old, in seconds, the card may be that says which records a conversation may touch.
FRESH = 15 * 60.0


def open_panel(
    runtime: Runtime,
    agent: Agent,
    customer: Address | None,
    *,
    mailbox_id: str = "",
    subject: str = "",
) -> PanelView:
    """Find the conversation's customer in Salesforce. `mailbox_id`: for whose mail it is asked.
    `subject`: the conversation's, which may name a record of theirs by its number."""
    key = address_key(customer.email) if customer is not None else None
    with runtime.database.read() as session:
        found = linked(session, agent.company_id)
        pick = picks.load(session, found.connection_id, [key]) if found and key else {}
    if found is None:
        return PanelView(state=PanelState.NOT_CONNECTED)
    view = PanelView(state=PanelState.NO_CUSTOMER, linked=found, address=key or "")
    if found.lost:
        return replace(view, state=PanelState.CONNECTION_LOST)
    if not found.described:
        return replace(view, state=PanelState.DESCRIBING)
    if found.schemas.keys().isdisjoint(PERSON_NAMES):
        return replace(view, state=PanelState.NO_PERMISSION)
    if key is None:
        return view
    meter = Meter(runtime.gateways)
    try:
        with runtime.turn(agent):
            metered = replace(runtime, gateways=meter)
            answer, dropped, lost = _ask(metered, found, key, pick, record_numbers(subject))
    except (SalesforceError, TooBusy, NotReady) as error:
        metering.write_down(runtime.database, meter, Feature.PANEL, mailbox_id=mailbox_id)
        return _without_answer(runtime, view, found, error)
    view = replace(view, dropped=dropped, pick_lost=lost)
    return _answered(runtime, view, found, answer, meter=meter, mailbox_id=mailbox_id)


def _ask(
    runtime: Runtime, link: Linked, key: str, pick: dict[str, str], numbers: Sequence[str]
) -> tuple[tuple[Found, ...], tuple[str, ...], bool]:
    """Whoever has the address or was chosen for it, and the labels of fields that are gone; and
    whether the choice was dropped because Salesforce shows that record no more."""
    chosen = pick.get(key, "")
    found, dropped = call.ask(runtime, link, key, numbers=numbers, chosen=chosen)
    if not chosen or _has(found, chosen) or not _is_seen(link, chosen):
        return found, dropped, False
    became = picks.follow(
        runtime, runtime.gateways(link.connection_id), link.connection_id, {key: chosen}
    ).get(key)
    if became and not _has(found, became):
        found, dropped = call.ask(runtime, link, key, numbers=numbers, chosen=became)
    return found, dropped, not became


def _has(found: Sequence[Found], record_id: str) -> bool:
    return any(cards.person(one).id[:15] == record_id[:15] for one in found)


def _is_seen(link: Linked, record_id: str) -> bool:
    """Whether the connected user sees such records at all: else none of them is gone."""
    return any(record_id.startswith(row.prefix) and row.name in link.schemas for row in PEOPLE)


_STATES: tuple[tuple[type[Exception], PanelState], ...] = (
    (NotConnected, PanelState.NOT_CONNECTED),
    (ConnectionLost, PanelState.CONNECTION_LOST),
    (ConnectionBarred, PanelState.CONNECTION_BARRED),
    (PermissionDenied, PanelState.NO_PERMISSION),
    (RateLimited, PanelState.LIMITED),
    (TooBusy, PanelState.CROWDED),
    (NotReady, PanelState.NOT_READY),
    (SalesforceError, PanelState.UNAVAILABLE),
)
# Salesforce knows no better just now; the last card is still worth showing.
_WITH_CARD = frozenset(
    {
        PanelState.UNAVAILABLE,
        PanelState.CONNECTION_BARRED,
        PanelState.LIMITED,
        PanelState.CROWDED,
    }
)


def _without_answer(runtime: Runtime, view: PanelView, link: Linked, error: Exception) -> PanelView:
    state = next(state for kind, state in _STATES if isinstance(error, kind))
    log.info("panel_without_answer", extra={"code": getattr(error, "code", ""), "state": state})
    view = replace(view, state=state, error=error)
    if state not in _WITH_CARD:
        return view
    with runtime.database.read() as session:
        return _with_card(
            session, view, link, cards.load(session, link.connection_id, view.address)
        )


def _with_card(
    session: Session, view: PanelView, link: Linked, card: cards.Card | None
) -> PanelView:
    if card is None:
        return view
    match, chosen = _match(session, link, view.address, card.found)
    seconds = max(0.0, (now(session) - card.seen_at).total_seconds())
    return replace(view, match=match, found=card.found, age=seconds, chosen=chosen)


def last_known(runtime: Runtime, agent: Agent, customer: Address | None) -> PanelView | None:
    """The last card of the conversation's customer, for the time until Salesforce has answered;
    None when there is none. Salesforce is not asked. A card is as old as its access: one that was
    read before the latest login, perhaps of a user who may see more, is not shown."""
    key = address_key(customer.email) if customer is not None else None
    with runtime.database.read() as session:
        link = linked(session, agent.company_id)
        if link is None or link.lost or key is None:
            return None
        card = cards.load(session, link.connection_id, key)
        connected_at = session.get_one(Connection, link.connection_id).connected_at
        if card is None or card.seen_at < connected_at:
            return None
        view = PanelView(state=PanelState.KNOWN, linked=link, address=key)
        return _with_card(session, view, link, card)


def _answered(
    runtime: Runtime,
    view: PanelView,
    link: Linked,
    found: tuple[Found, ...],
    *,
    meter: Meter,
    mailbox_id: str,
) -> PanelView:
    use = {(mailbox_id, Feature.PANEL): meter.requests().get(link.connection_id, 0)}
    with runtime.database.write() as session:
        metering.keep_usage(session, link.connection_id, meter.usage(link.connection_id))
        epoch = session.scalar(
            select(Connection.epoch).where(Connection.id == link.connection_id, Connection.current)
        )
        if epoch != link.epoch:
            # Disconnected while Salesforce answered: nothing of it is shown or kept.
            metering.add(session, link.connection_id, use)
            return replace(view, state=PanelState.NOT_CONNECTED, linked=None)
        cards.keep(session, link.connection_id, view.address, found)
        match, chosen = _match(session, link, view.address, found)
        released = 0
        if _is_logged(found, view.address):
            released = waiting.contact_appeared(session, link.connection_id, [view.address])
        coming = not found and is_being_added(session, link.connection_id, view.address)
        metering.add(session, link.connection_id, use)
    if released:
        runtime.queue.ring([link.connection_id])
    view = replace(view, state=_state(match), match=match, found=found, chosen=chosen)
    return replace(view, being_added=coming)


def _is_logged(found: Sequence[Found], address: str) -> bool:
    """Whether mail of this address is logged on one of these records: a Contact with it as Email,
    or the only one with it in another field."""
    contacts = [one for one in found if isinstance(one, ContactMatch)]
    emails = [one.contact.fields.get("Email") for one in contacts]
    key = salesforce_key(address)
    by_email = any(isinstance(one, str) and salesforce_key(one) == key for one in emails)
    return by_email or sum(bool(one.by) for one in contacts) == 1


def _state(match: Match) -> PanelState:
    if isinstance(match, ContactMatch):
        return PanelState.MATCHED
    if isinstance(match, LeadMatch):
        return PanelState.LEAD
    return PanelState.SEVERAL if isinstance(match, SeveralMatches) else PanelState.NO_MATCH


def _match(
    session: Session, link: Linked, address: str, found: tuple[Found, ...]
) -> tuple[Match, bool]:
    """Whose card it is, and whether an agent chose them."""
    if not found:
        return NoMatch(address), False
    picked = session.get(Pick, (link.connection_id, address))
    for one in found:
        person = cards.person(one)
        if picked is not None and (picked.object, picked.record_id) == (person.object, person.id):
            return one, True
    return (found[0] if len(found) == 1 else SeveralMatches(found)), False


def known(
    runtime: Runtime,
    agent: Agent,
    customer: Address | None,
    *,
    no_older_than: float,
    mailbox_id: str = "",
    subject: str = "",
) -> PanelView:
    """What the conversation's panel shows: its last card when it is at most so many seconds old,
    else a fresh panel. For checking what a conversation may touch, and for forms."""
    key = address_key(customer.email) if customer is not None else None
    with runtime.database.read() as session:
        link = linked(session, agent.company_id)
        card = cards.load(session, link.connection_id, key) if link and key else None
        if link and key and card and not link.lost:
            seconds = (now(session) - card.seen_at).total_seconds()
            if seconds <= runtime.times.seconds(no_older_than):
                match, chosen = _match(session, link, key, card.found)
                view = PanelView(state=_state(match), address=key, linked=link, match=match)
                return replace(view, found=card.found, chosen=chosen)
    return open_panel(runtime, agent, customer, mailbox_id=mailbox_id, subject=subject)
