"""The page about owners, without JavaScript: the choice, finding a user, and who the agents are."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import AuditRecord
from keeping_plugin.services.people import policy
from keeping_plugin.types import Agent
from keeping_plugin.wording.errors import error_sentence
from tests.blueprints.inbox import ADMIN, Inbox, token
from tests.blueprints.settings.test_people import switch_on

PAGE = "/salesforce/settings/automation/owners"


def send(client: FlaskClient, path: str = PAGE, **form: str) -> Any:
    return client.post(path, data={"csrf_token": token(client), **form})


def words(answer: Any) -> str:
    return " ".join(html.fromstring(answer.text).text_content().split())


def chosen(inbox: Inbox, mailbox: str = policy.COMPANY) -> tuple[str, str, str]:
    with inbox.database.read() as session:
        kept = policy.load(session, "acme").of(mailbox)
    return kept.owner, kept.owner_id, kept.owner_name


def users(page: Any) -> list[str]:
    return [
        str(each) for each in html.fromstring(page.text).xpath("//input[@name='user_id']/@value")
    ]


def test_an_admin_finds_a_user_and_makes_them_the_owner(inbox: Inbox) -> None:
    ids = [inbox.salesforce.add_user(f"lee{n}@acme.example", f"Lee {n}") for n in (1, 2)]
    client = inbox.client(ADMIN)
    assert "connected user" in words(client.get(PAGE))
    empty = send(client, owner="chosen_user")
    assert (empty.status_code, "Type a part" in empty.text) == (422, True)
    nobody = send(client, owner="chosen_user", user="Zoe")
    assert (nobody.status_code, "No active user" in nobody.text) == (422, True)
    # Enter in the field presses the form's first button, whatever stands above.
    found = send(client, owner="connecting_user", user="lee", do="find", searched="")
    assert users(found) == ids
    assert chosen(inbox)[0] == "connecting_user"
    again = send(client, owner="chosen_user", user="lee", searched="lee")  # nobody chosen yet
    assert users(again) == ids
    saved = send(client, owner="chosen_user", user="lee", searched="lee", user_id=ids[1])
    assert saved.status_code == 303
    assert chosen(inbox) == ("chosen_user", ids[1], "Lee 2")
    assert "Lee 2" in words(client.get("/salesforce/settings/automation"))
    asked = len(inbox.calls())
    assert send(client, owner="chosen_user").status_code == 303  # unchanged: nobody is asked
    assert len(inbox.calls()) == asked
    # What was chosen a moment ago may be gone by now, and what is posted may be made up.
    inbox.salesforce.update("User", ids[0], IsActive=False)
    for user_id in (ids[0], "005000000000009AAA"):
        late = send(client, owner="chosen_user", user="lee", searched="lee", user_id=user_id)
        assert (late.status_code, "no longer active" in late.text) == (422, True)
    assert send(client, owner="nonsense").status_code == 400
    assert chosen(inbox) == ("chosen_user", ids[1], "Lee 2")


def test_a_queue_for_leads_may_be_chosen_as_the_owner_and_never_as_an_agent(inbox: Inbox) -> None:
    inbox.desk.company("acme").agents.append(Agent("ann", "acme", "Ann", email="ann@acme.example"))
    queue = inbox.salesforce.add_queue("Web leads", ["Lead"])
    cases = inbox.salesforce.add_queue("Web cases", ["Case"])
    client = inbox.client(ADMIN)
    found = send(client, owner="chosen_user", user="web", do="find")
    assert users(found) == [queue]
    assert "Queue for Leads" in words(found)
    saved = send(client, owner="chosen_user", user="web", searched="web", user_id=queue)
    assert saved.status_code == 303
    assert chosen(inbox) == ("chosen_user", queue, "Web leads")
    late = send(client, owner="chosen_user", user="web", searched="web", user_id=cases)
    assert (late.status_code, "no longer active" in late.text) == (422, True)
    send(client, do="check")
    agent = f"{PAGE}/agent?agent=ann"
    assert users(send(client, agent, user="web", do="find", searched="")) == []
    assert send(client, agent, user="web", searched="web", user_id=queue).status_code == 422


def test_an_org_that_does_not_answer_says_so_and_what_was_typed_stays(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    error = SalesforceUnavailable("Salesforce did not answer.")
    inbox.salesforce.fail("users", error)
    answer = send(client, owner="chosen_user", user="lee")
    assert error_sentence(error) in words(answer)
    assert html.fromstring(answer.text).xpath("//input[@name='user']/@value") == ["lee"]
    inbox.lose()
    assert "not connected" in words(send(client, owner="chosen_user", user="lee")).lower()


def test_a_mailbox_chooses_for_itself_and_follows_the_company_again(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    mailbox = f"{PAGE}?mailbox=support"
    send(client, owner="agent")
    send(client, mailbox, owner="account_owner")
    assert (chosen(inbox)[0], chosen(inbox, "support")[0]) == ("agent", "account_owner")
    assert "(own choice)" in words(client.get(PAGE))
    assert send(client, mailbox, do="company").status_code == 303
    assert chosen(inbox, "support")[0] == "agent"
    assert client.get(f"{PAGE}?mailbox=nobody").status_code == 404


def test_an_admin_settles_who_an_agent_is(inbox: Inbox) -> None:
    agents = inbox.desk.company("acme").agents
    agents += [
        Agent(name, "acme", name.title(), email=f"{name}@acme.example")
        for name in ("ann", "bob", "eve")
    ]
    ann = inbox.salesforce.add_user("ann@acme.example", "Lee")
    twins = [inbox.salesforce.add_user(f"b{n}@x.example", email="bob@acme.example") for n in (1, 2)]
    client = inbox.client(ADMIN)
    assert "No agents are known yet" in words(client.get(PAGE))
    assert send(client, do="check").status_code == 303
    assert inbox.calls()[-1:] == ["users"]
    answer = client.get(PAGE)
    assert "2 agents have no single match" in words(answer)
    names = html.fromstring(answer.text).xpath("//*[@class='ks-agent__who']/bdi/text()")
    assert names == ["Bob", "Eve", "Ann"]  # doubts and gaps first
    bob = client.get(f"{PAGE}/agent?agent=bob")
    assert users(bob) == twins
    assert send(client, f"{PAGE}/agent?agent=bob", user_id=twins[1]).status_code == 303
    found = send(client, f"{PAGE}/agent?agent=eve", user="Lee", do="find", searched="")
    assert users(found) == [ann]
    assert send(client, f"{PAGE}/agent?agent=eve", do="nobody").status_code == 303
    assert "No agent needs your attention." in words(client.get(PAGE))
    assert send(client, f"{PAGE}/agent?agent=bob", do="match").status_code == 303
    assert "1 agent has no single match" in words(client.get(PAGE))
    assert client.get(f"{PAGE}/agent?agent=zoe").status_code == 404
    with inbox.database.read() as session:
        rows = session.query(AuditRecord).filter_by(action="agent_matched").order_by("id").all()
        checks = session.query(AuditRecord).filter_by(action="agents_checked").all()
    assert [row.agent_id for row in checks] == ["ada"] * 2, "by the button, and after a match"
    assert [(row.agent_id, row.record_id, row.detail) for row in rows] == [
        ("ada", twins[1], "bob"), ("ada", "", "eve"), ("ada", "", "bob")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({}, "The connected user would own it."),
        ({"owner": "chosen_user", "owner_id": "005x", "owner_name": "Ann Lee"}, "Ann Lee would"),
        ({"owner": "chosen_user", "owner_id": "00Gx", "owner_name": "Web"}, "The connected user"),
        ({"owner": "agent"}, "The agent who wrote, or else the one assigned to the conversation,"),
        ({"owner": "account_owner"}, "The connected user would own it."),
        (
            {"owner": "account_owner", "account_id": "001000000000001AAA", "account_name": "Rest"},
            "The owner of that Account would own it.",
        ),
    ],
)
def test_try_an_address_tells_who_would_own_the_person(
    inbox: Inbox, choices: dict[str, str], told: str
) -> None:
    switch_on(inbox, **choices)
    path = "/salesforce/settings/automation/try?mailbox=support&address=new@customer.example"
    assert told in words(inbox.client(ADMIN).get(path))
