"""Add as Contact, Add as Lead, and Use this one when Salesforce found duplicates."""

from __future__ import annotations

from collections.abc import Sequence
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
from keeping_plugin.blueprints.web.reader import form_reader
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
    SalesforceError,
    SchemaStale,
    TooBusy,
)
from keeping_plugin.forms.record import RecordForm, defaults, record_form
from keeping_plugin.mail.company_name import SuggestedCompany, company_of, full_name
from keeping_plugin.objects import row_of
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.panel import add as adding
from keeping_plugin.services.panel import call, cards, record_types
from keeping_plugin.services.panel.lookup import returned
from keeping_plugin.services.panel.prefill import newest_inbound, person_values
from keeping_plugin.services.panel.view import Linked, linked
from keeping_plugin.services.people import accounts
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Address
from keeping_plugin.wording.errors import error_sentence
from keeping_plugin.wording.panel import COMPANY_SOURCES
from keeping_plugin.wording.salesforce_errors import explained


@dataclass(frozen=True, slots=True)
class Adding:
    """One form for a new person."""

    place: ConversationContext
    link: Linked
    object: str
    customer: Address
    form: RecordForm
    record_type: str
    company: SuggestedCompany | None


def create(conversation_id: str, object: str) -> Any:
    """The form for a new Contact or Lead, prefilled, and its save."""
    place = load_conversation(conversation_id)
    runtime = current_runtime()
    with runtime.database.read() as session:
        link = linked(session, place.agent.company_id)
    if link is None:
        raise NotConnected("Salesforce is not connected.")
    if row_of(object).person is None or object not in link.schemas:
        raise NotFound("Only Contacts and Leads can be added here.")
    refusal: SalesforceError | None = None
    if link.lost:
        refusal = ConnectionLost()
    elif not link.schemas[object].createable:
        refusal = PermissionDenied(
            f"The connected user does not have permission to create {object}s."
        )
    if refusal is not None and request.method == "GET":
        raise refusal
    if place.customer is None:
        raise InvalidInput("This conversation has no customer to add.")
    company, filled = None, ""
    if request.method == "GET":
        company = _suggested_company(place, link, object)
        # As for those that are added automatically; somebody reads it before it is saved.
        filled = company.name if company is not None else full_name(place.customer)
    form, record_type = _form_for(place, link, object, place.customer, filled)
    adding_ = Adding(place, link, object, place.customer, form, record_type, company)
    if request.method == "GET":
        return _form(adding_)
    sought = search_asked(form)
    if refusal is not None:
        return _form(adding_, status=status_of(refusal), error=refusal)
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
) -> tuple[RecordForm, str]:
    schema = link.schemas[object]
    sent = form_input() if request.method == "POST" else None
    offered = record_types.choices(schema)
    asked = (sent if sent is not None else request.args).get("record_type", "")
    default = record_types.default(schema)
    chosen = next((kind for kind in offered if kind.id == asked), default)
    person = row_of(object).person
    first = person.first if person else ()
    names = [name for name in (*first, *link.shown[object]) if name != "RecordTypeId"]
    made = record_form(schema, tuple(dict.fromkeys(names)), creating=True)
    picklists = record_types.own_picklists(
        current_runtime(),
        place.agent,
        link,
        object=object,
        record_type_id=chosen.id if chosen else None,
        names=made.field_names(),
    )
    values = {**defaults(made, picklists), **person_values(schema, customer, company)}
    form = made(
        sent,
        values=values,
        picklists=picklists,
        offered=partial(returned, current_runtime(), place.agent, link),
        id_prefix="k-new-",
        reader=form_reader(),
    )
    return form, chosen.id if chosen else ""


def _save(a: Adding) -> Any:
    runtime = current_runtime()
    if not a.form.validate():
        return _form(a, status=422)
    fields = a.form.changes()
    if a.record_type:
        fields["RecordTypeId"] = a.record_type
    try:
        done = adding.add_person(
            runtime,
            a.place.agent,
            a.link,
            a.object,
            fields,
            allow_duplicates=bool(form_input().get("save_anyway")),
        )
    except InvalidInput as error:
        a.form.complain([Complaint("", str(error), (error.field,))])
        return _form(a, status=422)
    except DuplicatesFound as error:
        return _form(a, status=409, error=error, duplicates=True)
    except (OutcomeUnclear, BeingAdded) as error:
        return _form(a, status=status_of(error), error=error, checking=True)
    except (TooBusy, NotReady) as error:
        return _form(a, status=status_of(error), error=error)
    except SalesforceError as error:
        if isinstance(error, SchemaStale):
            call.describe_again(runtime, a.link.connection_id)
        unplaced = a.form.complain(error.complaints)
        beside = bool(error.complaints) and not unplaced
        return _form(a, status=status_of(error), error=error, unplaced=unplaced, beside=beside)
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


def _suggested_company(
    place: ConversationContext, link: Linked, object: str
) -> SuggestedCompany | None:
    """For a Lead, whose company is a text; a Contact's Account is a record, to be chosen. Nothing
    is asked of Salesforce: an Account tells it if the automations have asked for its domain."""
    person = row_of(object).person
    if person is None or not person.company or place.customer is None:
        return None
    runtime = current_runtime()
    company_id = place.agent.company_id
    with runtime.database.read() as session:
        account = accounts.known_name(session, link.connection_id, place.customer, runtime.times)
        if account:
            return SuggestedCompany(account, "account")
        message_id = newest_inbound(session, company_id, place.conversation.id)
    message = None
    # The signature of the customer's mail says nothing of the others on it.
    if message_id is not None and place.other is None:
        asked = guarded(runtime.helpdesk)
        try:
            message = next(asked.messages(company_id, [message_id]), None)
        except HelpDeskFailed:
            # Told in the log. A form that somebody fills in is not lost for want of a suggestion.
            message = None
        guards.end_host_transaction()
    return company_of(place.customer, message)


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
        "error": error_json(error) if error is not None else None,
    }
    return answer(
        "keeping/panel/create.html",
        body,
        status=status,
        title=f"Add as {schema.label}",
        place=a.place,
        schema=schema,
        form=a.form,
        record_types=record_types.choices(schema),
        record_type=a.record_type,
        company=company,
        company_source=COMPANY_SOURCES[company.source] if company is not None else "",
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
