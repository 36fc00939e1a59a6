"""Trimmed, incomplete and unusual folders start an org that works."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator import describe as own
from salesforce_simulator.app import create_app
from salesforce_simulator.errors import OrgError
from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.org import Org
from salesforce_simulator.process import OrgProcess
from salesforce_simulator.results import User
from salesforce_simulator.site import Site
from tests.salesforce_simulator.conftest import Api

from .conftest import Describe

Folder = Callable[[Callable[[Describe], Describe]], Path]
Start = Callable[[Path], Site]


def three_keys(body: Describe) -> Describe:
    return {key: body[key] for key in ("name", "fields", "childRelationships")}


def names_and_types(body: Describe) -> Describe:
    fields = [{"name": field["name"], "type": field["type"]} for field in body["fields"]]
    return {"name": body["name"], "fields": fields, "childRelationships": []}


def names_alone(body: Describe) -> Describe:
    return {"name": body["name"], "fields": [{"name": f["name"]} for f in body["fields"]]}


def lookups_to_nowhere(body: Describe) -> Describe:
    """References and children whose objects the org does not have."""
    gone = {
        **next(f for f in own.load("Contact")["fields"] if f["name"] == "AccountId"),
        "name": "Gone__c",
        "referenceTo": ["Gone_Object__c"],
        "relationshipName": "Gone__r",
    }
    child = {
        "childSObject": "Absent__c",
        "field": "Parent__c",
        "relationshipName": "Absents__r",
        "cascadeDelete": True,
    }
    children = [*body["childRelationships"], child]
    return {**body, "fields": [*body["fields"], gone], "childRelationships": children}


def without_an_id(body: Describe) -> Describe:
    return {**body, "fields": [field for field in body["fields"] if field["name"] != "Id"]}


def asking_for_more(body: Describe) -> Describe:
    """A required custom field that the seed knows nothing of."""
    asked = {"name": "Must__c", "type": "string", "length": 20, "label": "Must",
             "createable": True, "updateable": True, "nillable": False,
             "defaultedOnCreate": False}  # fmt: skip
    return {**body, "fields": [*body["fields"], asked]}


CHANGES = [
    three_keys, names_and_types, names_alone, lookups_to_nowhere, without_an_id, asking_for_more,
]  # fmt: skip


def admin_of(site: Site) -> User:
    found = site.org.user_by_username("admin@example.com")
    assert found is not None
    return found


def a_value(field: dict[str, Any]) -> Any:
    """Something that a required field takes."""
    match field.get("type", "string"):
        case "date":
            return "2026-05-06"
        case "picklist" if field.get("picklistValues"):
            return field["picklistValues"][0]["value"]
        case _:
            return "x"


def required(described: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields that a create needs, with what a trimmed recording leaves out."""
    name = described["name"]
    known = {f["name"]: f for f in own.load(name)["fields"]} if name in own.names() else {}
    whole = [{**known.get(field["name"], {}), **field} for field in described["fields"]]
    return [
        field
        for field in whole
        if field.get("createable")
        and not field.get("nillable", True)
        and not field.get("defaultedOnCreate")
    ]


def works(org: Org, user: User, name: str) -> None:
    """One record's life: what describe says can be done is done without an error of our own."""
    described = org.describe(user, name)
    fields = ", ".join(field["name"] for field in described["fields"])
    org.query(user, f"SELECT {fields} FROM {name} LIMIT 5")
    needed = required(described)
    if any(field["type"] == "reference" for field in needed):
        with pytest.raises(OrgError, match="Required fields are missing"):
            org.create(user, name, {})
        return
    made = org.create(user, name, {field["name"]: a_value(field) for field in needed})
    org.read(user, name, made)
    org.update(user, name, made, {})
    org.delete(user, name, made)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_object_of_the_folder_works(
    folder_of: Folder, start: Start, change: Callable[[Describe], Describe]
) -> None:
    site = start(folder_of(change))
    user = admin_of(site)
    for name in site.org.object_names(user):
        if name in {"Organization", "User", "RecordType", "TaskStatus"}:
            continue
        works(site.org, user, name)
    with create_app(site).test_client() as browser:
        for name in ("Account", "Contact", "Case", "Opportunity", "Lead", "Task"):
            assert browser.get(f"/lightning/o/{name}/list").status_code == 200
            for row in site.org.query(user, f"SELECT Id FROM {name} LIMIT 2")["records"]:
                page = browser.get(f"/lightning/r/{name}/{row['Id']}/view")
                assert page.status_code == 200


