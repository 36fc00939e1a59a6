"""A running simulated org for the tests: one process a session, put back before each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests

from salesforce_simulator.oauth.consent import Grant, connect
from salesforce_simulator.process import OrgProcess, RunningOrg

VERSION = "66.0"


class Api:
    """Calls of one user to one org, as a client of the REST API makes them."""

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.base = f"/services/data/v{VERSION}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {grant.access_token}"

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **more: Any
    ) -> requests.Response:
        """One call; ``path`` is below the version unless it starts with /services."""
        below = path if path.startswith("/services") else f"{self.base}/{path}"
        if raw is not None:
            more["data"] = raw
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        elif body is not None:
            more["json"] = body
        url = self.grant.instance_url + below
        return self.http.request(method, url, timeout=30, allow_redirects=False, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:
        return self.call("DELETE", path, **more)

    def query(self, soql: str, resource: str = "query") -> requests.Response:
        return self.get(resource, params={"q": soql})

    def create(self, object_name: str, **fields: Any) -> str:
        """A new record's id."""
        answer = self.post(f"sobjects/{object_name}", fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def read(self, object_name: str, record_id: str) -> dict[str, Any]:
        answer = self.get(f"sobjects/{object_name}/{record_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def composite(self, *parts: Mapping[str, Any], **options: Any) -> list[dict[str, Any]]:
        """The answers of a composite; urls are below the version."""
        whole = [{**part, "url": f"{self.base}/{part['url']}"} for part in parts]
        answer = self.post("composite", {**options, "compositeRequest": whole})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["compositeResponse"]
        return found


@pytest.fixture(scope="session")
def process() -> Iterator[OrgProcess]:
    """The two orgs, on free ports and in memory; Task has a unique external id."""
    with OrgProcess(options=["--activity-key-field", "Message_Key__c"]) as running:
        yield running


@pytest.fixture(scope="session")
def connected(process: OrgProcess) -> Iterator[Callable[[RunningOrg, str], Api]]:
    """Connections by org and user, made once and made anew when a test has ended them."""
    made: dict[tuple[str, str], Api] = {}

    def connection(org: RunningOrg, user: str) -> Api:
        key = (org.base_url, user)
        if key in made:
            alive = made[key].get("/services/oauth2/userinfo").status_code == 200
            if alive:
                return made[key]
            made.pop(key).http.close()
        made[key] = Api(connect(process, org, user=user))
        return made[key]

    yield connection
    for api in made.values():
        api.http.close()


@pytest.fixture
def org(process: OrgProcess) -> RunningOrg:
    """The production org without faults and rules, its clock right and its log empty."""
    process.sandbox.control.reset()
    process.production.control.reset()
    return process.production


@pytest.fixture
def api(org: RunningOrg, connected: Callable[[RunningOrg, str], Api]) -> Api:
    """The administrator's connection; the log starts empty."""
    found = connected(org, "admin")
    org.control.reset()
    return found


@pytest.fixture
def few(org: RunningOrg, connected: Callable[[RunningOrg, str], Api]) -> Api:
    """The connection of the user with few rights."""
    found = connected(org, "few")
    org.control.reset()
    return found


@pytest.fixture
def address() -> str:
    """An address nobody in the org has."""
    return f"{uuid.uuid4().hex[:12]}@example.com"


@pytest.fixture
def contact(api: Api, address: str) -> str:
    """The id of a fresh Contact with ``address``."""
    return api.create("Contact", FirstName="Jane", LastName="Doe", Email=address)
