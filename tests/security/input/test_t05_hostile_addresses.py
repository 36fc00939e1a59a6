"""T5: no address that an answer of Salesforce names gets a token unless it is Salesforce's.

The list of hostile addresses is tried against the rule and the transport in
tests/test_salesforce_hosts.py, redirects and next-page addresses in tests/salesforce/. Here the
whole way: a token endpoint that answers each of them, a browser that logs in, and a token that is
refreshed. The socket guard of the whole suite (tests/loopback) fails a test that leaves loopback.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from keeping_plugin import salesforce_hosts as hosts
from keeping_plugin.extension import _wire
from keeping_plugin.models import Connection
from keeping_plugin.services.connection import grants
from tests.blueprints.admin_side import AdminSide
from tests.salesforce.byte_server import Wire, reply, serving
from tests.test_salesforce_hosts import HOSTILE

ORG, USER = "00D000000000001AAA", "005000000000001AAA"
# Loopback is the simulated org's place here; without the setting it is refused like the others.
ELSEWHERE = [url for url in HOSTILE if not hosts.origin_allowed(url, allow_loopback=True)]
IDENTITIES = [
    f"https://evil.example/id/{ORG}/{USER}",
    f"https://login.salesforce.com@evil.example/id/{ORG}/{USER}",
    f"https://login.salesforce.com/id/{ORG}/../{USER}",
    f"https://login.salesforce.com/id/{USER}/{ORG}",
    "https://login.salesforce.com/id/",
    f"//evil.example/id/{ORG}/{USER}",
    "javascript:alert(1)",
    "",
]


@contextmanager
def login_host(secret: str, **answer: str) -> Iterator[Wire]:
    """A token endpoint that signs what it says as Salesforce does, but says something else."""

    said = dict(answer)

    def script(sock: socket.socket, request: bytes) -> None:
        body = {
            "access_token": "00Daccess!token",
            "refresh_token": "5Aep-refresh",
            "instance_url": wire.url,
            "id": f"{wire.url}/id/{ORG}/{USER}",
            "issued_at": "1771840000000",
            "scope": "api refresh_token openid",
            "token_type": "Bearer",
            **said,
        }
        signed = (body["id"] + body["issued_at"]).encode()
        made = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        body["signature"] = base64.b64encode(made).decode()
        sock.sendall(reply(json.dumps(body).encode()))

    with serving(script) as wire:
        for name, url in said.items():  # {origin} is this host's own
            said[name] = url.replace("{origin}", wire.url)
        yield wire


def log_in_at(side: AdminSide, wire: Wire) -> str:
    """Log in there as an admin; what the settings page says then."""
    config = replace(side.state.config, salesforce_login_urls=(wire.url, wire.url))
    state = side.state
    side.house.app.extensions["keeping"] = _wire(
        config, helpdesk=state.helpdesk, db=side.house.db, name=state.name
    )
    ada = side.visitor()
    state_value = parse_qs(urlsplit(side.login_url(ada)).query)["state"][0]
    ada.get("/salesforce/oauth/callback", query_string={"code": "abc", "state": state_value})
    return ada.text()


def test_an_answer_that_points_to_its_own_org_is_followed(side: AdminSide) -> None:
    """The control group: the same answer, unchanged, does send the token on."""
    assert len(ELSEWHERE) >= 25
    with login_host(side.orgs.client_secret) as wire:
        log_in_at(side, wire)
        assert any(b"Bearer 00Daccess!token" in request for request in wire.requests)


@pytest.mark.parametrize(
    "answer",
    [{"instance_url": url} for url in ELSEWHERE] + [{"id": url} for url in IDENTITIES],
    ids=str,
)
def test_a_login_whose_answer_points_elsewhere_connects_nothing(
    side: AdminSide, answer: dict[str, str]
) -> None:
    with login_host(side.orgs.client_secret, **answer) as wire:
        text = log_in_at(side, wire)
        asked = [request.split(b" ", 2)[1] for request in wire.requests]
    assert "Salesforce was not connected" in text
    assert side.connections() == []
    assert set(asked) <= {b"/services/oauth2/token", b"/services/oauth2/revoke"}
    assert asked.count(b"/services/oauth2/token") == 1
    assert all(b"Bearer" not in request for request in wire.requests)


REFRESHED = [
    *({"instance_url": url} for url in ELSEWHERE if url),
    *({"id": url} for url in IDENTITIES if url),
    {"id": "{origin}/id/00D000000000009AAA/{user}"},  # another org's, another user's
    {"id": "{origin}/id/{org}/005000000000009AAA"},
]


def test_a_refresh_whose_answer_points_elsewhere_sends_the_token_nowhere(side: AdminSide) -> None:
    """The panel's call meets a 401, the refresh is answered by somebody who is not Salesforce, or
    for another org or user: the connection is barred, and neither token leaves."""
    side.connect()
    row = side.current()
    assert row is not None
    assert row.tokens is not None
    state, control = side.state, side.orgs.production.control
    held = grants.unseal(state.vault, row.tokens, company_id="acme", org_id=row.org_id)
    org, user = held.identity_url.split("/")[-2:]
    gus = side.visitor("gus")

    def refreshed(answer: dict[str, str]) -> tuple[int, list[bytes], set[int]]:
        told = {"id": f"{{origin}}/id/{org}/{user}", "instance_url": held.instance_url, **answer}
        told["id"] = told["id"].replace("{org}", org).replace("{user}", user)
        with login_host(side.orgs.client_secret, **told) as wire:
            moved = replace(held, login_url=wire.url)
            with side.house.app.app_context(), state.database.write() as session:
                found = session.get_one(Connection, row.id)
                found.barred_since = found.barred_until = found.paused_until = None
                found.tokens = grants.seal(state.vault, moved, company_id="acme", org_id=row.org_id)
            control.expire_access_tokens()
            control.reset_log()
            said = gus.get("/salesforce/conversations/c-1")
            asked = [request.split(b" ", 2)[1] for request in wire.requests]
        return said.status_code, asked, {call["status"] for call in control.log()}

    for answer in REFRESHED:
        # Salesforce has heard the old token, and refused it; nobody hears the new one.
        assert refreshed(answer) == (503, [b"/services/oauth2/token"], {401}), answer
        after = side.current()
        assert after is not None
        assert (after.is_barred, after.barred_reason) == (True, "untrusted"), answer
    refreshed({})
    control_group = side.current()
    assert control_group is not None
    # Its token did leave, and Salesforce did not know it.
    assert control_group.barred_reason == "session"
