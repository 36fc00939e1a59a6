"""Section 6: describe results, their caching, record types and picklists."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from salesforce_simulator.process import RunningOrg

from .conftest import Api


def fields(api: Api, object_name: str) -> dict[str, dict[str, Any]]:
    answer = api.get(f"sobjects/{object_name}/describe")
    assert answer.status_code == 200, answer.text
    return {field["name"]: field for field in answer.json()["fields"]}


def test_the_global_describe_lists_what_the_user_may_see(api: Api, few: Api) -> None:
    body = api.get("sobjects").json()
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    names = {entry["name"] for entry in body["sobjects"]}
    assert {"Account", "Contact", "Lead", "Opportunity", "Case", "Task", "User"} <= names
    fewer = {entry["name"] for entry in few.get("sobjects").json()["sobjects"]}
    assert names - fewer == {"Case", "Opportunity", "OpportunityContactRole"}


def test_a_describe_result_has_the_keys_of_the_service(api: Api) -> None:
    body = api.get("sobjects/contact/describe").json()
    assert {
        "name", "label", "labelPlural", "keyPrefix", "createable", "updateable", "deletable",
        "queryable", "searchable", "custom", "fields", "childRelationships", "recordTypeInfos",
        "supportedScopes", "urls",
    } <= set(body)  # fmt: skip
    assert (body["name"], body["keyPrefix"]) == ("Contact", "003")
    base = "/services/data/v66.0/sobjects/Contact"
    assert body["urls"]["sobject"] == base
    assert body["urls"]["rowTemplate"] == f"{base}/{{ID}}"
    assert body["urls"]["uiNewRecord"].endswith("/003/e")
    # As recorded of Contact, Account, Lead and Opportunity.
    below = {
        "compactLayouts", "approvalLayouts", "listviews", "describe", "quickActions", "layouts",
    }  # fmt: skip
    ui = {"uiDetailTemplate", "uiEditTemplate", "uiNewRecord"}
    assert set(body["urls"]) == below | ui | {"sobject", "rowTemplate"}
    for name in below:
        assert api.get(body["urls"][name]).status_code == 200, name
    assert {
        "name", "label", "type", "length", "precision", "scale", "digits", "createable",
        "updateable", "nillable", "defaultedOnCreate", "calculated", "unique", "externalId",
        "idLookup", "custom", "nameField", "compoundFieldName", "picklistValues",
        "restrictedPicklist", "dependentPicklist", "controllerName", "referenceTo",
        "relationshipName", "filterable", "sortable", "inlineHelpText",
    } <= set(body["fields"][0])  # fmt: skip


def test_the_short_description_names_the_object(api: Api) -> None:
    body = api.get("sobjects/Contact").json()
    assert body["objectDescribe"]["name"] == "Contact"
    assert body["recentItems"] == []


@pytest.mark.parametrize(
    ("object_name", "required"),
    [
        ("Contact", {"LastName"}),
        ("Lead", {"LastName", "Company"}),
        ("Account", {"Name"}),
        ("Opportunity", {"Name", "StageName", "CloseDate"}),
        ("Case", set()),
        ("OpportunityContactRole", {"OpportunityId", "ContactId"}),
    ],
)
def test_what_the_flags_require_is_the_recorded_baseline(
    api: Api, object_name: str, required: set[str]
) -> None:
    found = {
        name
        for name, field in fields(api, object_name).items()
        if field["createable"] and not field["nillable"] and not field["defaultedOnCreate"]
    }
    assert found == required


@pytest.mark.parametrize(
    ("object_name", "prefix"),
    [
        ("Account", "001"), ("Contact", "003"), ("User", "005"), ("Opportunity", "006"),
        ("Lead", "00Q"), ("Task", "00T"), ("Case", "500"), ("OpportunityContactRole", "00K"),
        ("Organization", "00D"), ("RecordType", "012"),
    ],
)  # fmt: skip
def test_key_prefixes_are_those_of_the_service(api: Api, object_name: str, prefix: str) -> None:
    assert api.get(f"sobjects/{object_name}/describe").json()["keyPrefix"] == prefix


def test_fields_a_user_cannot_read_are_missing_and_fixed_ones_not_updateable(
    api: Api, few: Api
) -> None:
    assert "Phone" in fields(api, "Contact")
    found = fields(few, "Contact")
    assert "Phone" not in found
    assert (found["Title"]["createable"], found["Title"]["updateable"]) == (False, False)


def test_a_describe_that_has_not_changed_is_304_and_one_call(api: Api) -> None:
    first = api.get("sobjects/Contact/describe")
    assert first.headers["ETag"].startswith('"')
    since = first.headers["Last-Modified"]
    again = api.get("sobjects/Contact/describe", headers={"If-Modified-Since": since})
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Type" not in again.headers
    before, after = (
        int(answer.headers["Sforce-Limit-Info"].partition("=")[2].partition("/")[0])
        for answer in (first, again)
    )
    assert after == before + 1


def test_any_change_of_metadata_moves_the_stamp_of_every_object(org: RunningOrg, api: Api) -> None:
    seen = api.get("sobjects/Contact/describe").headers["Last-Modified"]
    org.control.advance(5)
    org.control.add_field("Lead", {"name": "Fresh__c", "type": "string", "length": 20})
    try:
        answers = [
            api.get(path, headers={"If-Modified-Since": seen})
            for path in ("sobjects/Contact/describe", "sobjects/Lead/describe", "sobjects")
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert len({answer.headers["Last-Modified"] for answer in answers}) == 1
        assert "Fresh__c" in fields(api, "Lead")
    finally:
        org.control.remove_field("Lead", "Fresh__c")
    assert "Fresh__c" not in fields(api, "Lead")


def test_inside_a_composite_the_condition_travels_with_the_subrequest(api: Api) -> None:
    seen = api.get("sobjects/Contact/describe").headers["Last-Modified"]
    part = {"method": "GET", "url": "sobjects/Contact/describe", "referenceId": "c"}
    [answer] = api.composite({**part, "httpHeaders": {"If-Modified-Since": seen}})
    assert (answer["httpStatusCode"], answer["body"]) == (304, None)
    assert set(answer["httpHeaders"]) == {"ETag", "Last-Modified"}


def test_five_describes_travel_in_one_composite(api: Api) -> None:
    names = ["Contact", "Lead", "Account", "Opportunity", "Case"]
    answers = api.composite(
        *({"method": "GET", "url": f"sobjects/{n}/describe", "referenceId": n} for n in names)
    )
    assert [answer["body"]["name"] for answer in answers] == names


def test_picklist_values_have_the_recorded_keys(api: Api) -> None:
    values = fields(api, "Case")["Status"]["picklistValues"]
    assert set(values[0]) == {"active", "defaultValue", "label", "validFor", "value"}


def test_dependent_values_carry_a_bitmap_of_their_controllers(api: Api) -> None:
    found = fields(api, "Account")
    office = found["Office__c"]
    assert (office["dependentPicklist"], office["controllerName"]) == (True, "Region__c")
    regions = [value["value"] for value in found["Region__c"]["picklistValues"]]
    bitmap = base64.b64decode(
        next(v["validFor"] for v in office["picklistValues"] if v["value"] == "Boston")
    )
    valid = [r for i, r in enumerate(regions) if bitmap[i >> 3] >> (7 - (i & 7)) & 1]
    assert valid == ["North America"]


def test_the_ui_api_tells_the_values_of_a_record_type(api: Api) -> None:
    infos = api.get("sobjects/Contact/describe").json()["recordTypeInfos"]
    assert {
        "active", "available", "defaultRecordTypeMapping", "developerName", "master", "name",
        "recordTypeId", "urls",
    } <= set(infos[0])  # fmt: skip
    answer = api.get(f"ui-api/object-info/Contact/picklist-values/{infos[0]['recordTypeId']}")
    assert answer.status_code == 200, answer.text
    office = answer.json()["picklistFieldValues"]["Office__c"]
    assert set(office) >= {"controllerValues", "defaultValue", "url", "values"}
    assert office["controllerValues"] == {"Europe": 0, "North America": 1, "Asia Pacific": 2}
    boston = next(v for v in office["values"] if v["value"] == "Boston")
    assert boston == {"attributes": None, "label": "Boston", "validFor": [1], "value": "Boston"}


def test_an_unknown_record_type_is_refused(api: Api) -> None:
    answer = api.get("ui-api/object-info/Contact/picklist-values/012000000000999AAA")
    assert answer.status_code in (400, 404)


def test_values_of_a_task_that_bite(api: Api) -> None:
    found = fields(api, "Task")
    assert (found["TaskSubtype"]["createable"], found["TaskSubtype"]["updateable"]) == (True, False)
    assert found["Description"]["filterable"] is False
    assert found["Subject"]["type"] == "combobox"
    assert set(found["WhoId"]["referenceTo"]) == {"Contact", "Lead"}
    assert (found["Message_Key__c"]["unique"], found["Message_Key__c"]["externalId"]) == (
        True,
        True,
    )


def test_the_master_record_type_has_its_known_id(api: Api) -> None:
    infos = api.get("sobjects/Contact/describe").json()["recordTypeInfos"]
    (master,) = (info for info in infos if info["master"])
    assert master["recordTypeId"] == "012000000000000AAA"


def test_the_day_of_a_stamp_is_not_padded(org: RunningOrg, api: Api) -> None:
    account = api.create("Account", Name="Stamped")
    now = org.control.now()
    first = now.replace(day=1, month=now.month % 12 + 1, year=now.year + now.month // 12)
    org.control.set(session_seconds=10**7)
    org.control.advance((first - now).total_seconds() + 86_400)
    api.patch(f"sobjects/Account/{account}", {"Name": "Stamped again"})
    stamp = api.get(f"sobjects/Account/{account}").headers["Last-Modified"]
    assert stamp.split(", ")[1].startswith("2 ")


def test_an_email_field_is_a_key_on_people_alone(api: Api) -> None:
    keys = {
        (name, field["name"]): (field["length"], field["idLookup"], field["filterable"])
        for name in ("Contact", "Lead", "User", "Case")
        for field in fields(api, name).values()
        if field["type"] == "email"
    }
    assert keys[("Contact", "Email")] == keys[("Lead", "Email")] == (80, True, True)
    assert keys[("User", "Email")] == (128, True, True)
    assert keys[("Case", "SuppliedEmail")] == (80, False, True)
    assert {key for key, (_, is_key, _) in keys.items() if is_key} == {
        ("Contact", "Email"), ("Lead", "Email"), ("User", "Email"),
    }  # fmt: skip
