"""Editing in place: one field, or a whole record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.panel import undo
from keeping_plugin.blueprints.panel.answer import show
from keeping_plugin.blueprints.panel.cards import Cards, row_id
from keeping_plugin.blueprints.panel.conversation import ConversationContext, load_conversation
from keeping_plugin.blueprints.panel.search import search_asked, searched
from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.errors import error_json, status_of
from keeping_plugin.blueprints.web.form_input import form_input
from keeping_plugin.blueprints.web.reader import form_reader, reader
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.errors import (
    Complaint,
    InvalidInput,
    KeepingError,
    NotFound,
    NotReady,
    SalesforceError,
    SchemaStale,
    TooBusy,
)
from keeping_plugin.forms.record import RecordForm, record_form
from keeping_plugin.services.panel import call, edit
from keeping_plugin.services.panel.cards import records_of
from keeping_plugin.services.panel.display import has_formats, of_value
from keeping_plugin.services.panel.edit import Target
from keeping_plugin.services.panel.lookup import returned
from keeping_plugin.services.panel.money import currency_of
from keeping_plugin.services.panel.record_types import own_picklists
from keeping_plugin.services.schema.fields import label_in, why_read_only, writable
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Value
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.salesforce_errors import explained


@dataclass(frozen=True, slots=True)
class Editing:
    """One form being filled in: `field` is "" for a whole record."""

    place: ConversationContext
    target: Target
    field: str
    form: RecordForm

    @property
    def template(self) -> str:
        return "keeping/panel/edit_field.html" if self.field else "keeping/panel/edit_record.html"


def edit_field(conversation_id: str, object: str, record_id: str, field: str) -> Any:
    """A form for one field (or the parts of a compound one), and its save."""
    return _edit(conversation_id, object, record_id, field)


def edit_record(conversation_id: str, object: str, record_id: str) -> Any:
    """A form for every field the agent may edit of a record, and its save."""
    return _edit(conversation_id, object, record_id, "")


def show_field(
    conversation_id: str, object: str, record_id: str, field: str
) -> ResponseReturnValue:
    """One field as it stood before somebody began to edit it."""
    place = load_conversation(conversation_id)
    target = _target(place, object, record_id)
    if field not in target.shown:
        raise NotFound("This field is not shown here.")
    if wanted() is Wanted.PAGE:
        return redirect(url_for(".panel", conversation_id=conversation_id), 303)
    return _shown(place, target, field)


def _shown(place: ConversationContext, target: Target, field: str) -> Response:
    """The field as a fragment (or JSON), with the focus on it."""
    row = Cards(target.link, place.conversation.id, reader()).row(target.record, field)
    return answer("keeping/panel/field.html", row.as_json(), row=row, focused=True)


def _target(place: ConversationContext, object: str, record_id: str) -> Target:
    return edit.target(
        current_runtime(),
        place.agent,
        place.customer,
        object,
        record_id,
        subject=place.conversation.subject,
    )


def _edit(conversation_id: str, object: str, record_id: str, field: str) -> Any:
    place = load_conversation(conversation_id)
    target = _target(place, object, record_id)
    if field and field not in target.shown:
        raise NotFound("This field is not shown here.")
    names = [field] if field else target.shown
    fields = target.schema.fields
    spoiled = [n for n in names if has_formats(fields[n], target.record.fields.get(n))]
    names = [n for n in names if n not in spoiled and writable(target.schema, n)]
    if not names:
        guards.denied()
        reason = why_read_only(target.schema, field) if field else "No permission"
        reason = reason or "its formats would be lost"
        raise InvalidInput(f"This cannot be edited here: {reason}.", field=field)
    made = record_form(target.schema, names)
    form = made(
        form_input() if request.method == "POST" else None,
        values=target.record.fields,
        names=target.names(),
        told=target.shown,
        offered=partial(returned, current_runtime(), place.agent, target.link),
        picklists=own_picklists(
            current_runtime(),
            place.agent,
            target.link,
            object=object,
            record_type_id=target.record.fields.get("RecordTypeId"),
            names=made.field_names(),
        ),
        id_prefix=f"k-{target.record.id}-",
        reader=form_reader(),
    )
    editing = Editing(place, target, field, form)
    if request.method == "GET":
        return _form(editing)
    if request.form.get("undo"):
        undo.fill_in(place, target, form, request.form["undo"])
        return _write(editing, undone=True)
    sought = search_asked(form)
    if sought is not None:
        found = searched(current_runtime(), place.agent, target.link, form, sought)
        return _form(editing, **found)
    return _save(editing)


def _save(editing: Editing) -> Any:
    if not editing.form.validate():
        return _form(editing, status=422)
    return _write(editing)


def _write(editing: Editing, *, undone: bool = False) -> Any:
    """Save what the form holds; `undone`: the values are those before another save."""
    place, target, form = editing.place, editing.target, editing.form
    changes = form.changes()
    before: Mapping[str, Value] = {}
    if changes:
        try:
            done = edit.save(
                current_runtime(),
                place.agent,
                target,
                changes,
                conflicts=form.overwritten,
                allow_duplicates=bool(form_input().get("save_anyway")),
            )
        except (SalesforceError, TooBusy, NotReady) as error:
            return _refused(editing, error)
        if isinstance(done, edit.Changed):
            return _conflict(editing, done.theirs)
        before = done.before
    elif editing.field and wanted() is Wanted.FRAGMENT:
        return _shown(place, target, editing.field)  # nothing to save, nothing to ask
    if wanted() is Wanted.JSON:
        return show(place, place.open_panel())
    if changes:
        return _panel_after(editing, before, undone=undone)
    return redirect(url_for(".panel", conversation_id=place.conversation.id), 303)


def _panel_after(editing: Editing, before: Mapping[str, Value], *, undone: bool) -> Response:
    """The panel with what was saved, and the way back. What the fields held before stands in no
    address and in no table: it travels with this answer alone, which is no redirect therefore. A
    page that is loaded again saves again, and Salesforce holds everything already."""
    place, target = editing.place, editing.target
    saved = f"{target.record.id}.{editing.field}"
    view = place.open_panel()
    records = (record for found in view.found for record in records_of(found))
    now = next((one.fields for one in records if one.id == target.record.id), {})
    back = None
    if not undone:
        back = undo.undo_of(place, target, editing.form, before, now, url=request.path)
    return show(place, view, saved=saved, undo=back, undone=undone)


def _refused(editing: Editing, error: KeepingError) -> Response:
    if isinstance(error, SchemaStale):
        call.describe_again(current_runtime(), editing.target.link.connection_id)
    complaints = error.complaints if isinstance(error, SalesforceError) else ()
    unplaced = editing.form.complain(complaints)
    beside = bool(complaints) and not unplaced
    return _form(editing, status=status_of(error), error=error, unplaced=unplaced, beside=beside)


def _conflict(editing: Editing, theirs: Mapping[str, Any]) -> Response:
    """Both values, for the agent to choose; the agent's own is marked as seen against the other."""
    both = []
    for name, value in theirs.items():
        made = editing.form.control(name)
        if made is not None:
            made.was = made.mark(value)
            schema = editing.target.schema
            spec = schema.fields[name]
            currency = currency_of(schema, spec, editing.target.record.fields)
            mine = of_value(spec, made.data, currency=currency, reader=reader()).text
            held = of_value(spec, value, currency=currency, reader=reader()).text
            both.append((label_in(schema, spec), held, mine))
    return _form(editing, status=409, both=both)


