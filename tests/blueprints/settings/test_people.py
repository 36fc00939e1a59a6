"""The page about new people, without JavaScript: as what they are added, on which Account, with
which values, and what Try an address and the preview tell of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import update

from keeping_plugin.errors import SalesforceUnavailable
from keeping_plugin.models import AuditRecord, Installation, UndoneAddress
from keeping_plugin.services.automation import policy as automations
from keeping_plugin.services.people import accounts, policy
from keeping_plugin.services.people.policy import AddAs, PeopleChoices
from keeping_plugin.types import Address, Direction, FieldSpec, Message
from tests.blueprints.inbox import ADMIN, CONVERSATION, Inbox, token
from tests.blueprints.settings.test_automation import require, save, switches

PAGE = "/salesforce/settings/automation/people"
TAB = "/salesforce/settings/automation?mailbox=support"
RULE = {"by_colleagues": "on", "by_website": "on"}


def send(client: FlaskClient, path: str = PAGE, **form: Any) -> Any:
    return client.post(path, data={"csrf_token": token(client), **form})


def words(answer: Any) -> str:
    return " ".join(html.fromstring(answer.text).text_content().split())


def chosen(inbox: Inbox, mailbox: str = policy.COMPANY) -> PeopleChoices:
    with inbox.database.read() as session:
        return policy.load(session, "acme").of(mailbox)


def switch_on(inbox: Inbox, **people: Any) -> None:
    with inbox.database.write() as session:
        automations.set_mailbox_automation(
            session, ADMIN, "support", add_contacts=True, log_tasks=True
        )
        if people:
            policy.save(session, ADMIN, "support", **people)


def allow_leads(inbox: Inbox) -> None:
    with inbox.database.write() as session:
        session.execute(update(Installation).values(contract=1))


def arrived(inbox: Inbox, *addresses: str) -> None:
    """Each of these customers has begun a conversation."""
    for number, address in enumerate(addresses):
        customer = Address(address)
        talk = replace(CONVERSATION, id=f"t-{number}", customer=customer)
        inbox.desk.add_conversation("acme", talk)
        inbox.desk.add_message(
            Message(
                company_id="acme",
                mailbox_id="support",
                conversation_id=talk.id,
                message_id=f"m-{number}",
                direction=Direction.INBOUND,
                opens_conversation=True,
                customer=customer,
                sender=customer,
                recipients=(),
                sent_at=datetime.now(UTC) - timedelta(days=1),
                subject="Order",
                text="Hello",
            )
        )


def try_address(client: FlaskClient, address: str) -> str:
    return words(client.get(f"{TAB.replace('?', '/try?')}&address={address}"))


def test_an_admin_chooses_for_the_company_and_for_one_mailbox(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    assert "all mailboxes" in words(client.get(PAGE))
    assert send(client, add_as="contact", by_website="on").status_code == 303
    assert chosen(inbox) == PeopleChoices(by_colleagues=False)
    mine = f"{PAGE}?mailbox=support"
    assert send(client, mine, add_as="contact").status_code == 303
    assert not chosen(inbox, "support").looks_for_accounts
    assert "(own choice)" in words(client.get(PAGE))
    assert send(client, mine, do="company").status_code == 303
    assert chosen(inbox, "support") == chosen(inbox)
    with inbox.database.read() as session:
        noted = session.query(AuditRecord).filter_by(action="people_changed").count()
    assert noted == 3
    assert send(client, add_as="robot").status_code == 400
    assert client.get(f"{PAGE}?mailbox=nowhere").status_code == 404


def test_an_account_for_everyone_else_is_found_by_name_and_only_what_was_found_is_taken(
    inbox: Inbox,
) -> None:
    ids = [inbox.salesforce.add("Account", Name=f"Others {n}") for n in (1, 2)]
    secret = inbox.salesforce.add("Account", Name="Secret")
    client = inbox.client(ADMIN)
    form = {"add_as": "contact", **RULE, "catch_all": "on"}
    empty = send(client, **form)
    assert (empty.status_code, "Type a part" in empty.text) == (422, True)
    nobody = send(client, **form, account="Zzz")
    assert (nobody.status_code, "No Account" in nobody.text) == (422, True)
    found = send(client, **form, account="Others", do="find")
    shown = html.fromstring(found.text).xpath("//input[@name='account_id']/@value")
    assert (found.status_code, shown) == (200, ids)
    made_up = {"account": "Others", "searched": "Others", "account_id": secret}
    assert send(client, **form, **made_up).status_code == 200
    assert chosen(inbox).account_id == ""
    right = {**made_up, "account_id": ids[1]}
    assert send(client, **form, **right).status_code == 303
    assert (chosen(inbox).account_id, chosen(inbox).account_name) == (ids[1], "Others 2")
    asked = len(inbox.calls())
    assert send(client, **form).status_code == 303, "unchanged"
    assert len(inbox.calls()) == asked
    inbox.salesforce.fail("search", SalesforceUnavailable())
    late = send(client, **form, account="Oth")
    assert (late.status_code, 'value="Oth"' in late.text) == (422, True)
    with inbox.database.write() as session:
        accounts.note_gone(session, inbox.connection_id, ids[1])
    assert "no longer takes the chosen Account" in words(client.get(PAGE))
    switch_on(inbox)
    assert "no longer takes the chosen Account" in words(client.get(TAB))
    del form["catch_all"]
    assert send(client, **form).status_code == 303
    assert chosen(inbox) == PeopleChoices()


def test_mailboxes_whose_contacts_stay_private_say_so_and_offer_the_rule(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    assert "private" not in words(client.get(TAB)), "nobody is added"
    switch_on(inbox, by_colleagues=False, by_website=False)
    told = words(client.get(TAB))
    assert "Everyone added in Support stays private" in told
    assert "only its owner, and users who may see all Contacts, can find it" in told
    assert send(client, f"{PAGE}?mailbox=support", do="rule").status_code == 303
    assert chosen(inbox, "support") == PeopleChoices()
    assert "Some people added in Support stay private" in words(client.get(TAB))
    account = inbox.salesforce.add("Account", Name="Others")
    with inbox.database.write() as session:
        policy.save(session, ADMIN, "support", account_id=account, account_name="Others")
    assert "private" not in words(client.get(TAB))


def test_leads_are_offered_once_no_process_of_0_1_0_can_run(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    with inbox.database.write() as session:
        session.execute(update(Installation).values(contract=0))
    assert "flask keeping db contract" in words(client.get(PAGE))
    assert send(client, add_as="lead").status_code == 422
    allow_leads(inbox)
    assert send(client, add_as="lead", **RULE).status_code == 303
    assert chosen(inbox).add_as is AddAs.LEAD
    switch_on(inbox)
    assert "Adds Leads" in words(client.get(TAB))
    assert "stay private" not in words(client.get(TAB)), (
        "a Lead has no Account to be private without"
    )
    inbox.salesforce.add("Account", Name="Zeta Inc.", Website="www.zeta.example")
    assert "A Lead of the company Zeta Inc." in try_address(client, "bo@zeta.example")


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(("object", "switch"), [("Contact", "add_contacts"), ("Task", "log_tasks")])
def test_a_value_for_a_required_field_lets_its_automation_be_switched_on(
    inbox: Inbox, object: str, switch: str
) -> None:
    require(inbox, object)
    client = inbox.client(ADMIN)
    assert save(client, switch).status_code == 422
    values = f"{PAGE}/{object}"
    assert 'name="sf_Order__c"' in client.get(values).text
    missing = send(client, values, do="save")
    assert (missing.status_code, "Order number is required" in missing.text) == (422, True)
    answer = send(client, values, do="save", shown="Order__c", sf_Order__c="none")
    assert answer.status_code == 303
    assert chosen(inbox).defaults == {object: {"Order__c": "none"}}
    assert save(client, switch).status_code == 303
    assert getattr(switches(inbox), switch)


def test_the_value_of_a_lookup_field_is_a_record_that_exists(inbox: Inbox) -> None:
    schemas = inbox.salesforce.org.schemas
    contact = schemas["Contact"]
    region = FieldSpec(
        name="Region__c",
        label="Region",
        type="reference",
        createable=True,
        custom=True,
        nillable=False,
        reference_to=("Account",),
    )
    changed = replace(contact, fields={**contact.fields, "Region__c": region})
    schemas["Contact"] = changed
    inbox.describe({**schemas, "Contact": changed})
    account = inbox.salesforce.add("Account", Name="North")
    client = inbox.client(ADMIN)
    values = f"{PAGE}/Contact"
    assert "The id of a record: Account" in words(client.get(values))
    for wrong in ("001000000000009AAA", "nonsense", "003000000000009AAA"):
        answer = send(client, values, do="save", shown="Region__c", sf_Region__c=wrong)
        assert (answer.status_code, "finds no such record" in words(answer)) == (422, True)
    inbox.salesforce.fail("read_many", SalesforceUnavailable())
    away = send(client, values, do="save", shown="Region__c", sf_Region__c=account)
    assert (away.status_code, "finds no such record" in words(away)) == (422, False)
    saved = send(client, values, do="save", shown="Region__c", sf_Region__c=account)
    assert saved.status_code == 303
    assert chosen(inbox).defaults == {"Contact": {"Region__c": account}}
    asked = len(inbox.calls())
    again = send(client, values, do="save", shown="Region__c", sf_Region__c=account)
    assert (again.status_code, len(inbox.calls())) == (303, asked)
    assert save(client, "add_contacts").status_code == 303


def test_values_are_chosen_field_by_field_and_cleared_again(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    values = f"{PAGE}/Contact"
    offered = html.fromstring(client.get(values).text).xpath("//select[@name='add']/option/@value")
    assert {"Department", "LeadSource"} < set(offered)
    assert not {"LastName", "Email", "AccountId", "OwnerId", "ReportsToId"} & set(offered)
    more = send(client, values, do="add", add="Department")
    assert 'name="sf_Department"' in more.text
    both = send(
        client, values, do="add", shown="Department", sf_Department="Buying", add="LeadSource"
    )
    assert 'value="Buying"' in both.text, "what was typed stays"
    form = {"do": "save", "shown": ["Department", "LeadSource"], "sf_Department": "Buying"}
    assert send(client, values, **form, sf_LeadSource="").status_code == 303
    assert chosen(inbox).defaults == {"Contact": {"Department": "Buying"}}
    assert "1 value" in words(client.get(PAGE))
    too_long = send(client, values, do="save", shown="Department", sf_Department="x" * 200)
    assert too_long.status_code == 422
    schemas = inbox.salesforce.org.schemas
    fields = dict(schemas["Contact"].fields)
    del fields["Department"]
    inbox.describe({**schemas, "Contact": replace(schemas["Contact"], fields=fields)})
    assert "Contact.Department no longer exists" in words(client.get(TAB))
    assert "Contact.Department no longer exists" in words(client.get(values))
    assert send(client, values, do="save").status_code == 303
    assert chosen(inbox).defaults == {"Contact": {}}
    assert client.get(f"{PAGE}/Account").status_code == 404


def test_try_an_address_tells_what_would_be_added_and_by_which_step(inbox: Inbox) -> None:
    switch_on(inbox)
    account = inbox.salesforce.add("Account", Name="Zeta Inc.", Website="https://www.zeta.example/")
    inbox.salesforce.add("Contact", LastName="There", Email="there@zeta.example", AccountId=account)
    client = inbox.client(ADMIN)
    told = try_address(client, "bo@zeta.example")
    assert "to the Account Zeta Inc.: its Website is this email domain" in told
    assert inbox.calls() == ["find", "accounts"]
    told = try_address(client, "there@zeta.example")
    assert "A Contact has this address already" in told
    told = try_address(client, "bo@gmail.com")
    assert "it would be private" in told
    assert inbox.calls()[2:] == ["find", "find"]
    inbox.salesforce.fail("find", SalesforceUnavailable())
    assert "It is not known who is already in Salesforce" in try_address(client, "bo@zeta.example")
    inbox.salesforce.fail("accounts", SalesforceUnavailable())
    assert "answered only in part" in try_address(client, "bo@new.example")
    asked = len(inbox.calls())
    switch_on(inbox)
    with inbox.database.write() as session:
        automations.set_mailbox_automation(
            session, ADMIN, "support", add_contacts=False, log_tasks=True
        )
    try_address(client, "bo@zeta.example")
    assert len(inbox.calls()) == asked, "nobody would be added, so nobody is asked"


def test_without_the_rights_no_account_and_no_owner_is_offered_and_the_reason_is_said(
    inbox: Inbox,
) -> None:
    """What was chosen before stays chosen, and the Automation tab says that it has no effect."""
    schemas = dict(inbox.salesforce.org.schemas)
    for name, field in (("Contact", "AccountId"), ("Contact", "OwnerId"), ("Task", "OwnerId")):
        spec = replace(schemas[name].fields[field], createable=False)
        fields = {**schemas[name].fields, field: spec}
        schemas[name] = replace(schemas[name], fields=fields)
    inbox.describe(schemas)
    client = inbox.client(ADMIN)
    switch_on(inbox, by_colleagues=False)
    answer = client.get(f"{PAGE}?mailbox=support")
    page = html.fromstring(answer.text)
    assert "cannot edit the Account of a Contact" in words(answer)
    assert page.xpath("//input[@name='by_colleagues']/@disabled")
    assert page.xpath("//input[@name='catch_all']/@disabled")
    assert not page.xpath("//input[@name='by_website']/@disabled")
    assert "New Contacts get no Account until that is changed" in words(client.get(TAB))
    answer = client.get(f"{TAB.replace('?', '/owners?')}")
    page = html.fromstring(answer.text)
    assert "cannot set the owner of new records (OwnerId)" in words(answer)
    offered = page.xpath("//input[@name='owner'][not(@disabled)]/@value")
    assert offered == ["connecting_user"]


def test_the_preview_tells_what_the_org_says_of_whoever_would_be_added(inbox: Inbox) -> None:
    client = inbox.client(ADMIN)
    arrived(inbox, "bo@zeta.example", "there@zeta.example", "max@gmail.com")
    account = inbox.salesforce.add("Account", Name="Zeta Inc.", Website="zeta.example")
    inbox.salesforce.add("Contact", LastName="There", Email="there@zeta.example", AccountId=account)
    switch_on(inbox)
    told = words(client.get(f"{TAB.replace('?', '/preview?')}"))
    assert "of 3 addresses, 1 is already there; 1 person would belong to an Account, and 1 to none"\
        in told  # fmt: skip
    with inbox.database.write() as session:
        at = inbox.clock.now()
        session.add(UndoneAddress(company_id="acme", address="max@gmail.com", undone_at=at))
    allow_leads(inbox)
    switch_on(inbox, add_as=AddAs.LEAD)
    told = words(client.get(f"{TAB.replace('?', '/preview?')}"))
    assert "1 person would become a Lead. 1 person would not be added, because of an undo." in told
    assert inbox.salesforce.rows("Lead") == []
