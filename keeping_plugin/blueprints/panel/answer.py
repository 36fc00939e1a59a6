"""One panel as a page, a fragment or JSON, whatever its state."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Response, request

from keeping_plugin.blueprints.panel.cards import Cards
from keeping_plugin.blueprints.panel.conversation import ConversationContext, people_on
from keeping_plugin.blueprints.panel.log import log_context
from keeping_plugin.blueprints.panel.undo import Undo
from keeping_plugin.blueprints.web.errors import error_json
from keeping_plugin.blueprints.web.reader import reader
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.errors import SalesforceError
from keeping_plugin.objects import LEAD, PERSON_NAMES, record_page
from keeping_plugin.services.panel.address import chosen, offers
from keeping_plugin.services.panel.cards import person, records_of
from keeping_plugin.services.panel.display import age, short_age
from keeping_plugin.services.panel.making import creatable
from keeping_plugin.services.panel.view import PanelState, PanelView
from keeping_plugin.types import ContactMatch, LeadMatch, NoMatch
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.panel import ADDRESS_WAYS, KEYS, NOT_LOGGED, NOTICES, trouble
from keeping_plugin.wording.salesforce_errors import explained

_STATUS = {
    PanelState.CONNECTION_LOST: 503,
    PanelState.CONNECTION_BARRED: 503,
    PanelState.UNAVAILABLE: 503,
    PanelState.LIMITED: 503,
    PanelState.CROWDED: 503,
    PanelState.NOT_READY: 503,
    PanelState.NO_PERMISSION: 403,
}
_ANSWERED = frozenset(
    {PanelState.MATCHED, PanelState.LEAD, PanelState.SEVERAL, PanelState.NO_MATCH}
)
# States that pass by themselves: seconds after which the panel asks again.
_ASK_AGAIN = {PanelState.CROWDED: 3, PanelState.DESCRIBING: 3}


class OutOfSight(NamedTuple):
    """A record that was saved a moment ago and that the panel no longer shows."""

    kind: str
    url: str
    is_person: bool


_SHOWN = 12  # people on a conversation before *+3*
MAX_LOOKS = 8  # of a form that waits for somebody else's save, 5 s apart
# For a person whom an automation adds, 2 s apart; then the agent may as well do it.
_MAX_AUTOMATIC = 5


def show(
    place: ConversationContext,
    view: PanelView,
    *,
    notice: str = "",
    saved: str = "",
    undo: Undo | None = None,
    undone: bool = False,
    made: tuple[str, str] | None = None,
) -> Response:
    """One panel, whatever its state. `saved` is "<record id>.<field>", saved a moment ago (without
    a field: several), `undo` the way back; `undone`: that was the way back. `made`: object and id
    of a record that was created a moment ago."""
    link = view.linked
    conversation_id = place.conversation.id
    subject = place.conversation.subject
    cards = Cards(link, conversation_id, reader(), subject) if link is not None else None
    card = candidates = None
    if cards is not None and isinstance(view.match, ContactMatch | LeadMatch):
        card = cards.person(view.match)
    if cards is not None and len(view.found) > 1 and (card is None or "choose" in request.args):
        candidates = [cards.candidate(found) for found in view.found]
        card = None
    error = view.error
    meant = chosen(view)
    ways = offers(link, meant, view.address) if link is not None and meant is not None else ()
    shown_age = age(view.age) if view.age is not None else ""
    asked = view.state in _ANSWERED or bool(view.found)
    created = creatable(view)
    body: dict[str, Any] = {
        "state": view.state.value,
        "address": view.address,
        "match": card.as_json() if card else None,
        "candidates": [one["card"].as_json() for one in candidates or ()],
        "age_seconds": view.age,
        "dropped": list(view.dropped),
        "addable": list(_addable(view)),
        "creatable": [one.row.name for one in created if not one.reason],
        "made": {"object": made[0], "id": made[1]} if made is not None else None,
        "being_added": view.being_added,
        "chosen": view.chosen,
        "address_ways": [
            {"do": way.way, "field": way.field, "label": way.label, "reason": way.reason or None}
            for way in ways
        ],
        "found_by": {person(one).id: one.by for one in view.found if one.by},
        "may_search": link is not None and link.may_search,
        "error": error_json(error) if error is not None else None,
        "pause": link.pause.as_json() if link is not None and link.pause is not None else None,
    }
    people = people_on(place) if link is not None else []
    body["people"] = [one.as_json() for one in people]
    sentence = error_sentence(error) if error is not None else ""
    looks = _looks()
    automatic = min(request.args.get("automatic", 0, type=int), _MAX_AUTOMATIC)
    coming = view.being_added and automatic < _MAX_AUTOMATIC
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
        read_seconds=round(view.age or 0) if asked else None,
        read_ago=short_age(view.age or 0),
        keys=KEYS,
        may_search=asked and link is not None and link.may_search,
        q=place.customer.name if place.customer is not None else "",
        not_logged=NOT_LOGGED.get(view.state, ""),
        people=people[:_SHOWN],
        more_people=people[_SHOWN:],
        address_ways=[(way, ADDRESS_WAYS[way.way]) for way in ways],
        saved=saved,
        undo=undo,
        done="Undone" if undone else "Saved",
        offers=created,
        convert=card is not None and card.person.object == LEAD.name,
        out_of_sight=_out_of_sight(view, saved.partition(".")[0]),
        notice=NOTICES.get(notice, ""),
        trouble=trouble(view.state, said=sentence, is_admin=place.agent.is_admin),
        lost_at=link.lost_at
        if link is not None and view.state is PanelState.CONNECTION_LOST
        else None,
        looks=looks,
        most_looks=MAX_LOOKS,
        unclear=request.args.get("unclear") == "1",
        addable=_addable(view),
        sentence=sentence,
        **(log_context(place) if link is not None and wanted() is not Wanted.JSON else {}),
        complaints_of=explained(error.complaints) if isinstance(error, SalesforceError) else [],
        again=2 if coming else _ASK_AGAIN.get(view.state, 0),
        coming=coming,
        automatic=automatic + 1 if coming else None,
    )
    if view.state is PanelState.CROWDED:
        response.headers["Retry-After"] = "3"
    return response


def _out_of_sight(view: PanelView, record_id: str) -> OutOfSight | None:
    """The record that was just saved, where Salesforce now shows it here no more: its address was
    changed, or others are more recent. None while it is shown, and where nobody can tell."""
    link = view.linked
    if link is None or view.state not in _ANSWERED or not record_id:
        return None
    shown = {record.id for found in view.found for record in records_of(found)}
    schema = next((one for one in link.schemas.values() if one.key_prefix == record_id[:3]), None)
    if schema is None or record_id in shown:
        return None
    return OutOfSight(
        kind=schema.label,
        url=record_page(link.instance_url, schema.name, record_id),
        is_person=schema.name in PERSON_NAMES,
    )


def _looks() -> int:
    """How often the form of a new person, waiting for somebody else's save, has looked already;
    0 when it is not that form that asks."""
    if wanted() is not Wanted.FRAGMENT:
        return 0
    return min(request.args.get("checking", 0, type=int), MAX_LOOKS)


def _addable(view: PanelView) -> tuple[str, ...]:
    if view.state is not PanelState.NO_MATCH or view.linked is None:
        return ()
    schemas = view.linked.schemas
    return tuple(name for name in PERSON_NAMES if name in schemas and schemas[name].createable)