def _form(
    editing: Editing,
    *,
    status: int = 200,
    error: KeepingError | None = None,
    unplaced: Sequence[Complaint] = (),
    beside: bool = False,
    both: Sequence[tuple[str, str, str]] = (),
    focus: str = "",
) -> Response:
    target, form = editing.target, editing.form
    conversation_id = editing.place.conversation.id
    cards = Cards(target.link, conversation_id, reader())
    json: dict[str, Any] = {
        "object": target.record.object,
        "id": target.record.id,
        "fields": form_json(form),
        "problems": form.problems(),
        "error": error_json(error) if error is not None else None,
        "conflicts": [
            {"label": label, "theirs": theirs, "yours": mine} for label, theirs, mine in both
        ],
    }
    return answer(
        editing.template,
        json,
        status=status,
        title=f"Edit {target.schema.label}",
        place=editing.place,
        form=form,
        card=cards.record(target.record),
        row=cards.row(target.record, editing.field) if editing.field else None,
        region=row_id(target.record.id, editing.field) if editing.field else "k-panel",
        problems=form.problems(),
        error=error,
        sentence=error_sentence(error) if error is not None else "",
        unplaced=explained(unplaced),
        beside=beside,
        both=both,
        focus=focus,
    )


def form_json(form: RecordForm) -> list[dict[str, Any]]:
    """A form's fields as the JSON API tells them."""
    return [
        {
            "name": name,
            "label": made.label.text,
            "type": made.spec.type,
            "value": made.data,
            "seen": made.shown_mark,
            "required": made.required,
            "length": made.spec.length or None,
            "choices": [
                {"value": value.value, "label": value.label} for value in made.spec.picklist
            ],
        }
        for name, made in form.controls()
    ]
