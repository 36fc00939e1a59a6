"""DPoP: tokens that are tied to a key, and the proofs that calls carry (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from salesforce_simulator.oauth.consent import Grant
from salesforce_simulator.process import OrgProcess, RunningOrg

NONCE = "simulated-org-nonce"
Call = Callable[..., int]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A client's key; its proofs may be changed in any way."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        self.jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def proof(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk, **(header or {})}
        body = {"jti": uuid.uuid4().hex, **claims}
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body).encode())}"
        halves = decode_dss_signature(self._private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{b64(b''.join(half.to_bytes(32, 'big') for half in halves))}"


@pytest.fixture
def key() -> Key:
    return Key()


def now_of(org: RunningOrg) -> float:
    return org.control.now().timestamp()


def token(
    process: OrgProcess, org: RunningOrg, grant: Grant, proof: str | None = None
) -> requests.Response:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": grant.refresh_token,
        "client_id": process.client_id,
        "client_secret": process.client_secret,
    }
    headers = {} if proof is None else {"DPoP": proof}
    url = f"{org.base_url}/services/oauth2/token"
    return requests.post(url, data=form, headers=headers, timeout=30)


def for_token(org: RunningOrg, **changed: Any) -> dict[str, Any]:
    url = f"{org.base_url}/services/oauth2/token"
    return {"htm": "POST", "htu": url, "iat": now_of(org), **changed}


@pytest.fixture
def access(process: OrgProcess, org: RunningOrg, grant: Grant, key: Key) -> str:
    """An access token that is tied to the key."""
    org.control.set(dpop=True)
    answer = token(process, org, grant, key.proof(**for_token(org)))
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")
    return str(answer.json()["access_token"])


@pytest.fixture
def call(org: RunningOrg, key: Key, access: str) -> Call:
    """Calls the org with a proof that is right but for what is changed; the status."""

    def status(
        path: str = "/services/data/v66.0/sobjects",
        *,
        scheme: str = "DPoP",
        by: Key | None = None,
        header: Mapping[str, Any] | None = None,
        proof: str | None = None,
        **changed: Any,
    ) -> int:
        ath = b64(hashlib.sha256(access.encode()).digest())
        url = org.base_url + path
        claims = {"htm": "GET", "htu": url, "iat": now_of(org), "ath": ath, **changed}
        text = (by or key).proof(header, **claims) if proof is None else proof
        headers = {"Authorization": f"{scheme} {access}", "DPoP": text}
        return requests.get(url, headers=headers, timeout=30).status_code

    return status


def test_a_call_proves_that_it_holds_the_key(org: RunningOrg, call: Call) -> None:
    assert call() == call("/services/oauth2/userinfo") == 200
    assert call(htu=f"{org.base_url}/services/data/v66.0/sobjects?a=b#c") == 200
    assert call("/services/data/v66.0/query?q=SELECT+Id+FROM+Account") == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"scheme": "Bearer"},
        {"proof": ""},
        {"proof": "nonsense"},
        {"by": Key()},
        {"header": {"typ": "jwt"}},
        {"header": {"alg": "none"}},
        {"header": {"alg": "HS256"}},
        {"header": {"jwk": Key().jwk}},  # the signature is another key's
        {"htm": "POST"},
        {"htu": "https://acme.my.salesforce.com/services/data/v66.0/sobjects"},
        {"htu": None},
        {"iat": 0},
        {"iat": "soon"},
        {"jti": "once"},
        {"ath": b64(hashlib.sha256(b"another token").digest())},
        {"ath": None},
    ],
    ids=" ".join,
)
def test_a_proof_that_does_not_hold_is_refused(call: Call, changed: dict[str, Any]) -> None:
    if "jti" in changed:
        assert call(**changed) == 200
    assert call(**changed) == 401
    if "scheme" not in changed:
        assert call("/services/oauth2/userinfo", **changed) == 403


def test_a_proof_grows_old(org: RunningOrg, call: Call) -> None:
    made = now_of(org)
    org.control.advance(299)
    assert call(iat=made) == 200
    org.control.advance(2)
    assert call(iat=made) == 401


def test_a_token_without_a_key_can_not_be_used(
    process: OrgProcess, org: RunningOrg, grant: Grant, key: Key
) -> None:
    org.control.set(dpop=True)
    access = token(process, org, grant).json()["access_token"]
    url = f"{org.base_url}/services/data/v66.0/sobjects"
    claims = {"htm": "GET", "htu": url, "iat": now_of(org)}
    proof = key.proof(**claims, ath=b64(hashlib.sha256(access.encode()).digest()))
    headers = {"Authorization": f"DPoP {access}", "DPoP": proof}
    assert requests.get(url, headers=headers, timeout=30).status_code == 401


def test_an_org_without_dpop_refuses_its_scheme(org: RunningOrg, call: Call) -> None:
    org.control.set(dpop=False)
    assert (call(), call(scheme="Bearer")) == (401, 200)


@pytest.mark.parametrize("changed", [{"htm": "GET"}, {"htu": "x"}, {"iat": 0}], ids=" ".join)
def test_the_token_endpoint_refuses_a_proof_that_does_not_hold(
    process: OrgProcess, org: RunningOrg, grant: Grant, key: Key, changed: dict[str, Any]
) -> None:
    org.control.set(dpop=True)
    answer = token(process, org, grant, key.proof(**for_token(org, **changed)))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_the_token_endpoint_may_ask_for_a_nonce(
    process: OrgProcess, org: RunningOrg, grant: Grant, key: Key
) -> None:
    org.control.set(dpop=True, dpop_nonce=True)
    for proof in (None, key.proof(**for_token(org)), key.proof(**for_token(org, nonce="old"))):
        answer = token(process, org, grant, proof)
        assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
        assert answer.headers["DPoP-Nonce"] == NONCE
    assert token(process, org, grant, key.proof(**for_token(org, nonce=NONCE))).status_code == 200
