"""One tab for each object: which fields agents see, and in which order. And the tab *New records*:
what agents may create, and the fields of those forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.errors import InvalidInput, NotFound
from keeping_plugin.fieldtypes import field_type
from keeping_plugin.forms.settings import FieldsForm
from keeping_plugin.models import Connection
from keeping_plugin.objects import (
    CONTACT,
    CREATED,
    OBJECT_NAMES,
    OPTIONAL,
    PEOPLE,
    StandardObject,
    row_of,
)
from keeping_plugin.services.admin.overview import schema_state
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import address_fields, policy
from keeping_plugin.services.schema import creating, describe, selection
from keeping_plugin.services.schema import fields as editable
from keeping_plugin.services.schema.creating import CreateChoice
from keeping_plugin.services.schema.selection import Choice
from keeping_plugin.state import current_runtime
from keeping_plugin.types import FieldSpec, ObjectSchema
from keeping_plugin.wording import people as words

_CHANGED = (
    "The fields on this tab have changed since you opened the page, in another window or in "
    "Salesforce. Your selection is still here; press Save to apply it."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One field on its tab."""

    name: str
    label: str
    type: str
    custom: bool
    ticked: bool
    locked: str
    read_only: str
    matches: bool
    help: str


class Optional(NamedTuple):
    """An object whose latest records agents may see beside a Contact, if an admin wants it."""

    name: str
    wanted: bool


class Creatable(NamedTuple):
    """An object whose records agents may create. `always`: people, whom agents can always add;
    `lacking`: why the connected user cannot create one, None if they can."""

    row: StandardObject
    choice: CreateChoice
    always: bool
    lacking: creating.Lacking | None


def creating_page() -> ResponseReturnValue:
    """What agents may create from a conversation: show it, and change it."""
    agent = guards.admin()
    database = current_runtime().database
    with database.read() as session:
        found = connect.current(session, agent.company_id)
        described = describe.schemas(session, found.id) if found is not None else {}
        choices = creating.load(session, agent.company_id)
    if request.method == "POST":
        with database.write() as session:
            for row in CREATED:
                before = choices.get(row.name, CreateChoice())
                # What cannot be created has its switch disabled, so an earlier choice must be kept.
                can = creating.lacking(described, row.name) is None
                wanted = {"allowed": f"allow-{row.name}" in request.form} if can else {}
                if row.created is not None and row.created.assigned and can:
                    wanted["assigned"] = f"assign-{row.name}" in request.form
                if wanted and (before.allowed or wanted["allowed"]):
                    creating.change(session, agent, row.name, **wanted)
        notices.add_notice("Saved.")
        return redirect(url_for(".creating"), 303)
    rows = [
        Creatable(
            row,
            choices.get(row.name, CreateChoice()),
            row.person is not None,
            creating.lacking(described, row.name),
        )
        for row in (*PEOPLE, *CREATED)
    ]
    return render_template(
        "keeping/settings/creating.html",
        tabs=tabs("creating"),
        connection=found,
        rows=rows if described else [],
    )


def create_form(object: str) -> ResponseReturnValue:
    """The fields on the form for a new record: as `fields`."""
    if not any(row.name == object for row in (*PEOPLE, *CREATED)):
        guards.admin()
        raise NotFound("This page does not exist.")
    return _tab(object, new=True)


def fields(object: str) -> ResponseReturnValue:
    """Show the tab, step through it without JavaScript, and save it."""
    if object not in OBJECT_NAMES:
        guards.admin()
        raise NotFound("This tab does not exist.")
    return _tab(object, new=False)


