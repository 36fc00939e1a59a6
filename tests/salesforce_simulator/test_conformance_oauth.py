"""Section 2: authorization, tokens, their refusals, userinfo and revoke."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from salesforce_simulator.oauth.consent import ConsentFailed, connect, walk
from salesforce_simulator.process import OrgProcess, RunningOrg

CALLBACK = "http://127.0.0.1:9/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")


@dataclass
class Flow:
    """The web server flow against one login host, a step at a time."""

    process: OrgProcess
    org: RunningOrg
    changes: dict[str, str | None] = field(default_factory=dict)

    def authorize_url(self, **changes: str | None) -> str:
        query: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.process.client_id,
            "redirect_uri": CALLBACK,
            "scope": "api refresh_token openid",
            "state": "a state & more",
            "code_challenge": CHALLENGE.decode(),
            "code_challenge_method": "S256",
        } | changes
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self.org.base_url}/services/oauth2/authorize?{urlencode(given)}"

    def callback(
        self, user: str = "admin", *, approve: bool = True, **changes: str | None
    ) -> dict[str, str]:
        login = self.org.login(user)
        url = walk(
            self.authorize_url(**changes),
            username=login.username,
            password=login.password,
            approve=approve,
        )
        assert url.startswith(CALLBACK + "?")
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    def code(self, user: str = "admin", **changes: str | None) -> str:
        return self.callback(user, **changes)["code"]

    def token(self, org: RunningOrg | None = None, **form: str | None) -> requests.Response:
        values: dict[str, str | None] = {
            "client_id": self.process.client_id,
            "client_secret": self.process.client_secret,
        } | form
        given = {name: value for name, value in values.items() if value is not None}
        return requests.post(
            f"{(org or self.org).base_url}/services/oauth2/token", data=given, timeout=30
        )

    def by_code(self, code: str, **form: str | None) -> requests.Response:
        values: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.token(**(values | form))

    def refresh(self, refresh_token: str, **form: Any) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)


@pytest.fixture
def flow(process: OrgProcess, org: RunningOrg) -> Iterator[Flow]:
    org.control.allow_redirect(CALLBACK)
    process.sandbox.control.allow_redirect(CALLBACK)
    yield Flow(process, org)
    process.sandbox.control.revoke_grants()
    org.control.revoke_grants()


def refused(answer: requests.Response) -> tuple[int, str, str]:
    body = answer.json()
    assert set(body) == {"error", "error_description"}, "an object, not an array"
    return answer.status_code, body["error"], body["error_description"]


def data(base_url: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{base_url}/services/data/v66.0/limits", headers=headers, timeout=30)


# -- 2.1 the web server flow -----------------------------------------------------------------------


def test_an_approval_comes_back_with_a_code_and_the_state_and_no_host(flow: Flow) -> None:
    callback = flow.callback()
    assert set(callback) == {"code", "state"}
    assert callback["state"] == "a state & more"


def test_a_denial_comes_back_as_access_denied(flow: Flow) -> None:
    assert flow.callback(approve=False) == {
        "error": "access_denied",
        "error_description": "end-user denied authorization",
        "state": "a state & more",
    }


def test_a_token_answer_has_the_recorded_keys_and_no_expires_in(flow: Flow) -> None:
    answer = flow.by_code(flow.code())
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {
        "access_token", "refresh_token", "signature", "scope", "id_token", "instance_url", "id",
        "token_type", "issued_at",
    }  # fmt: skip
    assert body["token_type"] == "Bearer"
    assert body["access_token"].startswith(flow.org.organization_id[:15] + "!")
    assert body["instance_url"] == flow.org.base_url
    assert body["id"].startswith(f"{flow.org.base_url}/id/{flow.org.organization_id}/005")
    assert isinstance(body["issued_at"], str)
    assert len(body["issued_at"]) == 13
    assert set(body["scope"].split()) == {"api", "refresh_token", "openid"}


def test_the_signature_is_an_hmac_of_id_and_issued_at(flow: Flow) -> None:
    body = flow.by_code(flow.code()).json()
    signed = (body["id"] + body["issued_at"]).encode()
    expected = hmac.new(flow.process.client_secret.encode(), signed, hashlib.sha256).digest()
    assert base64.b64decode(body["signature"]) == expected


def test_tokens_come_only_for_their_scopes(flow: Flow) -> None:
    body = flow.by_code(flow.code(scope="api")).json()
    assert "refresh_token" not in body
    assert "id_token" not in body


def test_the_id_token_names_the_user_and_the_client(flow: Flow) -> None:
    body = flow.by_code(flow.code(nonce="n-1")).json()
    payload = body["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == body["id"]
    assert claims["aud"] == flow.process.client_id
    assert claims["nonce"] == "n-1"


def test_a_session_slides_and_ends_after_two_hours_of_silence(flow: Flow) -> None:
    token = flow.by_code(flow.code()).json()["access_token"]
    for _ in range(3):
        flow.org.control.advance(7000)
        assert data(flow.org.base_url, token).status_code == 200
    flow.org.control.advance(7300)
    assert data(flow.org.base_url, token).status_code == 401


def test_form_bodies_may_be_chunked_and_the_client_may_use_basic(flow: Flow) -> None:
    code = flow.code()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    answer = requests.post(
        f"{flow.org.base_url}/services/oauth2/token",
        data=iter([urlencode(form)[:20].encode(), urlencode(form)[20:].encode()]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=(flow.process.client_id, flow.process.client_secret),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_a_refresh_answers_without_a_new_refresh_token(flow: Flow) -> None:
    first = flow.by_code(flow.code()).json()
    again = flow.refresh(first["refresh_token"])
    assert again.status_code == 200
    assert "refresh_token" not in again.json()
    assert data(flow.org.base_url, again.json()["access_token"]).status_code == 200
    assert flow.refresh(first["refresh_token"]).status_code == 200


def test_a_session_may_be_refused_though_the_refresh_that_brought_it_was_good(flow: Flow) -> None:
    first = flow.by_code(flow.code()).json()
    flow.org.control.fault("unauthorized", times=None)
    assert data(flow.org.base_url, first["access_token"]).status_code == 401
    again = flow.refresh(first["refresh_token"])
    assert again.status_code == 200
    assert data(flow.org.base_url, again.json()["access_token"]).status_code == 401
    flow.org.control.clear_faults()
    assert data(flow.org.base_url, again.json()["access_token"]).status_code == 200


def test_rotation_returns_a_new_refresh_token_each_time(flow: Flow) -> None:
    flow.org.control.set(rotate_refresh_tokens=True)
    first = flow.by_code(flow.code()).json()
    second = flow.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert flow.refresh(second["refresh_token"]).status_code == 200


def test_an_old_refresh_token_used_again_revokes_the_whole_chain(flow: Flow) -> None:
    flow.org.control.set(rotate_refresh_tokens=True)
    first = flow.by_code(flow.code()).json()
    second = flow.refresh(first["refresh_token"]).json()
    expected = (400, "invalid_grant", "expired access/refresh token")
    assert refused(flow.refresh(first["refresh_token"])) == expected
    assert refused(flow.refresh(second["refresh_token"])) == expected
    assert data(flow.org.base_url, second["access_token"]).status_code == 401


def test_two_refreshes_at_once_are_one_refresh_and_one_refusal(flow: Flow) -> None:
    flow.org.control.set(token_request_ms=400)
    token = flow.by_code(flow.code()).json()["refresh_token"]
    answers: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(flow.refresh(token))) for _ in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bad, good = sorted(answers, key=lambda answer: -answer.status_code)
    assert good.status_code == 200
    assert refused(bad) == (400, "invalid_grant", "token request is already being processed")


@pytest.mark.parametrize("wrong", ["sandbox", "production"])
def test_each_login_host_refuses_the_codes_of_the_other(flow: Flow, wrong: str) -> None:
    hosts = [flow.process.production, flow.process.sandbox]
    made, other = hosts if wrong == "sandbox" else reversed(hosts)
    code = Flow(flow.process, made).code()
    expected = (400, "invalid_grant", "invalid authorization code")
    assert refused(Flow(flow.process, other).by_code(code)) == expected
    assert Flow(flow.process, made).by_code(code).status_code == 200


def test_the_other_login_host_refuses_a_refresh_token_and_answers_404_to_its_revoke(
    flow: Flow,
) -> None:
    token = flow.by_code(flow.code()).json()["refresh_token"]
    sandbox = flow.process.sandbox
    expected = (400, "invalid_grant", "expired access/refresh token")
    assert refused(flow.refresh(token, org=sandbox)) == expected
    url = f"{sandbox.base_url}/services/oauth2/revoke"
    assert requests.post(url, data={"token": token}, timeout=30).status_code == 404
    assert flow.refresh(token).status_code == 200


def test_use_custom_domain_carries_the_request_to_the_sandbox_unchanged(flow: Flow) -> None:
    url = flow.authorize_url(state="kept ünchanged")
    login = flow.process.sandbox.login("admin")
    callback = walk(
        url, username=login.username, password=login.password, domain="demo--test.sandbox"
    )
    answer = parse_qs(urlsplit(callback).query)
    assert answer["state"] == ["kept ünchanged"]
    code = answer["code"][0]
    assert refused(flow.by_code(code))[1] == "invalid_grant"
    tried_again = Flow(flow.process, flow.process.sandbox).by_code(code)
    assert tried_again.json()["instance_url"] == flow.process.sandbox.base_url


def test_only_the_production_login_page_offers_a_custom_domain(flow: Flow) -> None:
    production = requests.get(flow.authorize_url(), timeout=30).text
    sandbox = Flow(flow.process, flow.process.sandbox).authorize_url()
    assert "Use Custom Domain" in production
    assert "Use Custom Domain" not in requests.get(sandbox, timeout=30).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "unknown"}, "invalid_client_id"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": CALLBACK + "/more"}, "redirect_uri_mismatch"),
    ],
)
def test_an_untrusted_request_is_never_sent_back(
    flow: Flow, change: dict[str, str | None], words: str
) -> None:
    page = requests.get(flow.authorize_url(**change), timeout=30, allow_redirects=False)
    assert page.status_code == 400
    assert words in page.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "api everything"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_a_wrong_request_goes_back_with_its_error(
    flow: Flow, change: dict[str, str | None], error: str
) -> None:
    page = requests.get(flow.authorize_url(**change), timeout=30, allow_redirects=False)
    assert page.status_code == 302
    assert parse_qs(urlsplit(page.headers["Location"]).query)["error"] == [error]


def test_an_app_may_insist_on_pkce(flow: Flow) -> None:
    flow.org.control.set(require_pkce=True)
    url = flow.authorize_url(code_challenge=None, code_challenge_method=None)
    page = requests.get(url, timeout=30, allow_redirects=False)
    assert "error=invalid_request" in page.headers["Location"]


def test_a_wrong_password_stays_on_the_login_page(flow: Flow) -> None:
    with pytest.raises(ConsentFailed, match="Please check your username and password"):
        walk(flow.authorize_url(), username="admin@example.com", password="wrong")


def test_a_deactivated_user_cannot_log_in(flow: Flow) -> None:
    flow.org.control.set_user_active("integration@example.com", False)
    try:
        with pytest.raises(ConsentFailed):
            flow.code("integration")
    finally:
        flow.org.control.set_user_active("integration@example.com", True)


# -- 2.2 token endpoint errors ---------------------------------------------------------------------


def test_a_code_works_once(flow: Flow) -> None:
    code = flow.code()
    assert flow.by_code(code).status_code == 200
    assert refused(flow.by_code(code)) == (400, "invalid_grant", "expired authorization code")


def test_an_old_code_is_refused(flow: Flow) -> None:
    code = flow.code()
    flow.org.control.advance(3600)
    assert refused(flow.by_code(code)) == (400, "invalid_grant", "expired authorization code")


def test_an_unknown_code_is_refused(flow: Flow) -> None:
    answer = flow.by_code("aPrxNobody==")
    assert refused(answer) == (400, "invalid_grant", "invalid authorization code")


@pytest.mark.parametrize("verifier", ["w" * 64, None, ""])
def test_a_wrong_or_missing_verifier_is_refused_and_burns_the_code(
    flow: Flow, verifier: str | None
) -> None:
    code = flow.code()
    answer = flow.by_code(code, code_verifier=verifier)
    assert refused(answer) == (400, "invalid_grant", "invalid code verifier")
    assert flow.by_code(code).status_code == 400


def test_another_redirect_address_at_the_token_endpoint_is_refused(flow: Flow) -> None:
    answer = flow.by_code(flow.code(), redirect_uri="http://127.0.0.1:9/other")
    assert refused(answer) == (
        400, "redirect_uri_mismatch", "redirect_uri must match configuration",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"client_secret": "wrong"}, (400, "invalid_client", "invalid client credentials")),
        ({"client_id": "wrong"}, (400, "invalid_client_id", "client identifier invalid")),
        ({"client_id": None}, (400, "invalid_request", "must specify client_id")),
        ({"grant_type": "magic"}, (400, "unsupported_grant_type", "grant type not supported")),
    ],
)
def test_a_wrong_client_or_grant_type_is_refused(
    flow: Flow, form: dict[str, str | None], expected: tuple[int, str, str]
) -> None:
    assert refused(flow.by_code("any", **form)) == expected


def test_an_unknown_or_revoked_refresh_token_is_expired(flow: Flow) -> None:
    token = flow.by_code(flow.code()).json()["refresh_token"]
    flow.org.control.revoke_grants()
    expected = (400, "invalid_grant", "expired access/refresh token")
    assert refused(flow.refresh(token)) == expected
    assert refused(flow.refresh("5Aep861.nobody")) == expected


def test_a_deactivated_users_refresh_and_calls_are_refused(flow: Flow) -> None:
    body = flow.by_code(flow.code("integration")).json()
    flow.org.control.set_user_active("integration@example.com", False)
    try:
        assert refused(flow.refresh(body["refresh_token"])) == (
            400, "invalid_grant", "inactive user",
        )  # fmt: skip
        assert data(flow.org.base_url, body["access_token"]).status_code == 401
    finally:
        flow.org.control.set_user_active("integration@example.com", True)


def test_an_app_for_approved_users_only_is_refused_at_the_token_endpoint(flow: Flow) -> None:
    flow.org.control.set(app_policy="admin_approved")
    assert refused(flow.by_code(flow.code())) == (
        400, "invalid_app_access", "user is not admin approved to access this app",
    )  # fmt: skip


def test_too_many_logins_within_an_hour_are_refused(flow: Flow) -> None:
    token = flow.by_code(flow.code("integration")).json()["refresh_token"]
    flow.org.control.advance(3700)
    flow.org.control.set(logins_per_hour=2)
    assert [flow.refresh(token).status_code for _ in range(2)] == [200, 200]
    assert refused(flow.refresh(token)) == (400, "rate_limit_exceeded", "login rate exceeded")


@pytest.mark.parametrize(
    ("error", "description"),
    [
        ("invalid_grant", "token validity expired"),
        ("invalid_grant", "user hasn't approved this consumer"),
        ("invalid_grant", "authentication failure"),
        ("invalid_grant", "authentication failure - Invalid Password"),
        ("inactive_user", "inactive user"),
        ("invalid_client", "app must be installed into org"),
        ("invalid_scope", "the requested scope is not allowed"),
        ("inactive_org", ""),
    ],
)
def test_every_other_refusal_of_the_table_can_be_ordered(
    flow: Flow, error: str, description: str
) -> None:
    token = flow.by_code(flow.code()).json()["refresh_token"]
    flow.org.control.fault("token_refused", error=error, error_description=description)
    assert refused(flow.refresh(token)) == (400, error, description)
    assert flow.refresh(token).status_code == 200


# -- 2.3 who am I, revoke --------------------------------------------------------------------------


def test_userinfo_has_the_recorded_keys_and_is_not_counted(flow: Flow) -> None:
    body = flow.by_code(flow.code()).json()
    before = flow.org.control.usage()["used"]
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    answer = requests.get(
        f"{flow.org.base_url}/services/oauth2/userinfo", headers=headers, timeout=30
    )
    found = answer.json()
    assert {
        "sub", "user_id", "organization_id", "preferred_username", "nickname", "name", "email",
        "email_verified", "given_name", "family_name", "zoneinfo", "photos", "profile", "picture",
        "address", "is_salesforce_integration_user", "urls", "active", "user_type", "language",
        "locale", "utcOffset", "updated_at",
    } <= set(found)  # fmt: skip
    assert found["sub"] == body["id"]
    assert found["organization_id"] == flow.org.organization_id
    assert found["preferred_username"] == "admin@example.com"
    assert found["urls"]["custom_domain"] == flow.org.base_url
    assert "Sforce-Limit-Info" not in answer.headers
    assert flow.org.control.usage()["used"] == before


def test_the_identity_url_tells_the_same_under_other_names(flow: Flow) -> None:
    body = flow.by_code(flow.code()).json()
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    found = requests.get(body["id"], headers=headers, timeout=30).json()
    assert {
        "id", "asserted_user", "user_id", "organization_id", "username", "nick_name",
        "display_name", "email", "email_verified", "first_name", "last_name", "timezone", "photos",
        "addr_street", "status", "urls", "active", "user_type", "language", "locale", "utcOffset",
        "last_modified_date", "is_app_installed",
    } <= set(found)  # fmt: skip
    assert found["id"] == body["id"]


def test_userinfo_without_a_live_token_is_refused(flow: Flow) -> None:
    url = f"{flow.org.base_url}/services/oauth2/userinfo"
    wrong = {"Authorization": "Bearer 00Dnobody!x"}
    answers = [requests.get(url, timeout=30), requests.get(url, headers=wrong, timeout=30)]
    assert [(a.status_code, a.text) for a in answers] == [
        (403, "Missing_OAuth_Token"),
        (403, "Bad_OAuth_Token"),
    ]


def revoke(org: RunningOrg, token: str) -> requests.Response:
    url = f"{org.base_url}/services/oauth2/revoke"
    return requests.post(url, data={"token": token}, timeout=30)


def test_revoking_a_refresh_token_ends_its_access_tokens(flow: Flow) -> None:
    body = flow.by_code(flow.code()).json()
    answer = revoke(flow.org, body["refresh_token"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert data(flow.org.base_url, body["access_token"]).status_code == 401
    assert flow.refresh(body["refresh_token"]).status_code == 400


def test_revoking_an_access_token_leaves_the_refresh_token(flow: Flow) -> None:
    body = flow.by_code(flow.code()).json()
    assert revoke(flow.org, body["access_token"]).status_code == 200
    assert data(flow.org.base_url, body["access_token"]).status_code == 401
    assert flow.refresh(body["refresh_token"]).status_code == 200


def test_revoking_an_unknown_or_revoked_token_is_a_400(flow: Flow) -> None:
    body = flow.by_code(flow.code()).json()
    revoke(flow.org, body["access_token"])
    assert refused(revoke(flow.org, "00Dnobody!x"))[:2] == (400, "unsupported_token_type")
    assert refused(revoke(flow.org, body["access_token"]))[:2] == (400, "invalid_token")


# -- 2.4 apps that must be installed ---------------------------------------------------------------


def test_an_uninstalled_app_comes_back_refused_unless_the_user_may_approve_it(flow: Flow) -> None:
    flow.org.control.set(app_policy="must_be_installed")
    assert flow.callback("integration") == {
        "error": "invalid_client",
        "error_description": "app must be installed into org",
        "state": "a state & more",
    }
    assert "code" in flow.callback("admin")


def test_the_refusal_may_also_be_a_page_of_the_login_host(flow: Flow) -> None:
    flow.org.control.set(app_policy="must_be_installed", app_refusal="page")
    with pytest.raises(ConsentFailed, match="OAUTH_APPROVAL_ERROR_GENERIC"):
        flow.callback("integration")


def test_a_user_who_approved_before_is_not_asked_again_unless_consent_is_prompted(
    flow: Flow,
) -> None:
    connect(flow.process, flow.org, user="integration", redirect_uri=CALLBACK)
    login = flow.org.login("integration")
    with requests.Session() as browser:
        form = {"action": "login", "username": login.username, "pw": login.password}
        for prompt, asked in ((None, False), ("consent", True)):
            url = flow.authorize_url(prompt=prompt)
            browser.post(url, data=form, timeout=30, allow_redirects=False)
            page = browser.get(url, timeout=30, allow_redirects=False)
            assert ("Allow access?" in page.text) is asked


def test_a_prompt_for_login_asks_again_and_once(flow: Flow) -> None:
    login = flow.org.login("integration")
    form = {"action": "login", "username": login.username, "pw": login.password}
    with requests.Session() as browser:
        browser.post(flow.authorize_url(), data=form, timeout=30, allow_redirects=False)
        url = flow.authorize_url(prompt="login", login_hint="someone@example.com")
        asked = browser.get(url, timeout=30, allow_redirects=False)
        assert 'value="login"' in asked.text
        assert 'value="someone@example.com"' in asked.text
        page = browser.post(url, data=form, timeout=30)
        assert "Allow access?" in page.text


def test_an_approval_needs_the_token_of_its_own_page(flow: Flow) -> None:
    login = flow.org.login("integration")
    form = {"action": "login", "username": login.username, "pw": login.password}
    with requests.Session() as browser:
        browser.post(flow.authorize_url(), data=form, timeout=30)
        forged = {"action": "approve", "csrf": "guessed"}
        page = browser.post(flow.authorize_url(), data=forged, timeout=30, allow_redirects=False)
        assert page.status_code == 403


def test_offline_access_is_another_name_of_the_refresh_scope(flow: Flow) -> None:
    assert "refresh_token" in flow.by_code(flow.code(scope="api offline_access")).json()


def test_a_user_logs_in_3600_times_an_hour(flow: Flow) -> None:
    assert flow.org.control.call("GET", "/settings")["logins_per_hour"] == 3600
