"""Case, Opportunity, Task and Account from a conversation: prefilled, and never twice."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from keeping_plugin.errors import (
    Complaint,
    ConnectionBarred,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.models import AgentUser, AuditRecord, Connection, MadeRecord
from keeping_plugin.services.schema import creating
from keeping_plugin.types import Address
from tests.blueprints.inbox import ADMIN, CONVERSATION, CUSTOMER, Inbox, post, token, url
from tests.blueprints.panel.test_add import JSON, arrived

MADE = ("Case", "Opportunity", "Task", "Note", "Account")


@pytest.fixture
def shop(inbox: Inbox) -> Inbox:
    """An inbox whose admin lets agents create everything, and Jane in Salesforce at Acme."""
    with inbox.database.write() as session:
        for name in MADE:
            creating.change(session, ADMIN, name, allowed=True)
    return inbox


def jane(inbox: Inbox, *, account: bool = True, **fields: Any) -> str:
    org = inbox.salesforce.org
    by = inbox.salesforce.user_id
    if account:
        fields["AccountId"] = org.insert("Account", {"Name": "Acme"}, by=by)
    person = {"FirstName": "Jane", "LastName": "Doe", "Email": CUSTOMER.email}
    return org.insert("Contact", person | fields, by=by)


def form(inbox: Inbox, object: str) -> dict[str, Any]:
    """The form as a program sees it."""
    answer = inbox.client().get(url(f"/new/{object}"), headers=JSON)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def filled(answer: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in answer["fields"]}


def save(inbox: Inbox, object: str, fields: dict[str, Any], **more: Any) -> Any:
    client = inbox.client()
    headers = {**JSON, "X-CSRF-Token": token(client)}
    return client.post(url(f"/new/{object}"), json={"fields": fields, **more}, headers=headers)


def test_a_record_starts_from_mail_that_came_before_the_connection(
    shop: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that cannot tell the latest message is asked for those that the rules have seen."""
    jane(shop)
    arrived(shop, "m-1", "Seen by the rules.")
    [seen] = shop.desk.messages("acme", ["m-1"])
    shop.desk.add_message(
        replace(seen, message_id="m-2", text="Where is it?", sent_at=seen.sent_at + timedelta(1))
    )
    assert filled(form(shop, "Case"))["Description"] == "Where is it?"
    monkeypatch.setattr(shop.desk, "latest_message", None)
    assert filled(form(shop, "Case"))["Description"] == "Seen by the rules."


def test_a_case_starts_from_the_conversation_and_is_in_the_panel_at_once(shop: Inbox) -> None:
    """Two requests: the create and the panel. The form costs none while the card is fresh."""
    contact = jane(shop)
    arrived(
        shop, "m-1", "My parcel is late.\n\nOn Mon, 4 May 2026 at 10:00, Acme wrote:\n> We sent it."
    )
    client = shop.client()
    assert "Case" in client.get(url(), headers=JSON).json["creatable"]
    before = len(shop.calls())
    made = form(shop, "Case")
    start = filled(made)
    assert start["Subject"] == CONVERSATION.subject
    assert start["Description"] == "My parcel is late."
    assert shop.calls()[before:] in ([], ["picklist_values"])
    before = len(shop.calls())
    answer = save(shop, "Case", {"Priority": "High"}, attempt=made["attempt"])
    assert answer.status_code == 200, answer.json
    assert shop.calls()[before:] == ["create", "panel"]
    [row] = shop.salesforce.org.of("Case")
    assert answer.json["made"] == {"object": "Case", "id": row["Id"]}
    assert [one["id"] for one in answer.json["match"]["cases"]] == [row["Id"]]
    assert (row["ContactId"], row["Subject"], row["Priority"]) == (
        contact,
        CONVERSATION.subject,
        "High",
    )
    with shop.database.read() as session:
        [kept] = session.scalars(select(MadeRecord))
        [audited] = session.scalars(
            select(AuditRecord).where(AuditRecord.action == "record_created")
        )
    assert (kept.conversation_id, kept.object, kept.record_id) == ("c-1", "Case", row["Id"])
    assert (audited.agent_id, audited.record_id) == ("gus", row["Id"])
    assert {"ContactId", "Description", "Priority", "Subject"} <= set(audited.fields)