def _tab(object: str, *, new: bool) -> ResponseReturnValue:
    agent = guards.admin()
    guards.end_host_transaction()
    database = current_runtime().database
    tab = tabs("creating" if new else object)
    with database.read() as session:
        found = connect.current(session, agent.company_id)
        described = describe.schemas(session, found.id) if found is not None else {}
        choices = selection.load(session, agent.company_id)
        chosen = choices.get(object)
        finds = address_fields.load(session, agent.company_id).get(object, ())
        beside_0_1_0 = policy.beside_0_1_0(session)
        created = creating.load(session, agent.company_id).get(object)
        progress = schema_state(session, found) if found is not None else None
    known = described.get(object)
    if found is None or known is None:
        kept = FieldsForm.read(request.form) if request.method == "POST" else None
        page = render_template(
            "keeping/settings/fields_absent.html",
            connection=found,
            schema=progress,
            object=object,
            label=row_of(object).tab,
            kept=kept,
            url=request.path,
            tabs=tab,
        )
        return page, 409 if kept else 200
    if new:
        shown = selection.choice(known, chosen).shown
        chosen, finds = creating.form_fields(row_of(object), created, shown), ()
        if created is None or created.fields is None:
            able = {spec.name for spec in selection.offered(known, creating=True)}
            chosen = tuple(name for name in chosen if name in able)
    before = selection.choice(known, chosen, creating=new)
    optional = () if new else _optional(object, described, choices)
    page_of = partial(
        _page, found, known, before, finds, optional=optional, beside_0_1_0=beside_0_1_0, new=new
    )
    if request.method == "GET":
        return page_of(before.shown)
    form = FieldsForm.read(request.form)
    again = partial(page_of, form=form)
    if not form.saves:
        return again(_step(form, known, before, new=new))
    try:
        wanted = selection.ordered(known, form.ticked, form.ticked, creating=new)
        wanted_finds = address_fields.checked(known, finds, form.finds, beside_0_1_0=beside_0_1_0)
    except InvalidInput as error:
        ticked = tuple(name for name in form.ticked if name in known.fields)
        return again(ticked, problem=str(error)), 422
    # What stands already is no conflict: Save was pressed twice.
    if (form.seen is not None and before.shown not in {form.seen, wanted}) or (
        form.seen_finds is not None and finds not in {form.seen_finds, wanted_finds}
    ):
        return again(wanted, problem=_CHANGED), 409
    # A default that is out of sight is kept like a choice: whoever saves never unticked it.
    known_before = selection.chosen_or_default(object, chosen)
    keep = tuple(name for name in known_before if name not in form.forgotten)
    if new:
        with database.write() as session:
            stored = selection.with_hidden(known, wanted, keep)
            creating.change(session, agent, object, fields=stored)
        notices.add_notice(f"New {row_of(object).tab}: saved. The form has {len(wanted)} fields.")
        return redirect(url_for(".create_form", object=object), 303)
    with database.write() as session:
        selection.save(session, agent, known, wanted, keep=keep)
        if form.seen_finds is not None:
            address_fields.save(session, agent, object, wanted_finds)
        for each in optional:
            if each.wanted != (each.name in form.optional):
                shown = row_of(each.name).defaults if each.name in form.optional else ()
                selection.save(session, agent, described[each.name], shown)
    notices.add_notice(f"{row_of(object).tab}: saved. Agents see {len(wanted)} fields.")
    return redirect(url_for(".fields", object=object), 303)


def _optional(
    object: str, described: Mapping[str, ObjectSchema], choices: Mapping[str, Sequence[str]]
) -> tuple[Optional, ...]:
    """What the tab of Contacts offers beside fields."""
    if object != CONTACT.name:
        return ()
    return tuple(
        Optional(row.name, bool(choices.get(row.name))) for row in OPTIONAL if row.name in described
    )


def _step(form: FieldsForm, known: ObjectSchema, before: Choice, *, new: bool) -> tuple[str, ...]:
    specs = selection.offered(known, creating=new)
    offered = [spec.name for spec in specs if _matches(known, spec, form.search)]
    stepped = form.stepped(offered, tuple(before.locked))
    return tuple(name for name in stepped if name in known.fields)


def _matches(known: ObjectSchema, spec: FieldSpec, search: str) -> bool:
    words = search.lower().split()
    text = f"{editable.label_in(known, spec)} {spec.label} {spec.name}".lower()
    return all(word in text for word in words)


def _page(
    found: Connection,
    known: ObjectSchema,
    choice: Choice,
    finds: tuple[str, ...],
    ticked: tuple[str, ...],
    *,
    optional: tuple[Optional, ...],
    beside_0_1_0: bool,
    form: FieldsForm | None = None,
    problem: str = "",
    new: bool = False,
) -> str:
    search = form.search if form else ""
    # Steps without JavaScript carry on what was seen; whoever has read that it changed saw it now.
    keeps_seen = form is not None and problem != _CHANGED
    seen = form.seen if form and form.seen and keeps_seen else choice.shown
    seen_finds = form.seen_finds if form and form.seen_finds is not None and keeps_seen else finds
    addresses = (
        [
            each._replace(ticked=each.name in form.finds) if form else each
            for each in address_fields.offered(known, finds)
        ]
        if row_of(known.name).person and not new
        else []
    )

    def row(spec: FieldSpec, *, is_ticked: bool) -> Row:
        return Row(
            name=spec.name,
            label=editable.label_in(known, spec) if editable.is_picklist(spec) else spec.label,
            type=field_type(spec.type).label,
            custom=spec.custom,
            ticked=is_ticked,
            locked=choice.locked.get(spec.name, ""),
            read_only="" if new else editable.why_read_only(known, spec.name) or "",
            matches=_matches(known, spec, search),
            help=spec.help_text,
        )

    shown = [row(known.fields[name], is_ticked=True) for name in ticked]
    more = [
        row(spec, is_ticked=False)
        for spec in selection.offered(known, creating=new)
        if spec.name not in ticked
    ]
    return render_template(
        "keeping/settings/fields.html",
        connection=found,
        known=known,
        shown=shown,
        more=more,
        choice=choice,
        optional=[
            (each.name, each.name in form.optional if form else each.wanted) for each in optional
        ],
        search=search,
        seen=seen,
        addresses=addresses,
        seen_finds=seen_finds,
        beside_0_1_0=beside_0_1_0,
        most_addresses=address_fields.MOST,
        words=words,
        changed=form is not None and (ticked != choice.shown or form.finds != finds),
        problem=problem,
        title=f"New {known.label}" if new else row_of(known.name).tab,
        new=new,
        url=url_for(".create_form" if new else ".fields", object=known.name),
        tabs=tabs("creating" if new else known.name),
    )
