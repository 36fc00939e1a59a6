"""Section 3.2: values on their way out and in, one test for each row of the table."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.process import RunningOrg

from .conftest import Api


def kept(api: Api, contact: str, field: str, value: Any) -> Any:
    """What is read after a value was written."""
    answer = api.patch(f"sobjects/Contact/{contact}", {field: value})
    assert answer.status_code == 204, answer.text
    return api.read("Contact", contact)[field]


def code(api: Api, contact: str, **fields: Any) -> str:
    answer = api.patch(f"sobjects/Contact/{contact}", fields)
    assert answer.status_code == 400, answer.text
    return str(answer.json()[0]["errorCode"])


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-05-06T11:49:20.123Z", "2026-05-06T11:49:20.123+0000"),
        ("2026-05-06T11:49:20Z", "2026-05-06T11:49:20.000+0000"),
        ("2026-05-06T11:49:20.000+02:00", "2026-05-06T09:49:20.000+0000"),
        ("2026-05-06T11:49:20.000-0530", "2026-05-06T17:19:20.000+0000"),
        ("2026-05-06T11:49:20.000+0000", "2026-05-06T11:49:20.000+0000"),
    ],
)
def test_a_datetime_comes_out_in_utc_without_a_colon(
    api: Api, contact: str, written: str, read: str
) -> None:
    assert kept(api, contact, "Last_Survey__c", written) == read


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Last_Survey__c", "2026-05-06T11:49:20"),
        ("Last_Survey__c", "2026-05-06"),
        ("Last_Survey__c", "2026-02-30T00:00:00Z"),
        ("Birthdate", "2026-05-06T00:00:00Z"),
        ("Birthdate", "6 May 2026"),
        ("Birthdate", "2026-02-30"),
        ("Preferred_Call_Time__c", "14:30"),
        ("Preferred_Call_Time__c", "25:00:00.000Z"),
        ("Newsletter__c", "yes"),
        ("Newsletter__c", None),
        ("Loyalty_Points__c", "many"),
        ("Loyalty_Points__c", True),
    ],
)
def test_a_value_of_another_shape_is_no_json_of_its_type(
    api: Api, contact: str, field: str, value: Any
) -> None:
    assert code(api, contact, **{field: value}) == "JSON_PARSER_ERROR"


def test_a_date_has_no_offset(api: Api, contact: str) -> None:
    assert kept(api, contact, "Birthdate", "2026-05-06") == "2026-05-06"


def test_a_time_has_milliseconds(api: Api, contact: str) -> None:
    assert kept(api, contact, "Preferred_Call_Time__c", "14:30:00.000Z") == "14:30:00.000Z"


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_a_boolean_and_never_null(api: Api, contact: str, value: bool) -> None:
    assert api.read("Contact", contact)["Newsletter__c"] is False
    assert kept(api, contact, "Newsletter__c", value) is value


@pytest.mark.parametrize(
    ("object_name", "field", "written", "raw"),
    [
        ("Contact", "Lifetime_Value__c", 10, "10.0"),
        ("Contact", "Discount__c", 0, "0.0"),
        ("Contact", "Loyalty_Points__c", 7, "7.0"),
        ("Account", "NumberOfEmployees", 7, "7"),
    ],
)
def test_currency_percent_double_and_int_are_json_numbers(
    api: Api, object_name: str, field: str, written: int, raw: str
) -> None:
    record = api.create(object_name, **{"LastName" if object_name == "Contact" else "Name": "x"})
    path = f"sobjects/{object_name}/{record}"
    assert api.patch(path, {field: written}).status_code == 204
    assert f'"{field}":{raw}' in api.get(f"{path}?fields={field}").text


def test_a_number_outside_its_precision_is_refused(api: Api, contact: str) -> None:
    assert code(api, contact, Lifetime_Value__c=1e20) == "NUMBER_OUTSIDE_VALID_RANGE"


def test_values_of_a_multipicklist_are_joined_by_semicolons(api: Api, contact: str) -> None:
    assert kept(api, contact, "Interests__c", "Billing;Reporting") == "Billing;Reporting"
    assert code(api, contact, Interests__c="Billing;Gossip") == (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )


def test_compounds_come_out_as_objects_and_are_read_only(
    org: RunningOrg, api: Api, contact: str
) -> None:
    assert kept(api, contact, "MailingCity", "Lisbon") == "Lisbon"
    assert api.read("Contact", contact)["MailingAddress"]["city"] == "Lisbon"
    org.control.add_field("Contact", {"name": "Place__c", "type": "location"})
    try:
        for name, value in (("MailingAddress", {"city": "x"}), ("Place__c", {"latitude": 1})):
            assert code(api, contact, **{name: value}) == "INVALID_FIELD_FOR_INSERT_UPDATE"
    finally:
        org.control.remove_field("Contact", "Place__c")


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_null_and_empty_text_clear_a_field(api: Api, contact: str, empty: str | None) -> None:
    kept(api, contact, "Title", "Boss")
    assert kept(api, contact, "Title", empty) is None


def test_a_reference_is_an_id_or_an_external_id_through_its_relationship(
    api: Api, contact: str, address: str
) -> None:
    account = api.create("Account", Name="x", Customer_Number__c=address[:12])
    assert kept(api, contact, "AccountId", account[:15]) == account
    kept(api, contact, "AccountId", None)
    body = {"Account": {"Customer_Number__c": address[:12]}}
    assert api.patch(f"sobjects/Contact/{contact}", body).status_code == 204
    assert api.read("Contact", contact)["AccountId"] == account


@pytest.mark.parametrize("name", ["lastname", "LASTNAME"])
def test_names_mind_no_case_and_answers_use_the_canonical_one(
    api: Api, contact: str, name: str
) -> None:
    assert api.patch(f"sobjects/contact/{contact}", {name: "Other"}).status_code == 204
    answer = api.get(f"sobjects/CONTACT/{contact}?fields={name}").json()
    assert {key: answer[key] for key in answer if key.lower() == "lastname"} == {
        "LastName": "Other"
    }