def test_an_opportunity_is_on_the_account_with_the_contact_in_its_primary_role(shop: Inbox) -> None:
    contact = jane(shop)
    start = filled(form(shop, "Opportunity"))
    assert start["Name"] == CONVERSATION.subject
    answer = save(shop, "Opportunity", {"StageName": "Prospecting", "CloseDate": "2026-06-30"})
    [row] = shop.salesforce.org.of("Opportunity")
    [role] = shop.salesforce.org.of("OpportunityContactRole")
    assert (row["ContactId"], role["ContactId"]) == (contact, contact)
    assert row["AccountId"] == shop.salesforce.org.row("Contact", contact)["AccountId"]
    assert [one["id"] for one in answer.json["match"]["opportunities"]] == [row["Id"]]


def test_a_follow_up_has_a_day_and_the_agents_own_user_as_its_owner(shop: Inbox) -> None:
    """A Task the panel does not list is told with a link; a Lead can have one, too."""
    lead = shop.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=CUSTOMER.email)
    user = shop.salesforce.user_id
    with shop.database.write() as session:
        at = datetime(2026, 5, 4, tzinfo=UTC)
        known = {"connection_id": shop.connection_id, "agent_id": "gus", "name": "Gus"}
        found = {"user_id": user, "user_name": "Gus Agent", "found": "matched", "seen_at": at}
        session.add(AgentUser(**known, **found, email="gus@acme.example"))
    start = filled(form(shop, "Task"))
    tomorrow = (shop.clock.now() + timedelta(days=1)).date().isoformat()
    assert (start["ActivityDate"], start["OwnerId"]) == (tomorrow, user)
    answer = save(shop, "Task", {})
    [row] = shop.salesforce.org.of("Task")
    assert (row["WhoId"], row["OwnerId"], row["ActivityDate"]) == (lead, user, tomorrow)
    assert answer.json["made"] == {"object": "Task", "id": row["Id"]}
    client = shop.client()
    page = post(client, "/new/Task", {"sf_Subject": "Call again"})
    assert "Open the Task in Salesforce" in page.text


def test_a_note_is_created_on_the_person_and_named_in_the_answer(shop: Inbox) -> None:
    contact = jane(shop)
    start = filled(form(shop, "Note"))
    assert start["Title"] == CONVERSATION.subject
    answer = save(shop, "Note", {"Body": "Likes tiles."})
    [row] = shop.salesforce.org.of("Note")
    assert answer.json["made"] == {"object": "Note", "id": row["Id"]}
    assert (row["ParentId"], row["Body"]) == (contact, "Likes tiles.")


def test_an_account_is_made_with_the_contact_on_it_or_not_at_all(shop: Inbox) -> None:
    shop.customer(Address("jane@acme-tools.example", "Jane Doe"))
    contact = jane(shop, account=False, Email="jane@acme-tools.example")
    made = form(shop, "Account")
    assert made["suggested_company"] == "Acme Tools"
    shop.client().get(url())
    before = len(shop.calls())
    answer = save(shop, "Account", {"Name": "Acme Tools"}, attempt=made["attempt"])
    assert shop.calls()[before:] == ["create", "panel"]
    [row] = shop.salesforce.org.of("Account")
    assert answer.json["match"]["account"]["id"] == row["Id"]
    with shop.database.read() as session:
        done = session.execute(
            select(AuditRecord.action, AuditRecord.object, AuditRecord.record_id).where(
                AuditRecord.action.in_(["record_created", "record_updated"])
            )
        ).all()
    assert set(map(tuple, done)) == {
        ("record_created", "Account", row["Id"]),
        ("record_updated", "Contact", contact),
    }
    # Now there is one: it is not offered again, and asking for it all the same says why.
    assert "Account" not in shop.client().get(url(), headers=JSON).json["creatable"]
    again = shop.client().get(url("/new/Account"), headers=JSON)
    assert "has one already" in again.json["error"]["message"]


