"""T3: logins, and every way in which one can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html
from sqlalchemy import func, select, update

from keeping_plugin.models import AuditRecord, ConnectionStatus, OAuthAttempt, Revocation
from tests.blueprints.admin_side import SETTINGS, AdminSide, Visitor, state_of
from tests.hosts.desk import ADMIN, AGENT, PEOPLE


def test_connect_leads_to_salesforce_with_state_and_pkce(side: AdminSide) -> None:
    ada = side.visitor()
    url = side.login_url(ada)
    assert url.startswith(f"{side.orgs.production.base_url}/services/oauth2/authorize?")
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://localhost/salesforce/oauth/callback"]
    assert len(query["state"][0]) >= 20


def with_strangers_host(side: AdminSide) -> Visitor:
    """Ada's own session, sent with a Host header that somebody else wrote."""
    ada = side.visitor()
    ada.token()
    session = ada.client.get_cookie("session")
    assert session is not None
    ada.client.set_cookie("session", session.value, domain="evil.example")
    return ada


STRANGER = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}


@pytest.mark.field_case("B13")
def test_the_way_back_does_not_follow_a_strangers_host_header(side: AdminSide) -> None:
    config = replace(side.state.config, base_url="https://inbox.example.com")
    side.house.app.extensions["keeping"] = replace(side.state, config=config)
    answer = with_strangers_host(side).post(f"{SETTINGS}connect", headers=STRANGER)
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.location).query)
    assert query["redirect_uri"] == ["https://inbox.example.com/salesforce/oauth/callback"]


@pytest.mark.field_case("B13")
def test_a_host_that_flask_does_not_trust_is_sent_nowhere(side: AdminSide) -> None:
    ada = with_strangers_host(side)
    believed = ada.post(f"{SETTINGS}connect", headers=STRANGER)
    assert "evil.example" in believed.location
    side.house.app.config["TRUSTED_HOSTS"] = ["localhost"]
    assert "localhost" in side.login_url(ada)
    assert ada.post(f"{SETTINGS}connect", headers=STRANGER).status_code == 400


def test_the_browser_never_holds_the_verifier(side: AdminSide) -> None:
    ada = side.visitor()
    side.login_url(ada)
    with ada.client.session_transaction() as session:
        assert set(session) <= {"agent", "csrf", "keeping_login"}
        assert "verifier" not in str(dict(session))


def test_a_login_connects_and_the_page_says_to_what(side: AdminSide) -> None:
    ada = side.connect()
    text = ada.text()
    for said in ("Example Outdoor Company", "Production", "admin@example.com", "by you"):
        assert said in text
    row = side.current()
    assert row is not None
    assert (row.is_sandbox, row.login_url) == (False, side.orgs.production.base_url)
    assert row.org_id == side.orgs.production.organization_id


def test_a_sandbox_is_found_from_the_login_itself(side: AdminSide) -> None:
    ada = side.connect(org=side.orgs.sandbox)
    assert "Sandbox" in ada.text()
    row = side.current()
    assert row is not None
    assert (row.is_sandbox, row.login_url) == (True, side.orgs.sandbox.base_url)
    assert row.org_id == side.orgs.sandbox.organization_id


def test_denial_is_said_plainly_and_stores_nothing(side: AdminSide) -> None:
    ada = side.visitor()
    answer = ada.get(side.consent(side.login_url(ada), user="integration", approve=False))
    assert (answer.status_code, answer.location) == (303, SETTINGS)
    assert "Access was denied" in ada.text()
    assert side.connections() == []


def test_a_callback_is_taken_once(side: AdminSide) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    assert ada.get(callback).status_code == 303
    again = ada.get(callback)
    assert again.status_code == 400
    assert "has expired" in again.text
    assert len(side.connections()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "?code=abc",
        "?state=",
        "?code=abc&state=",
        "?code=abc&state=wrong",
        "?error=access_denied&error_description=end-user+denied&state=wrong",
        "?error=access_denied",
        "?state=" + "x" * 5_000,
        "?code=abc&state=%00",
    ],
)
def test_a_wrong_state_is_refused_and_stores_nothing(side: AdminSide, arguments: str) -> None:
    ada = side.visitor()
    side.login_url(ada)
    answer = ada.get(f"/salesforce/oauth/callback{arguments}")
    assert answer.status_code == 400
    assert "Start again" in answer.text
    assert side.connections() == []


def test_a_callback_of_another_browser_is_refused(side: AdminSide) -> None:
    """An attacker's own code and state, slipped to an admin, bind nothing."""
    attacker, victim = side.visitor("eve"), side.visitor("ada")
    callback = side.consent(side.login_url(attacker))
    side.login_url(victim)
    assert victim.get(callback).status_code == 400
    assert side.connections() == []


