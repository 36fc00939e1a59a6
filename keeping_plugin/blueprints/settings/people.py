"""How new people are added: as what, on which Account, with which values; of the company or of one
mailbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from keeping_plugin.blueprints.settings.automation import of_mailboxes
from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import notices
from keeping_plugin.errors import Complaint, InvalidInput, KeepingError, NotConnected, NotFound
from keeping_plugin.forms.record import RecordForm, defaults, record_form
from keeping_plugin.objects import ACCOUNT, CONTACT, LEAD, TASK
from keeping_plugin.services.panel.lookup import returned, search
from keeping_plugin.services.panel.view import Linked, linked
from keeping_plugin.services.people import accounts, lookup_values, policy
from keeping_plugin.services.people.policy import COMPANY, AddAs, PeopleChoices
from keeping_plugin.services.schema import sending
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, FieldSpec, Mailbox, ObjectSchema, Value
from keeping_plugin.wording import people as words
from keeping_plugin.wording.errors import error_sentence

CHOICES: Final = ("add_as", "by_colleagues", "by_website", "account_id", "account_name")
VALUES: Final = ("defaults",)
_OBJECTS: Final = {row.name: row for row in (CONTACT, LEAD, TASK)}


@dataclass(frozen=True, slots=True)
class AccountPick:
    """An Account being looked for: what was typed, what it found, what is wrong."""

    typed: str = ""
    hits: Sequence[tuple[str, str]] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose choices a page shows: those of a mailbox, or the company's."""

    agent: Agent
    mailboxes: Sequence[Mailbox]
    mailbox: Mailbox | None
    people: policy.CompanyPeople
    link: Linked | None
    beside_0_1_0: bool
    choices: PeopleChoices = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", self.people.of(self.id))

    @property
    def id(self) -> str:
        return self.mailbox.id if self.mailbox else COMPANY

    @property
    def name(self) -> str:
        return self.mailbox.name if self.mailbox else "All mailboxes"

    def own(self, names: Sequence[str]) -> set[str]:
        """The mailboxes that do not follow the company in these choices."""
        return {
            each.id for each in self.mailboxes if not self.people.own(each.id).isdisjoint(names)
        }

    @property
    def why_no_leads(self) -> str | None:
        """Why people cannot be added as Leads, if so."""
        if self.beside_0_1_0:
            return words.NO_LEADS_YET
        schema = self.link.schemas.get(LEAD.name) if self.link else None
        if (
            self.link is not None
            and self.link.described
            and (schema is None or not schema.createable)
        ):
            return "The connected user does not have permission to create Leads."
        return None


def _scope() -> Scope:
    agent, mailboxes, mailbox = of_mailboxes()
    with current_runtime().database.read() as session:
        people = policy.load(session, agent.company_id)
        link = linked(session, agent.company_id)
        return Scope(agent, mailboxes, mailbox, people, link, policy.beside_0_1_0(session))


def people_page() -> ResponseReturnValue:
    """Show the choices of the company, or of `?mailbox=`, or change them."""
    scope = _scope()
    if request.method == "GET":
        return _page(scope)
    do = request.form.get("do", "save")
    if do == "company" and scope.mailbox is not None:
        _follow_company(scope, CHOICES)
        return _back(scope)
    if do == "rule":
        wanted: dict[str, Any] = {"by_colleagues": True, "by_website": True}
        return _save(scope, wanted, back=url_for(".automation", mailbox=scope.id or None))
    try:
        add_as = AddAs(request.form.get("add_as", ""))
    except ValueError:
        raise InvalidInput("Choose whether to add Contacts or Leads.", field="add_as") from None
    wanted = {
        "add_as": add_as,
        "by_colleagues": "by_colleagues" in request.form,
        "by_website": "by_website" in request.form,
    }
    if add_as is AddAs.LEAD and scope.why_no_leads:
        return _page(scope, wanted, problem=scope.why_no_leads), 422
    pick, chosen = _pick(scope)
    if chosen is None:
        return _page(scope, wanted, pick=pick), 422 if pick.problem else 200
    return _save(scope, {**wanted, "account_id": chosen[0], "account_name": chosen[1]})


