"""Creating and changing records: what is stored, and what is refused in which order."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError, SeveralMatches
from salesforce_simulator.org import Org
from salesforce_simulator.results import FieldRights, ObjectRights, SaveOptions, User
from tests.salesforce_simulator.engine.conftest import OrgMaker

NOW = "2026-05-06T09:49:20.000+0000"


def refusal(org: Org, user: User, object_name: str, fields: dict[str, Any]) -> OrgError:
    """How a create is refused; nothing may be left of it."""
    count = f"SELECT COUNT() FROM {object_name}"
    before = org.query(user, count)["totalSize"]
    with pytest.raises(OrgError) as refused:
        org.create(user, object_name, fields)
    assert org.query(user, count)["totalSize"] == before
    return refused.value


# -- what is stored -------------------------------------------------------------------------------
def test_a_record_reads_back_with_its_system_fields(org: Org, ann: User) -> None:
    account = org.create(ann, "ACCOUNT", {"name": "  Acme ", "Phone": "", "Website": None})
    record = org.read(ann, "account", account[:15])
    assert next(iter(record)) == "attributes"
    assert record["attributes"] == {
        "type": "Account",
        "url": f"/services/data/v66.0/sobjects/Account/{account}",
    }
    assert record["Name"] == "Acme", "blanks at the ends go"
    assert record["Phone"] is None, "empty text is null"
    assert record["OwnerId"] == record["CreatedById"] == record["LastModifiedById"] == ann.id
    assert record["CreatedDate"] == record["LastModifiedDate"] == record["SystemModstamp"] == NOW
    assert record["IsDeleted"] is False
    assert record["Tier__c"] == "Standard", "the default of a picklist"


def test_reading_a_few_fields(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "Doe", "FirstName": "Jane"})
    record = org.read(ann, "Contact", contact, ["id", "NAME"])
    assert list(record) == ["attributes", "Id", "Name"]
    assert record["Name"] == "Jane Doe"
    with pytest.raises(OrgError, match="No such column 'Nope' on sobject of type Contact"):
        org.read(ann, "Contact", contact, ["Nope"])


@pytest.mark.parametrize(
    ("field", "given_value", "stored"),
    [
        ("Loyalty_Points__c", 10, 10.0),
        ("Loyalty_Points__c", "12", 12.0),
        ("Discount__c", 12.345, 12.35),
        ("Lifetime_Value__c", 0, 0.0),
        ("Newsletter__c", "TRUE", True),
        ("Customer_Since__c", "2026-05-06", "2026-05-06"),
        ("Last_Survey__c", "2026-05-06T11:49:20.5+02:00", "2026-05-06T09:49:20.500+0000"),
        ("Last_Survey__c", "2026-05-06T09:49:20Z", NOW),
        ("Preferred_Call_Time__c", "14:30:00Z", "14:30:00.000Z"),
        ("Interests__c", "Billing;Security", "Billing;Security"),
        ("Short_Note__c", "two\nlines", "two\nlines"),
        ("LeadSource", "Anything goes", "Anything goes"),
        ("Email", "o'hara+news@sub.acme.example", "o'hara+news@sub.acme.example"),
    ],
)
def test_values(org: Org, ann: User, field: str, given_value: Any, stored: Any) -> None:
    contact = org.create(ann, "Contact", {"LastName": "Doe", field: given_value})
    value = org.read(ann, "Contact", contact)[field]
    assert value == stored
    assert type(value) is type(stored)


def test_ints_stay_ints(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "A", "NumberOfEmployees": "12"})
    value = org.read(ann, "Account", account)["NumberOfEmployees"]
    assert value == 12
    assert type(value) is int


def test_defaults_of_a_lead_a_case_and_a_task(org: Org, ann: User) -> None:
    lead = org.read(ann, "Lead", org.create(ann, "Lead", {"LastName": "L", "Company": "C"}))
    assert (lead["Status"], lead["IsConverted"]) == ("Open - Not Contacted", False)
    case = org.read(ann, "Case", org.create(ann, "Case", {}))
    assert (case["Status"], case["Priority"], case["CaseNumber"]) == ("New", "Medium", "00001001")
    task = org.read(ann, "Task", org.create(ann, "Task", {}))
    assert (task["Status"], task["Priority"], task["TaskSubtype"]) == (
        "Not Started",
        "Normal",
        "Task",
    )


def test_an_update_changes_what_it_names_and_stamps_the_record(
    org: Org, ann: User, clock: OrgClock
) -> None:
    bob = org.add_user(username="bob@example.com", email="bob@example.com", last_name="Bob")
    contact = org.create(ann, "Contact", {"LastName": "Doe", "Title": "Boss", "Phone": "1"})
    clock.advance(timedelta(minutes=1))
    assert org.update(bob, "contact", contact[:15], {"title": "", "FirstName": "Jane"}) == contact
    record = org.read(ann, "Contact", contact)
    assert (record["Name"], record["Title"], record["Phone"]) == ("Jane Doe", None, "1")
    assert record["LastModifiedById"] == bob.id
    assert record["CreatedById"] == ann.id
    assert record["LastModifiedDate"] == record["SystemModstamp"] == "2026-05-06T09:50:20.000+0000"
    assert record["CreatedDate"] == NOW


def test_writing_what_is_there_is_a_write_all_the_same(
    org: Org, ann: User, clock: OrgClock
) -> None:
    contact = org.create(ann, "Contact", {"LastName": "Doe"})
    clock.advance(timedelta(seconds=5))
    org.update(ann, "Contact", contact, {"LastName": "Doe"})
    assert org.read(ann, "Contact", contact)["LastModifiedDate"] == "2026-05-06T09:49:25.000+0000"


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=255))
def test_any_text_is_stored_as_it_came_but_for_blanks_at_its_ends(
    org: Org, ann: User, text: str
) -> None:
    account = org.create(ann, "Account", {"Name": "A", "Site": None, "Description": text})
    stored = org.read(ann, "Account", account)["Description"]
    assert stored == (text.strip("".join(map(chr, range(33)))) or None)


# -- names and rights -----------------------------------------------------------------------------
def test_an_unknown_field_is_refused_as_recorded(org: Org, ann: User) -> None:
    refused = refusal(org, ann, "Contact", {"LastName": "Doe", "foo": 1})
    assert refused.status == 400
    assert refused.body() == [
        {"message": "No such column 'foo' on sobject of type Contact", "errorCode": "INVALID_FIELD"}
    ]


@pytest.mark.parametrize("field", ["MasterRecordId", "Name", "MailingAddress", "Badge__c"])
def test_a_field_that_can_not_be_written(org: Org, ann: User, field: str) -> None:
    (entry,) = refusal(org, ann, "Contact", {"LastName": "D", field: "x"}).entries
    assert entry.code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert entry.fields == (field,)
    assert entry.message == (
        f"Unable to create/update fields: {field}. Please check the security settings of this "
        "field and verify that it is read/write for your profile or permission set."
    )


def test_field_level_security_by_user(org: Org, ann: User) -> None:
    bob = org.add_user(username="bob@example.com", email="bob@example.com", last_name="Bob")
    org.set_field_rights(bob, "Contact", "Title", FieldRights(editable=False))
    org.set_field_rights(bob, "Contact", "Phone", FieldRights(readable=False))
    contact = org.create(ann, "Contact", {"LastName": "D", "Title": "T", "Phone": "1"})
    with pytest.raises(OrgError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        org.update(bob, "Contact", contact, {"Title": "U"})
    with pytest.raises(OrgError, match="No such column 'Phone'"):
        org.update(bob, "Contact", contact, {"Phone": "2"})
    assert "Phone" not in org.read(bob, "Contact", contact)
    assert org.read(ann, "Contact", contact)["Phone"] == "1"
    org.update(ann, "Contact", contact, {"Title": "U"})


def test_object_rights_by_user(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D"})
    org.set_object_rights(ann, "Contact", ObjectRights(create=False, edit=False, delete=False))
    verbs: list[Callable[[], object]] = [
        lambda: org.create(ann, "Contact", {"LastName": "E"}),
        lambda: org.update(ann, "Contact", contact, {"LastName": "E"}),
        lambda: org.delete(ann, "Contact", contact),
    ]
    for verb in verbs:
        with pytest.raises(OrgError) as refused:
            verb()
        assert refused.value.status == 403
        assert refused.value.body() == [
            {
                "message": "insufficient access rights on object id",
                "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY",
                "fields": [],
            }
        ]
    org.set_object_rights(ann, "Contact", ObjectRights(read=False))
    with pytest.raises(OrgError) as refused:
        org.read(ann, "Contact", contact)
    assert refused.value.status == 404


def test_setup_objects_can_not_be_written(org: Org, ann: User) -> None:
    with pytest.raises(OrgError, match="entity type RecordType does not support create"):
        org.create(ann, "RecordType", {"Name": "x"})


def test_the_task_subtype_is_set_at_creation_and_never_again(org: Org, ann: User) -> None:
    task = org.create(ann, "Task", {"TaskSubtype": "Email"})
    with pytest.raises(OrgError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        org.update(ann, "Task", task, {"TaskSubtype": "Call"})


@pytest.mark.parametrize(
    ("attributes", "agrees"),
    [({"type": "contact"}, True), ({"type": "Lead"}, False), ({}, False), ("Contact", False)],
)
def test_attributes_must_agree_with_the_object(
    org: Org, ann: User, attributes: Any, *, agrees: bool
) -> None:
    fields = {"attributes": attributes, "LastName": "D"}
    if agrees:
        assert org.create(ann, "Contact", fields)
    else:
        assert refusal(org, ann, "Contact", fields).entries[0].code == "INVALID_TYPE"


# -- formats --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "value", "code", "message"),
    [
        ("Email", "Not a real email address", "INVALID_EMAIL_ADDRESS",
         "Email: invalid email address: Not a real email address"),
        ("Email", "a@b", "INVALID_EMAIL_ADDRESS", "Email: invalid email address: a@b"),
        ("MailingCity", "x" * 41, "STRING_TOO_LONG",
         f"Mailing City: data value too large: {'x' * 41} (max length=40)"),
        ("Language__c", "Klingon", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "Language: bad value for restricted picklist field: Klingon"),
        ("Interests__c", "Billing;Golf", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "Interests: bad value for restricted picklist field: Golf"),
        ("Loyalty_Points__c", 123456789, "NUMBER_OUTSIDE_VALID_RANGE",
         "Loyalty Points: value outside of valid range on numeric field: 123456789"),
        ("AccountId", "nonsense", "MALFORMED_ID",
         "Account ID: id value of incorrect type: nonsense"),
        ("AccountId", "003dM00001wBXYDQA4", "FIELD_INTEGRITY_EXCEPTION",
         "Account ID: id value of incorrect type: 003dM00001wBXYDQA4"),
    ],
)  # fmt: skip
def test_a_format_that_is_refused_names_its_field(
    org: Org, ann: User, field: str, value: Any, code: str, message: str
) -> None:
    refused = refusal(org, ann, "Contact", {"LastName": "Doe", field: value})
    assert refused.body() == [{"message": message, "errorCode": code, "fields": [field]}]
    assert refused.row() == [{"statusCode": code, "message": message, "fields": [field]}]


@pytest.mark.parametrize(
    ("field", "value", "ending"),
    [
        ("Customer_Since__c", "2026-13-01", "date from VALUE_STRING value 2026-13-01"),
        ("Customer_Since__c", 5, "string from VALUE_NUMBER_INT value 5"),
        ("Last_Survey__c", "2026-05-06T10:00:00", "datetime from VALUE_STRING"),
        ("Last_Survey__c", "2026-05-06", "datetime from VALUE_STRING"),
        ("Newsletter__c", "yes", "boolean from VALUE_STRING value yes"),
        ("Newsletter__c", None, "boolean from VALUE_NULL"),
        ("Loyalty_Points__c", "many", "double from VALUE_STRING value many"),
        ("Loyalty_Points__c", True, "double from VALUE_TRUE value true"),
        ("LastName", 5, "string from VALUE_NUMBER_INT value 5"),
        ("LastName", ["x"], "string from START_ARRAY"),
        ("LastName", "\ud800", "surrogate"),
        ("AccountId", 5, "string from VALUE_NUMBER_INT value 5"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_a_parser_error(
    org: Org, ann: User, field: str, value: Any, ending: str
) -> None:
    (entry,) = refusal(org, ann, "Contact", {"LastName": "Doe"} | {field: value}).entries
    assert entry.code == "JSON_PARSER_ERROR"
    if ending == "surrogate":
        assert entry.message == "Last Name: half of a surrogate pair is no character"
    else:
        assert entry.message.startswith(f"Cannot deserialize instance of {ending}")


# -- lookups --------------------------------------------------------------------------------------
def test_a_lookup_to_nobody(org: Org, ann: User) -> None:
    fields = {"LastName": "D", "AccountId": "001000000000001"}
    assert refusal(org, ann, "Contact", fields).body() == [
        {
            "message": "invalid cross reference id",
            "errorCode": "INVALID_CROSS_REFERENCE_KEY",
            "fields": [],
        }
    ]


def test_a_lookup_to_a_deleted_record(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D"})
    org.delete(ann, "Contact", contact)
    (entry,) = refusal(org, ann, "Task", {"WhoId": contact}).entries
    assert entry.code == "ENTITY_IS_DELETED"


def test_a_lookup_by_external_id(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "A", "Customer_Number__c": "K-1"})
    by_key = {"LastName": "D", "Account": {"Customer_Number__c": "k-1"}}
    contact = org.create(ann, "Contact", by_key)
    assert org.read(ann, "Contact", contact)["AccountId"] == account
    missing = {"LastName": "D", "Account": {"Customer_Number__c": "K-2"}}
    (entry,) = refusal(org, ann, "Contact", missing).entries
    assert entry.code == "INVALID_FIELD"
    assert entry.message == (
        "Foreign key external ID: k-2 not found for field Customer_Number__c in entity Account"
    )


def test_an_inactive_owner(org: Org, ann: User) -> None:
    bob = org.add_user(username="bob@example.com", email="b@example.com", last_name="Bob")
    org.set_user_active(bob.id, False)
    (entry,) = refusal(org, ann, "Contact", {"LastName": "D", "OwnerId": bob.id}).entries
    assert entry.code == "INACTIVE_OWNER_OR_USER"


def test_record_types(org: Org, ann: User) -> None:
    infos = org.describe(ann, "Contact")["recordTypeInfos"]
    supplier = next(i["recordTypeId"] for i in infos if i["developerName"] == "Supplier")
    contact = org.create(ann, "Contact", {"LastName": "D", "RecordTypeId": supplier})
    soql = f"SELECT RecordType.DeveloperName FROM Contact WHERE Id = '{contact}'"
    assert org.query(ann, soql)["records"][0]["RecordType"]["DeveloperName"] == "Supplier"
    other = org.describe(ann, "Account")["recordTypeInfos"][0]["recordTypeId"]
    fields = {"LastName": "D", "RecordTypeId": other}
    (entry,) = refusal(org, ann, "Contact", fields).entries
    assert entry.code == "INVALID_CROSS_REFERENCE_KEY"


# -- required, rules, unique ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("object_name", "missing"),
    [
        ("Contact", ["LastName"]),
        ("Lead", ["LastName", "Company"]),
        ("Account", ["Name"]),
        ("Opportunity", ["Name", "StageName", "CloseDate"]),
        ("OpportunityContactRole", ["OpportunityId", "ContactId"]),
    ],
)
def test_required_fields(org: Org, ann: User, object_name: str, missing: list[str]) -> None:
    assert refusal(org, ann, object_name, {}).body() == [
        {
            "message": f"Required fields are missing: [{', '.join(missing)}]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": missing,
        }
    ]


def test_emptying_a_required_field(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D", "FirstName": "Jane"})
    with pytest.raises(OrgError, match=r"Required fields are missing: \[LastName\]"):
        org.update(ann, "Contact", contact, {"LastName": " "})
    org.update(ann, "Contact", contact, {"FirstName": None})


def test_validation_rules_each_with_an_entry(org: Org, ann: User) -> None:
    org.add_validation_rule(
        "Opportunity", "StageName = 'Closed Won' AND Amount = null", "An amount is needed",
        error_field="Amount",
    )  # fmt: skip
    org.add_validation_rule("Opportunity", "Name LIKE 'test%'", "No tests, please")
    fields = {"Name": "Test", "StageName": "Closed Won", "CloseDate": "2026-05-06"}
    assert refusal(org, ann, "Opportunity", fields).body() == [
        {
            "message": "An amount is needed",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Amount"],
        },
        {
            "message": "No tests, please",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": [],
        },
    ]
    deal = org.create(ann, "Opportunity", fields | {"Amount": 1, "Name": "Deal"})
    with pytest.raises(OrgError, match="An amount is needed"):
        org.update(ann, "Opportunity", deal, {"Amount": None})
    org.clear_rules()
    org.update(ann, "Opportunity", deal, {"Amount": None})


def test_a_rule_that_is_no_condition_is_refused_when_it_is_made(org: Org) -> None:
    with pytest.raises(OrgError, match="No such column 'Nope'"):
        org.add_validation_rule("Contact", "Nope = 1", "x")


def test_a_unique_field(org: Org, ann: User) -> None:
    first = org.create(ann, "Contact", {"LastName": "D", "Member_Number__c": "m-1"})
    fields = {"LastName": "E", "Member_Number__c": "M-1"}
    assert refusal(org, ann, "Contact", fields).body() == [
        {
            "message": "duplicate value found: Member_Number__c duplicates value on record with "
            f"id: {first[:15]}",
            "errorCode": "DUPLICATE_VALUE",
            "fields": [],
        }
    ]
    org.update(ann, "Contact", first, {"Member_Number__c": "M-1"})
    org.delete(ann, "Contact", first)
    assert org.create(ann, "Contact", fields), "the bin holds no values against anybody"


def test_the_activity_key_is_unique_and_minds_case(make_org: OrgMaker) -> None:
    org = make_org(activity_key_field="Keeping_Key__c")
    ann = org.add_user(username="ann@example.com", email="a@example.com", last_name="Ann")
    org.create(ann, "Task", {"Keeping_Key__c": "k1"})
    (entry,) = refusal(org, ann, "Task", {"Keeping_Key__c": "k1"}).entries
    assert entry.code == "DUPLICATE_VALUE"
    assert org.create(ann, "Task", {"Keeping_Key__c": "K1"})
    described = {field["name"]: field for field in org.describe(ann, "Task")["fields"]}
    assert described["Keeping_Key__c"]["externalId"]
    assert described["Keeping_Key__c"]["unique"]
    plain = make_org()
    eve = plain.add_user(username="eve@example.com", email="e@example.com", last_name="Eve")
    assert "Keeping_Key__c" not in {f["name"] for f in plain.describe(eve, "Task")["fields"]}


def test_a_format_hides_a_missing_field_and_that_hides_a_rule_and_that_a_duplicate(
    org: Org, ann: User
) -> None:
    """The order of a save (REFERENCE 13)."""
    org.create(ann, "Contact", {"LastName": "D", "Email": "d@example.com", "Title": "T"})
    org.add_validation_rule("Contact", "Title = 'Bad'", "Bad title")
    org.add_duplicate_rule("Contact", "By_mail", action="block", match_on=["Email"])
    fields: dict[str, Any] = {"Email": "nonsense", "Title": "Bad"}

    def code() -> str:
        return refusal(org, ann, "Contact", fields).entries[0].code

    assert code() == "INVALID_EMAIL_ADDRESS"
    fields["Email"] = "d@example.com"
    assert code() == "REQUIRED_FIELD_MISSING"
    fields["LastName"] = "D"
    assert code() == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    fields["Title"] = "Good"
    assert code() == "DUPLICATES_DETECTED"


# -- ids and preconditions ------------------------------------------------------------------------
def test_an_id_has_no_place_in_a_body(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D"})
    (entry,) = refusal(org, ann, "Contact", {"LastName": "D", "Id": contact}).entries
    assert entry.code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    with pytest.raises(OrgError, match="INVALID_FIELD"):
        org.update(ann, "Contact", contact, {"Id": contact})


NOWHERE = "The requested resource does not exist"
NO_KEY = "Provided external ID field does not exist or is not accessible: "


@pytest.mark.parametrize(
    ("record_id", "message", "row"),
    [
        ("003000000000001", NOWHERE, "INVALID_CROSS_REFERENCE_KEY"),
        ("nonsense", f"{NO_KEY}nonsense", "MALFORMED_ID"),
        ("", NO_KEY, "MALFORMED_ID"),
    ],
)
def test_an_unknown_record_is_not_found(
    org: Org, ann: User, record_id: str, message: str, row: str
) -> None:
    """In a collection, where there is no path to be wrong, the row says it in other words."""
    verbs: list[Callable[[], object]] = [
        lambda: org.read(ann, "Contact", record_id),
        lambda: org.update(ann, "Contact", record_id, {}),
        lambda: org.delete(ann, "Contact", record_id),
    ]
    for verb in verbs:
        with pytest.raises(OrgError) as refused:
            verb()
        assert refused.value.status == 404
        assert refused.value.body() == [{"message": message, "errorCode": "NOT_FOUND"}]
        assert [entry["statusCode"] for entry in refused.value.row()] == [row]


def test_a_record_of_another_object_is_not_found(org: Org, ann: User) -> None:
    lead = org.create(ann, "Lead", {"LastName": "L", "Company": "C"})
    with pytest.raises(OrgError) as refused:
        org.read(ann, "Contact", lead)
    assert refused.value.status == 404


def test_a_deleted_record_is_gone_for_readers_and_deleted_for_writers(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D"})
    assert org.delete(ann, "Contact", contact[:15]) == contact
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.read(ann, "Contact", contact)
    verbs: list[Callable[[], object]] = [
        lambda: org.update(ann, "Contact", contact, {"LastName": "E"}),
        lambda: org.delete(ann, "Contact", contact),
    ]
    for verb in verbs:
        with pytest.raises(OrgError) as refused:
            verb()
        assert refused.value.status == 404
        assert refused.value.body() == [
            {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}
        ]


def test_if_unmodified_since(org: Org, ann: User, clock: OrgClock) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D"})
    seen = SaveOptions(unmodified_since=clock.now())
    org.update(ann, "Contact", contact, {"Title": "A"}, seen)
    clock.advance(timedelta(seconds=2))
    org.update(ann, "Contact", contact, {"Title": "B"})
    with pytest.raises(OrgError) as refused:
        org.update(ann, "Contact", contact, {"Title": "C"}, seen)
    assert refused.value.status == 412
    assert org.read(ann, "Contact", contact)["Title"] == "B"


# -- upsert ---------------------------------------------------------------------------------------
def test_upsert_creates_and_then_changes(org: Org, ann: User) -> None:
    contact, created = org.upsert(ann, "Contact", "member_number__C", "m/1", {"LastName": "D"})
    assert created
    assert org.read(ann, "Contact", contact)["Member_Number__c"] == "m/1"
    again, created = org.upsert(ann, "Contact", "Member_Number__c", "M/1", {"LastName": "E"})
    assert (again, created) == (contact, False)
    assert org.read(ann, "Contact", contact)["LastName"] == "E"


def test_upsert_by_address_overwrites_and_knows_one_object(org: Org, ann: User) -> None:
    org.create(ann, "Lead", {"LastName": "L", "Company": "C", "Email": "a@example.com"})
    contact, created = org.upsert(ann, "Contact", "Email", "a@example.com", {"LastName": "D"})
    assert created
    twin = org.create(ann, "Contact", {"LastName": "E", "Email": "A@example.com"})
    with pytest.raises(SeveralMatches) as refused:
        org.upsert(ann, "Contact", "Email", "a@example.com", {"LastName": "F"})
    assert refused.value.status == 300
    assert refused.value.ids == (contact, twin)
    with pytest.raises(SeveralMatches):
        org.read_by_key(ann, "Contact", "Email", "a@example.com")


def test_upsert_that_may_not_create(org: Org, ann: User) -> None:
    with pytest.raises(OrgError) as refused:
        org.upsert(ann, "Contact", "Email", "a@example.com", {"LastName": "D"}, update_only=True)
    assert refused.value.status == 404


def test_upsert_by_a_field_that_is_no_key(org: Org, ann: User) -> None:
    with pytest.raises(OrgError) as refused:
        org.upsert(ann, "Contact", "Namez", "x", {})
    assert refused.value.body() == [
        {
            "message": "Provided external ID field does not exist or is not accessible: Namez",
            "errorCode": "NOT_FOUND",
        }
    ]
    with pytest.raises(OrgError, match="The Email field should not be specified"):
        org.upsert(ann, "Contact", "Email", "a@example.com", {"email": "b@example.com"})


# -- what follows from a save ---------------------------------------------------------------------
def test_a_task_follows_its_status(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "A"})
    contact = org.create(ann, "Contact", {"LastName": "D", "AccountId": account})
    fields = {"WhoId": contact, "Status": "Completed", "Priority": "High"}
    task = org.read(ann, "Task", org.create(ann, "Task", fields))
    assert task["IsClosed"] is True
    assert task["IsHighPriority"] is True
    assert task["CompletedDateTime"] == NOW
    assert task["AccountId"] == account
    org.update(ann, "Task", task["Id"], {"Status": "In Progress"})
    task = org.read(ann, "Task", task["Id"])
    assert (task["IsClosed"], task["CompletedDateTime"]) == (False, None)


def test_a_task_of_a_lead_has_nothing_else(org: Org, ann: User) -> None:
    lead = org.create(ann, "Lead", {"LastName": "L", "Company": "C"})
    account = org.create(ann, "Account", {"Name": "A"})
    (entry,) = refusal(org, ann, "Task", {"WhoId": lead, "WhatId": account}).entries
    assert (entry.code, entry.fields) == ("FIELD_INTEGRITY_EXCEPTION", ("WhoId", "WhatId"))


@pytest.mark.parametrize(
    ("stage", "probability", "closed", "won", "expected"),
    [
        ("Prospecting", 10.0, False, False, 100.0),
        ("Closed Won", 100.0, True, True, 1000.0),
        ("Closed Lost", 0.0, True, False, 0.0),
    ],
)
def test_an_opportunity_follows_its_stage(
    org: Org, ann: User, stage: str, probability: float, *, closed: bool, won: bool, expected: float
) -> None:
    fields = {"Name": "Deal", "StageName": stage, "CloseDate": "2026-06-30", "Amount": 1000}
    deal = org.read(ann, "Opportunity", org.create(ann, "Opportunity", fields))
    assert deal["Probability"] == probability
    assert (deal["IsClosed"], deal["IsWon"]) == (closed, won)
    assert deal["ExpectedRevenue"] == expected
    org.update(ann, "Opportunity", deal["Id"], {"StageName": "Qualification"})
    assert org.read(ann, "Opportunity", deal["Id"])["Probability"] == 10.0
    own = org.create(ann, "Opportunity", fields | {"Probability": 33})
    assert org.read(ann, "Opportunity", own)["Probability"] == 33.0


def test_a_case_shows_its_contact_and_its_end(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "A"})
    contact = org.create(
        ann, "Contact", {"LastName": "D", "AccountId": account, "Email": "d@example.com"}
    )
    case = org.create(ann, "Case", {"ContactId": contact})
    record = org.read(ann, "Case", case)
    assert (record["AccountId"], record["ContactEmail"]) == (account, "d@example.com")
    org.update(ann, "Contact", contact, {"Email": "new@example.com"})
    org.update(ann, "Case", case, {"Status": "Closed"})
    record = org.read(ann, "Case", case)
    assert record["ContactEmail"] == "new@example.com"
    assert (record["IsClosed"], record["ClosedDate"]) == (True, NOW)


def test_the_primary_contact_of_an_opportunity_is_a_role(org: Org, ann: User) -> None:
    one, two = (org.create(ann, "Contact", {"LastName": name}) for name in ("A", "B"))
    fields = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-06-30", "ContactId": one}
    deal = org.create(ann, "Opportunity", fields)
    role = {"OpportunityId": deal, "ContactId": two, "IsPrimary": True}
    org.create(ann, "OpportunityContactRole", role)
    soql = "SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY CreatedDate, Id"
    roles = [(row["ContactId"], row["IsPrimary"]) for row in org.query(ann, soql)["records"]]
    assert roles == [(one, False), (two, True)]
    assert org.read(ann, "Opportunity", deal)["ContactId"] == two
    with pytest.raises(OrgError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        org.update(ann, "Opportunity", deal, {"ContactId": one})


def test_assignment_rules_run_unless_told_otherwise(org: Org, ann: User) -> None:
    queue = org.add_user(username="desk@example.com", email="desk@example.com", last_name="Desk")
    org.set_assignment_rule("Lead", queue.id)
    fields = {"LastName": "L", "Company": "C"}
    assert org.read(ann, "Lead", org.create(ann, "Lead", fields))["OwnerId"] == queue.id
    given = org.create(ann, "Lead", fields | {"OwnerId": ann.id})
    assert org.read(ann, "Lead", given)["OwnerId"] == queue.id, "the rule overrules the owner"
    kept = org.create(ann, "Lead", fields, SaveOptions(auto_assign=False))
    assert org.read(ann, "Lead", kept)["OwnerId"] == ann.id


# -- transactions and speed -----------------------------------------------------------------------
def test_a_transaction_is_all_or_none_and_nests(org: Org, ann: User) -> None:
    with org.transaction():
        org.create(ann, "Contact", {"LastName": "Kept"})
        with suppress(OrgError), org.transaction():
            org.create(ann, "Contact", {"LastName": "Gone"})
            org.create(ann, "Contact", {})
            pytest.fail("a contact without a name was stored")
    names = [r["Name"] for r in org.query(ann, "SELECT Name FROM Contact")["records"]]
    assert names == ["Kept"]
    assert org.query(ann, "SELECT Id FROM Contact WHERE LastName = 'Gone'")["totalSize"] == 0


def test_what_is_rolled_back_is_forgotten(org: Org, ann: User) -> None:
    """By readers too, who may have seen it in the meantime."""
    contact = org.create(ann, "Contact", {"LastName": "Kept", "Email": "kept@example.com"})
    with suppress(OrgError), org.transaction():
        org.update(ann, "Contact", contact, {"LastName": "Gone", "Email": "gone@example.com"})
        with suppress(OrgError), org.transaction():
            org.update(ann, "Contact", contact, {"LastName": "Further gone"})
            org.create(ann, "Contact", {})
        assert org.read(ann, "Contact", contact)["LastName"] == "Gone"
        org.create(ann, "Contact", {})
    assert org.read(ann, "Contact", contact)["LastName"] == "Kept"
    soql = "SELECT COUNT() FROM Contact WHERE Email = '{}@example.com'"
    assert org.query(ann, soql.format("gone"))["totalSize"] == 0
    assert org.query(ann, soql.format("kept"))["totalSize"] == 1


def test_two_hundred_tasks_are_saved_at_once(org: Org, ann: User) -> None:
    """Well below the time of one request, in processor time: how busy the machine is does not
    matter."""
    contact = org.create(ann, "Contact", {"LastName": "D"})
    started = time.thread_time()
    with org.transaction():
        for number in range(200):
            fields = {"Subject": f"Mail {number}", "WhoId": contact, "Status": "Completed"}
            org.create(ann, "Task", fields)
    assert time.thread_time() - started < 1


# -- what the references name ---------------------------------------------------------------------
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-01-01"}


def test_a_tasks_account_is_that_of_what_it_is_about(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "A"})
    other = org.create(ann, "Account", {"Name": "B"})
    who = org.create(ann, "Contact", {"LastName": "D", "AccountId": other})
    whats = [
        account,
        org.create(ann, "Opportunity", DEAL | {"AccountId": account}),
        org.create(ann, "Case", {"Subject": "C", "AccountId": account}),
    ]
    for what in whats:
        task = org.create(ann, "Task", {"WhatId": what, "WhoId": who})
        assert org.read(ann, "Task", task)["AccountId"] == account


def test_the_values_of_a_task_are_the_standard_ones(org: Org, ann: User) -> None:
    fields = {field["name"]: field for field in org.describe(ann, "Task")["fields"]}
    shown = {
        name: [entry["value"] for entry in fields[name]["picklistValues"]]
        for name in ("Status", "Priority", "TaskSubtype")
    }
    assert shown == {
        "Status": [
            "Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred",
        ],
        "Priority": ["High", "Normal", "Low"],
        "TaskSubtype": ["Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"],
    }  # fmt: skip


def test_the_opportunity_of_a_role_is_fixed(org: Org, ann: User) -> None:
    contact = org.create(ann, "Contact", {"LastName": "D"})
    one, two = (org.create(ann, "Opportunity", DEAL) for _ in range(2))
    fields = {"OpportunityId": one, "ContactId": contact}
    role = org.create(ann, "OpportunityContactRole", fields)
    with pytest.raises(OrgError, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        org.update(ann, "OpportunityContactRole", role, {"OpportunityId": two})


def test_a_converted_status_converts_no_lead(org: Org, ann: User) -> None:
    lead = org.create(ann, "Lead", {"LastName": "L", "Company": "C"})
    org.update(ann, "Lead", lead, {"Status": "Closed - Converted"})
    record = org.read(ann, "Lead", lead)
    assert (record["Status"], record["IsConverted"]) == ("Closed - Converted", False)
    assert record["ConvertedContactId"] is None


def test_a_reference_to_several_objects_takes_no_external_key(org: Org, ann: User) -> None:
    """Nobody has recorded this form, so that it is refused."""
    org.create(ann, "Account", {"Name": "A", "Customer_Number__c": "K1"})
    what = {"attributes": {"type": "Account"}, "Customer_Number__c": "K1"}
    entry = refusal(org, ann, "Task", {"Subject": "x", "What": what}).entries[0]
    assert entry.code == "INVALID_CROSS_REFERENCE_KEY"


def test_an_id_of_another_object_is_malformed_in_a_row(org: Org, ann: User) -> None:
    account = org.create(ann, "Account", {"Name": "A"})
    with pytest.raises(OrgError) as refused:
        org.update(ann, "Contact", account, {"Title": "x"})
    (row,) = refused.value.row()
    assert (refused.value.status, row["statusCode"], row["fields"]) == (404, "MALFORMED_ID", ["Id"])
    assert row["message"] == f"Contact ID: id value of incorrect type: {account}"


@pytest.mark.parametrize("parent", ["Account", "Lead"])
def test_deleting_a_record_deletes_its_people_and_tasks(org: Org, ann: User, parent: str) -> None:
    fields = {"Account": {"Name": "A"}, "Lead": {"LastName": "L", "Company": "C"}}[parent]
    record = org.create(ann, parent, fields)
    gone = [org.create(ann, "Task", {"WhatId" if parent == "Account" else "WhoId": record})]
    if parent == "Account":
        gone.append(org.create(ann, "Contact", {"LastName": "D", "AccountId": record}))
    org.delete(ann, parent, record)
    for name, found in zip(("Task", "Contact"), gone, strict=False):
        with pytest.raises(OrgError, match="NOT_FOUND"):
            org.read(ann, name, found)


def test_a_classic_note_lies_on_its_record(org: Org, ann: User) -> None:
    case = org.create(ann, "Case", {"Subject": "C"})
    note = org.create(ann, "Note", {"ParentId": case, "Title": "t" * 80, "Body": "b" * 32_000})
    assert note.startswith("002")
    record = org.read(ann, "Note", note)
    assert (record["ParentId"], record["IsPrivate"]) == (case, False)
    for fields in ({"Title": "t" * 81}, {"Title": "t", "Body": "b" * 32_001}):
        entry = refusal(org, ann, "Note", {"ParentId": case, **fields}).entries[0]
        assert entry.code == "STRING_TOO_LONG"
    entry = refusal(org, ann, "Note", {"Title": "t"}).entries[0]
    assert (entry.code, entry.fields) == ("REQUIRED_FIELD_MISSING", ("ParentId",))