def test_a_callback_in_another_session_of_the_same_admin_is_refused(side: AdminSide) -> None:
    here, there = side.visitor("ada"), side.visitor("ada")
    callback = side.consent(side.login_url(here))
    side.login_url(there)
    assert there.get(callback).status_code == 400
    assert here.get(callback).status_code == 303  # and it is still hers


def test_a_code_does_not_work_with_the_state_of_another_login(side: AdminSide) -> None:
    ada = side.visitor()
    stolen = side.consent(side.login_url(side.visitor("eve")))
    state = state_of(side.login_url(ada))
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    answer = ada.get("/salesforce/oauth/callback", query_string={"code": code, "state": state})
    assert answer.status_code == 303
    assert "Salesforce was not connected" in ada.text()  # PKCE: the verifier is another login's
    assert side.connections() == []


def test_after_ten_minutes_a_login_is_over(side: AdminSide) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    with side.house.app.app_context(), side.state.database.write() as session:
        kept = session.scalars(select(OAuthAttempt.expires_at)).one()
        assert timedelta(minutes=9) < kept - datetime.now(UTC) <= timedelta(minutes=10)
        session.execute(update(OAuthAttempt).values(expires_at=datetime.now(UTC)))
    assert ada.get(callback).status_code == 400
    assert side.connections() == []


