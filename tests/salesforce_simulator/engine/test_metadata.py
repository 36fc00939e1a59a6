"""Describe results, rights, fields that come and go, and what a restart keeps."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator import describe as own
from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.metadata.describing import complete_field
from salesforce_simulator.metadata.schema import controlling_indexes
from salesforce_simulator.org import Org
from salesforce_simulator.results import FieldRights, ObjectRights, SaveOptions, User
from tests.salesforce_simulator.engine.conftest import OrgMaker

FIELD_KEYS = set(complete_field({"name": "X", "type": "string"}))


# -- our own set ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", own.names())
def test_every_description_of_ours_is_whole(name: str) -> None:
    """57 keys a field, names unique, every reference named, every relationship existing."""
    body = own.load(name)
    assert len(FIELD_KEYS) == 57
    assert body["name"] == name
    names = [field["name"] for field in body["fields"]]
    assert len(names) == len({field_name.lower() for field_name in names})
    for field in body["fields"]:
        assert set(field) == FIELD_KEYS, field["name"]
        assert bool(field["referenceTo"]) == (field["type"] == "reference")
        if field["referenceTo"]:
            assert field["relationshipName"]
        if field["type"] == "boolean":
            assert not field["nillable"]
        if field["compoundFieldName"]:
            assert field["compoundFieldName"] in names
    rows_of = {"ActivityHistory": "Task", "OpenActivity": "Task"}
    for child in body["childRelationships"]:
        kind = rows_of.get(child["childSObject"], child["childSObject"])
        fields = {field["name"]: field for field in own.load(kind)["fields"]}
        assert name in fields[child["field"]]["referenceTo"]


def test_the_set_has_dependent_picklists_that_work_out() -> None:
    fields = {field["name"]: field for field in own.load("Contact")["fields"]}
    office, topic = fields["Office__c"], fields["Newsletter_Topic__c"]
    regions = [entry["value"] for entry in fields[office["controllerName"]]["picklistValues"]]
    valid = {
        entry["value"]: [regions[i] for i in controlling_indexes(entry["validFor"])]
        for entry in office["picklistValues"]
    }
    assert valid["Amsterdam"] == ["Europe"]
    assert valid["Remote"] == ["Europe", "North America", "Asia Pacific"]
    assert fields[topic["controllerName"]]["type"] == "boolean"
    bits = {entry["value"]: entry["validFor"] for entry in topic["picklistValues"]}
    assert controlling_indexes(bits["Product"]) == [1]
    assert controlling_indexes(bits["Goodbye"]) == [0]


def test_the_set_has_fields_of_many_types() -> None:
    types = {field["type"] for field in own.load("Contact")["fields"] if field["custom"]}
    assert types >= {
        "string", "textarea", "boolean", "double", "currency", "percent", "date", "datetime",
        "time", "email", "phone", "url", "picklist", "multipicklist", "reference",
    }  # fmt: skip


def test_an_unknown_name_is_no_part_of_the_set() -> None:
    with pytest.raises(KeyError):
        own.load("../Contact")


@pytest.mark.parametrize(
    ("bitmap", "indexes"),
    [("gAAA", [0]), ("QAAA", [1]), ("AEAA", [9]), ("hAAA", [0, 5]), ("AAAAAgAA", [30])],
)
def test_valid_for_bitmaps(bitmap: str, indexes: list[int]) -> None:
    assert controlling_indexes(bitmap) == indexes


# -- describe -------------------------------------------------------------------------------------
def test_describe_hides_what_the_user_can_not_read(org: Org, ann: User) -> None:
    org.set_field_rights(ann, "Contact", "Phone", FieldRights(readable=False))
    org.set_field_rights(ann, "Contact", "Title", FieldRights(editable=False))
    org.set_object_rights(ann, "Lead", ObjectRights(read=False))
    org.set_object_rights(ann, "Case", ObjectRights(create=False))
    fields = {field["name"]: field for field in org.describe(ann, "contact")["fields"]}
    assert "Phone" not in fields
    assert (fields["Title"]["createable"], fields["Title"]["updateable"]) == (False, False)
    with pytest.raises(OrgError) as refused:
        org.describe(ann, "Lead")
    assert refused.value.status == 404
    assert org.describe(ann, "Case")["createable"] is False
    bob = org.add_user(username="bob@example.com", email="b@example.com", last_name="Bob")
    assert "Phone" in {field["name"] for field in org.describe(bob, "Contact")["fields"]}
    assert org.canonical_name(bob, "lead") == "Lead"


def test_the_global_describe(org: Org, ann: User) -> None:
    org.set_object_rights(ann, "Lead", ObjectRights(read=False))
    body = org.describe_global(ann)
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    entries = {entry["name"]: entry for entry in body["sobjects"]}
    assert "Lead" not in entries
    assert "fields" not in entries["Contact"]
    assert entries["Contact"]["keyPrefix"] == "003"


def test_the_moment_of_change_moves_with_rights_and_fields(
    org: Org, ann: User, clock: OrgClock
) -> None:
    bob = org.add_user(username="bob@example.com", email="b@example.com", last_name="Bob")
    first = org.metadata_changed_at(ann)
    clock.advance(timedelta(hours=1))
    assert org.metadata_changed_at(ann) == first, "time alone changes nothing"
    org.set_field_rights(ann, "Contact", "Phone", FieldRights(readable=False))
    second = org.metadata_changed_at(ann)
    assert second > first
    assert org.metadata_changed_at(bob) == first, "only what affects the user counts"
    org.add_field("Contact", {"name": "Extra__c", "type": "string"})
    assert org.metadata_changed_at(ann) > second
    assert org.metadata_changed_at(bob) > first
    third = org.metadata_changed_at(ann)
    org.remove_field("Contact", "Extra__c")
    assert org.metadata_changed_at(ann) >= third + timedelta(seconds=1), "within one second too"


def types_of(org: Org, ann: User, object_name: str) -> dict[str, str]:
    infos = org.describe(ann, object_name)["recordTypeInfos"]
    return {info["developerName"]: info["recordTypeId"] for info in infos}


def test_record_types_restrict_values_as_the_package_says(org: Org, ann: User) -> None:
    """What depends on a restricted field is counted by what is left of it."""
    types = types_of(org, ann, "Contact")
    values = org.picklist_values(ann, "Contact", types["Supplier"])["picklistFieldValues"]
    assert [v["value"] for v in values["Region__c"]["values"]] == ["Europe", "Asia Pacific"]
    office = values["Office__c"]
    assert office["controllerValues"] == {"Europe": 0, "Asia Pacific": 1}
    assert {v["value"]: v["validFor"] for v in office["values"]} == {
        "Amsterdam": [0], "Lisbon": [0], "Singapore": [1], "Remote": [0, 1],
    }  # fmt: skip
    everything = org.picklist_values(ann, "Contact", types["Master"])["picklistFieldValues"]
    assert "Boston" in {v["value"] for v in everything["Office__c"]["values"]}


def test_values_of_record_types_name_values_that_there_are(org: Org, ann: User) -> None:
    """The package's lists and its describe set agree."""
    named = 0
    for object_name in own.names():
        types = types_of(org, ann, object_name)
        described = {f["name"]: f for f in org.describe(ann, object_name)["fields"]}
        for developer_name, fields in own.record_type_values(object_name).items():
            assert developer_name in types
            for field, values in fields.items():
                active = [v["value"] for v in described[field]["picklistValues"] if v["active"]]
                assert [value for value in active if value in values] == values
                named += 1
    assert named
    assert own.record_type_values("Task") == own.record_type_values("Nothing__c") == {}


