"""Person accounts, converted leads, merges and deletes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import ObjectRights, User
from tests.salesforce_simulator.engine.conftest import OrgMaker


# -- person accounts ------------------------------------------------------------------------------
@pytest.fixture
def org(make_org: OrgMaker) -> Org:
    """An org with person accounts."""
    return make_org(person_accounts=True)


def test_with_person_accounts_fewer_fields_are_required_by_flags(org: Org, ann: User) -> None:
    def required(object_name: str) -> list[str]:
        return [
            field["name"]
            for field in org.describe(ann, object_name)["fields"]
            if field["createable"] and not field["nillable"] and not field["defaultedOnCreate"]
        ]

    assert required("Account") == []
    assert required("Lead") == ["LastName"]
    assert required("Contact") == ["LastName"]


def test_a_person_is_an_account_and_a_contact(org: Org, ann: User) -> None:
    fields = {"FirstName": "Jane", "LastName": "Doe", "PersonEmail": "jane@example.com"}
    account = org.read(ann, "Account", org.create(ann, "Account", fields))
    assert (account["Name"], account["IsPersonAccount"]) == ("Jane Doe", True)
    contact = org.read(ann, "Contact", account["PersonContactId"])
    assert contact["Name"] == "Jane Doe"
    assert contact["Email"] == "jane@example.com"
    assert contact["AccountId"] == account["Id"]
    assert contact["IsPersonAccount"] is True
    soql = "SELECT Id FROM Contact WHERE Email = 'jane@example.com'"
    assert org.query(ann, soql)["totalSize"] == 1
    record_type = org.query(ann, "SELECT RecordType.IsPersonType FROM Account")["records"][0]
    assert record_type["RecordType"]["IsPersonType"] is True


def test_both_halves_show_what_is_written_on_one(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"LastName": "Doe"})
    contact = org.read(ann, "Account", account)["PersonContactId"]
    org.update(ann, "Account", account, {"PersonTitle": "Boss", "LastName": "Roe"})
    assert org.read(ann, "Contact", contact)["Title"] == "Boss"
    assert org.read(ann, "Contact", contact)["Name"] == "Roe"
    org.update(ann, "Contact", contact, {"MobilePhone": "06", "Email": "roe@example.com"})
    record = org.read(ann, "Account", account)
    assert (record["PersonMobilePhone"], record["PersonEmail"]) == ("06", "roe@example.com")


def test_names_of_a_person_are_written_on_the_account(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"LastName": "Doe"})
    contact = org.read(ann, "Account", account)["PersonContactId"]
    with pytest.raises(OrgError, match="Contact: bad field names on insert/update call: LastName"):
        org.update(ann, "Contact", contact, {"LastName": "Roe"})
    with pytest.raises(OrgError, match="Account: bad field names on insert/update call: Name"):
        org.update(ann, "Account", account, {"Name": "Roe"})


def test_a_business_has_no_personal_fields(org: Org, ann: User) -> None:
    with pytest.raises(OrgError, match="bad field names on insert/update call: PersonEmail"):
        org.create(ann, "Account", {"Name": "Acme", "PersonEmail": "a@example.com"})
    acme = org.create(ann, "Account", {"Name": "Acme"})
    assert org.read(ann, "Account", acme)["IsPersonAccount"] is False
    with pytest.raises(OrgError, match=r"Required fields are missing: \[Name\]"):
        org.create(ann, "Account", {})


def test_a_person_is_deleted_through_the_account(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"LastName": "Doe"})
    contact = org.read(ann, "Account", account)["PersonContactId"]
    with pytest.raises(OrgError, match="DELETE_FAILED"):
        org.delete(ann, "Contact", contact)
    org.delete(ann, "Account", account)
    assert org.query(ann, "SELECT COUNT() FROM Contact")["totalSize"] == 0


def test_a_search_does_not_find_the_contact_of_a_person(org: Org, ann: User) -> None:
    org.create(ann, "Account", {"LastName": "Doe", "PersonEmail": "jane@example.com"})
    sosl = "FIND {jane@example.com} IN EMAIL FIELDS RETURNING Contact(Id)"
    assert org.search(ann, sosl) == {"searchRecords": []}


# -- conversion -----------------------------------------------------------------------------------
def test_a_converted_lead(org: Org, ann: User) -> None:
    lead = org.create(
        ann,
        "Lead",
        {"FirstName": "Jane", "LastName": "Doe", "Company": "Acme", "Email": "j@example.com"},
    )
    task = org.create(ann, "Task", {"Subject": "Mail", "WhoId": lead})
    result = org.convert_lead(ann, lead[:15], opportunity_name="Deal")
    record = org.read(ann, "Lead", lead)
    assert record["IsConverted"] is True
    assert record["ConvertedContactId"] == result.contact_id
    assert record["ConvertedAccountId"] == result.account_id
    assert record["ConvertedOpportunityId"] == result.opportunity_id
    contact = org.read(ann, "Contact", result.contact_id)
    assert (contact["Name"], contact["Email"]) == ("Jane Doe", "j@example.com")
    assert org.read(ann, "Account", result.account_id)["Name"] == "Acme"
    assert org.read(ann, "Task", task)["WhoId"] == result.contact_id, "tasks move to the contact"
    verbs: list[Callable[[], object]] = [
        lambda: org.update(ann, "Lead", lead, {"Title": "x"}),
        lambda: org.convert_lead(ann, lead),
        lambda: org.create(ann, "Task", {"WhoId": lead}),
    ]
    for verb in verbs:
        with pytest.raises(OrgError) as refused:
            verb()
        assert refused.value.body() == [
            {
                "message": "cannot reference converted lead",
                "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD",
                "fields": [],
            }
        ]
    soql = "SELECT COUNT() FROM Lead WHERE Email = 'j@example.com' AND IsConverted = {}"
    assert org.query(ann, soql.format("false"))["totalSize"] == 0
    assert org.query(ann, soql.format("true"))["totalSize"] == 1


def test_a_lead_of_a_known_company_joins_its_account(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "Acme"})
    lead = org.create(ann, "Lead", {"LastName": "Doe", "Company": "ACME"})
    assert org.convert_lead(ann, lead).account_id == account


def test_a_lead_without_company_becomes_a_person(org: Org, ann: User) -> None:
    lead = org.create(ann, "Lead", {"LastName": "Doe", "Email": "d@example.com"})
    result = org.convert_lead(ann, lead)
    account = org.read(ann, "Account", result.account_id)
    assert account["IsPersonAccount"] is True
    assert account["PersonContactId"] == result.contact_id
    assert org.read(ann, "Contact", result.contact_id)["Email"] == "d@example.com"


def test_a_conversion_that_fails_leaves_nothing(org: Org, ann: User) -> None:
    lead = org.create(ann, "Lead", {"LastName": "Doe", "Company": "Acme"})
    org.add_validation_rule("Contact", "LastName = 'Doe'", "No Does")
    with pytest.raises(OrgError, match="No Does"):
        org.convert_lead(ann, lead)
    assert org.query(ann, "SELECT COUNT() FROM Account")["totalSize"] == 0
    assert org.read(ann, "Lead", lead)["IsConverted"] is False


# -- merge and delete -----------------------------------------------------------------------------
def test_a_merge_moves_children_and_names_the_master(org: Org, ann: User) -> None:
    keep, lose = (org.create(ann, "Contact", {"LastName": name}) for name in ("Keep", "Lose"))
    task = org.create(ann, "Task", {"WhoId": lose, "Status": "Completed"})
    case = org.create(ann, "Case", {"ContactId": lose})
    org.merge(ann, "Contact", keep, lose)
    assert org.read(ann, "Task", task)["WhoId"] == keep
    assert org.read(ann, "Case", case)["ContactId"] == keep
    soql = f"SELECT MasterRecordId, IsDeleted FROM Contact WHERE Id = '{lose}'"
    (row,) = org.query(ann, soql, all_rows=True)["records"]
    assert (row["MasterRecordId"], row["IsDeleted"]) == (keep, True)
    with pytest.raises(OrgError, match="ENTITY_IS_DELETED"):
        org.create(ann, "Task", {"WhoId": lose})
    with pytest.raises(OrgError, match="does not support merge"):
        org.merge(ann, "Task", task, task)


def test_a_merge_needs_the_right_to_delete(org: Org, ann: User) -> None:
    keep, lose = (org.create(ann, "Contact", {"LastName": name}) for name in ("Keep", "Lose"))
    org.set_object_rights(ann, "Contact", ObjectRights(delete=False))
    with pytest.raises(OrgError, match="INSUFFICIENT_ACCESS_OR_READONLY"):
        org.merge(ann, "Contact", keep, lose)


def test_a_delete_takes_some_children_and_lets_others_go(org: Org, ann: User) -> None:
    boss, clerk = (org.create(ann, "Contact", {"LastName": name}) for name in ("Boss", "Clerk"))
    org.update(ann, "Contact", clerk, {"ReportsToId": boss})
    task = org.create(ann, "Task", {"WhoId": boss})
    org.delete(ann, "Contact", boss)
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.read(ann, "Task", task)
    assert org.read(ann, "Contact", clerk)["ReportsToId"] is None


@pytest.mark.parametrize(
    ("object_name", "reference"), [("Account", "AccountId"), ("Contact", "ContactId")]
)
def test_a_record_with_cases_stays(org: Org, ann: User, object_name: str, reference: str) -> None:
    title = {"Account": "Name", "Contact": "LastName"}[object_name]
    record = org.create(ann, object_name, {title: "Acme"})
    org.create(ann, "Case", {reference: record, "Subject": "Help"})
    with pytest.raises(OrgError, match="associated with the following Cases: 00001001"):
        org.delete(ann, object_name, record)
    assert org.read(ann, object_name, record)["Name"] == "Acme"
