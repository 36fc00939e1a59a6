"""A token of an org's admin, for whoever talks to the org without the plugin."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from benchmarks.job_a_message import Access
from benchmarks.orgs import CALLBACK, CLIENT, SECRET, OneOrg
from salesforce_simulator.oauth.consent import walk


def access(org: OneOrg) -> Access:
    """Log in, approve, and exchange the code. Raises requests.HTTPError."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    query = {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "scope": "api refresh_token openid",
        "state": secrets.token_urlsafe(8),
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = f"{org.base_url}/services/oauth2/authorize?{urlencode(query)}"
    callback = walk(url, username=org.username, password=org.password)
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(callback).query)["code"][0],
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{org.base_url}/services/oauth2/token", data=form, timeout=30)
        answer.raise_for_status()
        return Access(org.base_url, str(answer.json()["access_token"]))


def create(org: OneOrg, object: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Create records, 200 a request; their ids. Raises RuntimeError when one is refused."""
    granted = access(org)
    made: list[str] = []
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {granted.token}"
        for part in _parts(rows, 200):
            records = [{"attributes": {"type": object}, **row} for row in part]
            url = f"{org.base_url}/services/data/v66.0/composite/sobjects"
            answer = session.post(url, json={"allOrNone": False, "records": records}, timeout=60)
            for result in answer.json():
                if not result.get("success"):
                    raise RuntimeError(f"the org refused a {object}: {result}")
                made.append(result["id"])
    return made


def _parts(rows: Sequence[Mapping[str, Any]], size: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
