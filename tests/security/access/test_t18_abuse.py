"""T18: whoever asks too often is told so, and Salesforce is not asked; nobody else notices.

How the limits count is tested in tests/services/panel/test_pace_and_seats.py, the panel that says
so in tests/blueprints/panel/test_view.py, a storm of one sender's mail in
tests/journeys/test_messages.py and the skip list in tests/services/automation/test_skip_list.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from flask import request
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import EnvironBuilder, run_wsgi_app

from keeping_plugin.blueprints.web.guards import MAX_BYTES
from keeping_plugin.extension import _wire
from keeping_plugin.types import RecordType
from salesforce_simulator.process import OrgProcess
from tests.blueprints.inbox import ADMIN, AGENT, CUSTOMER, Inbox, open_inbox, post, token, url
from tests.security.town import open_town

AGENT_LIMIT, COMPANY_LIMIT = 60, 100


@pytest.fixture
def inbox(sqlite_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_url, limit=(AGENT_LIMIT, COMPANY_LIMIT)) as opened:
        opened.connect()
        yield opened


def open_panel(client: FlaskClient) -> int:
    return client.get(url(), headers={"Accept": "application/json"}).status_code


def test_a_thousand_panels_of_one_agent_stay_within_his_limit(inbox: Inbox) -> None:
    client = inbox.client()
    answers = [open_panel(client) for _ in range(1_000)]
    assert inbox.calls().count("panel") == AGENT_LIMIT
    assert answers == [200] * AGENT_LIMIT + [503] * (1_000 - AGENT_LIMIT)
    assert open_panel(inbox.client(replace(AGENT, id="ann"))) == 200, "a colleague goes on"
    inbox.clock.advance(61)
    assert open_panel(inbox.client()) == 200


def test_the_agents_of_a_company_together_stay_within_its_limit(inbox: Inbox) -> None:
    answers = [
        open_panel(inbox.client(replace(AGENT, id=f"agent-{number % 25}"))) for number in range(250)
    ]
    assert inbox.calls().count("panel") == COMPANY_LIMIT
    assert answers.count(503) == 250 - COMPANY_LIMIT


@pytest.mark.parametrize("kind", ["edit", "add", "search"])
def test_saves_and_searches_count_as_well_and_keep_what_was_typed(inbox: Inbox, kind: str) -> None:
    inbox.choose("Contact", "Name", "Title", "Email", "AccountId")
    jane = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    client = inbox.client()
    open_panel(client)
    before = len(inbox.calls())
    for number in range(AGENT_LIMIT + 20):
        if kind == "edit":
            said = post(client, f"/Contact/{jane}/edit/Title", {"sf_Title": f"typed {number}"})
        elif kind == "add":
            new = {"sf_LastName": f"typed {number}", "sf_Email": f"n{number}@new.example"}
            said = post(client, "/new/Contact", new)
        else:
            said = client.get(url(f"/search/Account?q=typed {number}&field=AccountId"))
    assert said.status_code == 503
    assert ("limit of" if kind == "search" else "Too many ") in said.text
    assert kind == "search" or f"typed {number}" in said.text, "nothing typed is lost"
    made = [verb for verb in inbox.calls()[before:] if verb in ("update", "create", "search")]
    assert 0 < len(made) <= AGENT_LIMIT


def test_web_processes_share_the_limit_of_an_agent_and_of_a_company(
    orgs: OrgProcess, sqlite_url: str, redis_url: str
) -> None:
    """Four processes are four states of one configuration, each with a memory of its own."""
    with open_town(
        orgs, sqlite_url, KEEPING_REDIS_URL=redis_url, KEEPING_PANEL_LIMIT=(8, 12)
    ) as town:
        town.settle_in()
        with Redis.from_url(redis_url) as redis:
            redis.flushdb()  # what settling in has counted
        state = town.state
        processes = [
            _wire(state.config, helpdesk=town.desk, db=town.house.db, name=state.name)
            for _ in range(4)
        ]

        def panels(person: str, count: int) -> list[int]:
            visitor, found = town.visitor(person), []
            for number in range(count):
                town.house.app.extensions["keeping"] = processes[number % 4]
                found.append(visitor.get("/salesforce/conversations/c-1").status_code)
            return found

        assert panels("gus", 16) == [200] * 8 + [503] * 8
        assert panels("ada", 8) == [200] * 4 + [503] * 4, "a colleague has what the company has"
        assert len(town.calls("acme")) == 12


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/salesforce/settings/schema", 503),
        ("POST", "/salesforce/settings/preflight", 303),  # and the page says so
        ("POST", "/salesforce/settings/connect", 503),
        ("POST", "/salesforce/settings/activity", 503),
        ("POST", "/salesforce/conversations/c-1/log/1/retry", 503),
        ("GET", "/salesforce/conversations/c-1", 503),
        ("GET", "/salesforce/conversations/c-1/search/Account?q=account", 503),
    ],
)
def test_whatever_reaches_salesforce_has_a_pace(
    inbox: Inbox, method: str, path: str, status: int
) -> None:
    """Of admins, too; what only reads our own tables has none."""
    client = inbox.client(ADMIN)
    headers = {"X-CSRFToken": token(client)}
    for _ in range(AGENT_LIMIT):
        inbox.runtime.rate.hit("acme", ADMIN.id)
    before, jobs = len(inbox.calls()), list(inbox.queue.jobs)
    assert client.open(path, method=method, headers=headers).status_code == status
    assert (len(inbox.calls()), inbox.queue.jobs) == (before, jobs)
    assert client.get("/salesforce/settings/activity").status_code == 200


def test_a_forms_picklists_are_asked_for_at_the_agents_pace(inbox: Inbox) -> None:
    """The form comes with what the describe has; Salesforce is not asked."""
    schema = inbox.salesforce.org.schemas["Contact"]
    kinds = tuple(
        RecordType(
            id=f"012{number:012d}AAA",
            name=f"Kind {number}",
            developer_name=f"K{number}",
            available=True,
            default=number == 0,
            master=False,
        )
        for number in range(3)
    )
    inbox.describe({**inbox.salesforce.org.schemas, "Contact": replace(schema, record_types=kinds)})
    client = inbox.client()
    for _ in range(AGENT_LIMIT):
        inbox.runtime.rate.hit("acme", AGENT.id)
    for kind in kinds:
        answer = client.get(url(f"/new/Contact?record_type={kind.id}"))
        assert answer.status_code == 200
    assert inbox.calls() == []


@pytest.mark.parametrize("length_said", [True, False])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_a_body_that_is_too_large_gets_a_plain_page(
    inbox: Inbox, kind: str, length_said: bool
) -> None:
    """With Content-Length it is not even read; without one no more is read than is allowed."""
    client = inbox.client()
    secret = token(client)
    session = client.get_cookie("session")
    assert session is not None
    body = BytesIO(b'{"record": "' + b"x" * 2 * MAX_BYTES + b'"}')
    builder = EnvironBuilder(
        url("/pick"),
        method="POST",
        input_stream=body,
        content_type=kind,
        headers={"X-CSRFToken": secret, "Cookie": f"session={session.value}"},
    )
    environ = builder.get_environ()
    if not length_said:  # chunked, as servers hand it on
        del environ["CONTENT_LENGTH"]
        environ["wsgi.input_terminated"] = True
    parts, status, _ = run_wsgi_app(inbox.app, environ)
    text = b"".join(parts).decode()
    assert status.startswith("413 ")
    assert "nothing was changed" in text
    assert "Traceback" not in text
    assert body.tell() <= (0 if length_said else MAX_BYTES + 1)
    assert inbox.calls() == []


def test_a_long_text_of_the_longest_field_is_let_in(inbox: Inbox) -> None:
    """131,072 characters of three bytes each, percent-encoded: refused by its length in the form's
    own words, not by the size of the request."""
    jane = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email)
    answer = post(inbox.client(), f"/Contact/{jane}/edit/Title", {"sf_Title": "語" * 131_072})
    assert answer.status_code == 422


def test_the_hosts_own_smaller_limit_stands(inbox: Inbox) -> None:
    inbox.app.config["MAX_CONTENT_LENGTH"] = 1_000
    answer = post(inbox.client(), "/pick", {"record": "x" * 2_000})
    assert answer.status_code == 413


def test_the_hosts_own_routes_keep_their_own_limit(inbox: Inbox) -> None:
    @inbox.app.post("/upload")
    def upload() -> str:
        return str(len(request.get_data()))

    answer = inbox.client().post("/upload", data=b"x" * (MAX_BYTES + 1))
    assert answer.text == str(MAX_BYTES + 1)
