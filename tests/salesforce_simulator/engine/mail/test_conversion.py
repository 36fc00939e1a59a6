"""Converting a Lead and merging records: what is made, filled and moved (REFERENCE-2 6 and 16)."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.org import Org
from salesforce_simulator.results import ALL_PERMISSIONS, ObjectRights, User

from .conftest import Log, refused, rows, task_of

LEAD = {"FirstName": "Leo", "LastName": "Lead", "Company": "Acme", "Email": "leo@lead.example"}


@pytest.fixture
def lead(org: Org, ann: User) -> str:
    more = {"Phone": "+31 1", "Title": "CTO", "LeadSource": "Web"}
    return org.create(ann, "Lead", LEAD | more)


# -- the order -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "name"),
    [
        ({"opportunity_name": "Deal"}, "Deal"),
        ({"create_opportunity": True}, "Acme-"),  # assumed
        ({"create_opportunity": True, "opportunity_name": "Deal"}, "Deal"),
        ({"create_opportunity": False, "opportunity_name": "Deal"}, None),
        ({}, None),
    ],
)
def test_an_opportunity_is_made_when_it_is_asked_for(
    org: Org, ann: User, lead: str, order: dict[str, Any], name: str | None
) -> None:
    made = org.convert_lead(ann, lead, **order).opportunity_id
    found = None if made is None else org.read(ann, "Opportunity", made)["Name"]
    assert found == name


def test_an_existing_opportunity_is_used(org: Org, ann: User, lead: str, deal: str) -> None:
    assert org.convert_lead(ann, lead, opportunity_id=deal).opportunity_id == deal
    assert org.read(ann, "Lead", lead)["ConvertedOpportunityId"] == deal


def test_only_empty_fields_of_existing_targets_are_filled(
    org: Org, ann: User, bob: User, lead: str
) -> None:
    account = org.create(bob, "Account", {"Name": "Theirs", "Phone": "+49 1"})
    contact = {"LastName": "Own", "AccountId": account, "LeadSource": "Phone Inquiry"}
    person = org.create(bob, "Contact", contact)
    made = org.convert_lead(ann, lead, account_id=account, contact_id=person)
    assert (made.account_id, made.contact_id) == (account, person)
    found = org.read(ann, "Contact", person)
    assert (found["LastName"], found["LeadSource"]) == ("Own", "Phone Inquiry")
    assert (found["Title"], found["Email"]) == ("CTO", LEAD["Email"])
    assert org.read(ann, "Account", account)["Phone"] == "+49 1"
    assert {org.read(ann, "Account", account)["OwnerId"], found["OwnerId"]} == {bob.id}


def test_the_lead_source_is_overwritten_when_asked(
    org: Org, ann: User, lead: str, account: str, jane: str
) -> None:
    org.update(ann, "Contact", jane, {"LeadSource": "Phone Inquiry"})
    targets = {"account_id": account, "contact_id": jane}
    org.convert_lead(ann, lead, **targets, overwrite_lead_source=True)
    assert org.read(ann, "Contact", jane)["LeadSource"] == "Web"


def test_an_owner_is_given_and_a_converted_status(
    org: Org, ann: User, bob: User, lead: str
) -> None:
    order = {"owner_id": bob.id, "opportunity_name": "D", "converted_status": "Closed - Converted"}
    made = org.convert_lead(ann, lead, **order)
    for name, record in (
        ("Account", made.account_id),
        ("Contact", made.contact_id),
        ("Opportunity", made.opportunity_id),
    ):
        assert org.read(ann, name, str(record))["OwnerId"] == bob.id
    assert org.read(ann, "Lead", lead)["Status"] == "Closed - Converted"


def test_the_converted_statuses_can_be_asked_for(org: Org, ann: User) -> None:
    found = rows(org, ann, "SELECT ApiName FROM LeadStatus WHERE IsConverted = true")
    assert found == [{"ApiName": "Closed - Converted"}]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"contact_id": "jane"}, "REQUIRED_FIELD_MISSING"),
        ({"account_id": "other", "contact_id": "jane"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"opportunity_id": "deal", "opportunity_name": "D"}, "INVALID_FIELD"),
        ({"converted_status": "Working - Contacted"}, "INVALID_STATUS"),
        ({"account_id": "deleted"}, "ENTITY_IS_DELETED"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(
    org: Org, ann: User, lead: str, jane: str, deal: str, order: dict[str, Any], code: str
) -> None:  # documented rules, assumed codes
    other, deleted = (org.create(ann, "Account", {"Name": name}) for name in ("O", "D"))
    org.delete(ann, "Account", deleted)
    ids = {"jane": jane, "deal": deal, "other": other, "deleted": deleted}
    meant = {key: ids.get(value, value) for key, value in order.items()}
    assert refused(lambda: org.convert_lead(ann, lead, **meant)).code == code
    assert org.read(ann, "Lead", lead)["IsConverted"] is False


def test_converting_needs_the_permission(org: Org, ann: User, lead: str) -> None:
    few = org.add_user(
        username="few@example.com",
        email="few@example.com",
        last_name="Few",
        permissions=ALL_PERMISSIONS - {"convert_leads"},
    )
    assert refused(lambda: org.convert_lead(few, lead)).code == "INSUFFICIENT_ACCESS_OR_READONLY"
    asked = "SELECT PermissionsConvertLeads FROM UserPermissionAccess"
    assert rows(org, few, asked) == [{"PermissionsConvertLeads": False}]
    assert rows(org, ann, asked) == [{"PermissionsConvertLeads": True}]


@pytest.mark.parametrize("name", ["Account", "Contact", "Opportunity"])
def test_what_a_conversion_makes_needs_the_right_to_create_it(
    org: Org, ann: User, bob: User, lead: str, name: str
) -> None:  # documented, the code assumed
    org.set_object_rights(bob, name, ObjectRights(create=False))
    order = {"opportunity_name": "Deal"}
    entry = refused(lambda: org.convert_lead(bob, lead, **order))
    assert entry.code == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert org.read(ann, "Lead", lead)["IsConverted"] is False
    assert rows(org, ann, "SELECT Id FROM Opportunity") == []


def test_a_lead_of_a_queue_needs_an_owner(org: Org, ann: User, bob: User, lead: str) -> None:
    queue = org.sharing.add_queue("Desk", ["Lead"])
    org.update(ann, "Lead", lead, {"OwnerId": queue})
    entry = refused(lambda: org.convert_lead(ann, lead))
    assert entry.code == "REQUIRED_FIELD_MISSING"  # documented, the code assumed
    made = org.convert_lead(ann, lead, owner_id=bob.id)
    assert org.read(ann, "Contact", made.contact_id)["OwnerId"] == bob.id


# -- the history -----------------------------------------------------------------------------------


def test_activities_move_to_the_contact_and_the_opportunity(
    org: Org, ann: User, bob: User, lead: str
) -> None:
    closed = org.create(ann, "Task", {"Subject": "x", "WhoId": lead, "Status": "Completed"})
    unfinished = org.create(ann, "Task", {"Subject": "y", "WhoId": lead})
    made = org.convert_lead(ann, lead, opportunity_name="Deal", owner_id=bob.id)
    for task in (closed, unfinished):
        found = org.read(ann, "Task", task)
        assert (found["WhoId"], found["WhatId"]) == (made.contact_id, made.opportunity_id)
    assert org.read(ann, "Task", closed)["OwnerId"] == ann.id
    assert org.read(ann, "Task", unfinished)["OwnerId"] == bob.id  # assumed


def test_emails_move_to_the_contact(org: Org, ann: User, log: Log, lead: str) -> None:
    message = log(ToIds=[lead])
    task = task_of(org, ann, message)["Id"]
    made = org.convert_lead(ann, lead, opportunity_name="Deal")
    assert org.read(ann, "EmailMessage", message)["ToIds"] == [made.contact_id]
    (relation,) = rows(org, ann, "SELECT RelationId, RelationObjectType FROM EmailMessageRelation")
    assert relation == {"RelationId": made.contact_id, "RelationObjectType": "Contact"}
    moved = task_of(org, ann, message)
    assert (moved["Id"], moved["WhoId"]) == (task, made.contact_id)
    assert moved["WhatId"] == made.opportunity_id


def test_shared_tasks_move_to_the_contact(org: Org, ann: User, lead: str) -> None:
    org.use_feature("shared_activities", {})
    org.create(ann, "Task", {"Subject": "x", "TaskWhoIds": [lead]})
    made = org.convert_lead(ann, lead, opportunity_name="Deal")
    assert rows(org, ann, "SELECT TaskWhoIds FROM Task") == [{"TaskWhoIds": [made.contact_id]}]
    found = rows(org, ann, "SELECT RelationId FROM TaskRelation ORDER BY IsWhat, Id")
    assert [row["RelationId"] for row in found] == [made.contact_id, made.opportunity_id]


def test_a_converted_lead_is_read_by_soql_and_found_by_no_search(
    org: Org, ann: User, lead: str
) -> None:
    sosl = "FIND {leo@lead.example} IN EMAIL FIELDS RETURNING Lead(Id)"
    assert len(org.search(ann, sosl)["searchRecords"]) == 1
    made = org.convert_lead(ann, lead)
    assert org.search(ann, sosl) == {"searchRecords": []}
    asked = f"SELECT ConvertedContactId FROM Lead WHERE Id = '{lead}'"
    assert rows(org, ann, asked) == [{"ConvertedContactId": made.contact_id}]


# -- merges ----------------------------------------------------------------------------------------


def test_three_records_are_merged_at_most(org: Org, ann: User, jane: str) -> None:
    others = [org.create(ann, "Contact", {"LastName": f"D{n}"}) for n in range(3)]
    assert refused(lambda: org.merge(ann, "Contact", jane, *others)).code == "LIMIT_EXCEEDED"
    org.merge(ann, "Contact", jane, *others[:2])
    asked = f"SELECT Id FROM Contact WHERE MasterRecordId = '{jane}' ORDER BY Id"
    assert [row["Id"] for row in rows(org, ann, asked, all_rows=True)] == others[:2]


def test_a_merge_fires_no_trigger_of_the_children(org: Org, ann: User, jane: str) -> None:
    twin = org.create(ann, "Contact", {"LastName": "Doe"})
    task = org.create(ann, "Task", {"Subject": "x", "WhoId": twin})
    org.add_validation_rule("Task", "Subject = 'x'", "Not now")
    org.merge(ann, "Contact", jane, twin)
    assert org.read(ann, "Task", task)["WhoId"] == jane
