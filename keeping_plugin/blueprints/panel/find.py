"""Search Salesforce from the panel, and choosing whom it found."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.addresses import address_key
from keeping_plugin.blueprints.panel.answer import show
from keeping_plugin.blueprints.panel.cards import Cards
from keeping_plugin.blueprints.panel.conversation import ConversationContext, load_conversation
from keeping_plugin.blueprints.web.errors import status_of
from keeping_plugin.blueprints.web.form_input import sent
from keeping_plugin.blueprints.web.reader import reader
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.errors import (
    InvalidInput,
    KeepingError,
    NotFound,
    NotReady,
    SalesforceError,
    TooBusy,
)
from keeping_plugin.objects import CONTACT
from keeping_plugin.services.panel import find as service
from keeping_plugin.services.panel.address import addable
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Record
from keeping_plugin.wording.errors import error_sentence


def find(conversation_id: str) -> Response:
    """People and Accounts that match a text, whoever's address they have."""
    place = load_conversation(conversation_id)
    link, _ = link_and_address(place)
    text = request.args.get("q", "").strip()
    found: list[Record] | None = None
    error: KeepingError | None = None
    try:
        found = service.search(current_runtime(), place.agent, link, text)
    except (InvalidInput, SalesforceError, TooBusy, NotReady) as raised:
        if wanted() is Wanted.JSON:
            raise
        error = raised  # what was typed stays
    hits = [_hit(link, place, record) for record in found or ()]
    return answer(
        "keeping/panel/find.html",
        {"records": [hit["json"] for hit in hits]},
        status=status_of(error) if error else 200,
        title="Search Salesforce",
        place=place,
        hits=hits,
        q=text,
        found=found,
        sentence=error_sentence(error) if error else "",
        most=service.MAX_RESULTS,
    )


def unpick(conversation_id: str) -> ResponseReturnValue:
    """Not them: the record chosen for this address is chosen no more, if it is still the one that
    the agent saw (`id`)."""
    place = load_conversation(conversation_id)
    link, key = link_and_address(place)
    inputs = sent() if request.content_length else {}  # a program need not say whom it saw
    service.not_them(current_runtime(), place.agent, link, key, str(inputs.get("id") or ""))
    if wanted() is Wanted.JSON:
        return show(place, place.open_panel())
    return redirect(url_for(".panel", conversation_id=conversation_id), 303)


def link_and_address(place: ConversationContext) -> tuple[Linked, str]:
    """The connection, and for whose address something is chosen. Raises NotConnected,
    ConnectionLost, NotFound."""
    link = place.link()
    key = address_key(place.customer.email) if place.customer else None
    if key is None:
        raise NotFound("This conversation has no customer with an email address.")
    return link, key


def _hit(link: Linked, place: ConversationContext, record: Record) -> dict[str, Any]:
    """One record, with what tells it apart from the others."""
    card = Cards(link, place.conversation.id, reader()).record(record)
    account = record.fields.get(service.account_path(link))
    facts = [str(account)] if account else []
    facts += [row.text for row in card.rows if row.text and row.text not in (card.title, *facts)]
    person = service.person_id(record)
    object = CONTACT.name if person != record.id else record.object
    chosen = f"{object}/{person}" if person else ""
    return {
        "card": card,
        "facts": facts,
        "chosen": chosen,
        "addable": bool(chosen) and addable(link, object),
        "json": {
            "object": record.object,
            "id": record.id,
            "title": card.title,
            "facts": facts,
            "url": card.url,
            "record": chosen or None,
            "addable": bool(chosen) and addable(link, object),
        },
    }
