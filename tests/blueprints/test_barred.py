"""What a Salesforce that refuses the login for a while looks like to everybody, and how it ends."""

from __future__ import annotations

from contextlib import suppress

import pytest
from click.testing import Result
from flask import render_template
from lxml import html
from sqlalchemy import select

from keeping_plugin.cli import keeping
from keeping_plugin.errors import ConnectionBarred
from keeping_plugin.locales import Reader
from keeping_plugin.models import AuditRecord, Connection, ConnectionStatus, now
from keeping_plugin.services.connection import barred
from keeping_plugin.times import Times
from tests.blueprints.admin_side import SETTINGS, AdminSide, Visitor
from tests.blueprints.inbox import ADMIN, AGENT, Inbox, url

JSON = {"Accept": "application/json"}
WORDS = "ip restricted or invalid login hours"
PASSING = (
    WORDS,
    "ip restricted",
    "Invalid login hours",
    "Authentication is temporarily unavailable",
    "words that nobody has heard before",
)


def check(visitor: Visitor) -> None:
    """An admin presses Check again, which asks Salesforce."""
    assert visitor.post(f"{SETTINGS}preflight").status_code == 303


def ask(side: AdminSide) -> None:
    """What a panel or a worker does, at any time."""
    found = row(side)
    with side.house.app.app_context(), suppress(ConnectionBarred):
        side.state.gateways(found.id).limits()


def doctor(side: AdminSide) -> Result:
    return side.house.app.test_cli_runner().invoke(keeping, ["doctor"])


def refuse(side: AdminSide, words: str) -> None:
    side.orgs.production.control.fault(
        "token_refused", times=None, error="invalid_grant", error_description=words
    )
    side.orgs.production.control.expire_access_tokens()


def row(side: AdminSide) -> Connection:
    found = side.current()
    assert found is not None
    return found


def try_now(side: AdminSide) -> None:
    with side.house.app.app_context():
        barred.try_now(side.state.database)


@pytest.mark.field_case("A1")
@pytest.mark.parametrize("words", PASSING)
def test_a_refusal_that_passes_is_waited_out_and_everything_goes_on(
    side: AdminSide, words: str
) -> None:
    ada = side.connect()
    before = row(side).tokens
    refuse(side, words)
    check(ada)
    assert (row(side).status, row(side).is_barred) == (ConnectionStatus.LIVE, True)
    assert row(side).tokens == before
    text = ada.text()
    assert "Salesforce is refusing the connection for now" in text
    assert words in text
    assert "Setup ›" in text
    assert "Reconnect" in text
    assert "Connection lost" not in text
    said = doctor(side)
    assert said.exit_code == 1
    assert words in said.output
    assert "Setup ›" in said.output

    asked = side.orgs.production.control.counters()["http_round_trips"]
    ask(side)
    assert side.orgs.production.control.counters()["http_round_trips"] == asked
    check(ada)
    assert "Salesforce still refuses the connection." in ada.text()
    assert row(side).is_barred
    side.orgs.production.control.clear_faults()
    check(ada)
    assert not row(side).is_barred
    assert "Salesforce refuses" not in ada.text()
    with side.house.app.app_context(), side.state.database.read() as session:
        actions = list(session.scalars(select(AuditRecord.action)))
    assert actions.count("connection_barred") == actions.count("connection_unbarred") == 1


@pytest.mark.field_case("A1")
def test_every_page_says_so_in_words_of_its_own(side: AdminSide) -> None:
    ada = side.connect()
    refuse(side, WORDS)
    check(ada)
    for page in ("automation", "activity"):
        assert "Salesforce is refusing the connection for now" in ada.text(f"{SETTINGS}{page}")
    trail = ada.text(f"{SETTINGS}audit?whose=automatic")
    assert "Salesforce began refusing the connection" in trail