def test_a_new_record_gets_the_default_type_and_defaults_that_its_type_offers(
    org: Org, ann: User
) -> None:
    types = types_of(org, ann, "Account")
    business = org.read(ann, "Account", org.create(ann, "Account", {"Name": "B"}))
    partner = org.create(ann, "Account", {"Name": "P", "RecordTypeId": types["Partner_Account"]})
    assert (business["RecordTypeId"], business["Tier__c"]) == (
        types["Business_Account"], "Standard",
    )  # fmt: skip
    assert org.read(ann, "Account", partner)["Tier__c"] is None


def test_a_restricted_picklist_refuses_what_the_type_does_not_offer(org: Org, ann: User) -> None:
    types = types_of(org, ann, "Account")
    partner = {"Name": "P", "RecordTypeId": types["Partner_Account"]}
    with pytest.raises(OrgError, match="bad value for restricted picklist field: Standard"):
        org.create(ann, "Account", {**partner, "Tier__c": "Standard"})
    account = org.create(ann, "Account", {**partner, "Tier__c": "Gold", "Type": "Prospect"})
    with pytest.raises(OrgError, match="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"):
        org.update(ann, "Account", account, {"Tier__c": "Standard"})
    org.update(ann, "Account", account, {"RecordTypeId": types["Business_Account"]})
    org.update(ann, "Account", account, {"Tier__c": "Standard"})
    org.update(ann, "Account", account, {"RecordTypeId": types["Partner_Account"]})
    org.update(ann, "Account", account, {"Tier__c": "Standard", "Phone": "1"})


