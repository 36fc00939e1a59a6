"""Add the address, Replace the address: the conversation's, on the record chosen for it."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for

from keeping_plugin.blueprints.panel import undo
from keeping_plugin.blueprints.panel.answer import show
from keeping_plugin.blueprints.panel.cards import Cards
from keeping_plugin.blueprints.panel.conversation import ConversationContext, load_conversation
from keeping_plugin.blueprints.panel.find import link_and_address
from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.errors import error_json, status_of
from keeping_plugin.blueprints.web.form_input import sent
from keeping_plugin.blueprints.web.reader import form_reader, reader
from keeping_plugin.blueprints.web.rendering import answer
from keeping_plugin.errors import (
    DuplicatesFound,
    InvalidInput,
    KeepingError,
    NotFound,
    NotReady,
    SalesforceError,
    SchemaStale,
    TooBusy,
)
from keeping_plugin.forms.record import record_form
from keeping_plugin.objects import record_page
from keeping_plugin.services.panel import address as service
from keeping_plugin.services.panel import call
from keeping_plugin.services.panel.address import Offer
from keeping_plugin.services.panel.find import choose
from keeping_plugin.services.panel.view import Linked, PanelView
from keeping_plugin.services.schema.fields import writable
from keeping_plugin.state import current_runtime
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.panel import ADDRESS_WAYS
from keeping_plugin.wording.salesforce_errors import explained


def address(conversation_id: str) -> Response:
    """Look at both values; write the address. With `record`, one that a search found, choose it
    first. What the field holds travels as `seen`, and whose it is as `id`: something else there,
    and another record that a colleague chose meanwhile, are asked about."""
    place = load_conversation(conversation_id)
    link, key = link_and_address(place)
    runtime = current_runtime()
    inputs = request.args if request.method == "GET" else sent()
    record = str(inputs.get("record", "")).partition("/")[2]
    if request.method == "GET":
        view = place.known_panel()
    else:
        if record and not choose(runtime, place.agent, link, key, record):
            raise NotFound("You have not found this record by a search within the last hour.")
        view = place.open_panel()
    person = service.chosen(view)
    if view.error is not None or view.pick_lost:
        return show(place, view)
    if person is None:
        raise NotFound("No record was chosen for this address.")
    if service.carries(link, person, key):
        return show(place, view, notice="address_there")
    ways = service.offers(link, person, key)
    way = next((one for one in ways if one.way == inputs.get("do")), None)
    if way is None:
        raise NotFound("The address cannot be saved to this record.")
    if way.reason:
        guards.denied()
        refused = ADDRESS_WAYS[way.way].refused
        raise InvalidInput(f"{refused}: {way.label}, {way.reason}.", field=way.field)
    meant = str(inputs.get("id") or record)
    if meant and meant[:15] != person.id[:15]:
        return _ask(place, link, view, way, moved=True)
    if request.method == "GET" or ("seen" not in inputs and way.asks):
        return _ask(place, link, view, way)
    try:
        held = service.write(
            runtime,
            place.agent,
            link,
            key,
            way,
            seen=str(inputs.get("seen", "")),
            allow_duplicates=bool(inputs.get("save_anyway")),
        )
    except (SalesforceError, TooBusy, NotReady) as error:
        if isinstance(error, SchemaStale):
            call.describe_again(runtime, link.connection_id)
        return _ask(place, link, view, way, error=error)
    if held is not None:
        return _ask(place, link, view, way, held=held)
    return _panel_after(place, link, key, way)


def _panel_after(place: ConversationContext, link: Linked, key: str, way: Offer) -> Response:
    """The panel with what was saved, and the way back where the agent could edit the field."""
    view = place.known_panel()
    now = service.chosen(view)
    target, back, name = service.target(link, key, way.record), None, way.field
    if now is not None and name in target.shown and writable(target.schema, name):
        url = url_for(
            ".edit_field",
            conversation_id=place.conversation.id,
            object=way.record.object,
            record_id=way.record.id,
            field=name,
        )
        form = record_form(target.schema, [name])(None, values=now.fields, reader=form_reader())
        before = {name: way.record.fields.get(name)}
        back = undo.undo_of(place, target, form, before, now.fields, url=url)
    saved = f"{way.record.id}.{name}" if back is not None else ""
    return show(place, view, notice="address_saved", saved=saved, undo=back)


def _ask(
    place: ConversationContext,
    link: Linked,
    view: PanelView,
    way: Offer,
    *,
    held: str | None = None,
    moved: bool = False,
    error: KeepingError | None = None,
) -> Response:
    """The second look: what stands in the field (`held`: since a moment ago), and what would.
    `moved`: it is of another record than the agent saw."""
    status = 200 if request.method == "GET" else 409
    now = way.held if held is None else held
    others = sum(1 for one in view.found if not service.is_of(one, way.record))
    anyway = isinstance(error, DuplicatesFound) and error.may_save
    body: dict[str, Any] = {
        "do": way.way,
        "object": way.record.object,
        "id": way.record.id,
        "field": way.field,
        "label": way.label,
        "seen": now,
        "address": view.address,
        "others": others,
        "may_save_anyway": anyway,
        "error": error_json(error) if error is not None else None,
    }
    return answer(
        "keeping/panel/address.html",
        body,
        status=status if error is None else status_of(error),
        title=ADDRESS_WAYS[way.way].button,
        place=place,
        view=view,
        way=way,
        person=Cards(link, place.conversation.id, reader()).record(way.record).title,
        words=ADDRESS_WAYS[way.way],
        held=now,
        changed=held is not None,
        moved=moved,
        others=others,
        anyway=anyway,
        error=error,
        sentence=error_sentence(error) if error is not None else "",
        refused=explained(getattr(error, "complaints", ())),
        url=record_page(link.instance_url, way.record.object, way.record.id),
    )