def test_the_tile_says_so(inbox: Inbox) -> None:
    with inbox.database.write() as session:
        row = session.get_one(Connection, inbox.connection_id)
        error = ConnectionBarred(WORDS, reason="restricted")
        barred.bar(session, row, error, at=now(session), times=Times(), probed=False)
    inbox.desk.agent = ADMIN
    with inbox.app.test_request_context():
        tile = render_template("keeping/tile.html")
    assert "Refused for now" in tile
    assert ">Settings<" in tile
    assert "Add Integration" not in tile


@pytest.mark.field_case("A1")
@pytest.mark.parametrize("words", ["ip restricted", "Invalid login hours"])
def test_the_same_words_at_a_login_do_not_say_start_again(side: AdminSide, words: str) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    side.orgs.production.control.fault(
        "token_refused",
        grant_type="authorization_code",
        error="invalid_grant",
        error_description=words,
    )
    ada.get(callback)
    text = ada.text()
    assert "Start again" not in text
    assert "Login Hours" in text
    assert f"Salesforce says: “{words}”." in text
    assert side.connections() == []


@pytest.mark.field_case("A8")
def test_a_session_that_is_refused_without_end_bars_the_connection(side: AdminSide) -> None:
    ada = side.connect()
    control = side.orgs.production.control
    control.fault("unauthorized", times=None)
    check(ada)
    assert row(side).is_barred
    assert row(side).barred_reason == "session"
    text = ada.text()
    assert "Session expired or invalid" in text
    assert "Session Settings" in text
    assert doctor(side).exit_code == 1
    control.reset_log()
    for _ in range(3):
        ask(side)
    assert control.log() == [], "nobody refreshes meanwhile"
    try_now(side)
    ask(side)
    refreshes = [each for each in control.log() if each["path"] == "/services/oauth2/token"]
    assert len(refreshes) == 1
    assert row(side).barred_probes == 1
    control.clear_faults()
    try_now(side)
    ask(side)
    assert not row(side).is_barred
    assert "The API is reachable" in doctor(side).output


def test_a_reconnect_is_offered_and_ends_it(side: AdminSide) -> None:
    ada = side.connect()
    refuse(side, WORDS)
    check(ada)
    side.orgs.production.control.clear_faults()
    side.connect(ada)
    assert not row(side).is_barred
    assert "Salesforce refuses" not in ada.text()


def test_the_connection_page_and_the_doctor_say_when_the_login_was_renewed(
    side: AdminSide,
) -> None:
    ada = side.connect()
    assert "Not since connecting" in ada.text()
    assert "the login has not been renewed yet" in doctor(side).output
    side.orgs.production.control.expire_access_tokens()
    check(ada)
    renewed = row(side).refreshed_at
    assert renewed is not None
    assert Reader.named([], "").moment(renewed) in ada.text()
    assert f"last renewed {renewed:%Y-%m-%d %H:%M} UTC" in doctor(side).output


# The agents' panel --------------------------------------------------------------------------------


@pytest.fixture
def refused(inbox: Inbox) -> Inbox:
    error = ConnectionBarred(WORDS, reason="restricted")
    inbox.salesforce.fail("panel", error, times=None)
    return inbox


@pytest.mark.field_case("A1")
def test_an_agent_reads_why_and_that_it_goes_on_by_itself(refused: Inbox) -> None:
    page = refused.client(AGENT).get(url())
    assert page.status_code == 503
    text = " ".join(html.fromstring(page.text).text_content().split())
    assert "Salesforce is refusing the connection for now" in text
    assert WORDS in text
    assert "mail that arrives meanwhile is logged afterwards" in text
    assert "Connection lost" not in text
    assert "Try again" in text
    assert "Open settings" not in text
    assert "Open settings" in refused.client(ADMIN).get(url()).text


@pytest.mark.field_case("A1")
def test_a_program_reads_it_as_a_state_of_its_own(refused: Inbox) -> None:
    answer = refused.client(AGENT).get(url(), headers=JSON)
    assert (answer.status_code, answer.json["state"]) == (503, "connection_barred")
    assert answer.json["error"]["code"] == "connection_barred"
    assert WORDS in answer.json["error"]["message"]
