"""Walk the login and approval pages as a person with a browser would.

For tests, smoke runs and benchmarks that need a connection without a browser.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from salesforce_simulator.process import OrgProcess, RunningOrg

CSRF = re.compile(r'name="csrf" value="(\w+)"')


class ConsentFailed(Exception):
    """A page did not lead on; the text is the page's message."""


def walk(
    authorize_url: str,
    *,
    username: str,
    password: str,
    approve: bool = True,
    domain: str | None = None,
) -> str:
    """The callback URL, with its query, at which these answers end.

    ``domain`` is typed at *Use Custom Domain* first. Nothing is sent to the callback.
    """
    with requests.Session() as browser:
        browser.trust_env = False
        url = authorize_url
        page = browser.get(url, allow_redirects=False)
        if domain is not None:
            parts = urlsplit(url)
            form = f"{parts.scheme}://{parts.netloc}/custom-domain?{parts.query}"
            found = browser.post(form, data={"domain": domain}, allow_redirects=False)
            if found.status_code != 303:
                raise ConsentFailed(_message(found))
            url = found.headers["Location"]
            page = browser.get(url, allow_redirects=False)
        if page.status_code == 200 and 'value="login"' in page.text:
            values = {"action": "login", "username": username, "pw": password}
            page = browser.post(url, data=values, allow_redirects=False)
            if page.status_code != 303:
                raise ConsentFailed(_message(page))
            page = browser.get(url, allow_redirects=False)
        token = CSRF.search(page.text)
        if page.status_code == 200 and token is not None:
            values = {"csrf": token.group(1), "action": "approve" if approve else "deny"}
            page = browser.post(url, data=values, allow_redirects=False)
        if page.status_code != 302:
            raise ConsentFailed(_message(page))
        return page.headers["Location"]


def _message(page: requests.Response) -> str:
    found = re.search(r'class="problem"[^>]*>(.*?)</p>', page.text, re.DOTALL)
    text = re.sub(r"<[^>]+>", "", found.group(1)) if found else page.text[:200]
    return f"{page.status_code}: {text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a callback and the token endpoint gave."""

    access_token: str
    refresh_token: str
    instance_url: str
    identity_url: str
    body: dict[str, Any]


def connect(
    process: OrgProcess,
    org: RunningOrg,
    *,
    user: str = "admin",
    redirect_uri: str = "http://127.0.0.1:9/callback",
    scope: str = "api refresh_token openid",
) -> Grant:
    """Log in as ``user`` (see ``RunningOrg.login``), approve, and exchange the code."""
    org.control.allow_redirect(redirect_uri)
    verifier = secrets.token_urlsafe(48)
    hashed = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": process.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": secrets.token_urlsafe(8),
        "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    login = org.login(user)
    callback = walk(
        f"{org.base_url}/services/oauth2/authorize?{urlencode(query)}",
        username=login.username,
        password=login.password,
    )
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(callback).query)["code"][0],
        "client_id": process.client_id,
        "client_secret": process.client_secret,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    answer = requests.post(f"{org.base_url}/services/oauth2/token", data=form, timeout=30)
    body = answer.json()
    if answer.status_code != 200:
        raise ConsentFailed(f"{answer.status_code}: {body}")
    return Grant(
        access_token=body["access_token"],
        refresh_token=body.get("refresh_token", ""),
        instance_url=body["instance_url"],
        identity_url=body["id"],
        body=body,
    )
