"""Which fields agents see: required ones always, the rest in the admin's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import AuditRecord, Database, FieldSelection
from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.services.schema import selection
from keeping_plugin.types import FieldSpec, ObjectSchema
from tests.fake_salesforce import shipped_schemas
from tests.services.company import ADMIN


@pytest.fixture(scope="module")
def schemas() -> Mapping[str, ObjectSchema]:
    return shipped_schemas()


@pytest.mark.parametrize(
    ("object", "locked"),
    [
        ("Contact", {"LastName", "Email"}),
        ("Lead", {"LastName", "Company", "Email"}),
        ("Account", {"Name"}),
        ("Opportunity", {"Name", "StageName", "CloseDate"}),
        ("Case", set()),
    ],
)
def test_required_fields_and_the_baseline_are_locked_with_a_reason(
    schemas: Mapping[str, ObjectSchema], object: str, locked: set[str]
) -> None:
    reasons = selection.locked(schemas[object])
    assert set(reasons) == locked
    assert all(reasons.values())


def test_required_means_createable_not_nillable_not_defaulted(
    schemas: Mapping[str, ObjectSchema],
) -> None:
    def with_field(spec: FieldSpec) -> ObjectSchema:
        contact = schemas["Contact"]
        return replace(contact, fields={**contact.fields, spec.name: spec})

    required = FieldSpec(name="R__c", label="R", type="string", createable=True, nillable=False)
    assert "R__c" in selection.locked(with_field(required))
    for free in (
        replace(required, createable=False),
        replace(required, nillable=True),
        replace(required, defaulted_on_create=True),
    ):
        assert "R__c" not in selection.locked(with_field(free))


@pytest.mark.parametrize("object", OBJECT_NAMES)
def test_who_never_chose_starts_from_a_useful_set(
    schemas: Mapping[str, ObjectSchema], object: str
) -> None:
    choice = selection.choice(schemas[object], None)
    assert 3 < len(choice.shown) < 10
    assert set(choice.locked) <= set(choice.shown)
    assert choice.missing == ()


def test_the_admins_order_is_kept_and_what_is_locked_comes_along(
    schemas: Mapping[str, ObjectSchema],
) -> None:
    choice = selection.choice(schemas["Contact"], ["Title", "Email", "FirstName"])
    assert choice.shown == ("Title", "Email", "FirstName", "LastName")


def test_a_field_out_of_sight_is_missing_and_not_shown(
    schemas: Mapping[str, ObjectSchema],
) -> None:
    contact = schemas["Contact"]
    fields = {name: spec for name, spec in contact.fields.items() if name != "Email"}
    choice = selection.choice(replace(contact, fields=fields), ["LastName", "Gone__c"])
    assert choice.shown == ("LastName",)
    assert choice.missing == ("Gone__c", "Email")


def test_files_and_raw_values_are_not_offered(schemas: Mapping[str, ObjectSchema]) -> None:
    contact = schemas["Contact"]
    file = FieldSpec(name="Body", label="Body", type="base64")
    names = {spec.name for spec in selection.offered(replace(contact, fields={"Body": file}))}
    assert names == set()


def test_ticks_are_put_in_the_order_of_the_page(schemas: Mapping[str, ObjectSchema]) -> None:
    contact = schemas["Contact"]
    assert selection.ordered(contact, ["Title", "Phone"], ["Phone", "Title"]) == (
        "Phone",
        "Title",
        "Email",
        "LastName",
    )


def test_a_field_that_does_not_exist_is_named(schemas: Mapping[str, ObjectSchema]) -> None:
    with pytest.raises(InvalidInput, match=r"no field Bogus__c, Id\) FROM User"):
        selection.ordered(schemas["Contact"], ["Phone", "Id) FROM User", "Bogus__c"], [])


@pytest.mark.both_databases
def test_a_choice_is_the_companys_and_is_audited_by_name(
    database: Database, schemas: Mapping[str, ObjectSchema]
) -> None:
    contact = schemas["Contact"]
    with database.write() as session:
        selection.save(session, ADMIN, contact, ["LastName", "Email"], keep=["Gone__c", "Phone"])
    with database.write() as session:
        keep = ["LastName", "Email", "Gone__c"]
        selection.save(session, ADMIN, contact, ["Email", "LastName"], keep=keep)
    with database.read() as session:
        assert selection.load(session, "acme") == {"Contact": ("Email", "Gone__c", "LastName")}
        assert selection.load(session, "other") == {}
        assert session.scalars(select(FieldSelection)).one().company_id == "acme"
        shown = selection.shown(session, "acme", schemas)
        audited = session.scalars(select(AuditRecord)).all()
    assert shown["Contact"] == ("Email", "LastName")
    assert set(shown) == set(OBJECT_NAMES)
    assert [(row.action, row.agent_id, row.object) for row in audited] == [
        ("fields_chosen", "ada", "Contact")
    ] * 2


@pytest.mark.parametrize(
    ("fields", "kept", "stored"),
    [
        (("A", "B", "C"), ("A", "x", "B", "C"), ("A", "x", "B", "C")),
        (("C", "A", "B"), ("A", "x", "y", "B", "C"), ("C", "A", "x", "y", "B")),
        (("B", "C"), ("A", "x", "B", "C"), ("x", "B", "C")),
        (("A",), ("x", "A", "y"), ("x", "A", "y")),
        (("A",), ("A", "B"), ("A",)),
    ],
)
def test_a_field_out_of_sight_keeps_its_place(
    database: Database,
    schemas: Mapping[str, ObjectSchema],
    fields: Sequence[str],
    kept: Sequence[str],
    stored: Sequence[str],
) -> None:
    specs = {name: FieldSpec(name=name, label=name, type="string") for name in "ABC"}
    contact = replace(schemas["Contact"], fields=specs)
    with database.write() as session:
        selection.save(session, ADMIN, contact, fields, keep=kept)
    with database.read() as session:
        assert selection.load(session, "acme") == {"Contact": stored}
