"""Records that a duplicate rule found, and Use this one: the address goes onto that record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, redirect, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.blueprints.panel.answer import show
from keeping_plugin.blueprints.panel.conversation import ConversationContext, load_conversation
from keeping_plugin.blueprints.web.errors import status_of
from keeping_plugin.blueprints.web.form_input import sent
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.blueprints.web.typed import carried
from keeping_plugin.errors import (
    DuplicatesFound,
    InvalidInput,
    KeepingError,
    NotFound,
)
from keeping_plugin.objects import PERSON_NAMES, record_page
from keeping_plugin.services.panel import duplicates
from keeping_plugin.services.panel.duplicates import Duplicate
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.state import current_runtime
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.salesforce_errors import explained

# How long an offer to use a record holds; the agent looks at it meanwhile.
_OFFER = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One possible duplicate of the new record. `ticket` lets an agent use it for the customer; ""
    for a record that is not a person."""

    duplicate: Duplicate
    url: str
    ticket: str
    has_address: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "object": self.duplicate.object,
            "id": self.duplicate.id,
            "title": self.duplicate.title,
            "email": self.duplicate.email or None,
            "url": self.url,
            "ticket": self.ticket or None,
        }


def _tickets() -> URLSafeTimedSerializer:
    # A found record belongs to no match of this conversation yet; that Salesforce itself named it
    # to this agent, here, is what the ticket proves.
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="keeping.duplicate")


def _subject(place: ConversationContext) -> list[str]:
    return [place.agent.company_id, place.agent.id, place.conversation.id]


def offered_duplicates(
    place: ConversationContext, link: Linked, error: DuplicatesFound
) -> list[Offer]:
    """What the agent may use instead, most alike first."""
    key = salesforce_key(place.customer.email) if place.customer else None
    return [
        Offer(
            duplicate=found,
            url=record_page(link.instance_url, found.object, found.id),
            ticket=_tickets().dumps([*_subject(place), link.org_id, found.object, found.id])
            if found.object in PERSON_NAMES
            else "",
            has_address=bool(found.email) and salesforce_key(found.email) == key,
        )
        for found in duplicates.read_found(current_runtime(), place.agent, link, error)
    ]


def use(conversation_id: str) -> Any:
    """Put the customer's address onto the record that was found. One that has another address
    keeps it until the agent says `replace`, having `seen` which."""
    place = load_conversation(conversation_id)
    link, inputs = place.link(), sent()
    object, record_id = _checked(place, link, str(inputs.get("ticket", "")))
    if place.customer is None:
        raise InvalidInput("This conversation has no customer.")
    try:
        other = duplicates.use(
            current_runtime(),
            place.agent,
            link,
            object,
            record_id,
            email=place.customer.email,
            replace=bool(inputs.get("replace")),
            seen=str(inputs.get("seen") or ""),
        )
    except KeepingError as error:
        return _ask(place, link, object, record_id, "", error)
    if other:
        return _ask(place, link, object, record_id, other, None)
    if wanted() is Wanted.JSON:
        return show(place, place.open_panel())
    return redirect(url_for(".panel", conversation_id=conversation_id), 303)


def _checked(place: ConversationContext, link: Linked, ticket: str) -> tuple[str, str]:
    try:
        *subject, object, record_id = _tickets().loads(ticket, max_age=_OFFER)
    except (BadSignature, ValueError, TypeError) as error:
        raise NotFound(
            "This suggestion has expired. Save again to see the current duplicates."
        ) from error
    if subject != [*_subject(place), link.org_id] or object not in link.schemas:
        raise NotFound("This suggestion has expired. Save again to see the current duplicates.")
    return object, record_id


def _ask(
    place: ConversationContext,
    link: Linked,
    object: str,
    record_id: str,
    other: str,
    error: KeepingError | None,
) -> Response:
    ticket = _tickets().dumps([*_subject(place), link.org_id, object, record_id])
    complaints = getattr(error, "complaints", ())
    new = sent().get("new_object", "")
    body = {
        "object": object,
        "id": record_id,
        "email": other or None,
        "ticket": ticket,
        "error": error_sentence(error) if error else None,
    }
    return answer(
        "keeping/panel/use.html",
        body,
        status=status_of(error) if error else 409,
        title="Use this one",
        place=place,
        other=other,
        ticket=ticket,
        url=record_page(link.instance_url, object, record_id),
        error=error,
        sentence=error_sentence(error) if error else "",
        refused=explained(complaints),
        carried=carried(),
        new=new if new in PERSON_NAMES else "",
    )
