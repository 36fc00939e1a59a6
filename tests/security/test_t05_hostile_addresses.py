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
from tests.blueprints.admin_side import AdminSide
from tests.salesforce.wire import Wire, reply, serving
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

    def script(sock: socket.socket, request: bytes) -> None:
        body = {
            "access_token": "00Daccess!token",
            "refresh_token": "5Aep-refresh",
            "instance_url": wire.url,
            "id": f"{wire.url}/id/{ORG}/{USER}",
            "issued_at": "1771840000000",
            "scope": "api refresh_token openid",
            "token_type": "Bearer",
            **answer,
        }
        signed = (body["id"] + body["issued_at"]).encode()
        made = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        body["signature"] = base64.b64encode(made).decode()
        sock.sendall(reply(json.dumps(body).encode()))

    with serving(script) as wire:
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