def test_an_account_is_not_made_for_a_contact_whom_somebody_changed_meanwhile(shop: Inbox) -> None:
    contact = jane(shop, account=False)
    made = form(shop, "Account")
    shop.clock.advance(5)
    org = shop.salesforce.org
    org.change("Contact", org.row("Contact", contact), {"Phone": "1"}, by=shop.salesforce.user_id)
    answer = save(shop, "Account", {"Name": "Acme"}, attempt=made["attempt"])
    assert answer.status_code == 409
    assert list(org.of("Account")) == []
    again = save(shop, "Account", {"Name": "Acme"}, attempt=made["attempt"])
    assert again.status_code == 200
    assert org.row("Contact", contact)["AccountId"] == again.json["made"]["id"]


# Never twice -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arrived", [True, False])
def test_a_save_without_an_answer_keeps_the_form_and_the_next_one_looks_first(
    shop: Inbox, arrived: bool
) -> None:
    jane(shop)
    attempt = form(shop, "Case")["attempt"]
    shop.salesforce.fail("create", OutcomeUnclear(timed_out=True), after=arrived)
    unclear = save(shop, "Case", {"Subject": "Late"}, attempt=attempt)
    assert unclear.status_code == 504
    assert (filled(unclear.json)["Subject"], unclear.json["attempt"]) == ("Late", attempt)
    again = save(shop, "Case", {"Subject": "Late again"}, attempt=attempt)
    if not arrived:
        assert again.status_code == 409
        assert shop.salesforce.rows("Case") == []
        with shop.database.write() as session:  # the settle time has passed
            row = session.scalars(select(MadeRecord)).one()
            row.sent_at -= timedelta(minutes=1)
        again = save(shop, "Case", {"Subject": "Late again"}, attempt=attempt)
    assert again.status_code == 200
    [row] = shop.salesforce.rows("Case")
    assert again.json["made"]["id"] == row["Id"]
    # Pressed once more, by a browser that did not get the answer.
    before = len(shop.calls())
    twice = save(shop, "Case", {"Subject": "Late"}, attempt=attempt)
    assert twice.json["made"]["id"] == row["Id"]
    assert shop.calls()[before:] == ["panel"]


def test_two_cases_of_two_forms_are_two(shop: Inbox) -> None:
    """One whose answer is lost is not taken for that of another form, nor for logged mail."""
    contact = jane(shop)
    first = save(shop, "Task", {"Subject": "Call back"})
    org, by = shop.salesforce.org, shop.salesforce.user_id
    mail = {"Subject": "Email received: Hi [k-abcdefghijklmnop]", "WhoId": contact}
    org.insert("Task", mail, by=by)
    attempt = form(shop, "Task")["attempt"]
    shop.salesforce.fail("create", OutcomeUnclear(timed_out=True), after=False)
    save(shop, "Task", {"Subject": "Call back"}, attempt=attempt)
    assert save(shop, "Task", {"Subject": "Call back"}, attempt=attempt).status_code == 409
    assert len(list(org.of("Task"))) == 2
    assert first.json["made"]["id"] in {row["Id"] for row in org.of("Task")}


def test_an_attempt_belongs_to_one_agent_and_one_form(shop: Inbox) -> None:
    jane(shop)
    attempt = form(shop, "Case")["attempt"]
    assert save(shop, "Case", {}, attempt=attempt).status_code == 200
    assert save(shop, "Task", {}, attempt=attempt).status_code == 422
    assert shop.salesforce.rows("Task") == []


def test_a_look_after_another_login_finds_what_the_latest_user_made(shop: Inbox) -> None:
    """The first Save arrived nowhere, as one user; the second arrived, as the next."""
    jane(shop)
    attempt = form(shop, "Case")["attempt"]
    shop.salesforce.fail("create", OutcomeUnclear(timed_out=True), after=False)
    assert save(shop, "Case", {"Subject": "Late"}, attempt=attempt).status_code == 504
    with shop.database.write() as session:
        session.scalars(select(MadeRecord)).one().sent_at -= timedelta(minutes=1)
        shop.salesforce.user_id = "005000000000099AAA"
        session.get_one(Connection, shop.connection_id).user_id = shop.salesforce.user_id
    shop.salesforce.fail("create", OutcomeUnclear(timed_out=True), after=True)
    assert save(shop, "Case", {"Subject": "Late"}, attempt=attempt).status_code == 504
    again = save(shop, "Case", {"Subject": "Late"}, attempt=attempt)
    [row] = shop.salesforce.org.of("Case")
    assert again.json["made"]["id"] == row["Id"]


