"""One panel as a page, a fragment or JSON, whatever its state."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from keeping_plugin.blueprints.conversation import Here
from keeping_plugin.blueprints.errors import error_json, sentence_of
from keeping_plugin.blueprints.record_card import Cards
from keeping_plugin.blueprints.rendering import Wanted, answer, wanted
from keeping_plugin.errors import SalesforceError
from keeping_plugin.services.display import age
from keeping_plugin.services.error_sentences import explained
from keeping_plugin.services.panel_view import PanelState, PanelView
from keeping_plugin.types import ContactMatch, LeadMatch, NoMatch

_STATUS = {
    PanelState.CONNECTION_LOST: 503,
    PanelState.UNAVAILABLE: 503,
    PanelState.LIMITED: 503,
    PanelState.CROWDED: 503,
    PanelState.NOT_READY: 503,
    PanelState.NO_PERMISSION: 403,
}
# States that pass by themselves: seconds after which the panel asks again.
_ASK_AGAIN = {PanelState.CROWDED: 3, PanelState.DESCRIBING: 3}


MOST_LOOKS = 8  # of a form that waits for somebody else's save, 5 s apart


def show(place: Here, view: PanelView, *, notice: str = "") -> Response:
    """One panel, whatever its state."""
    link = view.linked
    conversation_id = place.conversation.id
    cards = Cards(link, conversation_id) if link is not None else None
    card = candidates = None
    if cards is not None and isinstance(view.match, ContactMatch | LeadMatch):
        card = cards.person(view.match)
    if cards is not None and len(view.found) > 1 and (card is None or "choose" in request.args):
        candidates = [cards.candidate(found) for found in view.found]
        card = None
    error = view.error
    shown_age = age(view.age) if view.age is not None else ""
    saved = request.args.get("saved", "")
    body: dict[str, Any] = {
        "state": view.state.value,
        "address": view.address,
        "match": card.as_json() if card else None,
        "candidates": [one["card"].as_json() for one in candidates or ()],
        "age_seconds": view.age,
        "dropped": list(view.dropped),
        "addable": list(_addable(view)),
        "error": error_json(error) if error is not None else None,
    }
    looks = _looks()
    waits = looks > 0 and (view.match is None or isinstance(view.match, NoMatch))
    response = answer(
        "keeping/panel/checking.html" if waits else "keeping/panel/panel.html",
        body,
        status=_STATUS.get(view.state, 200),
        title="Salesforce",
        view=view,
        place=place,
        card=card,
        candidates=candidates,
        age=shown_age,
        saved=saved,
        notice=notice,
        looks=looks,
        most_looks=MOST_LOOKS,
        unclear=request.args.get("unclear") == "1",
        addable=_addable(view),
        sentence=sentence_of(error) if error is not None else "",
        complaints_of=explained(error.complaints) if isinstance(error, SalesforceError) else [],
        again=_ASK_AGAIN.get(view.state, 0),
    )
    if view.state is PanelState.CROWDED:
        response.headers["Retry-After"] = "3"
    return response


def _looks() -> int:
    """How often the form of a new person, waiting for somebody else's save, has looked already;
    0 when it is not that form that asks."""
    if wanted() is not Wanted.FRAGMENT:
        return 0
    return min(request.args.get("checking", 0, type=int), MOST_LOOKS)


def _addable(view: PanelView) -> tuple[str, ...]:
    if view.state is not PanelState.NO_MATCH or view.linked is None:
        return ()
    schemas = view.linked.schemas
    return tuple(
        name for name in ("Contact", "Lead") if name in schemas and schemas[name].createable
    )
