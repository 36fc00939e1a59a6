"""Logging in, refreshing and revoking against both login hosts."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import logging
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from keeping_plugin.errors import (
    ConnectionBarred,
    ConnectionLost,
    InvalidInput,
    LoginRefused,
    RateLimited,
    SalesforceUnavailable,
)
from keeping_plugin.salesforce import grants
from keeping_plugin.salesforce.oauth import STATE_SECONDS, SalesforceOAuth
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.types import Tokens
from keeping_plugin.wording.logins import REASONS
from salesforce_simulator.oauth.consent import walk
from salesforce_simulator.process import OrgProcess
from tests.salesforce.byte_server import reply, says, serving
from tests.salesforce.conftest import CALLBACK, LiveOrg, MemoryStates, SystemClock, config_for

BUSY = "token request is already being processed"


@pytest.fixture
def states() -> MemoryStates:
    return MemoryStates()


def callback_of(url: str, org: LiveOrg, **answers: Any) -> dict[str, str]:
    """What the callback gets when the admin of this org logs in at this address."""
    login = org.running.login("admin")
    back = walk(url, username=login.username, password=login.password, **answers)
    return dict(parse_qsl(urlsplit(back).query))


def test_the_browser_is_sent_to_the_production_login_with_pkce(
    org: LiveOrg, states: MemoryStates
) -> None:
    url = urlsplit(org.oauth.authorize_url(CALLBACK, states))
    asked = dict(parse_qsl(url.query))
    assert f"{url.scheme}://{url.netloc}" == org.config.salesforce_login_urls[0]
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "api refresh_token openid"
    assert asked["redirect_uri"] == CALLBACK
    [kept] = states.kept.values()
    verifier = json.loads(kept)["verifier"]
    assert len(verifier) >= 43
    assert verifier not in url.query
    assert states.seconds == [STATE_SECONDS]


def test_a_login_gives_tokens_of_the_host_that_issued_them(org: LiveOrg) -> None:
    tokens = org.log_in("admin")
    assert tokens.login_url == org.config.salesforce_login_urls[0]
    assert tokens.instance_url == org.running.base_url
    assert tokens.refresh_token
    facts = org.gateway_with(access_token=tokens.access_token).org_facts()
    assert (facts.username, facts.is_sandbox) == ("admin@example.com", False)


def test_a_sandbox_is_reached_from_the_production_page(
    org_process: OrgProcess, states: MemoryStates
) -> None:
    sandbox = LiveOrg(org_process, org_process.sandbox)
    tokens = sandbox.tokens.tokens
    assert tokens.login_url == org_process.sandbox.base_url
    assert sandbox.gateway.org_facts().is_sandbox
    renewed = sandbox.oauth.refresh(tokens)
    assert renewed.login_url == org_process.sandbox.base_url
    assert renewed.access_token != tokens.access_token


def test_a_state_serves_once(org: LiveOrg, states: MemoryStates) -> None:
    arguments = callback_of(org.oauth.authorize_url(CALLBACK, states), org)
    org.oauth.exchange(arguments, states)
    with pytest.raises(InvalidInput):
        org.oauth.exchange(arguments, states)


@pytest.mark.parametrize("state", [None, "", "unknown", "x" * 100_000])
def test_a_wrong_state_reaches_no_token_endpoint(
    org: LiveOrg, states: MemoryStates, state: str | None
) -> None:
    arguments = callback_of(org.oauth.authorize_url(CALLBACK, states), org)
    arguments.pop("state") if state is None else arguments.update(state=state)
    org.control.reset_log()
    with pytest.raises(InvalidInput):
        org.oauth.exchange(arguments, states)
    assert org.control.counters()["oauth_round_trips"] == 0


def test_a_code_of_another_login_is_refused(org: LiveOrg, states: MemoryStates) -> None:
    """PKCE: the verifier that waits for this state is not the one of that code."""
    other = callback_of(org.oauth.authorize_url(CALLBACK, states), org)
    mine = callback_of(org.oauth.authorize_url(CALLBACK, states), org)
    with pytest.raises(LoginRefused) as refused:
        org.oauth.exchange({**mine, "code": other["code"]}, states)
    assert refused.value.reason == "expired"


def test_the_login_says_that_the_apps_tokens_require_proof_of_possession(
    org: LiveOrg, states: MemoryStates
) -> None:
    org.control.set(dpop=True)
    try:
        arguments = callback_of(org.oauth.authorize_url(CALLBACK, states), org)
        with pytest.raises(LoginRefused) as refused:
            org.oauth.exchange(arguments, states)
    finally:
        org.control.set(dpop=False)
    assert refused.value.reason == "dpop"


def test_a_denial_is_told(org: LiveOrg, states: MemoryStates) -> None:
    arguments = callback_of(org.oauth.authorize_url(CALLBACK, states), org, approve=False)
    with pytest.raises(LoginRefused) as refused:
        org.oauth.exchange(arguments, states)
    assert refused.value.reason == "denied"
    assert not states.kept


def test_an_app_that_must_be_installed_is_told(org: LiveOrg, states: MemoryStates) -> None:
    org.control.set(app_policy="must_be_installed")
    try:
        login = org.running.login("integration")
        url = org.oauth.authorize_url(CALLBACK, states)
        back = walk(url, username=login.username, password=login.password)
        with pytest.raises(LoginRefused) as refused:
            org.oauth.exchange(dict(parse_qsl(urlsplit(back).query)), states)
    finally:
        org.control.set(app_policy="open")
    assert refused.value.reason == "not_installed"


def test_a_wrong_secret_is_a_matter_of_configuration(
    org: LiveOrg, org_process: OrgProcess, states: MemoryStates
) -> None:
    config = dataclasses.replace(config_for(org_process), salesforce_client_secret="wrong")
    oauth = SalesforceOAuth(config, org.transport, SystemClock())  # type: ignore[arg-type]
    arguments = callback_of(oauth.authorize_url(CALLBACK, states), org)
    with pytest.raises(LoginRefused) as refused:
        oauth.exchange(arguments, states)
    assert refused.value.reason == "configuration"
    with pytest.raises(ConnectionBarred, match="invalid client credentials") as barred:
        oauth.refresh(org.tokens.tokens)
    assert barred.value.reason == "configuration"


def test_a_refresh_keeps_the_old_refresh_token_when_the_answer_has_none(org: LiveOrg) -> None:
    tokens = org.log_in("admin")
    renewed = org.oauth.refresh(tokens)
    assert renewed.refresh_token == tokens.refresh_token
    assert renewed.access_token != tokens.access_token


def test_a_rotated_refresh_token_replaces_the_old_one(org: LiveOrg) -> None:
    tokens = org.log_in("admin")
    org.control.set(rotate_refresh_tokens=True)
    try:
        renewed = org.oauth.refresh(tokens)
        assert renewed.refresh_token not in {None, tokens.refresh_token}
        assert org.oauth.refresh(renewed).access_token
        with pytest.raises(ConnectionLost):
            org.oauth.refresh(tokens)
    finally:
        org.control.set(rotate_refresh_tokens=False)


def test_a_refresh_that_met_another_comes_back_shortly(org: LiveOrg) -> None:
    tokens = org.log_in("admin")
    org.control.fault("token_refused", times=2, error_description=BUSY)
    assert org.oauth.refresh(tokens).access_token


def test_a_refresh_that_always_meets_another_is_for_later(org: LiveOrg) -> None:
    tokens = org.log_in("admin")
    org.control.fault("token_refused", times=None, error_description=BUSY)
    with pytest.raises(SalesforceUnavailable):
        org.oauth.refresh(tokens)


@pytest.mark.parametrize(
    ("error", "description", "kind"),
    [
        ("invalid_grant", "expired access/refresh token", ConnectionLost),
        ("invalid_grant", "Expired  Access/Refresh Token.", ConnectionLost),
        ("invalid_grant", "inactive user", ConnectionLost),
        ("inactive_user", "", ConnectionLost),
        ("invalid_grant", "token validity expired", ConnectionLost),
        ("invalid_grant", "user hasn't approved this consumer", ConnectionLost),
        (
            "invalid_grant",
            "user hasn\N{RIGHT SINGLE QUOTATION MARK}t approved this consumer",
            ConnectionLost,
        ),
        ("inactive_org", "", ConnectionLost),
        ("inactive_org", "org is locked", ConnectionBarred),
        ("invalid_grant", "authentication failure", ConnectionBarred),
        ("invalid_grant", "", ConnectionBarred),
        ("invalid_app_access", "user is not admin approved to access this app", ConnectionBarred),
        ("invalid_client", "app must be installed into org", ConnectionBarred),
        ("something_new", "", ConnectionBarred),
        ("something_new", "expired access/refresh token", ConnectionBarred),
        ("invalid_client", "invalid client credentials", ConnectionBarred),
        ("invalid_client_id", "client identifier invalid", ConnectionBarred),
        ("redirect_uri_mismatch", "redirect_uri must match configuration", ConnectionBarred),
        ("unsupported_grant_type", "", ConnectionBarred),
        ("invalid_request", "", ConnectionBarred),
        ("invalid_scope", "", ConnectionBarred),
        ("rate_limit_exceeded", "login rate exceeded", RateLimited),
        ("server_error", "", SalesforceUnavailable),
        ("invalid_grant", "token request is already being processed", SalesforceUnavailable),
        ("invalid_grant", "Token Request is already being processed", SalesforceUnavailable),
    ],
)
def test_only_the_words_of_a_dead_grant_lose_a_connection(
    error: str, description: str, kind: type[Exception]
) -> None:
    assert type(grants.refresh_error(error, description)) is kind


# What orgs answer where an address list, login hours or maintenance stand in the way.
PASSING_WORDS = [
    ("ip restricted or invalid login hours", "restricted"),
    ("ip restricted", "restricted"),
    ("Invalid login hours", "restricted"),
    ("Authentication is temporarily unavailable", "away"),
]


@pytest.mark.field_case("A1")
@pytest.mark.parametrize(("words", "reason"), PASSING_WORDS)
def test_a_refusal_that_passes_bars_a_refresh_with_its_words(words: str, reason: str) -> None:
    error = grants.refresh_error("invalid_grant", words)
    assert isinstance(error, ConnectionBarred)
    assert (error.reason, str(error)) == (reason, words)


@pytest.mark.field_case("A1")
@pytest.mark.parametrize(("words", "reason"), PASSING_WORDS)
@pytest.mark.parametrize("at_callback", [True, False])
def test_the_same_words_at_a_login_are_a_reason_of_their_own(
    words: str, reason: str, at_callback: bool
) -> None:
    refused = grants.login_error("invalid_grant", words, at_callback=at_callback)
    assert isinstance(refused, LoginRefused)
    assert refused.reason == reason
    assert "Start again" not in str(refused)
    assert "Setup" in str(refused)


@pytest.mark.field_case("A1")
def test_the_sandboxs_own_words_count_where_production_only_does_not_know_the_code() -> None:
    assert not grants.knows_more("invalid_grant", "invalid authorization code")
    assert not grants.knows_more("invalid_grant", "expired authorization code")
    assert grants.knows_more("invalid_grant", "ip restricted")
    assert grants.knows_more("redirect_uri_mismatch", "")


@pytest.mark.parametrize(
    ("error", "description", "reason"),
    [
        ("access_denied", "end-user denied authorization", "denied"),
        ("invalid_client", "app must be installed into org", "not_installed"),
        ("OAUTH_APPROVAL_ERROR_GENERIC", "", "not_installed"),
        ("invalid_app_access", "user is not admin approved to access this app", "not_approved"),
        ("invalid_grant", "user hasn't approved this consumer", "not_approved"),
        ("invalid_grant", "expired authorization code", "expired"),
        ("invalid_grant", "invalid code verifier", "expired"),
        ("invalid_grant", "user is locked out", "refused"),
        ("invalid_grant", "inactive user", "inactive"),
        ("inactive_org", "", "inactive"),
        ("redirect_uri_mismatch", "", "configuration"),
        ("use_dpop_nonce", "Authorization server requires nonce in DPoP proof", "dpop"),
        ("something_new", "<script>", "refused"),
    ],
)
def test_a_refused_login_says_what_to_do(error: str, description: str, reason: str) -> None:
    refused = grants.login_error(error, description)
    assert isinstance(refused, LoginRefused)
    assert refused.reason == reason
    assert str(refused) == REASONS[reason]
    assert refused.complaints[0].message == description


def test_a_refresh_of_a_revoked_grant_loses_the_connection(org: LiveOrg) -> None:
    tokens = org.log_in("integration")
    org.control.revoke_grants("integration@example.com")
    with pytest.raises(ConnectionLost):
        org.oauth.refresh(tokens)


def test_a_revoked_token_is_revoked_enough(org: LiveOrg) -> None:
    tokens = org.log_in("admin")
    assert tokens.refresh_token
    org.oauth.revoke(tokens.login_url, tokens.refresh_token)
    org.oauth.revoke(tokens.login_url, tokens.refresh_token)
    with pytest.raises(ConnectionLost):
        org.oauth.refresh(tokens)


def test_a_token_is_not_revoked_at_the_wrong_host(org: LiveOrg, org_process: OrgProcess) -> None:
    tokens = org.log_in("admin")
    assert tokens.refresh_token
    with pytest.raises(SalesforceUnavailable):
        org.oauth.revoke(org_process.sandbox.base_url, tokens.refresh_token)
    assert org.oauth.refresh(tokens).access_token


def test_no_secret_of_a_login_reaches_the_log(
    org: LiveOrg, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = org.log_in("admin")
    renewed = org.oauth.refresh(tokens)
    for secret in (tokens.access_token, tokens.refresh_token, renewed.access_token):
        assert secret
        assert secret not in caplog.text
    assert tokens.access_token not in repr(tokens)


SECRET = "s3cr3t"


def signed(**changes: Any) -> dict[str, Any]:
    """A token answer as Salesforce signs it, with parts replaced after signing."""

    answer = {
        "access_token": "00Dx!a",
        "refresh_token": "5Aep",
        "scope": "refresh_token openid api",
        "instance_url": "https://acme.my.salesforce.com",
        "id": "https://login.salesforce.com/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU",
        "issued_at": "1278448832702",
        "token_type": "Bearer",
    }
    text = answer["id"] + answer["issued_at"]
    digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()
    return answer | {"signature": base64.b64encode(digest).decode()} | changes


def fresh(answer: dict[str, Any]) -> Tokens:
    return grants.fresh_tokens(
        answer,
        login_url="https://login.salesforce.com",
        client_secret=SECRET,
        allow_loopback=False,
    )


def test_a_signed_answer_is_taken() -> None:
    assert fresh(signed()).instance_url == "https://acme.my.salesforce.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "AAAA"},
        {"signature": None},
        {"signature": "\u00fc"},
        {"issued_at": "1"},
        {"issued_at": 1278448832702},
        {"id": "https://login.salesforce.com/id/00Dx0000000BV7zEAG/005x00000012Q9QAAU"},
        {"instance_url": "https://evil.example"},
        {"instance_url": "http://acme.my.salesforce.com"},
        {"instance_url": "http://127.0.0.1:80"},
        {"instance_url": None},
        {"access_token": None},
        {"access_token": ["x"]},
    ],
)
def test_an_answer_that_points_elsewhere_is_not_used(changes: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused) as refused:
        fresh(signed(**changes))
    assert refused.value.reason == "untrusted"


@pytest.mark.parametrize("changes", [{"refresh_token": None}, {"scope": "openid refresh_token"}])
def test_a_grant_too_small_to_live_on_is_refused_at_once(changes: dict[str, Any]) -> None:
    with pytest.raises(LoginRefused) as refused:
        fresh(signed(**changes))
    assert refused.value.reason == "no_refresh_token"


def test_a_token_that_needs_proofs_is_refused_at_once() -> None:
    """Every call that carries it as Bearer would be refused (RFC 9449)."""
    with pytest.raises(LoginRefused) as refused:
        fresh(signed(token_type="DPoP"))
    assert refused.value.reason == "dpop"
    with pytest.raises(ConnectionBarred) as barred:
        grants.renewed_tokens(
            signed(token_type="DPoP"), fresh(signed()), client_secret=SECRET, allow_loopback=False
        )
    assert barred.value.reason == "dpop"
    for taken in ("Bearer", "bearer", None):
        assert fresh(signed(token_type=taken)).access_token == "00Dx!a"


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_url": "https://evil.example"},
        {"id": "https://login.salesforce.com/id/00Dx0000000XXXXEAG/005x00000012Q9PAAU"},
        {"signature": "AAAA"},
    ],
)
def test_a_refresh_that_points_elsewhere_is_not_used(changes: dict[str, Any]) -> None:
    """It tells nothing of the grant, which is kept."""
    with pytest.raises(ConnectionBarred) as barred:
        grants.renewed_tokens(
            signed(**changes), fresh(signed()), client_secret=SECRET, allow_loopback=False
        )
    assert barred.value.reason == "untrusted"


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>maintenance</html>", kind="text/html"),
        reply(b"<html>maintenance</html>", status="503 Unavailable", kind="text/html"),
        reply(b"{", status="400 Bad Request"),
        reply(b"[]"),
        reply(b"[" * 10_000 + b"]" * 10_000),
        reply(b"{}"),
        reply(b'{"error": ["invalid_grant"]}', status="400 Bad Request"),
        reply(b'{"access_token": "a", "expires_in": 1e999999}'),
        reply(b'{"access_token": "a", "expires_in": [1]}'),
        reply(b'{"access_token": "' + b"a" * 300_000 + b'"}'),
        b"",
    ],
)
def test_half_an_answer_to_a_refresh_loses_nothing(answer: bytes, org_process: OrgProcess) -> None:
    """Only Salesforce's own refusal loses a connection."""
    transport = Transport(allow_loopback=True, seconds=1)
    with serving(says(answer)) as wire:
        oauth = SalesforceOAuth(config_for(org_process), transport, SystemClock())  # type: ignore[arg-type]
        tokens = dataclasses.replace(fresh(signed()), login_url=wire.url)
        with pytest.raises(SalesforceUnavailable):
            oauth.refresh(tokens)