def test_a_form_is_saved_for_the_person_whom_it_named(shop: Inbox) -> None:
    """Not for one whom a colleague has chosen since; what was typed stays."""
    contact = jane(shop)
    made = form(shop, "Case")
    assert made["person"] == contact
    other = shop.salesforce.add("Contact", LastName="Twin", Email=CUSTOMER.email)
    client = shop.client()
    client.get(url())
    assert post(client, "/pick", {"record": f"Contact/{other}"}).status_code == 303
    sent = {"attempt": made["attempt"], "person": contact}
    asked = save(shop, "Case", {"Subject": "Late"}, **sent)
    assert (asked.status_code, asked.json["person"]) == (409, other)
    assert filled(asked.json)["Subject"] == "Late"
    assert "a different person" in asked.json["error"]["message"]
    assert f'name="person" value="{other}"' in client.get(url("/new/Case")).text
    assert shop.salesforce.rows("Case") == []
    done = save(shop, "Case", {"Subject": "Late"}, **{**sent, "person": other})
    assert done.status_code == 200
    assert [row["ContactId"] for row in shop.salesforce.org.of("Case")] == [other]


def test_an_account_that_the_agent_clears_is_not_sent_after_all(shop: Inbox) -> None:
    jane(shop)
    with shop.database.write() as session:
        fields = ["Name", "StageName", "CloseDate", "AccountId"]
        creating.change(session, ADMIN, "Opportunity", fields=fields)
    assert filled(form(shop, "Opportunity"))["AccountId"]
    deal = {"Name": "Tiles", "StageName": "Prospecting", "CloseDate": "2026-06-30"}
    assert save(shop, "Opportunity", {**deal, "AccountId": None}).status_code == 200
    [row] = shop.salesforce.org.of("Opportunity")
    assert not row.get("AccountId")


# What keeps it from being created ----------------------------------------------------------------


def test_salesforces_message_is_beside_the_field_and_the_form_can_be_saved_again(
    shop: Inbox,
) -> None:
    jane(shop)
    client = shop.client()
    page = client.get(url("/new/Case")).text
    attempt = re.search(r'name="attempt" value="(\w+)"', page)
    assert attempt is not None
    rule = Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Say where it broke", ("Priority",))
    shop.salesforce.fail("create", RecordRejected(complaints=(rule,)))
    sent = {"attempt": attempt[1], "sf_Subject": "Broken " * 3}
    refused = post(client, "/new/Case", sent)
    assert refused.status_code == 422
    assert 'id="k-new-sf_Priority-problem"' in refused.text
    assert "Say where it broke" in refused.text
    assert post(client, "/new/Case", sent).status_code == 200
    assert len(shop.salesforce.rows("Case")) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SalesforceUnavailable(), 503),
        (ConnectionBarred("no", reason="hours"), 503),
        (RateLimited(daily=True), 503),
        (PermissionDenied(), 403),
        (RecordRejected(complaints=(Complaint("STORAGE_LIMIT_EXCEEDED", "full"),)), 422),
        (RecordRejected(complaints=(Complaint("INACTIVE_OWNER_OR_USER", "gone"),)), 422),
        (RecordRejected(complaints=(Complaint("INVALID_CROSS_REFERENCE_KEY", "gone"),)), 422),
        (RecordNotFound(complaints=(Complaint("ENTITY_IS_DELETED", "gone"),)), 404),
    ],
)
def test_after_any_refusal_the_form_stays_and_no_row_is_left(
    shop: Inbox, error: SalesforceError, status: int
) -> None:
    jane(shop)
    shop.client().get(url())
    shop.salesforce.fail("create", error)
    answer = save(shop, "Case", {"Subject": "Late"})
    assert (answer.status_code, filled(answer.json)["Subject"]) == (status, "Late")
    with shop.database.read() as session:
        assert session.scalars(select(MadeRecord)).all() == []


def test_too_long_a_text_is_cut_when_it_comes_from_mail_and_refused_when_typed(
    shop: Inbox,
) -> None:
    jane(shop)
    arrived(shop, "m-1", "é" * 40_000)
    assert filled(form(shop, "Case"))["Description"] == "é" * 32_000
    answer = save(shop, "Case", {"Description": "x" * 32_001})
    assert answer.status_code == 422
    assert "32,001 characters is too long" in answer.json["problems"]["Description"][0]


