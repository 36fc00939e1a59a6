"""Whatever fails, what was typed is in the answer, on a page and in a fragment; JSON keeps the
shape of its errors. Every POST route with something typed is walked under every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from keeping_plugin.blueprints.panel import duplicates
from keeping_plugin.errors import (
    ConnectionBarred,
    ConnectionLost,
    NotConnected,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordRejected,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import Connection, ConnectionStatus, Decision, PanelCard, now
from tests.blueprints.inbox import ADMIN, AGENT, CUSTOMER, Inbox, token, url
from tests.services.sitting import sitting

TYPED = "typed <by> hand"
SHOWN = "typed &lt;by&gt; hand"
FORMS = {
    "create": ("/new/Contact", {"sf_LastName": TYPED, "sf_Email": "n@new.example"}),
    "create a lead": (
        "/new/Lead",
        {"sf_LastName": "L", "sf_Company": TYPED, "sf_Email": "n@new.example"},
    ),
    "search for the new one's": ("/new/Contact", {"q_AccountId": TYPED, "find": "AccountId"}),
    "edit": ("/Contact/{jane}/edit", {"sf_Title": TYPED}),
    "edit a field": ("/Contact/{jane}/edit/Title", {"sf_Title": TYPED}),
    "use": (
        "/use",
        {"ticket": "{ticket}", "sf_LastName": TYPED, "new_object": "Contact", "sf_Email": "n@x.io"},
    ),
}
SETTINGS = {
    "skip list": (
        "/salesforce/settings/automation/skip?mailbox=support",
        {"domains": TYPED, "do": "add"},
    ),
    "backfill": ("/salesforce/settings/automation/backfill?mailbox=support", {"since": TYPED}),
}
WANTED = {"page": {}, "fragment": {"X-Keeping-Fragment": "1"}}


@contextmanager
def session_ended(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    inbox.desk.agent = None
    yield


@contextmanager
def another_session(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    client.delete_cookie("session")
    yield


@contextmanager
def everybody_waits(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    inbox.runtime.concurrency._limit = 1
    with sitting(inbox.runtime.concurrency, 1):
        yield


@contextmanager
def too_often(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    for _ in range(60):
        for person in (AGENT, ADMIN):
            inbox.runtime.rate._seen.clear()
            inbox.runtime.rate._agent = 1
            inbox.runtime.rate.hit("acme", person.id)
    inbox.runtime.rate._agent = 0
    yield


@contextmanager
def database_fails(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    """A table is gone, as after half a restore."""
    with inbox.database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE keeping_connection RENAME TO gone"))
    yield


@contextmanager
def disconnected(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    with inbox.database.write() as session:
        row = session.get_one(Connection, inbox.connection_id)
        row.status, row.current = ConnectionStatus.DISCONNECTED, False
    yield


@contextmanager
def lost(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
    inbox.lose()
    yield


def salesforce(error: Exception) -> Callable[..., object]:
    @contextmanager
    def fails(inbox: Inbox, client: FlaskClient) -> Iterator[None]:
        for verb in ("panel", "find", "read", "create", "update", "search"):
            inbox.salesforce.fail(verb, error, times=None)  # type: ignore[arg-type]
        yield

    return fails


FAULTS = {
    "the session has ended": session_ended,
    "the page is of another session": another_session,
    "everybody waits": everybody_waits,
    "asked too often": too_often,
    "the database fails": database_fails,
    "disconnected": disconnected,
    "lost": lost,
    "Salesforce answers 503": salesforce(SalesforceUnavailable("503")),
    "Salesforce does not answer": salesforce(OutcomeUnclear("silence")),
    "Salesforce is not accepting more": salesforce(RateLimited("limit")),
    "Salesforce refuses": salesforce(RecordRejected([])),
    "no permission": salesforce(PermissionDenied("no")),
    "a field is gone": salesforce(SchemaStale("gone")),
    "no connection by now": salesforce(NotConnected("gone")),
    "lost by now": salesforce(ConnectionLost()),
    "barred by now": salesforce(ConnectionBarred("ip restricted", reason="ip_restricted")),
}
# Nothing of Salesforce is asked for these, so that no fault of it reaches them.
OWN = ("the session has ended", "the page is of another session", "the database fails")


def send(
    inbox: Inbox, client: FlaskClient, path: str, form: dict[str, str], headers: dict[str, str]
) -> tuple[str, dict[str, str], dict[str, str]]:
    jane = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    with inbox.app.test_request_context():
        subject = ["acme", AGENT.id, "c-1", inbox.salesforce.org_id, "Contact", jane]
        ticket = duplicates._tickets().dumps(subject)
    filled = {name: value.format(ticket=ticket) for name, value in form.items()}
    csrf = token(client)
    return path.format(jane=jane), filled, {**headers, "X-CSRFToken": csrf}


@pytest.mark.field_case("B5")
@pytest.mark.parametrize("fault", FAULTS)
def test_what_an_agent_typed_is_in_the_answer(inbox: Inbox, fault: str) -> None:
    inbox.choose("Contact", "Title", "AccountId")
    client = inbox.client()
    calls = []
    for name, (path, form) in FORMS.items():
        for kind, headers in WANTED.items():
            at, filled, sent = send(inbox, client, path, form, headers)
            calls.append((f"{name} as a {kind}", at, filled, sent, kind))
    client.get(url())
    if fault.startswith("Salesforce does"):
        with inbox.database.write() as session:
            session.query(PanelCard).delete()
    lost_words = []
    with FAULTS[fault](inbox, client):
        for name, at, filled, sent, kind in calls:
            answer = client.post(url(at), data=filled, headers=sent)
            assert answer.status_code >= 400, (name, answer.status_code)
            if SHOWN not in answer.text:
                lost_words.append(name)
            marked = answer.headers.get("X-Keeping-Fragment")
            assert marked == ("1" if kind == "fragment" else None)
    assert lost_words == []


@pytest.mark.field_case("B5")
@pytest.mark.parametrize("kind", WANTED)
def test_a_host_that_cannot_give_its_mail_costs_the_suggested_company_and_no_form(
    inbox: Inbox, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company is looked for whenever the form is shown, also with an error in it."""
    client = inbox.client()
    at, form, headers = send(inbox, client, *FORMS["create a lead"], WANTED[kind])
    with inbox.database.write() as session:
        session.add(
            Decision(
                connection_id=inbox.connection_id,
                company_id="acme",
                mailbox_id="support",
                conversation_id="c-1",
                message_id="m1",
                decided_at=now(session),
                rules_version="1",
                verdicts=[],
                facts={"address": CUSTOMER.email, "inbound": True},
            )
        )
    monkeypatch.setattr(inbox.desk, "messages", _store_away)
    inbox.salesforce.fail("create", SalesforceUnavailable("503"))
    answer = client.post(url(at), data=form, headers=headers)
    assert answer.status_code == 503
    assert SHOWN in answer.text


