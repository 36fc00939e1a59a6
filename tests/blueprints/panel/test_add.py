"""Add as Contact, Add as Lead: prefilled, never twice, and what duplicate rules say."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from keeping_plugin.errors import (
    Complaint,
    OutcomeUnclear,
    RecordRejected,
    SalesforceUnavailable,
)
from keeping_plugin.mail.effort import SECONDS, Effort
from keeping_plugin.models import AddressClaim, AuditRecord, KnownAddress
from keeping_plugin.rules import Policy
from keeping_plugin.services.automation.decisions import judge_and_write
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.people import accounts
from keeping_plugin.times import Times
from keeping_plugin.types import AccountFound, Address, Direction, DomainAccounts, Message, Told
from tests.blueprints.inbox import ADMIN, CUSTOMER, Inbox, post, token, url

JSON = {"Accept": "application/json"}


def values(page: str) -> dict[str, str]:
    """What stands in a form's text inputs."""
    found = re.findall(r"<input[^>]*>", page)
    pairs = [
        (re.search(r'name="sf_(\w+)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in found
    ]
    return {name[1]: html.unescape(value[1]) for name, value in pairs if name and value}


def add(inbox: Inbox, object: str = "Contact", **fields: str) -> Any:
    """Open the form as a browser does, and save it with these fields changed."""
    client = inbox.client()
    filled = values(client.get(url(f"/new/{object}")).text) | fields
    extra = {"save_anyway": filled.pop("save_anyway")} if "save_anyway" in filled else {}
    sent = {f"sf_{name}": value for name, value in filled.items()}
    return post(client, f"/new/{object}", {**sent, **extra})


@pytest.mark.parametrize(
    ("customer", "first", "last"),
    [
        (Address("jane@acme.example", "Jane Doe"), "Jane", "Doe"),
        (Address("jane@acme.example", "Doe, Jane"), "Jane", "Doe"),
        (Address("jane@acme.example", ""), "", "jane"),
        (Address("taro@example.jp", "山田太郎"), "", "山田太郎"),
    ],
)
def test_the_form_starts_from_the_address_and_the_name(
    inbox: Inbox, customer: Address, first: str, last: str
) -> None:
    inbox.customer(customer)
    filled = values(inbox.client().get(url("/new/Contact")).text)
    assert (filled["FirstName"], filled["LastName"], filled["Email"]) == (
        first,
        last,
        customer.email,
    )
    assert inbox.calls() in ([], ["picklist_values"])


@pytest.mark.parametrize(
    ("email", "company"),
    [
        ("jane@acme-tools.example", "Acme Tools"),
        ("jane@mail.acme.co.uk", "Acme"),
        ("jane@xn--mnchen-3ya.de", "München"),
        ("jane@gmail.com", None),
    ],
)
def test_a_leads_company_is_filled_in_and_said_to_be_a_guess(
    inbox: Inbox, email: str, company: str | None
) -> None:
    inbox.customer(Address(email, "Jane Doe"))
    client = inbox.client()
    assert client.get(url("/new/Lead"), headers=JSON).json["suggested_company"] == company
    page = client.get(url("/new/Lead")).text
    assert values(page)["Company"] == (company or "Jane Doe")
    assert ("This is a guess" in page) is (company is not None)


def test_the_account_of_the_domain_is_filled_in_where_it_is_known(inbox: Inbox) -> None:
    told = DomainAccounts(Told(AccountFound("001000000000001AAA", "", "Acme Tools Ltd.")), Told())
    with inbox.app.app_context():
        accounts.keep(inbox.runtime, inbox.connection_id, {"acme-tools.example": told})
    inbox.customer(Address("jane@acme-tools.example", "Jane Doe"))
    client = inbox.client()
    found = client.get(url("/new/Lead"), headers=JSON).json["suggested_company"]
    assert found == "Acme Tools Ltd."
    page = client.get(url("/new/Lead")).text
    assert "The Account of people with this email domain" in page
    assert values(page)["Company"] == "Acme Tools Ltd."
    assert inbox.calls() in ([], ["picklist_values"])


def arrived(inbox: Inbox, message_id: str, text: str, **changed: Any) -> None:
    """Let the rules see a message of the conversation, and the host keep its text."""
    message = Message(
        company_id="acme",
        mailbox_id="support",
        conversation_id="c-1",
        message_id=message_id,
        direction=Direction.INBOUND,
        opens_conversation=False,
        customer=CUSTOMER,
        sender=CUSTOMER,
        recipients=(),
        sent_at=datetime(2026, 5, 4, tzinfo=UTC),
        text=text,
    )
    message = replace(message, **changed)
    inbox.desk.add_message(message)
    with inbox.database.write() as session:
        judge_and_write(
            session.connection(), message, Policy(), connection_id=inbox.connection_id, epoch=0
        )


SIGNED = "Hi\n\nBest regards,\nJane Doe\nAcme Holdings Ltd"


def test_a_company_is_filled_in_from_the_customers_latest_signature(inbox: Inbox) -> None:
    """One body is read, however many messages there are."""
    arrived(inbox, "m-1", "Hi\n\nBest regards,\nJane Doe\nFormerly Ltd")
    arrived(inbox, "m-2", SIGNED)
    reply = {"direction": Direction.OUTBOUND, "sender": Address("support@acme.example")}
    arrived(inbox, "m-3", "Hi\n\nBest regards,\nJane Doe\nOurs Ltd", **reply)
    client = inbox.client()
    form = client.get(url("/new/Lead"), headers=JSON).json
    assert form["suggested_company"] == "Acme Holdings Ltd"
    assert inbox.desk.bodies_read == ["m-2"]
    page = client.get(url("/new/Lead")).text
    assert "last message suggests the company" in page
    assert values(page)["Company"] == "Acme Holdings Ltd"
    client.get(url("/new/Contact"))
    assert inbox.desk.bodies_read == ["m-2", "m-2"]


@pytest.mark.parametrize(
    "changed",
    [
        {"sender": Address("bob@rival.example", "Jane Doe")},
        {"sender": None},
        {"conversation_id": "c-2"},
        {"direction": Direction.OUTBOUND},
    ],
)
def test_only_what_the_customer_wrote_here_names_a_company(
    inbox: Inbox, changed: dict[str, Any]
) -> None:
    arrived(inbox, "m-1", SIGNED, **changed)
    form = inbox.client().get(url("/new/Lead"), headers=JSON).json
    assert form["suggested_company"] == "Acme"


@pytest.mark.field_case("B1")
def test_a_form_opens_within_the_budget_whatever_the_customer_wrote(inbox: Inbox) -> None:
    """The body is read in the web process, which serves the whole inbox."""
    client = inbox.client()
    client.get(url("/new/Lead"), headers=JSON)
    arrived(inbox, "m-1", "\u2003\n" * 30_000)
    began = time.thread_time()
    form = client.get(url("/new/Lead"), headers=JSON).json
    assert time.thread_time() - began < 2 * SECONDS  # the page itself, too
    assert form["suggested_company"] == "Acme"


@pytest.mark.field_case("B1")
def test_a_text_over_the_budget_names_no_company(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived(inbox, "m-1", SIGNED)
    monkeypatch.setattr(Effort, "begun", classmethod(lambda _: Effort(-1.0)))
    form = inbox.client().get(url("/new/Lead"), headers=JSON).json
    assert form["suggested_company"] == "Acme"


def test_a_message_that_is_gone_names_no_company(inbox: Inbox) -> None:
    arrived(inbox, "m-1", SIGNED)
    inbox.desk.company("acme").messages.clear()
    form = inbox.client().get(url("/new/Lead"), headers=JSON).json
    assert form["suggested_company"] == "Acme"


@pytest.mark.parametrize("object", ["Contact", "Lead"])
def test_saving_turns_the_panel_into_the_match(inbox: Inbox, object: str) -> None:
    fields = {"Company": "Acme"} if object == "Lead" else {}
    answer = add(inbox, object, Phone="+1 2", **fields)
    assert answer.status_code == 303
    (made,) = inbox.salesforce.rows(object)
    assert (made["FirstName"], made["LastName"], made["Email"]) == ("Jane", "Doe", CUSTOMER.email)
    assert "Jane Doe" in inbox.client().get(answer.location).text
    with inbox.database.read() as session:
        row = session.scalars(select(AuditRecord)).one()
        assert (row.action, row.object, row.record_id) == ("record_created", object, made["Id"])
        assert session.scalars(select(AddressClaim)).all() == []
        known = session.scalars(select(KnownAddress.address)).all()
    assert known == [CUSTOMER.email] if object == "Contact" else known == []


def test_what_is_missing_is_asked_for_and_the_rest_stays(inbox: Inbox) -> None:
    page = add(inbox, "Lead", Phone="+1 2", Company="")
    assert page.status_code == 422
    assert "Company is required." in page.text
    assert values(page.text)["Phone"] == "+1 2"
    assert inbox.salesforce.rows("Lead") == []


def test_an_emptied_address_is_asked_for(inbox: Inbox) -> None:
    page = add(inbox, Email="")
    assert page.status_code == 422
    assert "it is how people are found" in page.text


def test_salesforces_refusal_stands_beside_its_field(inbox: Inbox) -> None:
    words = Complaint("REQUIRED_FIELD_MISSING", "Required fields are missing: [Title]", ("Title",))
    inbox.salesforce.fail("create", RecordRejected(complaints=(words,)))
    page = add(inbox, Phone="+1 2")
    assert page.status_code == 422
    assert 'id="k-new-sf_Title-problem"' in page.text
    assert "Required fields are missing: [Title]" in page.text
    assert values(page.text)["Phone"] == "+1 2"
    with inbox.database.read() as session:
        assert session.scalars(select(AddressClaim)).all() == []


# Never twice -------------------------------------------------------------------------------------


def test_a_person_who_is_there_by_now_is_shown_instead(inbox: Inbox) -> None:
    client = inbox.client()
    filled = values(client.get(url("/new/Contact")).text)
    jane = inbox.salesforce.add("Contact", LastName="Doe", Email="JANE@acme.example")
    sent = {f"sf_{name}": value for name, value in filled.items()}
    answer = post(client, "/new/Contact", sent, headers={"X-Keeping-Fragment": "1"})
    assert answer.status_code == 200
    assert "someone else added this person first" in answer.text
    assert jane in answer.text
    assert len(inbox.salesforce.rows("Contact")) == 1


def test_another_address_that_exists_is_not_added_again(inbox: Inbox) -> None:
    inbox.salesforce.add("Contact", LastName="Boss", Email="boss@acme.example")
    page = add(inbox, Email="boss@acme.example")
    assert page.status_code == 409
    assert "A Contact with this address already exists in Salesforce." in page.text
    assert len(inbox.salesforce.rows("Contact")) == 1


def test_while_somebody_else_adds_the_person_nothing_is_sent(inbox: Inbox) -> None:
    with inbox.database.write() as session:
        claims.take(
            session,
            org_id=inbox.salesforce.org_id,
            addresses=[CUSTOMER.email],
            owner="drain:1",
            times=Times(),
        )
    page = add(inbox)
    assert page.status_code == 409
    assert "This person is being added" in page.text
    assert inbox.salesforce.rows("Contact") == []
    assert "create" not in inbox.calls()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_create_without_an_answer_is_looked_up_before_it_is_repeated(
    inbox: Inbox, arrived: bool
) -> None:
    inbox.salesforce.fail("create", OutcomeUnclear(timed_out=True), after=arrived)
    page = add(inbox, Phone="+1 2")
    assert page.status_code == 504
    assert "Checking whether this person was saved" in page.text
    assert values(page.text)["Phone"] == "+1 2"
    again = add(inbox, Phone="+1 2")
    if arrived:
        assert again.status_code == 303
        assert len(inbox.salesforce.rows("Contact")) == 1
        return
    assert again.status_code == 409
    assert "so it is being checked" in again.text
    assert inbox.salesforce.rows("Contact") == []
    with inbox.database.write() as session:
        session.delete(session.scalars(select(AddressClaim)).one())  # the settle time has passed
    assert add(inbox).status_code == 303
    assert len(inbox.salesforce.rows("Contact")) == 1


def test_a_look_without_an_answer_adds_nobody_and_lets_go(inbox: Inbox) -> None:
    inbox.salesforce.fail("find", SalesforceUnavailable())
    page = add(inbox)
    assert page.status_code == 503
    assert inbox.salesforce.rows("Contact") == []
    with inbox.database.read() as session:
        assert session.scalars(select(AddressClaim)).all() == []


# Duplicate rules ---------------------------------------------------------------------------------


@pytest.fixture
def similar(inbox: Inbox) -> str:
    """Somebody of the same name, whom a duplicate rule finds."""
    inbox.salesforce.duplicate_rule("Contact", "LastName")
    return inbox.salesforce.add(
        "Contact", FirstName="Jane", LastName="Doe", Email="old@example.com", Title="CFO"
    )


def test_found_duplicates_are_shown_and_may_be_saved_anyway(inbox: Inbox, similar: str) -> None:
    page = add(inbox)
    assert page.status_code == 409
    for shown in ("old@example.com", "CFO", "Use this one", "Save anyway", "Use one of these"):
        assert shown in page.text, shown
    assert len(inbox.salesforce.rows("Contact")) == 1
    assert add(inbox, save_anyway="1").status_code == 303
    assert len(inbox.salesforce.rows("Contact")) == 2


def test_a_blocking_rule_offers_no_way_around(inbox: Inbox) -> None:
    inbox.salesforce.duplicate_rule("Contact", "LastName", may_save=False)
    inbox.salesforce.add("Contact", LastName="Doe")
    page = add(inbox)
    assert "Use this one" in page.text
    assert "Save anyway" not in page.text


def ticket(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found
    return found[1]


def test_use_this_one_gives_an_empty_record_the_address(inbox: Inbox) -> None:
    inbox.salesforce.duplicate_rule("Contact", "LastName")
    jane = inbox.salesforce.add("Contact", LastName="Doe")
    page = add(inbox)
    client = inbox.client()
    assert post(client, "/use", {"ticket": ticket(page.text)}).status_code == 303
    assert inbox.salesforce.fields("Contact", jane)["Email"] == CUSTOMER.email
    assert client.get(url(), headers=JSON).json["match"]["person"]["id"] == jane


def test_another_address_is_replaced_only_when_the_agent_says_so(
    inbox: Inbox, similar: str
) -> None:
    client = inbox.client()
    asked = post(client, "/use", {"ticket": ticket(add(inbox).text)})
    assert asked.status_code == 409
    assert "old@example.com" in asked.text
    assert inbox.salesforce.fields("Contact", similar)["Email"] == "old@example.com"
    assert 'name="seen" value="old@example.com"' in asked.text
    inbox.salesforce.update("Contact", similar, Email="newer@example.com")  # by somebody else
    seen = {"replace": "1", "seen": "old@example.com"}
    asked = post(client, "/use", {"ticket": ticket(asked.text), **seen})
    assert (asked.status_code, "newer@example.com" in asked.text) == (409, True)
    assert inbox.salesforce.fields("Contact", similar)["Email"] == "newer@example.com"
    seen["seen"] = "newer@example.com"
    done = post(client, "/use", {"ticket": ticket(asked.text), **seen})
    assert done.status_code == 303
    assert inbox.salesforce.fields("Contact", similar)["Email"] == CUSTOMER.email


def test_a_use_that_salesforce_refuses_shows_its_words(inbox: Inbox) -> None:
    inbox.salesforce.duplicate_rule("Contact", "LastName")
    inbox.salesforce.add("Contact", LastName="Doe")
    page = add(inbox)
    words = (Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not on <Fridays>.", ()),)
    inbox.salesforce.fail("update", RecordRejected(complaints=words))
    answer = post(inbox.client(), "/use", {"ticket": ticket(page.text)})
    assert answer.status_code == 422
    assert "Not on &lt;Fridays&gt;." in answer.text
    assert ticket(answer.text), "it can be tried again"


def test_a_use_without_an_answer_is_in_the_audit_all_the_same(inbox: Inbox) -> None:
    """Salesforce may have taken it."""
    inbox.salesforce.duplicate_rule("Contact", "LastName")
    inbox.salesforce.add("Contact", LastName="Doe")
    page = add(inbox)
    inbox.salesforce.fail("update", OutcomeUnclear())
    assert post(inbox.client(), "/use", {"ticket": ticket(page.text)}).status_code == 504
    with inbox.database.read() as session:
        row = session.scalars(select(AuditRecord)).all()[-1]
    assert (row.action, row.detail) == ("record_updated", "outcome_unclear")
    assert row.fields == ["Email"]


def test_only_an_offer_made_to_this_agent_here_can_be_used(inbox: Inbox, similar: str) -> None:
    good = ticket(add(inbox).text)
    # Not the last letter: some of its bits belong to no byte, and would change nothing.
    altered = good[:-5] + ("B" if good[-5] == "A" else "A") + good[-4:]
    for bad in ("", "x", altered, similar):
        assert post(inbox.client(), "/use", {"ticket": bad}).status_code == 404, bad
    assert post(inbox.client(ADMIN), "/use", {"ticket": good}).status_code == 404
    assert inbox.salesforce.fields("Contact", similar)["Email"] == "old@example.com"


# What the form knows -----------------------------------------------------------------------------


def test_record_types_are_offered_and_sent(inbox: Inbox) -> None:
    schema = inbox.salesforce.org.schemas["Contact"]
    own = [kind for kind in schema.record_types if kind.available and not kind.master]
    assert len(own) > 1
    client = inbox.client()
    page = client.get(url(f"/new/Contact?record_type={own[1].id}")).text
    assert f'<option value="{own[1].id}" selected>' in page
    filled = {f"sf_{name}": value for name, value in values(page).items()}
    sent = {**filled, "record_type": own[1].id}
    assert "Add as Contact" in post(client, "/new/Contact", {**sent, "retype": "1"}).text
    assert post(client, "/new/Contact", sent).status_code == 303
    (made,) = inbox.salesforce.rows("Contact")
    assert made["RecordTypeId"] == own[1].id


def test_a_reference_is_found_without_javascript(inbox: Inbox) -> None:
    acme = inbox.salesforce.add("Account", Name="Acme <Roofing>")
    client = inbox.client()
    filled = values(client.get(url("/new/Contact")).text) | {"Phone": "+1 2"}
    sent = {f"sf_{name}": value for name, value in filled.items()}
    found = post(client, "/new/Contact", {**sent, "q_AccountId": "acme", "find": "AccountId"})
    assert found.status_code == 200
    assert "Acme &lt;Roofing&gt;" in found.text
    assert values(found.text)["Phone"] == "+1 2"
    # Searched for and not chosen: the person meant something by it.
    unchosen = post(client, "/new/Contact", {**sent, "q_AccountId": "acme"})
    assert unchosen.status_code == 422
    assert "Choose one of these records, or clear the search." in unchosen.text
    done = post(client, "/new/Contact", {**sent, "q_AccountId": "acme", "sf_AccountId": acme})
    assert done.status_code == 303
    assert inbox.salesforce.rows("Contact")[0]["AccountId"] == acme


def test_the_search_answers_while_somebody_types(inbox: Inbox) -> None:
    acme = inbox.salesforce.add("Account", Name="Acme")
    client = inbox.client()
    path = "/search/Account?q=acm&field=AccountId&into=k-new-sf_AccountId"
    found = client.get(url(path), headers={"X-Keeping-Fragment": "1"})
    assert f'name="sf_AccountId" type="radio" value="{acme}"' in found.text
    assert client.get(url(path), headers=JSON).json == {"records": [{"id": acme, "name": "Acme"}]}
    assert "Nothing found" in client.get(url("/search/Account?q=zzz")).text
    before = inbox.calls()
    assert client.get(url("/search/Account?q=a"), headers=JSON).json == {"records": []}
    assert client.get(url("/search/User?q=adm"), headers=JSON).status_code == 404
    assert client.get(url("/search/Task?q=adm")).status_code == 404
    assert client.get(url('/search/Account?q=acm&into="><script>')).status_code == 400
    assert inbox.calls() == before


@pytest.mark.parametrize("object", ["Account", "Case", "Task", "contact", "Nope"])
def test_only_contacts_and_leads_can_be_added(inbox: Inbox, object: str) -> None:
    assert inbox.client().get(url(f"/new/{object}")).status_code == 404


def test_json_adds_too(inbox: Inbox) -> None:
    client = inbox.client()
    headers = {**JSON, "X-CSRFToken": token(client)}
    body = {"fields": {"LastName": "Doe", "Email": CUSTOMER.email, "HasOptedOutOfEmail": True}}
    answer = client.post(url("/new/Contact"), json=body, headers=headers)
    assert (answer.status_code, answer.json["state"]) == (200, "matched")
    body = {"fields": {"LastName": "", "Email": "nobody"}}
    answer = client.post(url("/new/Lead"), json=body, headers=headers)
    assert answer.status_code == 422
    assert set(answer.json["problems"]) >= {"LastName", "Email", "Company"}


def test_a_search_that_ends_with_the_record_as_before_says_so(inbox: Inbox) -> None:
    """Found again and chosen again is no change, and not "choose one of these"."""
    account = inbox.salesforce.add("Account", Name="Acme Roofing")
    jane = inbox.salesforce.add("Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account)
    client = inbox.client()
    client.get(url())
    path = f"/Contact/{jane}/edit/AccountId"
    was = re.findall(r'name="was_AccountId" value="(\w+)"', client.get(url(path)).text)
    sent = {"sf_AccountId": account, "was_AccountId": was[0], "q_AccountId": "acme"}
    answer = post(client, path, sent)
    assert answer.status_code == 422
    assert "Acme Roofing is still selected." in answer.text
    again = post(client, path, {**sent, "q_AccountId": ""})
    assert again.status_code == 303
