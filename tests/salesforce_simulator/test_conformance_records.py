"""Section 5: single records, upsert by external id, duplicate rules."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from salesforce_simulator.process import RunningOrg

from .conftest import Api

DUPLICATE = "You're creating a duplicate record. We recommend you use an existing record instead."


# -- 5.1 -------------------------------------------------------------------------------------------


def test_create_answers_201_with_a_location(api: Api, address: str) -> None:
    answer = api.post("sobjects/Contact/", {"LastName": "New", "Email": address})
    body = answer.json()
    assert answer.status_code == 201
    assert body == {"id": body["id"], "success": True, "errors": []}
    assert answer.headers["Location"] == f"/services/data/v66.0/sobjects/Contact/{body['id']}"


def test_read_answers_the_fields_asked_for_attributes_first(
    api: Api, contact: str, address: str
) -> None:
    answer = api.get(f"sobjects/Contact/{contact}?fields=Id,LastName,Email,Phone")
    assert answer.status_code == 200
    assert list(answer.json()) == ["attributes", "Id", "LastName", "Email", "Phone"]
    assert answer.json() == {
        "attributes": {
            "type": "Contact",
            "url": f"/services/data/v66.0/sobjects/Contact/{contact}",
        },
        "Id": contact,
        "LastName": "Doe",
        "Email": address,
        "Phone": None,
    }
    assert "GMT" in answer.headers["Last-Modified"]
    assert "ETag" not in answer.headers


def test_account_rows_carry_an_etag_that_guards_a_write(api: Api) -> None:
    account = api.create("Account", Name="Tagged")
    tag = api.get(f"sobjects/Account/{account}").headers["ETag"]
    path = f"sobjects/Account/{account}"
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert api.patch(path, {"Name": "x"}, headers={"If-Match": '"00000000"'}).status_code == 412
    assert api.patch(path, {"Name": "Tagged 2"}, headers={"If-Match": tag}).status_code == 204


def test_update_answers_204_without_a_body_even_when_nothing_changes(
    org: RunningOrg, api: Api, contact: str
) -> None:
    before = api.read("Contact", contact)
    org.control.advance(60)
    answer = api.patch(f"sobjects/Contact/{contact}", {"LastName": before["LastName"]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.read("Contact", contact)["LastModifiedDate"] > before["LastModifiedDate"]


def test_delete_answers_204_and_children_that_are_lookups_stay(api: Api, contact: str) -> None:
    child = api.create("Contact", LastName="Child", ReportsToId=contact)
    answer = api.delete(f"sobjects/Contact/{contact}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"sobjects/Contact/{contact}").status_code == 404
    assert api.read("Contact", child)["ReportsToId"] is None


@pytest.mark.parametrize("name", ["Id", "id"])
def test_an_id_in_the_body_is_refused(api: Api, contact: str, name: str) -> None:
    answer = api.patch(f"sobjects/Contact/{contact}", {name: contact, "Title": "x"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_attributes_that_disagree_with_the_path_are_refused(api: Api) -> None:
    body = {"attributes": {"type": "Lead"}, "LastName": "x"}
    assert api.post("sobjects/Contact", body).status_code == 400


def test_if_unmodified_since_guards_a_colleagues_edit(
    org: RunningOrg, api: Api, contact: str
) -> None:
    path = f"sobjects/Contact/{contact}"
    seen = api.get(path).headers["Last-Modified"]
    org.control.advance(5)
    guard = {"If-Unmodified-Since": seen}
    assert api.patch(path, {"Title": "first"}, headers=guard).status_code == 204
    assert api.patch(path, {"Title": "second"}, headers=guard).status_code == 412
    assert api.read("Contact", contact)["Title"] == "first"


@pytest.mark.parametrize("header", ["If-Unmodified-Since", "If-Modified-Since"])
def test_a_conditional_header_without_a_date_refuses_a_save_and_not_a_delete(
    api: Api, contact: str, header: str
) -> None:
    path, headers = f"sobjects/Contact/{contact}", {header: "yesterday"}
    body = {"LastName": "changed"}
    assert api.patch(path, body, headers=headers).status_code == 400
    assert api.post("sobjects/Contact", body, headers=headers).status_code == 400
    part = {"method": "PATCH", "url": path, "referenceId": "r", "httpHeaders": headers}
    assert api.composite({**part, "body": body})[0]["httpStatusCode"] == 400
    assert api.read("Contact", contact)["LastName"] == "Doe"
    assert api.get(path, headers=headers).status_code == 200
    assert api.delete(path, headers=headers).status_code == 204


def test_if_modified_since_spares_a_body(api: Api, contact: str) -> None:
    path = f"sobjects/Contact/{contact}"
    seen = api.get(path).headers["Last-Modified"]
    answer = api.get(path, headers={"If-Modified-Since": seen})
    assert (answer.status_code, answer.content) == (304, b"")


def test_the_assignment_rule_runs_unless_it_is_told_not_to(
    org: RunningOrg, api: Api, address: str
) -> None:
    users = {u["username"]: u["id"] for u in org.control.status()["users"]}
    owner = users["integration@example.com"]
    org.control.assignment_rule("Lead", owner)
    lead = {"LastName": "x", "Company": "y", "Email": address}
    owners = []
    for headers in ({}, {"Sforce-Auto-Assign": "FALSE"}):
        made = api.post("sobjects/Lead", lead, headers=headers).json()["id"]
        owners.append(api.read("Lead", made)["OwnerId"])
    assert owners == [owner, users["admin@example.com"]]


# -- 5.2 -------------------------------------------------------------------------------------------


def test_upsert_by_an_idlookup_field_creates_then_overwrites(api: Api, address: str) -> None:
    path = f"sobjects/Contact/Email/{address.replace('@', '%40')}"
    first = api.patch(path, {"LastName": "Upserted"})
    body = first.json()
    assert first.status_code == 201
    assert body == {"id": body["id"], "success": True, "errors": [], "created": True}
    assert first.headers["Location"].endswith(body["id"])
    second = api.patch(path, {"LastName": "Overwritten"})
    assert (second.status_code, second.json()) == (200, {**body, "created": False})
    record = api.read("Contact", body["id"])
    assert (record["LastName"], record["Email"]) == ("Overwritten", address)


def test_several_matches_are_300_with_their_urls(api: Api, contact: str, address: str) -> None:
    other = api.create("Contact", LastName="Twin", Email=address)
    for answer in (
        api.patch(f"sobjects/Contact/Email/{address}", {"LastName": "x"}),
        api.get(f"sobjects/Contact/Email/{address}"),
    ):
        assert answer.status_code == 300
        assert sorted(answer.json()) == sorted(
            f"/services/data/v66.0/sobjects/Contact/{i}" for i in (contact, other)
        )


def test_update_only_forbids_creation(api: Api, address: str) -> None:
    path = f"sobjects/Contact/Email/{address}?updateOnly=true"
    assert api.patch(path, {"LastName": "x"}).status_code == 404


def test_the_key_field_may_not_be_in_the_body(api: Api, address: str) -> None:
    body = {"LastName": "x", "Email": address}
    assert api.patch(f"sobjects/Contact/Email/{address}", body).status_code == 400


def test_a_value_with_a_slash_is_one_segment_when_encoded(api: Api) -> None:
    key = f"a/b?{uuid.uuid4().hex}"
    encoded = key.replace("/", "%2F").replace("?", "%3F")
    assert api.patch(f"sobjects/Task/Message_Key__c/{encoded}", {"Subject": "x"}).ok
    found = api.get(f"sobjects/Task/Message_Key__c/{encoded}")
    assert found.json()["Message_Key__c"] == key
    assert api.delete(f"sobjects/Task/Message_Key__c/{encoded}").status_code == 204


def test_an_address_that_ends_like_a_file_is_404(api: Api, address: str) -> None:
    clash = address.replace("example.com", "mail.inc")
    assert api.patch(f"sobjects/Contact/Email/{clash}", {"LastName": "x"}).status_code == 404
    assert api.post("sobjects/Contact", {"LastName": "x", "Email": clash}).status_code == 201


def test_an_upsert_does_not_see_other_objects(api: Api, address: str) -> None:
    api.create("Lead", LastName="x", Company="y", Email=address)
    answer = api.patch(f"sobjects/Contact/Email/{address}", {"LastName": "x"})
    assert answer.status_code == 201


@pytest.mark.parametrize("field", ["LastName", "Title", "Nothing__c"])
def test_a_field_that_is_no_key_is_404(api: Api, field: str) -> None:
    answer = api.patch(f"sobjects/Contact/{field}/x", {"FirstName": "x"})
    assert answer.status_code == 404
    assert answer.json()[0]["message"] == (
        f"Provided external ID field does not exist or is not accessible: {field}"
    )


# -- 5.3 -------------------------------------------------------------------------------------------


def duplicate_of(contact: str, *, allow: bool) -> dict[str, Any]:
    record = {
        "attributes": {
            "type": "Contact",
            "url": f"/services/data/v66.0/sobjects/Contact/{contact}",
        },
        "Id": contact,
    }
    match = {
        "additionalInformation": [],
        "fieldDiffs": [],
        "matchConfidence": 100.0,
        "record": record,
    }
    return {
        "allowSave": allow,
        "duplicateRule": "Contacts_DR",
        "duplicateRuleEntityType": "Contact",
        "errorMessage": DUPLICATE,
        "matchResults": [
            {
                "entityType": "Contact",
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": [match],
                "size": 1,
                "success": True,
            }
        ],
    }


@pytest.mark.parametrize("action", ["block", "alert"])
def test_a_duplicate_rule_refuses_and_names_the_record(
    org: RunningOrg, api: Api, contact: str, address: str, action: str
) -> None:
    org.control.duplicate_rule(
        "Contact", "Contacts_DR", action=action, match_on=["Email"], message=DUPLICATE
    )
    body = {"LastName": "Twin", "Email": address}
    answer = api.post("sobjects/Contact", body)
    assert answer.status_code == 400
    [entry] = answer.json()
    assert (entry["errorCode"], entry["message"]) == ("DUPLICATES_DETECTED", DUPLICATE)
    result = entry["duplicateResut"]
    assert isinstance(result["matchResults"][0].pop("rule"), str)
    assert result == duplicate_of(contact, allow=action == "alert")
    allowed = api.post(
        "sobjects/Contact", body, headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    )
    assert allowed.status_code == (201 if action == "alert" else 400)


def test_include_record_details_adds_the_fields_of_the_match(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    org.control.duplicate_rule("Contact", "Contacts_DR", action="block", match_on=["Email"])
    headers = {"Sforce-Duplicate-Rule-Header": "includeRecordDetails=true"}
    answer = api.post("sobjects/Contact", {"LastName": "x", "Email": address}, headers=headers)
    matches = answer.json()[0]["duplicateResut"]["matchResults"][0]["matchRecords"]
    assert matches[0]["record"]["Email"] == address


def test_rules_match_across_objects_and_edits_run_them_too(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    lead_address = f"lead.{address}"
    lead = api.create("Lead", LastName="x", Company="y", Email=lead_address)
    org.control.duplicate_rule(
        "Contact", "Cross_DR", action="block", match_on=["Email"], match_object="Lead"
    )
    answer = api.patch(f"sobjects/Contact/{contact}", {"Email": lead_address})
    found = answer.json()[0]["duplicateResut"]["matchResults"][0]
    assert (found["entityType"], found["matchRecords"][0]["record"]["Id"]) == ("Lead", lead)


def test_in_a_collection_the_row_only_says_so(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    org.control.duplicate_rule("Contact", "Contacts_DR", action="block", match_on=["Email"])
    record = {"attributes": {"type": "Contact"}, "LastName": "x", "Email": address}
    assert api.post("composite/sobjects", {"records": [record]}).json() == [
        {
            "success": False,
            "errors": [
                {
                    "statusCode": "DUPLICATES_DETECTED",
                    "message": "Use one of these records?",
                    "fields": [],
                }
            ],
        }
    ]
