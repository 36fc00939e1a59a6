"""Every folder of recorded describe results is an org."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator import describe as own
from salesforce_simulator.errors import OrgError
from salesforce_simulator.metadata.schema import FieldSchema
from salesforce_simulator.org import Org
from salesforce_simulator.results import User
from tests.salesforce_simulator.engine.conftest import OrgMaker
from tests.servers.needs import shared_dir

FOLDERS = (
    "assembled-task", "cumulusci", "cumulusci-person-accounts", "dreamhouse-tickets",
    "fixit-felix", "force-toolkit-net", "grouparoo", "restforce", "soql-metadata-trimmed",
    "swiftly-salesforce",
)  # fmt: skip


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> Path:
    """One folder of recordings; skips where there are none."""
    found: Path = shared_dir() / "salesforce" / "describe" / request.param
    return found


@pytest.fixture
def org(make_org: OrgMaker, folder: Path) -> Org:
    """The org of those recordings."""
    return make_org(describe_dir=folder, activity_key_field="Keeping_Key__c")


def test_every_recording_is_listed_here() -> None:
    recorded = shared_dir() / "salesforce" / "describe"
    assert sorted(path.name for path in recorded.iterdir() if path.is_dir()) == sorted(FOLDERS)


def test_the_start_says_what_is_missing(org: Org, ann: User, folder: Path) -> None:
    recorded = {path.stem for path in folder.glob("*.json")}
    assert set(org.missing_objects) == set(own.names()) - recorded
    assert set(org.object_names(ann)) == set(own.names()) | recorded


def test_a_recording_is_served_as_it_was_recorded(org: Org, ann: User, folder: Path) -> None:
    for path in folder.glob("*.json"):
        recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        served = org.describe(ann, path.stem)
        fields = [f for f in served["fields"] if f["name"] != "Keeping_Key__c"]
        assert fields == recorded["fields"]
        for key in set(recorded) - {"fields"}:
            assert served[key] == recorded[key]


def test_every_field_and_relationship_can_be_queried(org: Org, ann: User) -> None:
    for name in org.object_names(ann):
        body = org.describe(ann, name)
        fields = ", ".join(field["name"] for field in body["fields"])
        assert org.query(ann, f"SELECT {fields} FROM {name} LIMIT 5")["done"] is True
        for field in body["fields"]:
            targets = field.get("referenceTo") or ()
            if field.get("relationshipName") and any(t in org.object_names(ann) for t in targets):
                parent = f"{field['relationshipName']}.Id"
                assert org.query(ann, f"SELECT {parent} FROM {name} LIMIT 5")["done"] is True
        for child in body.get("childRelationships") or ():
            if child.get("relationshipName") and child["childSObject"] in org.object_names(ann):
                inner = f"(SELECT Id FROM {child['relationshipName']})"
                assert org.query(ann, f"SELECT Id, {inner} FROM {name}")["done"] is True


def test_filters_and_orders_follow_the_recorded_flags(org: Org, ann: User) -> None:
    for name in org.object_names(ann):
        for field in org.describe(ann, name)["fields"]:
            long_text = field["type"] == "textarea" and field.get("length", 0) > 255
            soql = f"SELECT Id FROM {name} WHERE {field['name']} = null"
            if field["type"] in {"address", "location", "base64"} or long_text:
                with pytest.raises(OrgError, match="can not be filtered in a query call"):
                    org.query(ann, soql)
            elif field.get("filterable", True):
                assert org.query(ann, soql)["done"] is True


def sample(field: FieldSchema) -> Any:
    """A value that the field takes, or None for one that needs another record."""
    values: dict[str, Any] = {
        "boolean": True, "int": 7, "long": 7, "double": 1.0, "currency": 1.0, "percent": 1.0,
        "date": "2026-05-06", "datetime": "2026-05-06T09:49:20.000+0000",
        "time": "14:30:00.000Z", "email": "jane@acme.example", "url": "https://acme.example",
        "reference": None, "base64": None, "anyType": None,
    }  # fmt: skip
    if field.type in values:
        return values[field.type]
    if field.picklist and field.type in {"picklist", "multipicklist"}:
        return next((e["value"] for e in field.picklist if e.get("active", True)), None)
    return "x"


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Opportunity", "Case", "Task"])
def test_records_are_validated_and_stored(org: Org, ann: User, name: str) -> None:
    """What describe calls createable is stored and reads back; what it requires is missed."""
    person = any(f["name"] == "IsPersonAccount" for f in org.describe(ann, "Account")["fields"])
    known = {field["name"]: field for field in own.load(name)["fields"]}
    names_of_people = {"FirstName", "LastName", "Salutation", "MiddleName", "Suffix"}
    values: dict[str, Any] = {}
    for raw in org.describe(ann, name)["fields"]:
        given = FieldSchema(raw, known.get(raw["name"], {}))
        personal = given.name in names_of_people or "Person" in given.name
        if (name == "Account" and person and (personal or given.name.endswith("__pc"))) or (
            not given.createable
        ):
            continue
        value = sample(given)
        if value is not None and given.type != "id":
            values[given.name] = value
    record = org.read(ann, name, org.create(ann, name, values))
    for field_name, value in values.items():
        assert record[field_name] == value, field_name
    if name not in {"Case", "Task"}:
        with pytest.raises(OrgError, match="Required fields are missing"):
            org.create(ann, name, {})


SIDEBAR = """
SELECT Id, Name, Email, Phone, Title, AccountId, Account.Id, Account.Name, Account.Phone,
  (SELECT Id, CaseNumber, Subject, Status, Priority, CreatedDate FROM Cases
     ORDER BY CreatedDate DESC LIMIT 5),
  (SELECT Role, IsPrimary, Opportunity.Id, Opportunity.Name, Opportunity.StageName,
     Opportunity.Amount, Opportunity.CloseDate FROM OpportunityContactRoles
     ORDER BY Opportunity.LastModifiedDate DESC LIMIT 6)