def test_picklist_values_per_record_type(org: Org, ann: User) -> None:
    record_type = org.describe(ann, "Contact")["recordTypeInfos"][0]["recordTypeId"]
    values = org.picklist_values(ann, "contact", record_type)["picklistFieldValues"]
    office = values["Office__c"]
    assert office["controllerValues"] == {"Europe": 0, "North America": 1, "Asia Pacific": 2}
    amsterdam = office["values"][0]
    assert amsterdam == {
        "attributes": None, "label": "Amsterdam", "validFor": [0], "value": "Amsterdam",
    }  # fmt: skip
    assert values["Language__c"]["defaultValue"]["value"] == "English"
    assert values["Newsletter_Topic__c"]["controllerValues"] == {"false": 0, "true": 1}
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.picklist_values(ann, "Contact", "012000000000001")


# -- fields come and go ---------------------------------------------------------------------------
def test_a_new_field_is_written_read_and_found(org: Org, ann: User) -> None:
    org.add_field("Contact", {"name": "Ref__c", "type": "string", "externalId": True, "length": 10})
    contact = org.create(ann, "Contact", {"LastName": "D", "Ref__c": "r1"})
    soql = "SELECT Ref__c FROM Contact WHERE Ref__c = 'R1'"
    assert org.query(ann, soql)["records"][0]["Ref__c"] == "r1"
    assert org.upsert(ann, "Contact", "Ref__c", "r1", {"Title": "T"}) == (contact, False)
    org.remove_field("Contact", "ref__c")
    with pytest.raises(OrgError, match="No such column 'Ref__c'"):
        org.query(ann, soql)
    org.add_field("Contact", {"name": "Ref__c", "type": "string"})
    assert org.read(ann, "Contact", contact)["Ref__c"] is None, "values go with their field"
    with pytest.raises(KeyError):
        org.remove_field("Contact", "Nope__c")


def test_a_field_description_with_unknown_keys_is_refused(org: Org) -> None:
    with pytest.raises(ValueError, match="not keys of a field description: lenght"):
        org.add_field("Contact", {"name": "X__c", "type": "string", "lenght": 5})


# -- users ----------------------------------------------------------------------------------------
def test_users_are_records_too(org: Org, ann: User) -> None:
    assert org.user(ann.id[:15]) == ann
    assert org.user_by_username("ANN@example.com") == ann
    assert org.user_by_username("nobody@example.com") is None
    (row,) = org.query(ann, "SELECT Id, Name, Username, IsActive FROM User")["records"]
    assert (row["Id"], row["Name"], row["IsActive"]) == (ann.id, "Ann Agent", True)
    with pytest.raises(ValueError, match="there is a user"):
        org.add_user(username="ANN@example.com", email="x@example.com", last_name="X")
    assert org.set_user_active(ann.id, False).active is False
    with pytest.raises(KeyError):
        org.user("005000000000001")


def test_permissions(org: Org) -> None:
    bob = org.add_user(
        username="bob@example.com", email="b@example.com", last_name="Bob",
        permissions=frozenset({"api_enabled"}),
    )  # fmt: skip
    assert org.user(bob.id).permissions == {"api_enabled"}
    with pytest.raises(ValueError, match="unknown permissions: fly"):
        org.add_user(
            username="x@example.com", email="x@example.com", last_name="X",
            permissions=frozenset({"fly"}),
        )  # fmt: skip
    assert org.user_by_username("x@example.com") is None


