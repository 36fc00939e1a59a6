"""Forms for new records: Add as Contact, Add as Lead, and whatever an admin lets agents create for
the person of a conversation."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, redirect, request, url_for

from keeping_plugin.blueprints.panel.answer import MAX_LOOKS, show
from keeping_plugin.blueprints.panel.conversation import ConversationContext, load_conversation
from keeping_plugin.blueprints.panel.duplicates import offered_duplicates
from keeping_plugin.blueprints.panel.edit import form_json
from keeping_plugin.blueprints.panel.search import search_asked, searched
from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.errors import error_json, status_of
from keeping_plugin.blueprints.web.form_input import form_input
from keeping_plugin.blueprints.web.reader import form_reader, reader
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.errors import (
    BeingAdded,
    Complaint,
    ConnectionLost,
    DuplicatesFound,
    HelpDeskFailed,
    InvalidInput,
    KeepingError,
    NotConnected,
    NotFound,
    NotReady,
    OutcomeUnclear,
    PermissionDenied,
    RecordChanged,
    RecordNotFound,
    SalesforceError,
    SchemaStale,
    TooBusy,
)
from keeping_plugin.forms.record import RecordForm, defaults, record_form
from keeping_plugin.mail.company_name import SuggestedCompany, company_of, full_name
from keeping_plugin.objects import row_of
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.panel import add as adding
from keeping_plugin.services.panel import call, cards, making, record_types
from keeping_plugin.services.panel.lookup import returned
from keeping_plugin.services.panel.making import Making
from keeping_plugin.services.panel.prefill import (
    newest_inbound,
    own_user,
    person_values,
    record_values,
)
from keeping_plugin.services.panel.view import Linked, linked
from keeping_plugin.services.people import accounts
from keeping_plugin.services.schema.creating import CreateChoice, form_fields
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Address, Message, Saved, Value
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.panel import COMPANY_SOURCES, PERSON_CHANGED
from keeping_plugin.wording.salesforce_errors import explained

_ATTEMPT = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Adding:
    """One form for a new record: for a person, or with `making` for a record of theirs."""

    place: ConversationContext
    link: Linked
    object: str
    customer: Address
    form: RecordForm
    record_type: str
    company: SuggestedCompany | None
    making: Making | None = None


def create(conversation_id: str, object: str) -> Any:
    """The form for a new record, prefilled, and its save."""
    place = load_conversation(conversation_id)
    runtime = current_runtime()
    with runtime.database.read() as session:
        link = linked(session, place.agent.company_id)
    if link is None:
        raise NotConnected("Salesforce is not connected.")
    row = row_of(object)
    allowed = link.creating.get(object, CreateChoice()).allowed
    if object not in link.schemas or not (row.person or (row.created and allowed)):
        raise NotFound("This cannot be created here.")
    refusal: SalesforceError | None = None
    if link.lost:
        refusal = ConnectionLost()
    elif not link.schemas[object].createable:
        refusal = PermissionDenied(
            f"The connected user does not have permission to create {object}s."
        )
    if refusal is not None and (request.method == "GET" or not row.person):
        raise refusal
    if place.customer is None:
        raise InvalidInput("This conversation has no customer to add.")
    subject = None
    if row.created is not None:
        sent = form_input().get("attempt", "") if request.method == "POST" else ""
        attempt = sent if _ATTEMPT.fullmatch(sent) else secrets.token_hex(16)
        subject = making.begin(place.known_panel(), conversation_id, row, attempt)
    company, filled = None, ""
    if request.method == "GET":
        company = _suggested_company(place, link, object)
        # The same company as for people added automatically; here an agent checks it before saving.
        filled = company.name if company is not None else ""
        if row.person:
            filled = filled or full_name(place.customer)
    form, record_type = _form_for(place, link, object, place.customer, filled, subject)
    adding_ = Adding(place, link, object, place.customer, form, record_type, company, subject)
    if request.method == "GET":
        return _form(adding_)
    sought = search_asked(form)
    if refusal is not None:
        return _form(adding_, status=status_of(refusal), error=refusal)
    meant = form_input().get("person", "")  # whom the agent saw
    if subject is not None and meant and meant[:15] != subject.person.id[:15]:
        return _form(adding_, status=409, error=InvalidInput(PERSON_CHANGED))
    if request.form.get("retype"):
        return _form(adding_, focus="k-new-record-type")
    if sought is not None:
        return _form(adding_, **searched(runtime, place.agent, link, form, sought))
    return _save(adding_)


def _form_for(
    place: ConversationContext,
    link: Linked,
    object: str,
    customer: Address,
    company: str,
    subject: Making | None,
) -> tuple[RecordForm, str]:
    schema = link.schemas[object]
    sent = form_input() if request.method == "POST" else None
    offered = record_types.choices(schema)
    asked = (sent if sent is not None else request.args).get("record_type", "")
    default = record_types.default(schema)
    chosen = next((kind for kind in offered if kind.id == asked), default)
    fields = form_fields(row_of(object), link.creating.get(object), link.shown.get(object, ()))
    implied = {"RecordTypeId", *(subject.to_person if subject is not None else ())}
    names = [name for name in fields if name not in implied]
    made = record_form(schema, tuple(names), creating=True)
    picklists = record_types.own_picklists(
        current_runtime(),
        place.agent,
        link,
        object=object,
        record_type_id=chosen.id if chosen else None,
        names=made.field_names(),
    )
    begins, called = person_values(schema, customer, company), dict[str, str]()
    if subject is not None:
        begins, called = _begins(place, link, subject, company)
    form = made(
        sent,
        values={**defaults(made, picklists), **begins},
        names=called,
        picklists=picklists,
        offered=partial(returned, current_runtime(), place.agent, link),
        id_prefix="k-new-",
        reader=form_reader(),
    )
    return form, chosen.id if chosen else ""


def _begins(
    place: ConversationContext, link: Linked, subject: Making, company: str
) -> tuple[dict[str, Value], dict[str, str]]:
    """The values that a form for this person begins with, and the names of records among them."""
    runtime, created, schema = current_runtime(), subject.created, link.schemas[subject.row.name]
    values = record_values(
        schema,
        created,
        subject=place.conversation.subject,
        message=_newest_message(place) if created.text in schema.fields else None,
        today=runtime.clock.now().astimezone(reader().tz).date(),
    )
    if company and created.company:
        values[created.company] = company
    names = {}
    if subject.account is not None:
        names[created.account] = str(subject.account.fields.get("Name") or "")
    if created.owner in schema.fields:
        with runtime.database.read() as session:
            user = own_user(session, link.connection_id, place.agent)
            if user is not None:
                values[created.owner], names[created.owner] = user.user_id, user.user_name
    return {**values, **subject.linked}, names


def _save(a: Adding) -> Any:
    runtime = current_runtime()
    if not a.form.validate():
        return _form(a, status=422)
    fields = a.form.changes()
    if a.record_type:
        fields["RecordTypeId"] = a.record_type
    anyway = bool(form_input().get("save_anyway"))
    try:
        done = (
            making.make(
                runtime,
                a.place.agent,
                a.making,
                {**_unshown(a.form, a.making.linked), **fields},
                allow_duplicates=anyway,
            )
            if a.making is not None
            else adding.add_person(
                runtime, a.place.agent, a.link, a.object, fields, allow_duplicates=anyway
            )
        )
    except InvalidInput as error:
        unplaced = a.form.complain([Complaint("", str(error), (error.field,))])
        return _form(a, status=422, error=error if unplaced else None)
    except DuplicatesFound as error:
        return _form(a, status=409, error=error, duplicates=True)
    except (OutcomeUnclear, BeingAdded) as error:
        return _form(a, status=status_of(error), error=error, checking=True)
    except (TooBusy, NotReady) as error:
        return _form(a, status=status_of(error), error=error)
    except SalesforceError as error:
        if isinstance(error, SchemaStale):
            call.describe_again(runtime, a.link.connection_id)
        if isinstance(error, RecordChanged | RecordNotFound) and a.making is not None:
            a.place.open_panel()  # shown below, and compared with by the next save
        unplaced = a.form.complain(error.complaints)
        beside = bool(error.complaints) and not unplaced
        return _form(a, status=status_of(error), error=error, unplaced=unplaced, beside=beside)
    if a.making is not None and isinstance(done, Saved):
        made = a.object, done.id
        return show(a.place, a.place.open_panel(), saved=f"{done.id}.", made=made)
    view = a.place.open_panel()
    if isinstance(done, adding.Exists):
        shown = {cards.person(found).id for found in view.found}
        if not shown & {one.id for one in done.people}:
            sentence = f"A {done.people[0].object} with this address already exists in Salesforce."
            a.form.complain([Complaint("", sentence, ("Email",))])
            return _form(a, status=409)
    if wanted() is Wanted.JSON:
        return show(a.place, view)
    if wanted() is Wanted.FRAGMENT:
        notice = "added" if not isinstance(done, adding.Exists) else "exists"
        return show(a.place, view, notice=notice)
    return redirect(url_for(".panel", conversation_id=a.place.conversation.id), 303)


def _unshown(form: RecordForm, values: Mapping[str, Value]) -> dict[str, Value]:
    """Those of these values that the form does not show: what it shows, the agent may clear."""
    return {name: value for name, value in values.items() if form.control(name) is None}


def _suggested_company(
    place: ConversationContext, link: Linked, object: str
) -> SuggestedCompany | None:
    """The company for a Lead or a new Account; a Contact's Account is a record that the agent
    chooses. Makes no request to Salesforce: an Account suggests it only if the automations have
    looked up its domain before."""
    row = row_of(object)
    of = row.person or row.created
    if of is None or not of.company or place.customer is None:
        return None
    runtime = current_runtime()
    with runtime.database.read() as session:
        account = accounts.known_name(session, link.connection_id, place.customer, runtime.times)
    if account:
        return SuggestedCompany(account, "account")
    return company_of(place.customer, _newest_message(place))


def _newest_message(place: ConversationContext) -> Message | None:
    """The customer's latest message, with its text; None if there is none, or if the host failed
    (then logged): a missing suggestion must not cost the agent the form."""
    # The customer's text says nothing about the others on the conversation.
    if place.other is not None:
        return None
    runtime, company_id = current_runtime(), place.agent.company_id
    host = guarded(runtime.helpdesk)
    try:
        if hasattr(host, "latest_message"):
            latest: Message | None = host.latest_message(company_id, place.conversation.id)
            return latest
        with runtime.database.read() as session:
            message_id = newest_inbound(session, company_id, place.conversation.id)
        return next(host.messages(company_id, [message_id]), None) if message_id else None
    except HelpDeskFailed:
        return None
    finally:
        guards.end_host_transaction()


def _form(
    a: Adding,
    *,
    status: int = 200,
    error: KeepingError | None = None,
    unplaced: Sequence[Complaint] = (),
    beside: bool = False,
    duplicates: bool = False,
    checking: bool = False,
    focus: str = "",
) -> Response:
    schema = a.link.schemas[a.object]
    found = []
    if duplicates and isinstance(error, DuplicatesFound):
        found = offered_duplicates(a.place, a.link, error)
        unplaced = error.complaints
    company = a.company
    if request.method == "POST":
        company = _suggested_company(a.place, a.link, a.object)
    body: dict[str, Any] = {
        "object": a.object,
        "record_type": a.record_type or None,
        "fields": form_json(a.form),
        "problems": a.form.problems(),
        "suggested_company": company.name if company is not None else None,
        "duplicates": [one.as_json() for one in found],
        "may_save_anyway": bool(found) and getattr(error, "may_save", False),
        "attempt": a.making.attempt if a.making is not None else None,
        "person": a.making.person.id if a.making is not None else None,
        "error": error_json(error) if error is not None else None,
    }
    return answer(
        "keeping/panel/create.html",
        body,
        status=status,
        title=f"New {schema.label}" if a.making is not None else f"Add as {schema.label}",
        making=a.making,
        assigns=a.making is not None and a.making.assigns,
        place=a.place,
        schema=schema,
        form=a.form,
        record_types=record_types.choices(schema),
        record_type=a.record_type,
        company=a.company,  # not behind what an agent has typed since
        company_source=COMPANY_SOURCES[a.company.source] if a.company is not None else "",
        problems=a.form.problems(),
        error=error,
        sentence=error_sentence(error) if error is not None else "",
        unplaced=explained(unplaced),
        beside=beside,
        duplicates=found,
        may_save=getattr(error, "may_save", False),
        checking=checking,
        most_looks=MAX_LOOKS,
        focus=focus,
        title_id="k-new-title",
    )