FROM Contact WHERE Email = 'jane@acme.example' ORDER BY LastModifiedDate DESC LIMIT 5
"""


def test_a_helpdesk_lives_on_every_org(org: Org, ann: User) -> None:
    """People, deals, cases, a logged mail, a conversion and a merge."""
    account = org.create(ann, "Account", {"Name": "Acme"})
    person = {"LastName": "Doe", "Email": "jane@acme.example", "AccountId": account}
    contact = org.create(ann, "Contact", person)
    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-06-01"}
    opportunity = org.create(ann, "Opportunity", deal)
    org.create(ann, "OpportunityContactRole", {"OpportunityId": opportunity, "ContactId": contact})
    org.create(ann, "Case", {"Subject": "Help", "ContactId": contact})
    mail = {
        "Subject": "Email: Where is my order? [#4711]", "Description": "Hello", "WhoId": contact,
        "Status": "Completed", "Priority": "Normal", "ActivityDate": "2026-05-06",
        "TaskSubtype": "Email",
    }  # fmt: skip
    task, created = org.upsert(ann, "Task", "Keeping_Key__c", "k", mail)
    assert created
    lead = org.create(ann, "Lead", {"LastName": "Roe", "Company": "C", "Email": "l@example.com"})
    converted = org.convert_lead(ann, lead, opportunity_name="O")
    org.merge(ann, "Contact", converted.contact_id, contact)
    org.update(ann, "Contact", converted.contact_id, {"Email": "jane@acme.example"})
    (row,) = org.query(ann, SIDEBAR)["records"]
    assert row["Id"] == converted.contact_id
    assert row["Cases"]["totalSize"] == 1
    assert row["OpportunityContactRoles"]["totalSize"] == 2
    logged = org.read(ann, "Task", task)
    assert logged["WhoId"] == converted.contact_id
    assert logged["IsClosed"] is True


# -- folders that are none ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no describe results"),
        ({"Contact.json": "{"}, "Contact.json is not JSON"),
        ({"Contact.json": "[]"}, "Contact.json is not a describe result"),
        ({"Contact.json": '{"name": "Contact"}'}, "it has no list of fields"),
    ],
)
def test_a_folder_that_is_no_org(
    make_org: OrgMaker, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for file_name, text in files.items():
        (tmp_path / file_name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        make_org(describe_dir=tmp_path)


def test_a_folder_that_does_not_exist(make_org: OrgMaker, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a folder"):
        make_org(describe_dir=tmp_path / "nowhere")