@pytest.mark.field_case("A1")
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("user hasn\N{RIGHT SINGLE QUOTATION MARK}t approved this consumer", ConnectionLost),
        ('the policy "Office only" forbids it', ConnectionBarred),
        ("Adresse IP non autoris\N{LATIN SMALL LETTER E WITH ACUTE}e", ConnectionBarred),
        ("two\nlines", ConnectionBarred),
        (["expired access/refresh token"], ConnectionBarred),
        (7, ConnectionBarred),
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden"])
def test_a_refused_refresh_is_a_refusal_in_whatever_words_it_comes(
    words: object, kind: type[Exception], status: str, org_process: OrgProcess
) -> None:
    """No words that RFC 6749 does not know, and no other status, make it "does not answer"."""
    body = json.dumps({"error": "invalid_grant", "error_description": words}).encode()
    with serving(says(reply(body, status=status))) as wire:
        transport = Transport(allow_loopback=True, seconds=5)
        oauth = SalesforceOAuth(config_for(org_process), transport, SystemClock())  # type: ignore[arg-type]
        tokens = dataclasses.replace(fresh(signed()), login_url=wire.url)
        with pytest.raises(kind) as ended:
            oauth.refresh(tokens)
    if isinstance(words, str):
        assert str(ended.value).split() == words.split()


def test_half_characters_in_an_answer_end_in_an_error_of_ours(org_process: OrgProcess) -> None:
    """No page and no database could take them; the words that an admin reads hold none."""
    spelt = rb'{"access_token": "a", "id": "\ud83d", "issued_at": "\u0000", "signature": "\udc00"}'
    refused = rb'{"error": "invalid_grant", "error_description": "gone \ud83d\u0000"}'
    transport = Transport(allow_loopback=True, seconds=5)
    for answer in (reply(spelt), reply(refused, status="400 Bad Request")):
        with serving(says(answer)) as wire:
            oauth = SalesforceOAuth(config_for(org_process), transport, SystemClock())  # type: ignore[arg-type]
            tokens = dataclasses.replace(fresh(signed()), login_url=wire.url)
            with pytest.raises(SalesforceUnavailable) as ended:
                oauth.refresh(tokens)
        assert str(ended.value).encode()
        assert "\x00" not in str(ended.value)
