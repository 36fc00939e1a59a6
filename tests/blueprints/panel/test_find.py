"""Search Salesforce and This is them: off at first, limited, audited."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from keeping_plugin.errors import SalesforceUnavailable, SchemaStale
from keeping_plugin.models import AuditRecord, Pick
from keeping_plugin.services.operations.alarm import raise_alarms
from keeping_plugin.services.panel import find as service
from keeping_plugin.services.people import finding
from tests.blueprints.inbox import ADMIN, CUSTOMER, Inbox, post, token, url

JSON = {"Accept": "application/json"}


@pytest.fixture
def allowed(inbox: Inbox) -> Inbox:
    with inbox.database.write() as session:
        finding.allow_search(session, ADMIN, wanted=True)
    return inbox


@pytest.fixture
def ada(inbox: Inbox) -> str:
    """Somebody with another address, in a company."""
    account = inbox.salesforce.add("Account", Name="Engines Ltd", Phone="030 12345")
    return inbox.salesforce.add(
        "Contact", FirstName="Ada", LastName="Byron", Email="ada@old.example", AccountId=account
    )


def panel(client: FlaskClient) -> dict[str, object]:
    answer: dict[str, object] = client.get(url(), headers=JSON).json
    return answer


def audited(inbox: Inbox) -> list[tuple[str, str, str]]:
    wanted = ("org_searched", "record_picked", "pick_removed", "pick_followed", "search_switched")
    with inbox.database.read() as session:
        rows = session.scalars(select(AuditRecord).where(AuditRecord.action.in_(wanted)))
        return [(row.action, row.agent_id, row.detail) for row in rows]


def test_nobody_searches_until_an_admin_says_yes(inbox: Inbox, ada: str) -> None:
    client = inbox.client()
    assert "Search Salesforce" not in client.get(url()).text.replace("Search Salesforce, if", "")
    assert client.get(url("/find?q=Byron")).status_code == 404
    assert "find_by_text" not in inbox.calls()
    assert client.get("/salesforce/settings/finding").status_code == 403
    admin = inbox.client(ADMIN)
    page = admin.get("/salesforce/settings/finding")
    assert "Let agents search Salesforce" in page.text
    data = {"search": "on", "csrf_token": token(admin)}
    assert admin.post("/salesforce/settings/finding", data=data).status_code == 303
    assert audited(inbox) == [("search_switched", ADMIN.id, "on")]
    assert "Search Salesforce" in inbox.client().get(url()).text


def test_find_by_name_and_keep(allowed: Inbox, ada: str) -> None:
    client = allowed.client()
    assert panel(client)["state"] == "no_match"
    before = len(allowed.calls())
    page = client.get(url("/find?q=byron"))
    assert allowed.calls()[before:] == ["find_by_text"]
    assert "Ada Byron" in page.text
    assert "Engines Ltd" in page.text
    [hit] = client.get(url("/find?q=byron"), headers=JSON).json["records"]
    assert hit["record"] == f"Contact/{ada}"
    assert post(client, "/pick", {"record": hit["record"]}).status_code == 303
    before = len(allowed.calls())
    shown = panel(client)
    assert allowed.calls()[before:] == ["panel"], "no request more"
    assert (shown["state"], shown["chosen"]) == ("matched", True)
    assert shown["match"]["person"]["id"] == ada  # type: ignore[index]
    assert allowed.salesforce.fields("Contact", ada)["Email"] == "ada@old.example"
    page = client.get(url())
    assert "Not them" in page.text
    assert f"Chosen for <bdi>{CUSTOMER.email}" in page.text
    assert post(client, "/unpick", {}).status_code == 303
    assert panel(client)["state"] == "no_match"
    assert [action for action, _, _ in audited(allowed)[1:]] == [
        *["org_searched"] * 2,
        "record_picked",
        "pick_removed",
    ]


def test_a_choice_comes_before_the_email(allowed: Inbox, ada: str) -> None:
    allowed.salesforce.add("Contact", LastName="Email", Email=CUSTOMER.email)
    client = allowed.client()
    panel(client)
    client.get(url("/find?q=byron"))
    post(client, "/pick", {"record": f"Contact/{ada}"})
    shown = panel(client)
    assert shown["match"]["person"]["id"] == ada  # type: ignore[index]


def test_only_what_the_agents_own_search_returned_is_chosen(allowed: Inbox, ada: str) -> None:
    client = allowed.client()
    assert post(client, "/pick", {"record": f"Contact/{ada}"}).status_code == 404
    client.get(url("/find?q=Engines"))  # an Account alone is no person
    assert post(client, "/pick", {"record": f"Contact/{ada}"}).status_code == 404
    with allowed.database.read() as session:
        assert session.scalars(select(Pick)).all() == []


def test_a_choice_that_is_gone_is_dropped_with_a_word_and_a_merged_one_followed(
    allowed: Inbox, ada: str
) -> None:
    client = allowed.client()
    other = allowed.salesforce.add("Contact", LastName="Other")
    client.get(url("/find?q=byron"))
    post(client, "/pick", {"record": f"Contact/{ada}"})
    allowed.salesforce.merge("Contact", other, ada)
    assert panel(client)["match"]["person"]["id"] == other  # type: ignore[index]
    allowed.salesforce.delete("Contact", other)
    page = client.get(url()).text
    assert "no longer visible in Salesforce, so the choice was removed" in page
    assert panel(client)["state"] == "no_match"
    assert audited(allowed)[-1] == ("pick_removed", "", "gone")


@pytest.mark.field_case("B7")
@pytest.mark.field_case("B15")
def test_searches_are_held_back_and_told_with_the_agents_name(
    allowed: Inbox, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "A_DAY", 5)
    client = allowed.client()
    answers = [client.get(url("/find?q=byron")).status_code for _ in range(16)]
    assert answers == [200] * 5 + [503] * 11
    page = client.get(url("/find?q=byron")).text
    assert "limit of 5 searches a day" in page
    assert 'value="byron"' in page, "what was typed stays"
    assert allowed.calls().count("find_by_text") == 5
    (alarm,) = raise_alarms(allowed.database)
    assert alarm.agent_id == "gus"
    with allowed.database.read() as session:
        told = select(AuditRecord.agent_name).where(AuditRecord.action == "unusual_use")
        assert session.scalars(told).all() == [allowed.desk.agent.name]  # type: ignore[union-attr]


def test_hits_are_few_and_told_apart_and_what_is_typed_is_only_text(allowed: Inbox) -> None:
    client = allowed.client()
    account = allowed.salesforce.add("Account", Name="Smith & Sons <b>")
    for _ in range(9):
        allowed.salesforce.add("Contact", LastName="Smith", AccountId=account)
    allowed.salesforce.add("Lead", LastName="Smith", Company="Leads Inc")
    found = client.get(url("/find?q=smith"), headers=JSON).json["records"]
    assert [one["object"] for one in found] == ["Contact", "Contact", "Contact", "Lead", "Account"]
    assert found[-1]["record"] is None
    page = client.get(url("/find?q=smith")).text
    assert "Smith &amp; Sons &lt;b&gt;" in page
    for text, said in (("ab", "at least three"), ("%00abc", "Nothing found"), ("***", "at least")):
        assert said in client.get(url(f"/find?q={text}")).text
    assert "Nothing found" in client.get(url("/find?q=<script>alert")).text


def test_what_salesforce_does_not_answer_is_not_nothing_found(allowed: Inbox, ada: str) -> None:
    allowed.salesforce.fail("find_by_text", SalesforceUnavailable())
    page = allowed.client().get(url("/find?q=byron"))
    assert page.status_code == 503
    assert "Nothing found" not in page.text
    allowed.salesforce.fail("find_by_text", SchemaStale(object="Contact", field="Title"))
    assert "Ada Byron" in allowed.client().get(url("/find?q=byron")).text
    assert allowed.queue.jobs[-1] == ("describe", allowed.connection_id)


def test_an_admin_sees_the_choices_and_takes_them_back(allowed: Inbox, ada: str) -> None:
    client = allowed.client()
    client.get(url("/find?q=byron"))
    post(client, "/pick", {"record": f"Contact/{ada}"})
    admin = allowed.client(ADMIN)
    page = admin.get("/salesforce/settings/finding").text
    assert CUSTOMER.email in page
    assert ada in page
    assert "1 choice" in page
    assert ada not in admin.get("/salesforce/settings/finding?q=nobody").text
    data = {"remove": CUSTOMER.email, "csrf_token": token(admin)}
    assert admin.post("/salesforce/settings/finding", data=data).status_code == 303
    assert audited(allowed)[-1] == ("pick_removed", ADMIN.id, "")
    with allowed.database.read() as session:
        assert finding.load(session, "acme").search, "the switch stays"
