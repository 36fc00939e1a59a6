"""A whole demo for the journeys: simulated org, Redis, worker and inbox, each its own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from itertools import count

import pytest
import requests

from demo import driving
from demo.headless import Browser, Page
from demo.inbox.seeding.people import FIRST_MAILBOX
from demo.ledger import Entry, Ledger
from demo.running import Demo
from salesforce_simulator.control.client import Control
from tests.faults.processes import await_true
from tests.servers.demos import WarmDemo
from tests.servers.needs import require
from tests.servers.ports import free_port
from tests.servers.postgres import create_database, drop_database
from tests.servers.stores import DATABASES

ADMIN, AGENT, OTHER = (
    "maya@outdoor.example.com",
    "tom@outdoor.example.com",
    "elena@cycles.example.com",
)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class House:
    """The demo with people in it."""

    demo: Demo
    ledger: Ledger
    admin: Browser
    agent: Browser

    @property
    def org(self) -> Control:
        return self.demo.org.production.control

    def is_connected(self) -> bool:
        return "Connected" in self.admin.get("/settings/integrations").text

    def connect(self) -> Page:
        login = self.demo.org.production.login("admin")
        page = driving.connect(self.admin, login.username, login.password)
        driving.await_schema(self.admin)
        # The job goes on to check the user's rights; requests are counted when it has ended.
        checked = "API requests used in the last"
        await_true(lambda: checked in self.admin.get("/salesforce/settings/").text, what=checked)
        return page

    def deliver(
        self,
        sender: str,
        *,
        name: str = "",
        subject: str = "A question",
        text: str = "Hello there",
        mailbox: str = FIRST_MAILBOX,
        id: str = "",
        **headers: str,
    ) -> tuple[str, str]:
        """A mail arrives; its message id and its conversation's."""
        mail = EmailMessage()
        mail["From"] = f"{name} <{sender}>" if name else sender
        mail["To"] = mailbox
        mail["Subject"] = subject
        mail["Message-ID"] = make_msgid(domain="test.example")
        for header, value in headers.items():
            mail[header.replace("_", "-")] = value
        mail.set_content(text)
        answer = requests.post(
            f"{self.demo.url}/incoming/{mailbox}",
            params={"id": id or f"mail-{next(_numbers)}"},
            data=mail.as_bytes(),
            headers={"Authorization": f"Bearer {self.demo.config['INBOX_DELIVERY_TOKEN']}"},
            timeout=30,
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["message"], str(answer.json()["conversation"])

    def entries(self, message_id: str) -> dict[str, Entry]:
        """A message's entries by action, once nothing is pending or sending."""
        assert self.ledger.await_drained(seconds=60), self.ledger.states()
        found = [entry for entry in self.ledger.entries() if entry.message_id == message_id]
        by_action = {entry.action: entry for entry in found}
        assert len(by_action) == len(found)
        return by_action

    def panel(self, conversation_id: str, *, who: Browser | None = None) -> Page:
        """The panel of a conversation, as the page that JavaScript does without."""
        return (who or self.agent).get(f"/salesforce/conversations/{conversation_id}")

    def contacts(self, email: str) -> list[dict[str, object]]:
        found = self.org.query(
            f"SELECT Id, FirstName, LastName, Email FROM Contact WHERE Email = '{email}'"
        )
        return list(found)

    def tasks(self, contact_id: object) -> list[dict[str, object]]:
        found = self.org.query(
            "SELECT Id, Subject, Description, Status, TaskSubtype, ActivityDate FROM Task "
            f"WHERE WhoId = '{contact_id}' ORDER BY CreatedDate, Id"
        )
        return list(found)


@pytest.fixture(scope="session", params=DATABASES)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[House]:
    """One demo a database, for every journey that this worker walks."""
    require("redis")
    url, forget = None, None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        name = f"keeping_journeys_{worker_id}_{next(_numbers)}"
        url = create_database(server.url, name)

        def forget() -> None:
            drop_database(server.url, name)

    folder = tmp_path_factory.mktemp("demo")
    try:
        with (
            WarmDemo(folder / "data", database=url, first_port=free_port()) as demo,
            Browser(demo.url) as admin,
            Browser(demo.url) as agent,
        ):
            driving.log_in(admin, ADMIN)
            driving.log_in(agent, AGENT)
            yield House(demo, Ledger(demo.database_url), admin, agent)
    finally:
        if forget is not None:
            forget()


@pytest.fixture
def connected(house: House) -> House:
    """The house with Salesforce connected and both automations on for Support."""
    if not house.is_connected():
        house.connect()
    driving.switch_on(house.admin, "support")
    return house


@pytest.fixture
def somebody() -> Callable[[], str]:
    """Addresses that nobody has used before."""
    return lambda: f"somebody.{next(_numbers)}@new.example.com"
