"""Sales people find whoever was added, with the mail: by search and on the Account. The org
restricts what they see, and an integration user without *View All* adds the people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from keeping_plugin.models import EntryState, MailboxPolicy, SyncEntry, upsert
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.delivery.drain import drain
from keeping_plugin.services.people import policy
from keeping_plugin.services.people import preflight as people
from keeping_plugin.services.people.policy import Owner
from keeping_plugin.services.schema import preflight
from keeping_plugin.types import (
    Address,
    Agent,
    Conversation,
    Direction,
    Message,
    MessageArrived,
)
from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess
from tests.blueprints.admin_side import AdminSide, side
from tests.salesforce_simulator.conftest import Api

__all__ = ["side"]

ADMIN = Agent("ada", "acme", "Ada Admin", is_admin=True)
INBOX, SALES, REP = "inbox@acme.example", "sales@acme.example", "rep@acme.example"
MAIL = {  # whose Account is found by colleagues, by its website, and by no step but the last
    "jane.doe@colleagues.example": "Colleagues Ltd",
    "john.roe@website.example": "Website Ltd",
    "eve.fox@unknown.example": "Everybody else",
    "max.lee@gmail.com": "Everybody else",
}


@pytest.fixture
def orgs(start_org: Callable[..., OrgProcess]) -> OrgProcess:
    """An org of this test's alone: its sharing would disturb others."""
    return start_org()


@dataclass
class Sales:
    """A company, its org, and an ordinary sales user in it."""

    side: AdminSide
    api: Api
    accounts: dict[str, str]
    pages: requests.Session = field(default_factory=requests.Session)

    @property
    def control(self) -> Any:
        return self.side.orgs.production.control

    def receive(self) -> None:
        """Two mails of each customer come in, and a worker delivers them."""
        state, desk = self.side.state, self.side.state.helpdesk
        for number, address in enumerate(MAIL):
            customer = Address(address, address.partition("@")[0].replace(".", " ").title())
            talk = Conversation(f"t{number}", "support", "Order", "/t", customer=customer)
            desk.add_conversation("acme", talk)  # type: ignore[attr-defined]
            for part in (1, 2):
                facts: dict[str, Any] = {
                    "company_id": "acme",
                    "mailbox_id": "support",
                    "conversation_id": talk.id,
                    "message_id": f"{talk.id}-{part}",
                    "direction": Direction.INBOUND,
                    "opens_conversation": part == 1,
                    "customer": customer,
                    "sender": customer,
                    "recipients": (),
                    "sent_at": datetime.now(UTC),
                }
                desk.add_message(Message(**facts, subject="Order", text="Hello"))  # type: ignore[attr-defined]
                with state.database.write() as session:
                    message_arrived(state, session, MessageArrived(**facts))
        found = self.side.current()
        assert found is not None
        drain(state, found.id)
        with state.database.read() as session:
            states = [(row.state, row.words) for row in session.query(SyncEntry)]
        assert states == [(EntryState.DONE, None)] * 12

    def search(self, text: str) -> list[dict[str, Any]]:
        answer = self.api.get("search", params={"q": f"FIND {{{text}}} IN ALL FIELDS RETURNING "
                                                     "Contact(Id, Email, AccountId)"})  # fmt: skip
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["searchRecords"]
        return rows

    def finds(self, address: str) -> bool:
        """By search, with both mails, and on the Account."""
        found = [row for row in self.search(f'"{address}"') if row["Email"] == address]
        if not found:
            return False
        [contact] = found
        tasks = f"SELECT Id FROM Task WHERE WhoId = '{contact['Id']}'"
        on_account = f"SELECT Email FROM Contact WHERE AccountId = '{contact['AccountId']}'"
        listed = {row["Email"] for row in self.api.query(on_account).json()["records"]}
        logged = self.api.query(tasks).json()["records"]
        return len(logged) == 2 and address in listed and self.sees_pages(contact, logged)

    def sees_pages(self, contact: dict[str, Any], tasks: list[dict[str, Any]]) -> bool:
        """The pages of the Account and of the Contact, as this user sees them."""
        home = self.side.orgs.production.base_url
        self.pages.get(f"{home}/viewer", params={"user": SALES}, timeout=30)
        account = self.pages.get(
            f"{home}/lightning/r/Account/{contact['AccountId']}/view", timeout=30
        )
        person = self.pages.get(f"{home}/lightning/r/Contact/{contact['Id']}/view", timeout=30)
        return contact["Id"] in account.text and all(task["Id"] in person.text for task in tasks)


