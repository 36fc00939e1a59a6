"""A running simulated org, and gateways to it over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.fernet import Fernet

from keeping_plugin.config import Config
from keeping_plugin.errors import ConnectionBarred, SalesforceError
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.oauth import SalesforceOAuth
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.types import Tokens
from salesforce_simulator.control.client import Control
from salesforce_simulator.oauth.consent import walk
from salesforce_simulator.process import OrgProcess, RunningOrg

CALLBACK = "http://127.0.0.1:9/salesforce/oauth/callback"


class SystemClock:
    """Only what OAuth uses: short waits."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10)


class MemoryStates:
    """A StateStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.seconds: list[int] = []

    def set(self, state: str, value: str, seconds: int) -> None:
        self.kept[state] = value
        self.seconds.append(seconds)

    def take(self, state: str) -> str | None:
        return self.kept.pop(state, None)


class MemoryTokens:
    """A TokenSource in memory that counts its refreshes."""

    def __init__(self, tokens: Tokens, oauth: SalesforceOAuth | None = None) -> None:
        self.tokens = tokens
        self.oauth = oauth
        self.renewed = 0
        self.refusals: list[ConnectionBarred] = []
        self.version: str | None = None

    def current(self) -> Tokens:
        return self.tokens

    def renew(self, stale_access_token: str) -> Tokens:
        assert self.oauth is not None, "this test expects no refresh"
        if self.tokens.access_token == stale_access_token:
            self.renewed += 1
            self.tokens = self.oauth.refresh(self.tokens)
        return self.tokens

    def refused(self, tokens: Tokens, error: ConnectionBarred) -> SalesforceError:
        self.refusals.append(error)
        return error

    def worked(self) -> None:
        """Nothing here is ever barred."""

    def relocate(self, tokens: Tokens) -> Tokens | None:
        if self.tokens.instance_url == tokens.instance_url and self.oauth is not None:
            self.renewed += 1
            self.tokens = self.oauth.refresh(self.tokens)
        return None if self.tokens.instance_url == tokens.instance_url else self.tokens

    def agreed(self, version: str) -> None:
        self.version = version


class LiveOrg:
    """One user's login to the running org; `OrgUnderTest` for the contract."""

    sharing: str | None = None

    def __init__(self, process: OrgProcess, org: RunningOrg, user: str = "admin") -> None:
        self.running = org
        self.control: Control = org.control
        self.config = config_for(process)
        self.transport = Transport(allow_loopback=True)
        self.oauth = SalesforceOAuth(self.config, self.transport, SystemClock())  # type: ignore[arg-type]
        self.tokens = MemoryTokens(self.log_in(user), self.oauth)
        self.gateway = self.gateway_with()

    def log_in(self, user: str) -> Tokens:
        states = MemoryStates()
        login = self.running.login(user)
        url = self.oauth.authorize_url(CALLBACK, states)
        # A sandbox is reached from the production page by Use Custom Domain.
        url = self.running.base_url + url[len(self.config.salesforce_login_urls[0]) :]
        back = walk(url, username=login.username, password=login.password)
        return self.oauth.exchange(dict(parse_qsl(urlsplit(back).query)), states)

    def gateway_with(self, *, deadline: float = 20.0, **tokens: str) -> Gateway:
        source = MemoryTokens(replace(self.tokens.tokens, **tokens)) if tokens else self.tokens
        return Gateway(source, self.transport, version="66.0", deadline=deadline)

    def add(self, object: str, **fields: Any) -> str:
        return self.control.create(object, **fields)

    def delete(self, object: str, record_id: str) -> None:
        self.control.delete(object, record_id)

    def convert(self, lead_id: str) -> str:
        return str(self.control.convert(lead_id)["contact_id"])

    def merge(self, object: str, master_id: str, loser_id: str) -> None:
        self.control.merge(object, master=master_id, loser=loser_id)

    def fields(self, object: str, record_id: str) -> Mapping[str, Any]:
        names = {
            "Contact": "LastName, Phone, Title, Email, OwnerId",
            "Task": "Subject, IsClosed, Status, OwnerId",
            "Lead": "LastName, OwnerId",
            "Account": "Name, OwnerId",
        }[object]
        [row] = self.control.query(f"SELECT {names} FROM {object} WHERE Id = '{record_id}'")
        return row

    def add_user(self, username: str, *, name: str, email: str = "") -> str:
        return str(self.control.add_user(username, last_name=name, email=email or None)["id"])

    def add_queue(self, name: str, objects: Sequence[str]) -> str:
        return self.control.queue(name, objects)

    def deactivate_user(self, username: str) -> None:
        self.control.set_user_active(username, False)

    def duplicate_rule(self, object: str, field: str) -> None:
        self.control.duplicate_rule(object, f"{object}_DR", action="alert", match_on=[field])

    def pass_time(self, seconds: float) -> None:
        self.control.advance(seconds)

    def monotonic(self) -> float:
        return time.monotonic()


def config_for(process: OrgProcess) -> Config:
    return Config.from_mapping(
        {
            "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": "redis://127.0.0.1:1",
            "KEEPING_SALESFORCE_CLIENT_ID": process.client_id,
            "KEEPING_SALESFORCE_CLIENT_SECRET": process.client_secret,
            "KEEPING_SALESFORCE_LOGIN_URLS": [
                process.production.base_url,
                process.sandbox.base_url,
            ],
            "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
        }
    )


@pytest.fixture(scope="session")
def org_process() -> Iterator[OrgProcess]:
    """Both simulated orgs, started once."""
    with OrgProcess(redirects=[CALLBACK]) as process:
        yield process


@pytest.fixture(scope="session")
def admin(org_process: OrgProcess) -> LiveOrg:
    """The production org in the name of its administrator."""
    return LiveOrg(org_process, org_process.production)


@pytest.fixture
def org(admin: LiveOrg) -> Iterator[LiveOrg]:
    """The same, with its faults and rules cleared afterwards."""
    admin.control.reset_log()
    yield admin
    admin.control.clear_faults()
    admin.control.clear_rules()