@pytest.mark.parametrize(
    "change", [three_keys, names_and_types, lookups_to_nowhere], ids=lambda change: change.__name__
)
def test_a_trimmed_folder_starts_with_all_records(
    folder_of: Folder,
    start: Start,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[Describe], Describe],
) -> None:
    site = start(folder_of(change))
    user = admin_of(site)
    count = {
        name: site.org.query(user, f"SELECT COUNT() FROM {name}")["totalSize"]
        for name in ("Account", "Contact", "Lead", "Opportunity", "Case", "Task")
    }
    # Converting a Lead adds an Account, a Contact and an Opportunity.
    assert count == {
        "Account": 9, "Contact": 32, "Lead": 6, "Opportunity": 9, "Case": 11, "Task": 5,
    }  # fmt: skip
    assert caplog.records == []


def test_layouts_and_list_views_of_a_trimmed_folder(folder_of: Folder) -> None:
    with OrgProcess(describe=folder_of(names_alone)) as process:
        api = Api(connect(process, process.production))
        for name in (entry["name"] for entry in api.get("sobjects").json()["sobjects"]):
            for below in ("describe/layouts", "describe/compactLayouts", "listviews", "describe"):
                assert api.get(f"sobjects/{name}/{below}").status_code == 200, (name, below)
            for view in api.get(f"sobjects/{name}/listviews").json()["listviews"]:
                for url in (view["describeUrl"], view["resultsUrl"]):
                    assert api.get(url).status_code == 200, url
        assert api.get("tabs").status_code == api.get("recent").status_code == 200
        api.http.close()


