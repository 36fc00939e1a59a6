"""Every route of the plugin, and what it asks of whom. A route that is missing here fails
test_every_route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from flask import Flask

from tests.security.town import Ids


class For(StrEnum):
    """Who may come in."""

    ANYBODY = "anybody"  # holds nothing of anybody's
    AGENTS = "agents"
    ADMINS = "admins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`path` is filled from a company's ids: {conversation}, {mailbox}, {entry}, {run}, {undo} and
    an object's name for its record's id. `form` is what a person would post. `answers` are the
    statuses of somebody who may come in."""

    endpoint: str
    method: str
    path: str
    whom: For
    form: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[int, ...] = (200, 303)

    @property
    def name(self) -> str:
        return f"{self.method} {self.endpoint}"

    def filled(self, ids: Ids, **other: str) -> tuple[str, dict[str, str]]:
        """The address and the form of one company; `other` puts in what belongs elsewhere."""
        values = {
            "conversation": ids.conversation,
            "mailbox": ids.mailbox,
            "entry": str(ids.entry),
            "run": str(ids.run),
            "undo": str(ids.undo),
            **ids.records,
            **other,
        }
        form = {name: value.format(**values) for name, value in self.form.items()}
        return "/salesforce" + self.path.format(**values), form

    def names_an_id(self) -> list[str]:
        """Which ids the address and the form name."""
        text = self.path + "".join(self.form.values())
        every = (
            "conversation",
            "mailbox",
            "entry",
            "run",
            "undo",
            "Contact",
            "Account",
            "Opportunity",
            "Case",
        )
        return [name for name in every if "{" + name + "}" in text]


_AT = "/conversations/{conversation}"


def _agents(endpoint: str, method: str, path: str, **form: str) -> Route:
    return Route(endpoint=endpoint, method=method, path=_AT + path, whom=For.AGENTS, form=form)


def _admins(endpoint: str, method: str, path: str, **form: str) -> Route:
    path = f"/settings/{path}"
    return Route(endpoint=endpoint, method=method, path=path, whom=For.ADMINS, form=form)


def _open(endpoint: str, path: str) -> Route:
    return Route(endpoint=endpoint, method="GET", path=path, whom=For.ANYBODY)


