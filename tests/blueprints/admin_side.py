"""The plugin in a bare host, in front of simulated orgs that are processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from keeping_plugin.models import Connection
from keeping_plugin.services.connection import connect as connection
from keeping_plugin.services.connection.revocation import revoke
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe as schema
from keeping_plugin.types import Agent
from salesforce_simulator.oauth.consent import walk
from salesforce_simulator.process import OrgProcess, RunningOrg
from tests.hosts.desk import PEOPLE
from tests.hosts.houses import House, bare
from tests.servers.sqlite import lay_tables

SETTINGS = "/salesforce/settings/"
CALLBACK = "http://localhost/salesforce/oauth/callback"


@dataclass
class Visitor:
    """A person's browser, without JavaScript."""

    client: FlaskClient
    last: TestResponse | None = field(default=None)

    def get(self, path: str, **options: object) -> TestResponse:
        self.last = self.client.get(path, **options)
        return self.last

    def token(self, path: str = SETTINGS) -> str:
        """The CSRF token of this session, as a page of ours carries it."""
        page = html.fromstring(self.client.get(path).text)
        tokens = page.xpath("//input[@name='csrf_token']/@value")
        return str(tokens[0]) if tokens else ""

    def post(self, path: str, values: object = None, **options: object) -> TestResponse:
        """Post a form with its token."""
        data = dict(values or {})  # type: ignore[call-overload]
        data.setdefault("csrf_token", self.token())
        self.last = self.client.post(path, data=data, **options)
        return self.last

    def text(self, path: str = SETTINGS) -> str:
        """What a person reads on a page, blanks joined."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return " ".join(html.fromstring(answer.text).text_content().split())


@dataclass
class AdminSide:
    """A host with the plugin, its people and its orgs."""

    house: House
    orgs: OrgProcess

    @property
    def state(self) -> Runtime:
        state: Runtime = self.house.app.extensions["keeping"]
        return state

    def visitor(self, agent_id: str | None = "ada") -> Visitor:
        return Visitor(self.house.client_of(agent_id))

    def login_url(self, visitor: Visitor, **values: str) -> str:
        """Where Connect sends this browser."""
        answer = visitor.post(f"{SETTINGS}connect", values)
        assert answer.status_code == 303, answer.text
        return answer.location

    def consent(
        self, url: str, *, org: RunningOrg | None = None, user: str = "admin", approve: bool = True
    ) -> str:
        """Walk through Salesforce's pages, by *Use Custom Domain* at another org; path and query of
        the callback."""
        org = org or self.orgs.production
        url = url.replace(self.orgs.production.base_url, org.base_url)
        login = org.login(user)
        back = walk(url, username=login.username, password=login.password, approve=approve)
        parts = urlsplit(back)
        return f"{parts.path}?{parts.query}"

    def connect(
        self,
        visitor: Visitor | None = None,
        *,
        org: RunningOrg | None = None,
        user: str = "admin",
        described: bool = True,
    ) -> Visitor:
        """Connect, and let the describe job run."""
        visitor = visitor or self.visitor()
        answer = visitor.get(self.consent(self.login_url(visitor), org=org, user=user))
        assert answer.status_code == 303, answer.text
        if described:
            self.describe()
        return visitor

    def answer(self, visitor: Visitor, answer: str) -> TestResponse:
        """Send the question about another org, as it stands on this visitor's page."""
        page = html.fromstring(visitor.get(SETTINGS).text)
        (seen,) = page.xpath("//input[@name='connection']/@value")
        return visitor.post(f"{SETTINGS}confirm", {"answer": answer, "connection": seen})

    def current(self, company_id: str = "acme") -> Connection | None:
        with self.house.app.app_context(), self.state.database.read() as session:
            return connection.current(session, company_id)

    def connections(self) -> list[Connection]:
        with self.house.app.app_context(), self.state.database.read() as session:
            return session.query(Connection).order_by(Connection.id).all()

    def describe(self) -> None:
        """What the worker does with the job."""
        found = self.current()
        assert found is not None
        with self.house.app.app_context():
            schema.describe(self.state, found.id)

    def revoke(self, revocation_id: int) -> None:
        with self.house.app.app_context():
            revoke(self.state, revocation_id)


def state_of(url: str) -> str:
    """The state in an address."""
    return parse_qs(urlsplit(url).query)["state"][0]


STRANGER = Agent("eve", "other", "Eve Elsewhere", is_admin=True)


@pytest.fixture
def side(orgs: OrgProcess, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminSide]:
    """Nothing connected yet; Ada is an admin of acme, Gus an agent, Eve another company's admin."""
    monkeypatch.setitem(PEOPLE, STRANGER.id, STRANGER)
    for org in (orgs.production, orgs.sandbox):
        org.control.allow_redirect(CALLBACK)
    house = bare(
        sqlite_url,
        KEEPING_SALESFORCE_CLIENT_ID=orgs.client_id,
        KEEPING_SALESFORCE_CLIENT_SECRET=orgs.client_secret,
        KEEPING_SALESFORCE_LOGIN_URLS=(orgs.production.base_url, orgs.sandbox.base_url),
        KEEPING_SALESFORCE_ALLOW_LOOPBACK=True,
        KEEPING_WAITING_LIMIT=4,  # as many callbacks as a test sends at once
    )
    with house.app.app_context():
        lay_tables(house.db.engine)
    yield AdminSide(house, orgs)
    house.close()
