"""Finding the record that a reference field is to point at."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, request

from keeping_plugin.blueprints.panel.conversation import load_conversation
from keeping_plugin.blueprints.web.errors import status_of
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.errors import InvalidInput, NotFound, NotReady, SalesforceError, TooBusy
from keeping_plugin.forms.controls import ReferenceControl
from keeping_plugin.forms.record import RecordForm
from keeping_plugin.forms.widgets import found_records
from keeping_plugin.services.panel.lookup import referred_objects, search
from keeping_plugin.services.panel.view import Linked, linked
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent
from keeping_plugin.wording.errors import error_sentence

# What an element's id in one of our forms looks like.
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_INTO = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,160}")


def search_records(conversation_id: str, object: str) -> Response:
    """Records of an object that one of the forms may refer to, by name. `field` and `into` say
    for which field and which element of a form."""
    place = load_conversation(conversation_id)
    runtime = current_runtime()
    with runtime.database.read() as session:
        link = linked(session, place.agent.company_id)
    if link is None or object not in referred_objects(link):
        raise NotFound("This field cannot be searched.")
    field, into = request.args.get("field", "Id"), request.args.get("into", "k-search")
    if not _FIELD.fullmatch(field) or not _INTO.fullmatch(into):
        raise InvalidInput("This field is not on the form.", field="field")
    sought = request.args.get("q", "")
    try:
        found = search(runtime, place.agent, link, object, sought)
    except (SalesforceError, TooBusy, NotReady) as error:
        if wanted() is not Wanted.FRAGMENT:
            raise
        # The list stays where it is, in a form that somebody is filling in.
        markup = found_records(into, f"sf_{field}", None, sought, trouble=error_sentence(error))
        status = status_of(error)
        return answer("keeping/panel/found.html", {}, status=status, place=place, found=markup)
    body = {"records": [{"id": record_id, "name": name} for record_id, name in found or ()]}
    markup = found_records(into, f"sf_{field}", found, sought)
    return answer("keeping/panel/found.html", body, title="Search", place=place, found=markup)


def search_asked(form: RecordForm) -> ReferenceControl | None:
    """The reference whose Find was pressed, or for which something was typed and nothing chosen."""
    pressed = request.form.get("find", "")
    for name, control in form.controls():
        if not isinstance(control, ReferenceControl):
            continue
        control.sought = request.form.get(f"q_{name}", "").strip()
        kind = request.form.get(f"in_{name}", "")
        if kind in control.spec.reference_to:
            control.sought_in = kind
        if pressed == name or (control.sought and not control.changed and not pressed):
            return control
    return None


def searched(
    runtime: Runtime, agent: Agent, link: Linked, form: RecordForm, control: ReferenceControl
) -> dict[str, Any]:
    """Look up what was typed; returns what the form's template needs to show it. A Save with a
    search that nothing was chosen from saves nothing: the person meant something by it."""
    pressed = bool(request.form.get("find"))
    if not pressed:
        form.validate()
        control.errors = [*control.errors, _unchosen(control)]
    try:
        control.found = search(runtime, agent, link, control.sought_in, control.sought)
    except (SalesforceError, TooBusy, NotReady) as error:
        return {"error": error, "status": status_of(error)}
    return {"focus": control.id, "status": 200 if pressed else 422}


def _unchosen(control: ReferenceControl) -> str:
    if control.data:
        return (
            f"{control.shown()} is still selected. Choose another record, or clear the "
            "search to keep it."
        )
    return "Choose one of these records, or clear the search."