@pytest.fixture
def sales(side: AdminSide) -> Iterator[Sales]:
    """The integration user may use every Account, because its role is above those of the owners;
    the sales user has a role that sees nothing by itself."""
    org = side.orgs.production
    for username, name in ((INBOX, "Inbox"), (SALES, "Sales"), (REP, "Rep")):
        org.control.add_user(username, last_name=name, permissions=["api_enabled"])
    org.control.role("Top", INBOX)
    org.control.role("Sales", SALES, parent="Top")
    org.control.role("Rep", REP, parent="Top")
    org.control.share(Account="None", Contact="ControlledByParent", Task="None", Lead="None")
    accounts = {
        name: org.control.create("Account", user=REP, Name=name, **more)
        for name, more in (
            ("Colleagues Ltd", {}),
            ("Website Ltd", {"Website": "https://www.website.example"}),
            ("Everybody else", {}),
        )
    }
    for number in (1, 2):
        org.control.create(
            "Contact",
            user=REP,
            LastName="Colleague",
            Email=f"c{number}@colleagues.example",
            AccountId=accounts["Colleagues Ltd"],
        )
    side.connect(user=INBOX)
    with side.house.app.app_context():
        with side.state.database.write() as session:
            row = {"company_id": "acme", "mailbox_id": "support"}
            on = {"add_contacts": True, "log_tasks": True}
            upsert(session, MailboxPolicy, {**row, **on})
        opened = Sales(side, Api(connect(side.orgs, org, user=SALES)), accounts)
        yield opened
        opened.api.http.close()
        opened.pages.close()


def choose(sales: Sales, **choices: Any) -> None:
    with sales.side.state.database.write() as session:
        policy.save(session, ADMIN, policy.COMPANY, **choices)


def by_the_rule(sales: Sales, **more: Any) -> None:
    name = "Everybody else"
    choose(sales, account_id=sales.accounts[name], account_name=name, **more)


def lines(sales: Sales) -> dict[str, str]:
    found = sales.side.current()
    assert found is not None
    state = sales.side.state
    looked = preflight.run(state, found.id, more=people.lines(state)).lines
    return {line.code: line.finding for line in looked}


@pytest.mark.parametrize("shared", ["Accounts are public to read", "private, but shared with them"])
def test_a_sales_user_finds_all_who_were_added_with_their_mail(sales: Sales, shared: str) -> None:
    if shared == "Accounts are public to read":
        # Everybody may read Accounts, and so the Contacts that their Accounts control.
        sales.control.share(Account="Read", Contact="ControlledByParent", Task="None")
    else:
        sales.control.role("Rep", REP, parent="Sales")  # a manager sees what reports own
    by_the_rule(sales)
    sales.receive()
    assert [address for address in MAIL if sales.finds(address)] == list(MAIL)
    people_there = sales.control.query("SELECT Email, Account.Name, Owner.Username FROM Contact")
    placed = {row["Email"]: row["Account"]["Name"] for row in people_there if row["Email"] in MAIL}
    assert placed == MAIL
    assert {row["Owner"]["Username"] for row in people_there if row["Email"] in MAIL} == {INBOX}
    told = lines(sales)
    assert f"{INBOX} does not see all Contacts" in told["sees_all"] or "whether" in told["sees_all"]
    if shared == "Accounts are public to read":
        assert "Accounts are readable for everyone" in told["sharing"]
        assert told["added_visible"].startswith("Everyone who may read Contacts")
    else:
        assert told["added_visible"].startswith("Whoever sees an Account")


def test_a_sales_user_finds_nobody_where_no_account_is_chosen(sales: Sales) -> None:
    """As 0.1.0 added them: without an Account, and so private."""
    sales.control.share(Account="Read", Contact="ControlledByParent", Task="None")
    choose(sales, by_colleagues=False, by_website=False)
    sales.receive()
    assert [address for address in MAIL if sales.finds(address)] == []
    ours = "SELECT Id FROM Task WHERE Subject LIKE '%[k-%'"
    assert sales.control.count(ours) == 2 * len(MAIL)
    assert sales.api.query(ours).json()["records"] == []
    assert lines(sales)["added_visible"].startswith("People are added without an Account.")


def test_a_user_deactivated_between_the_choice_and_the_mail_fails_nothing(sales: Sales) -> None:
    gone = sales.control.add_user("gone@acme.example", last_name="Gone")["id"]
    by_the_rule(sales, owner=Owner.CHOSEN_USER, owner_id=gone, owner_name="Gone")
    sales.control.set_user_active("gone@acme.example", False)
    sales.receive()
    owned = sales.control.query("SELECT Email, Owner.Username FROM Contact")
    assert {row["Owner"]["Username"] for row in owned if row["Email"] in MAIL} == {INBOX}
    with sales.side.state.database.read() as session:
        assert {row.note for row in session.query(SyncEntry)} == {"owner_refused"}
    assert any("did not accept Gone" in line for line in lines(sales).values())


def test_the_owner_of_the_account_gets_the_people_and_their_mail(sales: Sales) -> None:
    by_the_rule(sales, owner=Owner.ACCOUNT_OWNER)
    before = sales.control.counters()["api_requests"]
    sales.receive()
    # The look, the Accounts of three mail domains, the people, their mail: nothing for the owners.
    assert sales.control.counters()["api_requests"] == before + 4
    owners = sales.control.query("SELECT Email, Owner.Username FROM Contact")
    assert {row["Owner"]["Username"] for row in owners if row["Email"] in MAIL} == {REP}
    tasks = "SELECT Owner.Username FROM Task WHERE Subject LIKE '%[k-%'"
    assert {row["Owner"]["Username"] for row in sales.control.query(tasks)} == {REP}
    with sales.side.state.database.read() as session:
        assert {row.note for row in session.query(SyncEntry)} == {None}