def test_the_organization_row(make_org: OrgMaker) -> None:
    for sandbox in (False, True):
        org = make_org(sandbox=sandbox)
        ann = org.add_user(username="a@example.com", email="a@example.com", last_name="A")
        soql = (
            "SELECT Id, Name, IsSandbox, OrganizationType, InstanceName, TrialExpirationDate, "
            "NamespacePrefix FROM Organization"
        )
        (row,) = org.query(ann, soql)["records"]
        assert row["Id"] == org.organization_id
        assert row["Id"].startswith("00D")
        assert (row["Name"], row["IsSandbox"]) == ("Acme", sandbox)


def test_ids_of_two_orgs_differ(make_org: OrgMaker) -> None:
    one, other = make_org(sandbox=False), make_org(sandbox=True)
    assert one.organization_id != other.organization_id


def test_task_statuses_say_what_is_closed(org: Org, ann: User) -> None:
    soql = "SELECT ApiName FROM TaskStatus WHERE IsClosed = true"
    assert [row["ApiName"] for row in org.query(ann, soql)["records"]] == ["Completed"]


# -- restarts and threads -------------------------------------------------------------------------
def test_a_restart_keeps_everything(clock: OrgClock, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "database": tmp_path / "org.sqlite", "clock": clock, "name": "Acme", "sandbox": False,
    }  # fmt: skip
    org = Org(**settings)
    ann = org.add_user(
        username="a@example.com", email="a@example.com", last_name="A",
        permissions=frozenset({"view_setup"}),
    )  # fmt: skip
    org.set_field_rights(ann, "Contact", "Phone", FieldRights(readable=False))
    org.set_object_rights(ann, "Lead", ObjectRights(read=False))
    org.add_field("Contact", {"name": "Extra__c", "type": "string", "externalId": True})
    org.add_validation_rule("Contact", "Title = 'Bad'", "Bad title")
    org.add_duplicate_rule("Contact", "R", action="block", match_on=["Email"])
    contact = org.create(
        ann, "Contact", {"LastName": "D", "Extra__c": "e", "Email": "d@example.com"}
    )
    changed = org.metadata_changed_at(ann)
    organization_id = org.organization_id
    org.close()

    org = Org(**settings)
    assert org.organization_id == organization_id
    assert org.users() == [ann]
    assert org.metadata_changed_at(ann) == changed
    soql = "SELECT Id FROM Contact WHERE Extra__c = 'E'"
    assert org.query(ann, soql)["records"][0]["Id"] == contact
    assert "Phone" not in org.read(ann, "Contact", contact)
    assert "Lead" not in org.object_names(ann)
    with pytest.raises(OrgError, match="Bad title"):
        org.create(ann, "Contact", {"LastName": "E", "Title": "Bad"})
    with pytest.raises(OrgError, match="DUPLICATES_DETECTED"):
        org.create(ann, "Contact", {"LastName": "E", "Email": "d@example.com"})
    assert org.create(ann, "Contact", {"LastName": "E"}) != contact
    org.close()


def test_many_threads_write_and_read_at_once(org: Org, ann: User) -> None:
    """No id is given out twice, no write is lost, no reader sees half a transaction."""
    failures: list[BaseException] = []
    ids: list[str] = []

    def work(worker: int) -> None:
        try:
            for number in range(20):
                with org.transaction():
                    for half in ("a", "b"):
                        fields = {"LastName": f"{worker}-{number}", "FirstName": half}
                        ids.append(org.create(ann, "Contact", fields))
                soql = f"SELECT COUNT() FROM Contact WHERE LastName LIKE '{(worker + 1) % 4}-%'"
                assert org.query(ann, soql)["totalSize"] % 2 == 0
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(set(ids)) == 160
    assert org.query(ann, "SELECT COUNT() FROM Contact")["totalSize"] == 160


# -- the clock ------------------------------------------------------------------------------------
def test_the_clock_can_be_moved_held_and_released() -> None:
    moments = iter(datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC) for second in range(60))
    clock = OrgClock(lambda: next(moments))
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC), "it goes on running"
    clock.hold()
    held = clock.now()
    assert clock.now() == held
    clock.advance(timedelta(days=1))
    assert clock.now() == held + timedelta(days=1)
    clock.release()
    assert clock.now() > held + timedelta(days=1)
    with pytest.raises(ValueError, match="aware"):
        clock.set(datetime(2030, 1, 1))  # noqa: DTZ001


def test_options_are_values() -> None:
    assert SaveOptions() == SaveOptions(auto_assign=True)