def test_an_admin_who_was_demoted_meanwhile_connects_nothing(
    side: AdminSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    monkeypatch.setitem(PEOPLE, "ada", replace(ADMIN, is_admin=False))
    assert ada.get(callback).status_code == 403
    assert side.connections() == []


def test_who_logged_out_meanwhile_is_asked_to_log_in(side: AdminSide) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    with ada.client.session_transaction() as session:
        session.pop("agent")
    assert ada.get(callback).status_code == 401
    assert side.connections() == []


def test_a_cookie_that_stays_at_home_comes_along_one_step_later(side: AdminSide) -> None:
    """SameSite=Strict: the browser sends no session on the way back from Salesforce."""
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    page = side.visitor(None).get(callback)
    assert page.status_code == 401
    (step,) = html.fromstring(page.text).xpath("//main//a/@href")
    assert ada.get(step).status_code == 303
    assert side.current() is not None
    assert "Log in to your inbox" in side.visitor(None).get(step).text


def test_the_step_leads_nowhere_else(side: AdminSide) -> None:
    hostile = "?_external=1&_scheme=javascript&_anchor=x&code=%22%3E%3Cscript%3E"
    page = side.visitor(None).get(f"/salesforce/oauth/callback{hostile}")
    (step,) = html.fromstring(page.text).xpath("//main//a/@href")
    assert step.startswith("/salesforce/oauth/callback?")
    assert "<script>" not in page.text


def test_a_user_without_api_access_connects_nothing_and_leaves_no_grant(side: AdminSide) -> None:
    ada = side.visitor()
    ada.get(side.consent(side.login_url(ada), user="no-api"))
    text = ada.text()
    assert "Salesforce was not connected" in text
    assert "API is disabled for this User. Ask a Salesforce admin to give" in text
    assert "“API Enabled” permission, or sign in as another user." in text
    assert side.connections() == []
    assert side.orgs.production.control.tokens()["refresh_tokens"] == 0


@pytest.mark.parametrize("kind", ["internal_error", "unavailable_html", "reset", "truncated"])
def test_an_error_of_salesforce_is_said_and_stores_nothing(side: AdminSide, kind: str) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    side.orgs.production.control.fault(kind, scope={"path": "/services/oauth2/token"})
    ada.get(callback)
    text = ada.text()
    assert "Salesforce was not connected" in text
    assert "login host" in text
    assert "Try again in a few minutes." in text
    assert side.connections() == []


def test_a_refused_login_is_audited_by_its_reason(side: AdminSide) -> None:
    ada = side.visitor()
    ada.get(side.consent(side.login_url(ada), user="integration", approve=False))
    with side.house.app.app_context(), side.state.database.read() as session:
        row = session.scalars(select(AuditRecord)).one()
    assert (row.action, row.agent_id, row.detail) == ("login_refused", "ada", "denied")


def test_another_org_is_shown_before_anything_is_mixed(side: AdminSide) -> None:
    ada = side.connect()
    side.connect(ada, org=side.orgs.sandbox, described=False)
    text = ada.text()
    assert "You signed in to a different org" in text
    assert "Nothing has been changed yet" in text
    current = side.current()
    assert current is not None
    assert current.org_id == side.orgs.production.organization_id
    answer = side.answer(ada, "use")
    assert answer.status_code == 303
    current = side.current()
    assert current is not None
    assert current.org_id == side.orgs.sandbox.organization_id
    assert "different org" not in ada.text()


@pytest.mark.parametrize("answer", ["use", "drop"])
def test_a_stale_word_on_another_org_changes_nothing(side: AdminSide, answer: str) -> None:
    """Pressed twice, or in a window that shows a login which was settled meanwhile."""
    ada = side.connect()
    side.connect(ada, org=side.orgs.sandbox, described=False)
    stale = {"answer": answer, "connection": str(side.connections()[-1].id)}
    side.answer(ada, "drop")
    assert "nothing was changed" in ada.text()
    for values in (stale, {"answer": answer}, {"answer": answer, "connection": "x"}):
        assert ada.post(f"{SETTINGS}confirm", values).location == SETTINGS
        assert "already been answered" in ada.text()
    current = side.current()
    assert current is not None
    assert current.org_id == side.orgs.production.organization_id


def test_another_org_can_be_refused(side: AdminSide) -> None:
    ada = side.connect()
    side.connect(ada, org=side.orgs.sandbox, described=False)
    side.answer(ada, "drop")
    current = side.current()
    assert current is not None
    assert current.org_id == side.orgs.production.organization_id
    with side.house.app.app_context(), side.state.database.read() as session:
        revocation = session.scalars(select(Revocation)).one()
    side.revoke(revocation.id)
    assert side.orgs.sandbox.control.tokens()["refresh_tokens"] == 0
    assert side.orgs.production.control.tokens()["refresh_tokens"] == 1


@pytest.mark.parametrize("answer", ["", "yes", "USE"])
def test_only_a_clear_word_takes_another_org(side: AdminSide, answer: str) -> None:
    ada = side.connect()
    side.connect(ada, org=side.orgs.sandbox, described=False)
    side.answer(ada, answer)
    current = side.current()
    assert current is not None
    assert current.org_id == side.orgs.production.organization_id


def test_reconnecting_keeps_the_row_and_ends_a_loss(side: AdminSide) -> None:
    ada = side.connect()
    before = side.current()
    assert before is not None
    with side.house.app.app_context(), side.state.database.write() as session:
        row = session.merge(before)
        row.status, row.lost_at = ConnectionStatus.LOST, datetime.now(UTC)
        row.lost_reason = "expired access/refresh token"
    text = ada.text()
    assert "Connection lost" in text
    assert "expired access/refresh token" in text
    assert "until an admin reconnects" in text
    assert "Connection check" not in text  # what was found before the loss no longer counts
    side.connect(ada)
    after = side.current()
    assert after is not None
    assert (after.id, after.status, after.epoch) == (before.id, "live", before.epoch)
    assert "connected again" in ada.text() or "Connection lost" not in ada.text()


def test_a_popup_ends_on_a_page_that_closes_itself(side: AdminSide) -> None:
    ada = side.visitor()
    number = "11111111-2222-3333-4444-555555555555"
    status = f"{SETTINGS}connect/status?window={number}"
    callback = side.consent(side.login_url(ada, window=number))
    assert ada.get(status).json == {"finished": False}
    answer = ada.get(callback)
    assert answer.location == "/salesforce/oauth/done"
    page = ada.get(answer.location).text
    assert f'data-window="{number}"' in page
    assert SETTINGS in page  # for those whose browser does not close it
    assert ada.get(status).json == {"finished": True}
    assert ada.get(f"{SETTINGS}connect/status?window=foreign").json == {"finished": False}
    assert ada.get(f"{SETTINGS}connect/status").json == {"finished": False}
    assert "Salesforce is connected." in ada.text()


@pytest.mark.parametrize("window", ["short", "x" * 65, '"><script>alert(1)</script>xxxx', "é" * 20])
def test_only_a_plain_number_names_a_window(side: AdminSide, window: str) -> None:
    ada = side.visitor()
    answer = ada.get(side.consent(side.login_url(ada, window=window)))
    assert answer.location == SETTINGS


def test_nothing_is_kept_for_agents_who_try(side: AdminSide) -> None:
    gus = side.visitor(AGENT.id)
    token = side.visitor().token()
    assert gus.client.post(f"{SETTINGS}connect", data={"csrf_token": token}).status_code == 400
    gus.client.get("/salesforce/oauth/callback")
    with side.house.app.app_context(), side.state.database.read() as session:
        assert session.scalar(select(func.count()).select_from(OAuthAttempt)) == 0