def _store_away(*_: object) -> None:
    raise OSError("the store of the bodies is away")


@pytest.mark.field_case("B5")
@pytest.mark.parametrize("fault", OWN)
def test_what_an_admin_typed_is_in_the_answer(inbox: Inbox, fault: str) -> None:
    client = inbox.client(ADMIN)
    with client.session_transaction():
        pass
    headers = {"X-CSRFToken": token(client)}
    with FAULTS[fault](inbox, client):
        for name, (path, form) in SETTINGS.items():
            answer = client.post(path, data=form, headers=headers)
            assert answer.status_code >= 400, (name, answer.status_code)
            assert SHOWN in answer.text, name


@pytest.mark.field_case("B5")
@pytest.mark.parametrize("fault", FAULTS)
def test_json_keeps_the_shape_of_its_errors(inbox: Inbox, fault: str) -> None:
    client = inbox.client()
    client.get(url())
    headers = {"Accept": "application/json", "X-CSRFToken": token(client)}
    body = {"fields": {"LastName": TYPED, "Email": "n@new.example"}}
    with FAULTS[fault](inbox, client):
        answer = client.post(url("/new/Contact"), json=body, headers=headers)
    assert answer.status_code >= 400
    assert {"code", "message", "complaints"} <= set(answer.json["error"])


@pytest.mark.field_case("B5")
@pytest.mark.parametrize("fault", ["the session has ended", "the page is of another session"])
def test_after_logging_in_again_what_was_typed_is_saved(inbox: Inbox, fault: str) -> None:
    inbox.choose("Contact", "Title")
    client = inbox.client()
    path, form, headers = send(inbox, client, "/Contact/{jane}/edit", {"sf_Title": TYPED}, {})
    with FAULTS[fault](inbox, client):
        answer = client.post(url(path), data=form, headers=headers)
    inbox.desk.agent = AGENT  # logged in, in another tab
    saved = client.post(url(path), data=_again(answer))
    assert saved.status_code == 200
    rows = inbox.salesforce.org.rows["Contact"].values()
    assert [row.get("Title") for row in rows] == [TYPED]


@pytest.mark.field_case("B5")
def test_use_this_one_leads_back_to_the_form(inbox: Inbox) -> None:
    """The button stands in the form for a new person: its refusal does not cost what is in it."""
    client = inbox.client()
    path, form, headers = send(inbox, client, *FORMS["use"], {})
    inbox.salesforce.fail("read", SalesforceUnavailable("503"))
    answer = client.post(url(path), data=form, headers=headers)
    assert answer.status_code == 503
    assert "Back to the form" in answer.text
    back = client.post(url("/new/Contact"), data=_again(answer) | {"retype": "1"})
    assert back.status_code == 200
    assert SHOWN in back.text
    expired = client.post(url("/use"), data=form | {"ticket": "expired"}, headers=headers)
    assert expired.status_code == 404
    assert 'action="/salesforce/conversations/c-1/new/Contact"' in expired.text


@pytest.mark.field_case("B5")
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_what_another_site_sent_is_not_offered_to_be_sent_again(
    inbox: Inbox, headers: dict[str, str]
) -> None:
    """With a token of ours beside it, a forged form would need one press only."""
    answer = inbox.client().post(url("/new/Contact"), data={"sf_LastName": TYPED}, headers=headers)
    assert answer.status_code == 400
    assert SHOWN not in answer.text
    assert "csrf_token" not in answer.text


def _again(answer: TestResponse) -> dict[str, str]:
    from lxml import html

    form = html.fromstring(answer.text).xpath("//form[@method='post']")[0]
    return {name: value for name, value in form.form_values() if name}