def _pick(scope: Scope) -> tuple[AccountPick, tuple[str, str] | None]:
    """The chosen Account, ("", "") for none; None while it is still to be chosen."""
    kept = (scope.choices.account_id, scope.choices.account_name)
    if "catch_all" not in request.form:
        return AccountPick(), ("", "")
    typed = request.form.get("account", "").strip()
    account_id = request.form.get("account_id", "")
    asks = request.form.get("do") == "find" or typed != request.form.get("searched", "")
    if not typed and not account_id:
        if kept[0]:
            return AccountPick(), kept
        return AccountPick(problem="Type a part of the Account’s name."), None
    try:
        if scope.link is None or scope.link.lost:
            raise NotConnected("Salesforce is not connected.")
        found = search(current_runtime(), scope.agent, scope.link, ACCOUNT.name, typed)
    except KeepingError as error:
        return AccountPick(typed, problem=str(error)), None
    hits = found or []
    if account_id and not asks:
        offered = returned(current_runtime(), scope.agent, scope.link, [ACCOUNT.name])
        names = {each[:15]: (each, name) for each, name in hits}
        if account_id[:15] in offered and account_id[:15] in names:
            return AccountPick(typed, hits), names[account_id[:15]]
    if found is None:
        return AccountPick(typed, problem="Type at least two letters."), None
    problem = "" if hits else "No Account that the connected user can see has this name."
    return AccountPick(typed, hits, problem), None


def _save(scope: Scope, wanted: dict[str, Any], back: str = "") -> ResponseReturnValue:
    with current_runtime().database.write() as session:
        policy.save(session, scope.agent, scope.id, **wanted)
        if scope.link is not None and "account_id" in wanted:
            accounts.forget_gone(session, scope.link.connection_id)
        after = policy.load(session, scope.agent.company_id).of(scope.id)
    said = words.PRIVATE if _always_private(after) else words.ADD_AS[after.add_as].effect
    notices.add_notice(f"{scope.name}: saved. {said}")
    return redirect(back, 303) if back else _back(scope)


def _follow_company(scope: Scope, names: Sequence[str]) -> None:
    with current_runtime().database.write() as session:
        policy.follow_company(session, scope.agent, scope.id, names)
    notices.add_notice(f"{scope.name} follows the company again.")


def _always_private(choices: PeopleChoices) -> bool:
    return choices.may_stay_private and not choices.looks_for_accounts


def _back(scope: Scope, **more: Any) -> ResponseReturnValue:
    return redirect(url_for(".people", mailbox=scope.id or None, **more), 303)


def _page(
    scope: Scope,
    wanted: Mapping[str, Any] | None = None,
    *,
    pick: AccountPick | None = None,
    problem: str = "",
) -> str:
    shown = {name: getattr(scope.choices, name) for name in CHOICES}
    if wanted is not None:
        shown |= wanted
    schemas = scope.link.schemas if scope.link else {}
    added = (LEAD if shown["add_as"] == AddAs.LEAD else CONTACT).name
    with current_runtime().database.read() as session:
        gone = (
            accounts.kept(session, scope.link.connection_id, (), current_runtime().times).gone
            if scope.link
            else ()
        )
    return render_template(
        "keeping/settings/people.html",
        tabs=tabs("automation"),
        scope=scope,
        own=scope.own(CHOICES),
        shown=shown,
        catch_all="catch_all" in request.form if wanted is not None else bool(shown["account_id"]),
        words=words,
        why_no_leads=scope.why_no_leads,
        always_private=_always_private(scope.choices),
        pick=pick or AccountPick(),
        problem=problem,
        gone=scope.choices.account_id in gone,
        why_no_account=accounts.why_not(schemas) if scope.link and scope.link.described else None,
        values=[
            (schemas[name], len(scope.choices.defaults.get(name, {})), _problems(scope, name))
            for name in (added, TASK.name)
            if name in schemas
        ],
    )


