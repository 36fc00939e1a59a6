"""Describe results of every age become schemas, and schemas documents and back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeping_plugin.types.describe_result import schema_of, valid_for
from keeping_plugin.types.schema_document import dump_schema, load_schema
from salesforce_simulator import describe
from tests.fake_salesforce import shipped_schemas


def recorded(shared: Path) -> list[tuple[str, Any]]:
    files = sorted((shared / "salesforce" / "describe").glob("*/*.json"))
    assert len(files) > 15
    return [(f"{path.parent.name}/{path.stem}", json.loads(path.read_text())) for path in files]


def test_every_recorded_describe_survives_the_cache(shared: Path) -> None:
    for name, body in recorded(shared):
        schema = schema_of(body, name.partition("/")[2])
        document = dump_schema(schema)
        loaded = load_schema(document)
        assert loaded == schema, name
        assert dump_schema(loaded) == document, name
        assert len(schema.fields) == len(body["fields"]), name
        assert document.count("\n") == len(schema.fields), name


@pytest.mark.parametrize(
    ("source", "required"),
    [
        ("cumulusci/Contact", {"LastName"}),
        ("cumulusci/Lead", {"LastName", "Company"}),
        ("cumulusci/Account", {"Name"}),
        ("cumulusci/Opportunity", {"Name", "StageName", "CloseDate"}),
        ("cumulusci/Case", set()),
        ("cumulusci/OpportunityContactRole", {"OpportunityId", "ContactId"}),
        ("cumulusci-person-accounts/Account", set()),
    ],
)
def test_what_is_required_follows_from_the_flags(
    shared: Path, source: str, required: set[str]
) -> None:
    schema = schema_of(dict(recorded(shared))[source])
    found = {spec.name for spec in schema.fields.values() if spec.required}
    assert found == required


def test_a_field_tells_what_forms_and_queries_need(shared: Path) -> None:
    contact = schema_of(dict(recorded(shared))["cumulusci/Contact"])
    email = contact.fields["Email"]
    assert (email.type, email.length, email.id_lookup, email.nillable) == ("email", 80, True, True)
    assert contact.fields["AccountId"].reference_to == ("Account",)
    assert contact.fields["AccountId"].relationship == "Account"
    assert contact.fields["MailingCity"].compound == "MailingAddress"
    assert contact.fields["Name"].name_field
    assert contact.children["Cases"] == "Case"
    assert contact.children["OpportunityContactRoles"] == "OpportunityContactRole"


@pytest.mark.parametrize(
    ("bits", "indexes"),
    [
        ("gAAA", (0,)),
        ("QAAA", (1,)),
        ("AEAA", (9,)),
        ("hAAA", (0, 5)),
        ("AAAAAgAA", (30,)),
        ("", ()),
        ("not base64!", ()),
        ("gAA", ()),
    ],
)
def test_valid_for_is_a_bitmap(bits: str, indexes: tuple[int, ...]) -> None:
    assert valid_for(bits) == indexes


def test_dependent_values_know_their_controllers(shared: Path) -> None:
    account = schema_of(dict(recorded(shared))["swiftly-salesforce/Account"])
    dependent = [spec for spec in account.fields.values() if spec.controller]
    assert dependent
    for spec in dependent:
        assert spec.controller in account.fields
        assert all(value.valid_for is not None for value in spec.picklist)


def test_old_versions_say_less_and_count_as_least_permissive() -> None:
    schema = schema_of({"fields": [{"name": "Id", "type": "id"}]}, "Thing__c")
    field = schema.fields["Id"]
    assert (schema.name, schema.label, schema.createable) == ("Thing__c", "Thing__c", False)
    assert (field.label, field.createable, field.nillable, field.filterable) == (
        "Id",
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {},
        {"fields": None},
        {"fields": {}},
        {"fields": [None]},
        {"fields": [{}]},
        {"fields": [{"name": 5, "type": "id"}]},
        {"fields": [{"name": "Id"}]},
        {"fields": [], "recordTypeInfos": 5},
        {"fields": [], "recordTypeInfos": ["x"]},
        {"fields": [], "childRelationships": {"a": 1}},
        {"fields": [{"name": "P", "type": "picklist", "picklistValues": [{"label": "x"}]}]},
    ],
)
def test_what_is_no_describe_result_is_refused(body: object) -> None:
    with pytest.raises(ValueError, match="describe result"):
        schema_of(body)


def test_every_text_survives_the_cache() -> None:
    contact = shipped_schemas()["Contact"]
    odd = 'a\nb\r\u2028\u2029\u0085c\x1e"\\</script>\U0001f600'
    field = replace(contact.fields["LastName"], label=odd, help_text=odd)
    changed = replace(contact, label=odd, fields={**contact.fields, "LastName": field})
    assert load_schema(dump_schema(changed)) == changed


def test_a_loaded_schema_is_a_mapping_like_any_other() -> None:
    schema = shipped_schemas()["Contact"]
    fields = load_schema(dump_schema(schema)).fields
    assert list(fields) == list(schema.fields)
    assert len(fields) == len(schema.fields)
    assert "LastName" in fields
    assert "Nope" not in fields
    assert fields.get("Nope") is None
    assert dict(fields.items()) == dict(schema.fields)
    with pytest.raises(KeyError):
        fields["Nope"]


def test_loading_costs_a_tenth_of_parsing_the_describe() -> None:
    for name in ("Contact", "Account", "Lead"):
        raw = json.dumps(describe.load(name))
        document = dump_schema(schema_of(json.loads(raw)))
        assert fastest(load_schema, document) < fastest(json.loads, raw) / 10, name


def fastest(read: Callable[[str], object], text: str) -> float:
    """The best of many runs: the others were disturbed by the machine."""
    times = []
    for _ in range(50):
        began = time.perf_counter()
        read(text)
        times.append(time.perf_counter() - began)
    return min(times)