def test_a_duplicate_rules_refusal_is_shown_with_what_it_found(shop: Inbox) -> None:
    jane(shop, account=False)
    shop.salesforce.duplicate_rule("Account", "Name")
    org = shop.salesforce.org
    acme = org.insert("Account", {"Name": "Acme"}, by=shop.salesforce.user_id)
    answer = save(shop, "Account", {"Name": "Acme"})
    assert answer.status_code == 409
    [found] = answer.json["duplicates"]
    assert (found["id"], found["title"], found["ticket"]) == (acme, "Acme", None)
    assert save(shop, "Account", {"Name": "Acme"}, save_anyway=True).status_code == 200


def test_the_panel_says_what_cannot_be_created_for_a_lead(shop: Inbox) -> None:
    shop.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=CUSTOMER.email)
    client = shop.client()
    assert client.get(url(), headers=JSON).json["creatable"] == ["Note", "Task"]
    page = client.get(url()).text
    assert "Account, Opportunity, Case: only for a Contact, so convert the Lead first." in page
    answer = client.get(url("/new/Case"), headers=JSON)
    assert (answer.status_code, answer.json["error"]["message"]) == (
        400,
        "Case: only for a Contact, so convert the Lead first.",
    )


def test_nothing_is_offered_before_the_person_is_known(shop: Inbox) -> None:
    client = shop.client()
    assert client.get(url(), headers=JSON).json["creatable"] == []
    assert client.get(url("/new/Case"), headers=JSON).status_code == 400
    jane(shop)
    jane(shop)
    assert client.get(url(), headers=JSON).json["creatable"] == []
    answer = client.get(url("/new/Case"), headers=JSON)
    assert "Choose or add the person" in answer.json["error"]["message"]


def test_nothing_is_offered_unless_an_admin_allows_it(inbox: Inbox) -> None:
    jane(inbox)
    client = inbox.client()
    assert client.get(url(), headers=JSON).json["creatable"] == []
    assert "k-new" not in client.get(url()).text
    assert client.get(url("/new/Case"), headers=JSON).status_code == 404
    assert client.get(url("/new/User"), headers=JSON).status_code == 404


@pytest.mark.parametrize("lacks", ["object", "field"])
def test_why_the_connected_user_cannot_create_it_is_said(shop: Inbox, lacks: str) -> None:
    jane(shop)
    schemas = dict(shop.salesforce.org.schemas)
    case = schemas["Case"]
    locked = replace(case.fields["ContactId"], createable=False)
    schemas["Case"] = (
        replace(case, createable=False)
        if lacks == "object"
        else replace(case, fields={**case.fields, "ContactId": locked})
    )
    shop.describe(schemas)
    client = shop.client()
    assert "Case" not in client.get(url(), headers=JSON).json["creatable"]
    said = "permission to create Case" if lacks == "object" else "cannot edit Case.ContactId"
    assert said in client.get(url()).text
    assert client.get(url("/new/Case"), headers=JSON).status_code in (403, 400)


def test_fields_that_the_org_requires_are_on_the_form_and_an_admin_chooses_the_rest(
    shop: Inbox,
) -> None:
    jane(shop)
    schemas = dict(shop.salesforce.org.schemas)
    case = schemas["Case"]
    own = replace(
        case.fields["Subject"], name="Site__c", label="Site", custom=True, nillable=False,
        defaulted_on_create=False,
    )  # fmt: skip
    schemas["Case"] = replace(case, fields={**case.fields, "Site__c": own})
    shop.describe(schemas)
    with shop.database.write() as session:
        creating.change(session, ADMIN, "Case", fields=["Origin", "Subject"])
    assert list(filled(form(shop, "Case"))) == ["Origin", "Subject", "Site__c"]
    with shop.database.write() as session:
        creating.change(session, ADMIN, "Contact", fields=["LastName", "Email"])
    shop.customer(Address("new@acme.example", ""))
    assert list(filled(form(shop, "Contact"))) == ["LastName", "Email"]