ROUTES: tuple[Route, ...] = (
    _open("static", "/static/keeping.css"),
    _open("openapi", "/openapi.json"),
    _open("oauth_done", "/oauth/done"),
    _agents("panel", "GET", ""),
    _agents("pick", "POST", "/pick", record="Contact/{Contact}"),
    _agents("unpick", "POST", "/unpick"),
    _agents("find", "GET", "/find?q=account"),
    # Nobody has chosen a record for the customer's address.
    replace(_agents("address", "GET", "/address?do=replace"), answers=(404,)),
    replace(_agents("address", "POST", "/address", do="add"), answers=(404,)),
    _agents("create", "GET", "/new/Contact"),
    _agents("create", "POST", "/new/Contact", sf_LastName="Doe"),
    replace(_agents("use", "POST", "/use", ticket="none"), answers=(404,)),
    _agents("search", "GET", "/search/Account?q=account&field=AccountId"),
    _agents("edit_record", "GET", "/Contact/{Contact}/edit"),
    _agents("edit_record", "POST", "/Contact/{Contact}/edit", sf_Title="Boss"),
    _agents("edit_field", "GET", "/Account/{Account}/edit/Phone"),
    _agents("edit_field", "POST", "/Case/{Case}/edit/Subject", sf_Subject="Changed"),
    _agents("field", "GET", "/Opportunity/{Opportunity}/field/Name"),
    _agents("conversation_log", "GET", "/log"),
    _agents("retry_entry", "POST", "/log/{entry}/retry"),
    _agents("log_now", "POST", "/log/now", message="{conversation}-m1"),
    _agents("do_not_log", "POST", "/log/not"),
    _agents("log_again", "POST", "/log/again"),
    _admins("settings", "GET", ""),
    _admins("connect", "POST", "connect"),
    _admins("connect_status", "GET", "connect/status"),
    _admins("confirm", "POST", "confirm", answer="drop"),
    _admins("finding", "GET", "finding"),
    _admins("finding", "POST", "finding", remove="nobody@b.example"),
    _admins("creating", "GET", "creating"),
    _admins("creating", "POST", "creating"),
    _admins("create_form", "GET", "creating/Contact"),
    _admins("create_form", "POST", "creating/Contact", fields="Email", do="save"),
    _admins("preflight", "POST", "preflight"),
    _admins("schema", "POST", "schema"),
    _admins("schema_progress", "GET", "schema/progress"),
    _admins("fields", "GET", "fields/Contact"),
    _admins("fields", "POST", "fields/Contact", fields="Email", do="save"),
    _admins("automation", "GET", "automation?mailbox={mailbox}"),
    _admins("automation", "POST", "automation?mailbox={mailbox}", log_tasks="1"),
    _admins("automation_brake", "POST", "automation/brake?mailbox={mailbox}", an_hour="3"),
    _admins("automation_once", "POST", "automation/once?mailbox={mailbox}", once_per_mail="on"),
    _admins("automation_skip", "POST", "automation/skip?mailbox={mailbox}", domains="x.example"),
    _admins("people", "GET", "automation/people?mailbox={mailbox}"),
    _admins("people", "POST", "automation/people?mailbox={mailbox}", add_as="contact"),
    _admins("people_values", "GET", "automation/people/Task?mailbox={mailbox}"),
    _admins("people_values", "POST", "automation/people/Task?mailbox={mailbox}", do="save"),
    _admins("automation_try", "GET", "automation/try?mailbox={mailbox}&address=a@b.example"),
    _admins("owners", "GET", "automation/owners?mailbox={mailbox}"),
    _admins("owners", "POST", "automation/owners?mailbox={mailbox}", owner="connecting_user"),
    # An agent of the host, with the mailbox's id for a name.
    _admins("agent_user", "GET", "automation/owners/agent?agent={mailbox}"),
    _admins("agent_user", "POST", "automation/owners/agent?agent={mailbox}", do="nobody"),
    _admins("automation_preview", "GET", "automation/preview?mailbox={mailbox}"),
    _admins("backfill", "GET", "automation/backfill?mailbox={mailbox}&since=2026-01-01"),
    _admins("backfill_start", "POST", "automation/backfill?mailbox={mailbox}", since="2026-01-01"),
    _admins("backfill_change", "POST", "automation/backfill/{run}?mailbox={mailbox}", do="pause"),
    _admins("backfill_progress", "GET", "automation/backfill/progress?mailbox={mailbox}"),
    _admins("activity", "GET", "activity?mailbox={mailbox}"),
    _admins("activity", "POST", "activity", do="again:{entry}"),
    _admins("repair", "GET", "repair"),
    _admins("repair", "POST", "repair", do="take_back", attached="003000000000001AAA"),
    _admins("undo", "GET", "activity/undo"),
    _admins("undo_confirm", "GET", "activity/undo/confirm?entry={entry}"),
    _admins("undo_confirm", "POST", "activity/undo/confirm?entry={entry}"),
    _admins("undo_run", "GET", "activity/undo/{undo}"),
    _admins("undo_progress", "GET", "activity/undo/{undo}/progress"),
    _admins("undo_stop", "POST", "activity/undo/{undo}/stop"),
    _admins("undo_allow", "POST", "activity/undo/allow", address="jane@acme.example"),
    _admins("held", "GET", "activity/held"),
    _admins("held", "POST", "activity/held", do="all", until="1"),
    _admins("audit", "GET", "audit"),
    Route(
        endpoint="oauth_callback",
        method="GET",
        path="/oauth/callback?again=1",
        whom=For.ADMINS,
        answers=(400,),
    ),
    # Last: it ends what the others need.
    _admins("disconnect", "GET", "disconnect"),
    _admins("disconnect", "POST", "disconnect"),
)


def of_app(app: Flask) -> set[tuple[str, str]]:
    """Every endpoint of ours with every method it takes, as the app routes them."""
    return {
        (rule.endpoint.removeprefix("keeping."), method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("keeping.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