def _problems(scope: Scope, object: str) -> list[str]:
    schema = scope.link.schemas.get(object) if scope.link else None
    return sending.unusable(schema, scope.choices.defaults.get(object, {})) if schema else []


def values_page(object: str) -> ResponseReturnValue:
    """The values that every new record of an object gets, in a form made from its describe."""
    scope = _scope()
    schema = scope.link.schemas.get(object) if scope.link else None
    if object not in _OBJECTS or schema is None:
        raise NotFound("Values can be chosen for Contacts, Leads and Tasks of a connected org.")
    if request.method == "POST" and request.form.get("do") == "company" and scope.mailbox:
        _follow_company(scope, VALUES)
        return redirect(url_for(".people_values", object=object, mailbox=scope.id), 303)
    form = _values_form(scope, schema)
    if request.method == "GET":
        return _values_page(scope, schema, form)
    if request.form.get("do") == "add":
        return _values_page(scope, schema, form, added=request.form.get("add", ""))
    if not form.validate():
        return _values_page(scope, schema, form), 422
    kept = dict(scope.choices.defaults)
    before, kept[object] = kept.get(object, {}), form.changes()
    wrong = _wrong_ids(scope, schema, before, kept[object])
    if wrong:
        form.complain(wrong)
        return _values_page(scope, schema, form), 422
    with current_runtime().database.write() as session:
        policy.save(session, scope.agent, scope.id, defaults=kept)
    notices.add_notice(f"{scope.name}: the values for new {schema.label_plural} are saved.")
    return redirect(url_for(".people", mailbox=scope.id or None, _anchor="k-values"), 303)


def _wrong_ids(
    scope: Scope, schema: ObjectSchema, before: Mapping[str, Value], now: Mapping[str, Value]
) -> list[Complaint]:
    """What is wrong with the records that were chosen for lookup fields since."""
    fresh = {
        name: value
        for name, value in now.items()
        if sending.by_id(schema.fields[name]) and before.get(name) != value
    }
    if not fresh or scope.link is None:
        return []
    found = lookup_values.problems(
        current_runtime(), scope.agent, scope.link.connection_id, schema, fresh
    )
    return [
        Complaint(
            "", str(error) if error.code == "invalid_input" else error_sentence(error), (name,)
        )
        for name, error in found.items()
    ]


def _values_form(scope: Scope, schema: ObjectSchema) -> RecordForm:
    own = sending.of_defaults(schema)
    kept = sending.usable(schema, scope.choices.defaults.get(schema.name, {}))
    names = [*kept]
    if request.method == "POST":
        wanted = [*request.form.getlist("shown"), request.form.get("add", "")]
        names = [name for name in wanted if name in own.fields]
    made = record_form(own, tuple(dict.fromkeys(names)), creating=True)
    sent = request.form if request.method == "POST" else None
    return made(sent, values={**defaults(made), **kept}, id_prefix="k-value-")


def _values_page(scope: Scope, schema: ObjectSchema, form: RecordForm, *, added: str = "") -> str:
    own = sending.of_defaults(schema)
    shown = form.field_names()
    more: list[FieldSpec] = sorted(
        (spec for name, spec in own.fields.items() if name not in shown),
        key=lambda spec: spec.label.lower(),
    )
    return render_template(
        "keeping/settings/people_values.html",
        tabs=tabs("automation"),
        scope=scope,
        words=words,
        own=scope.own(VALUES),
        schema=schema,
        form=form,
        more=more,
        added=f"k-value-sf_{added}" if added else "",
        problems=_problems(scope, schema.name),
    )
