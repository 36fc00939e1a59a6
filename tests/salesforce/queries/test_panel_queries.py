"""The panel's queries fit every org whose describe results we have, and ask for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from keeping_plugin.errors import InvalidInput, PermissionDenied, SchemaStale
from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.salesforce.queries.panel_queries import Shown, queries
from keeping_plugin.types import ContactMatch, ObjectSchema
from keeping_plugin.types.describe_result import schema_of
from salesforce_simulator.process import OrgProcess
from salesforce_simulator.query.soql import parse
from salesforce_simulator.query.soql.tree import FieldPath, Query, Subquery
from tests.fake_salesforce import shipped_schemas
from tests.fake_salesforce.org_under_test import schemas_of
from tests.salesforce.conftest import CALLBACK, LiveOrg
from tests.servers.needs import shared_dir

FOLDERS = [
    "cumulusci",
    "cumulusci-person-accounts",
    "dreamhouse-tickets",
    "fixit-felix",
    "grouparoo",
    "swiftly-salesforce",
]


def everything(schemas: Mapping[str, ObjectSchema]) -> dict[str, list[str]]:
    """Every field of every object, as a company could choose them."""
    return {name: list(schema.fields) for name, schema in schemas.items()}


def recorded(folder: str) -> dict[str, ObjectSchema]:
    """An org of recorded describe results; objects the recording lacks come from the package."""
    schemas = {name: schema for name, schema in shipped_schemas().items() if name in OBJECT_NAMES}
    for path in (shared_dir() / "salesforce" / "describe" / folder).glob("*.json"):
        if path.stem in OBJECT_NAMES:
            schemas[path.stem] = schema_of(json.loads(path.read_text()), path.stem)
    return schemas


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_recorded_org_gives_queries_that_parse(folder: str) -> None:
    schemas = recorded(folder)
    made = queries(["jane@example.com"], Shown(schemas, everything(schemas)))
    assert 3 <= len(made) <= 5
    for statement in made.values():
        assert len(statement) < 100_000
        asked = set(paths(parse(statement)))
        assert asked
        for path in asked:
            assert path.count(".") <= 1


def paths(query: Query) -> Iterator[str]:
    for item in query.select:
        match item:
            case FieldPath():
                yield item.text
            case Subquery(query=inner):
                yield from paths(inner)
            case _:
                raise AssertionError(item)


@pytest.mark.parametrize("folder", ["cumulusci", "grouparoo", "swiftly-salesforce"])
def test_every_field_of_a_recorded_org_can_be_shown(folder: str) -> None:
    """The org of that recording answers the very queries."""
    describe = shared_dir() / "salesforce" / "describe" / folder
    with OrgProcess(redirects=[CALLBACK], describe=describe, options=["--no-seed"]) as process:
        org = LiveOrg(process, process.production)
        schemas = schemas_of(org.gateway)
        contact = org.add("Contact", LastName="Doe", Email="jane.q@example.com")
        [match] = org.gateway.panel("jane.q@example.com", schemas, everything(schemas))
        assert isinstance(match, ContactMatch)
        assert match.contact.id == contact
        assert set(match.contact.fields) == set(schemas["Contact"].fields)


def test_a_person_account_is_shown_once() -> None:
    with OrgProcess(redirects=[CALLBACK], options=["--person-accounts", "--no-seed"]) as process:
        org = LiveOrg(process, process.production)
        schemas = schemas_of(org.gateway)
        [kind] = [one for one in schemas["Account"].record_types if "erson" in one.developer_name]
        account = org.add(
            "Account", LastName="Solo", PersonEmail="solo@example.com", RecordTypeId=kind.id
        )
        [match] = org.gateway.panel("solo@example.com", schemas, {"Contact": ["Name", "AccountId"]})
        assert isinstance(match, ContactMatch)
        assert match.contact.fields == {"Name": "Solo", "AccountId": account}
        assert match.account is None


def test_a_user_with_few_rights_sees_what_he_may(org: LiveOrg, org_process: OrgProcess) -> None:
    few = LiveOrg(org_process, org_process.production, "few")
    schemas = schemas_of(few.gateway)
    assert set(schemas) == {*OBJECT_NAMES} - {"Opportunity", "Case"}
    assert "Phone" not in schemas["Contact"].fields
    [match] = few.gateway.panel("anna.deboer@example.com", schemas, {"Contact": ["Name", "Phone"]})
    assert isinstance(match, ContactMatch)
    assert match.contact.fields == {"Name": "Anna de Boer"}
    assert (match.around["cases"], match.around["opportunities"]) == ((), ())


def test_a_field_that_is_gone_makes_the_schema_stale(org: LiveOrg) -> None:
    field = {"name": "Passing__c", "label": "Passing", "type": "string", "length": 10}
    org.control.add_field("Contact", {**field, "createable": True, "custom": True})
    schemas = schemas_of(org.gateway)
    org.control.remove_field("Contact", "Passing__c")
    with pytest.raises(SchemaStale) as stale:
        org.gateway.panel("anna.deboer@example.com", schemas, {"Contact": ["Passing__c"]})
    assert (stale.value.object, stale.value.field) == ("Contact", "Passing__c")


def test_an_org_without_contacts_is_asked_for_leads_alone() -> None:
    schemas = {"Lead": shipped_schemas()["Lead"]}
    assert list(queries(["jane@example.com"], Shown(schemas, {}))) == ["leads"]


def test_people_without_addresses_cannot_be_found() -> None:
    contact = shipped_schemas()["Contact"]
    fields = {name: spec for name, spec in contact.fields.items() if name != "Email"}
    schemas = {"Contact": replace(contact, fields=fields)}
    with pytest.raises(PermissionDenied):
        queries(["jane@example.com"], Shown(schemas, {}))


@pytest.mark.parametrize("name", ["Name FROM User--", "Name,Id", "(SELECT Id FROM Cases)", ""])
def test_a_chosen_name_that_is_none_stands_in_no_query(name: str) -> None:
    with pytest.raises(InvalidInput):
        queries(["jane@example.com"], Shown(shipped_schemas(), {"Contact": [name]}))


def test_an_address_that_nobody_can_have_costs_no_call(org: LiveOrg) -> None:
    org.control.reset_log()
    assert org.gateway.panel("not an address", shipped_schemas(), {}) == ()
    assert org.control.counters()["data_round_trips"] == 0


def test_the_recordings_are_where_they_should_be(shared: Path) -> None:
    assert {path.name for path in (shared / "salesforce" / "describe").iterdir()} >= set(FOLDERS)