def test_what_the_seed_can_not_fill_is_told_in_a_sentence_an_object(
    folder_of: Folder, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        site = start(folder_of(asking_for_more))
    told = [record.getMessage() for record in caplog.records]
    for name, count in (("Account", 8), ("Contact", 31), ("Lead", 6), ("Case", 11)):
        assert (
            f"the production org starts without {count} records of {name}, because the first was "
            "refused: REQUIRED_FIELD_MISSING: Required fields are missing: [Must__c]"
        ) in told
    assert len(told) == len({record.split(" of ")[1].split(",")[0] for record in told})
    assert site.org.query(admin_of(site), "SELECT COUNT() FROM User")["totalSize"] == 4


def test_an_object_recorded_without_an_id_gets_one_and_it_is_told(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Gadget__c.json").write_text('{"fields": [{"name": "Name"}]}')
    with caplog.at_level(logging.WARNING):
        site = start(tmp_path)
    assert [r.getMessage() for r in caplog.records] == [
        f"{tmp_path / 'Gadget__c.json'} has no field Id, so one is added"
    ]
    user = admin_of(site)
    made = site.org.create(user, "Gadget__c", {"Name": "x"})
    found = site.org.query(user, "SELECT Id, Name FROM Gadget__c")["records"]
    assert [(row["Id"], row["Name"]) for row in found] == [(made, "x")]


def test_objects_recorded_without_a_prefix_have_different_ones(
    tmp_path: Path, start: Start
) -> None:
    names = [f"{letter}{other}_Object__c" for letter in "ABCDEF" for other in "FEDCBA"]
    for name in names:
        body = {"name": name, "fields": [{"name": "Id", "type": "id"}, {"name": "Name"}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(body))
    site = start(tmp_path)
    user = admin_of(site)
    ids = {name: site.org.create(user, name, {"Name": name}) for name in names}
    assert len({record_id[:3] for record_id in ids.values()}) == len(names)
    for name, record_id in ids.items():
        found = site.org.query(user, f"SELECT Name FROM {name} WHERE Id = '{record_id}'")
        assert [row["Name"] for row in found["records"]] == [name]


def test_a_name_in_another_case_describes_the_standard_object(tmp_path: Path, start: Start) -> None:
    body = three_keys(own.load("Contact"))
    (tmp_path / "contact.json").write_text(json.dumps({**body, "name": "contact"}))
    site = start(tmp_path)
    assert "Contact" not in site.org.missing_objects
    assert "Contact" in site.org.object_names(admin_of(site))


FIELDS_OF_A_TASK = (
    "Subject", "Description", "Status", "ActivityDate", "CreatedDate", "TaskSubtype", "IsClosed",
    "WhoId", "WhatId", "AccountId",
)  # fmt: skip


@pytest.mark.parametrize("lacking", [FIELDS_OF_A_TASK, ("Description", "IsClosed"), ("WhoId",)])
def test_the_pages_do_without_what_a_recorded_task_lacks(
    folder_of: Folder, start: Start, lacking: tuple[str, ...]
) -> None:
    def trimmed(body: Describe) -> Describe:
        if body["name"] != "Task":
            return body
        return {**body, "fields": [f for f in body["fields"] if f["name"] not in lacking]}

    site = start(folder_of(trimmed))
    user = admin_of(site)
    with create_app(site).test_client() as browser:
        assert browser.get("/").status_code == browser.get("/search?q=a").status_code == 200
        for name in ("Account", "Contact", "Task"):
            row = site.org.query(user, f"SELECT Id FROM {name} LIMIT 1")["records"][0]
            assert browser.get(f"/lightning/r/{name}/{row['Id']}/view").status_code == 200


def test_a_page_leaves_out_related_lists_whose_reference_is_not_described(
    folder_of: Folder, start: Start
) -> None:
    def trimmed(body: Describe) -> Describe:
        return {**body, "fields": [f for f in body["fields"] if f["name"] != "ContactId"]}

    site = start(folder_of(trimmed))
    row = site.org.query(admin_of(site), "SELECT Id FROM Contact LIMIT 1")["records"][0]
    with create_app(site).test_client() as browser:
        page = browser.get(f"/lightning/r/Contact/{row['Id']}/view")
    assert (page.status_code, "Opportunity roles" in page.text) == (200, False)


def test_the_pages_do_without_objects_that_cannot_be_queried(
    folder_of: Folder, start: Start
) -> None:
    def closed(body: Describe) -> Describe:
        return {**body, "queryable": body["name"] not in {"Task", "Case", "Opportunity"}}

    site = start(folder_of(closed))
    row = site.org.query(admin_of(site), "SELECT Id FROM Contact LIMIT 1")["records"][0]
    with create_app(site).test_client() as browser:
        home = browser.get("/")
        assert home.status_code == browser.get("/search?q=a").status_code == 200
        assert "/lightning/o/Case/list" not in home.text
        assert browser.get(f"/lightning/r/Contact/{row['Id']}/view").status_code == 200


@pytest.mark.parametrize("form", ["of the command line", "of Windows"])
def test_a_describe_result_is_read_however_it_was_saved(
    tmp_path: Path, start: Start, form: str
) -> None:
    body = three_keys(own.load("Contact"))
    if form == "of Windows":
        (tmp_path / "Contact.json").write_text(json.dumps(body), encoding="utf-8-sig")
    else:
        printed = {"status": 0, "result": body, "warnings": []}
        (tmp_path / "Contact.json").write_text(json.dumps(printed), encoding="utf-8")
    site = start(tmp_path)
    assert "Contact" not in site.org.missing_objects
    assert site.org.query(admin_of(site), "SELECT COUNT() FROM Contact")["totalSize"] == 32


def test_a_folder_without_contacts_takes_the_simulators_own(tmp_path: Path, start: Start) -> None:
    (tmp_path / "Lead.json").write_text(json.dumps(own.load("Lead")), encoding="utf-8")
    site = start(tmp_path)
    assert {"Contact", "Account", "Task"} <= set(site.org.missing_objects)
    assert site.org.query(admin_of(site), "SELECT COUNT() FROM Contact")["totalSize"] == 32
