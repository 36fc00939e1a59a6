"""The cached describe: read once with progress, refreshed by itself, its changes told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from keeping_plugin.errors import ConnectionLost, SalesforceUnavailable
from keeping_plugin.models import Database, SchemaDocument, SchemaLoad
from keeping_plugin.objects import DESCRIBED, OBJECT_NAMES
from keeping_plugin.services.admin.overview import schema_state
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe as schema
from keeping_plugin.services.schema.changes import Kind
from keeping_plugin.types import FieldSpec, ObjectSchema
from tests.fake_salesforce import FakeGateway, FakeSalesforce
from tests.services.company import ACME, OTHER, Company
from tests.services.runtimes import make_runtime


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


@pytest.fixture
def salesforce() -> FakeSalesforce:
    return FakeSalesforce()


@pytest.fixture
def parts(company: Company, salesforce: FakeSalesforce) -> Runtime:
    return make_runtime(company.database, times=company.times, gateways=salesforce)


def load(company: Company) -> SchemaLoad:
    with company.database.read() as session:
        return session.scalars(select(SchemaLoad)).one()


def make_due(company: Company) -> None:
    with company.database.write() as session:
        session.execute(update(SchemaLoad).values(due_at=datetime.now(UTC) - timedelta(seconds=1)))


def describes(salesforce: FakeSalesforce) -> int:
    return [call.verb for call in salesforce.calls].count("describe")


def change(salesforce: FakeSalesforce, object: str, **fields: FieldSpec | None) -> None:
    """An administrator's change in Setup: None deletes a field."""
    found = salesforce.org.schemas[object]
    left = {name: spec for name, spec in found.fields.items() if fields.get(name, spec) is not None}
    left |= {name: spec for name, spec in fields.items() if spec is not None}
    salesforce.org.schemas[object] = replace(found, fields=left)
    salesforce.metadata_changed = "Thu, 7 May 2026 09:00:00 GMT"


def test_the_first_describe_reads_object_by_object_and_tells_how_far_it_is(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    seen: list[tuple[int, int, str]] = []

    class Watched(FakeGateway):
        def describe(self, objects: Sequence[str], **options: Any) -> Any:
            with company.database.read() as session:
                load = schema_state(session, company.row()).load
            assert load is not None
            seen.append((load.done, load.total, load.current_object))
            return super().describe(objects, **options)

    watched = replace(parts, gateways=lambda *_, **__: Watched(salesforce, salesforce.user_id))
    schema.describe(watched, company.row().id)
    assert seen == [(number, len(DESCRIBED), name) for number, name in enumerate(DESCRIBED)]
    with company.database.read() as session:
        state = schema_state(session, company.row())
        assert tuple(schema.schemas(session, company.row().id)) == DESCRIBED
    assert state.load is not None
    assert (state.running, state.stuck, state.load.failed) == (False, False, "")
    assert [summary.name for summary in state.objects] == list(OBJECT_NAMES)
    contact = state.objects[0]
    assert contact.fields == len(salesforce.org.schemas["Contact"].fields)
    assert state.changes == ()


def test_what_was_read_is_what_the_org_has(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    with company.database.read() as session:
        cached = schema.schemas(session, company.row().id)
    for name, wanted in salesforce.org.schemas.items():
        if name in cached:
            assert dict(cached[name].fields) == dict(wanted.fields)
    assert company.row().task_status == "Completed"


@pytest.mark.field_case("A13")
def test_the_time_zone_of_the_connecting_user_is_read_with_the_schema(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    """0.1.0 has asked for none, and users move."""
    assert company.row().timezone is None
    for zone in ("America/Los_Angeles", "Asia/Tokyo"):
        salesforce.update("User", salesforce.user_id, TimeZoneSidKey=zone)
        make_due(company)
        schema.describe(parts, company.row().id)
        assert company.row().timezone == zone


def test_a_describe_that_is_not_due_asks_nothing(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    asked = salesforce.used
    schema.describe(parts, company.row().id)
    assert salesforce.used == asked


@pytest.mark.both_databases
def test_a_refresh_asks_for_all_at_once_and_only_for_what_was_modified(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    before = describes(salesforce)
    make_due(company)
    schema.describe(parts, company.row().id)
    assert describes(salesforce) - before == 2  # the five objects, and Task
    due = load(company).due_at
    assert due is not None
    assert due > datetime.now(UTC) + timedelta(hours=5)


def test_what_changed_is_told_with_what_it_affects(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    contact = salesforce.org.schemas["Contact"]
    change(
        salesforce,
        "Contact",
        Phone=None,
        Title=replace(contact.fields["Title"], type="picklist"),
        Department=replace(contact.fields["Department"], nillable=False),
        Shoe_Size__c=FieldSpec(name="Shoe_Size__c", label="Shoe size", type="double", custom=True),
    )
    make_due(company)
    schema.describe(parts, company.row().id)
    with company.database.read() as session:
        state = schema_state(session, company.row())
    told = {(item.object, item.change.field, item.change.kind) for item in state.changes}
    assert told == {
        ("Contact", "Phone", Kind.REMOVED),
        ("Contact", "Title", Kind.RETYPED),
        ("Contact", "Department", Kind.REQUIRED),
        ("Contact", "Shoe_Size__c", Kind.NEW),
    }


@pytest.mark.both_databases
def test_a_refresh_that_finds_nothing_keeps_telling_the_last_changes(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    change(salesforce, "Lead", Phone=None)
    for _ in range(2):
        make_due(company)
        schema.describe(parts, company.row().id)
    with company.database.read() as session:
        assert set(schema.changes(session, company.row().id)) == {"Lead"}


def test_an_object_that_the_user_loses_sight_of_is_told_and_comes_back(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    hidden: ObjectSchema = salesforce.org.schemas.pop("Case")
    salesforce.metadata_changed = "Thu, 7 May 2026 09:00:00 GMT"
    make_due(company)
    schema.describe(parts, company.row().id)
    with company.database.read() as session:
        assert "Case" not in schema.schemas(session, company.row().id)
        assert schema.changes(session, company.row().id)["Case"][1][0].kind is Kind.HIDDEN
    salesforce.org.schemas["Case"] = hidden
    salesforce.metadata_changed = "Fri, 8 May 2026 09:00:00 GMT"
    make_due(company)
    schema.describe(parts, company.row().id)
    with company.database.read() as session:
        assert "Case" in schema.schemas(session, company.row().id)
        assert schema.changes(session, company.row().id)["Case"][1][0].kind is Kind.SHOWN


@pytest.mark.both_databases
def test_no_answer_keeps_what_is_at_hand_and_tries_again(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    schema.describe(parts, company.row().id)
    salesforce.fail("describe", SalesforceUnavailable("away"))
    make_due(company)
    schema.describe(parts, company.row().id)
    failed = load(company)
    assert failed.failed == "unavailable"
    assert failed.due_at is not None
    assert failed.due_at < datetime.now(UTC) + timedelta(minutes=6)
    with company.database.read() as session:
        assert tuple(schema.schemas(session, company.row().id)) == DESCRIBED
        assert schema.changes(session, company.row().id) == {}


def test_a_first_describe_that_broke_off_begins_again(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    salesforce.fail("describe", SalesforceUnavailable("away"))
    schema.describe(parts, company.row().id)
    make_due(company)
    schema.describe(parts, company.row().id)
    with company.database.read() as session:
        state = schema_state(session, company.row())
    assert state.load is not None
    assert state.load.failed == ""
    assert len(state.objects) == len(OBJECT_NAMES)


def test_a_lost_connection_is_not_asked_again_until_the_next_login(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    salesforce.fail("describe", ConnectionLost("expired"))
    schema.describe(parts, company.row().id)
    assert load(company).due_at is None
    company.sign_in(number=2)
    schema.describe(parts, company.row().id)
    assert load(company).failed == ""


@pytest.mark.both_databases
def test_after_a_login_everything_is_asked_anew(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    """Another user sees other fields, though nothing was modified."""
    schema.describe(parts, company.row().id)
    fields = dict(salesforce.org.schemas["Contact"].fields)
    del fields["Phone"]
    salesforce.org.schemas["Contact"] = replace(salesforce.org.schemas["Contact"], fields=fields)
    company.sign_in(number=2)
    schema.describe(parts, company.row().id)
    with company.database.read() as session:
        assert "Phone" not in schema.schemas(session, company.row().id)["Contact"].fields


@pytest.mark.parametrize("meanwhile", ["another user", "taken over", "other org"])
def test_a_describe_that_is_overtaken_keeps_nothing_more(
    company: Company, parts: Runtime, salesforce: FakeSalesforce, meanwhile: str
) -> None:
    """It began with the grant of a user who sees more than the one that is connected now."""
    schema.describe(parts, company.row().id)
    make_due(company)
    more, row_id = salesforce.org.schemas["Contact"], company.row().id
    fewer = replace(more, fields={n: f for n, f in more.fields.items() if n != "Phone"})

    def meanwhile_happens() -> None:
        if meanwhile == "another user":
            company.sign_in(number=2)
        elif meanwhile == "taken over":  # its lease ran out
            make_due(company)
        else:
            with company.database.write() as session:
                session.execute(delete(SchemaDocument))
                session.execute(delete(SchemaLoad))
        salesforce.org.schemas["Contact"] = fewer
        salesforce.metadata_changed = "Thu, 7 May 2026 09:00:00 GMT"
        schema.describe(parts, row_id)

    class Slow:
        """Its answer is on its way while all that happens."""

        def __init__(self, gateway: Any) -> None:
            self._gateway = gateway

        def describe(self, objects: Sequence[str], **_: object) -> Any:
            old = self._gateway.describe(objects)
            if salesforce.org.schemas["Contact"] is more:  # once
                meanwhile_happens()
            return old

        def __getattr__(self, name: str) -> Any:
            return getattr(self._gateway, name)

    def slow(connection_id: int, *, deadline: float | None = None) -> Any:
        return Slow(salesforce(connection_id, deadline=deadline))

    schema.describe(replace(parts, gateways=slow), row_id)
    with company.database.read() as session:
        found = schema.schemas(session, row_id)
        ended = session.scalars(select(SchemaLoad.finished_at)).all()
    if meanwhile == "other org":
        assert (found, ended) == ({}, [])
    else:
        assert "Phone" not in found["Contact"].fields
        assert None not in ended


def test_refresh_is_asked_for_once_while_one_is_due_or_running(
    company: Company, parts: Runtime
) -> None:
    row_id = company.row().id
    assert not schema.refresh_soon(company.database, row_id)
    schema.describe(parts, row_id)
    assert schema.refresh_soon(company.database, row_id)
    assert not schema.refresh_soon(company.database, row_id)


def test_a_killed_describe_is_due_again_by_itself(company: Company, parts: Runtime) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> Any:
        raise Killed

    with pytest.raises(Killed):
        schema.describe(replace(parts, gateways=killed), company.row().id)
    due = load(company).due_at
    assert due is not None
    assert due < datetime.now(UTC) + timedelta(minutes=4)
    make_due(company)
    schema.describe(parts, company.row().id)
    assert load(company).failed == ""


@pytest.mark.both_databases
def test_a_describe_nobody_begins_is_said(company: Company) -> None:
    with company.database.read() as session:
        assert not schema_state(session, company.row()).stuck
    with company.database.write() as session:
        session.execute(update(SchemaLoad).values(due_at=datetime.now(UTC) - timedelta(minutes=1)))
    with company.database.read() as session:
        assert schema_state(session, company.row()).stuck


def test_the_unique_field_for_our_tasks_is_found(
    company: Company, parts: Runtime, salesforce: FakeSalesforce
) -> None:
    key = FieldSpec(
        name="Keeping_Key__c",
        label="Keeping key",
        type="string",
        length=80,
        unique=True,
        createable=True,
        custom=True,
    )
    change(salesforce, "Task", Keeping_Key__c=key, Foreign_Id__c=replace(key, name="Foreign_Id__c"))
    schema.describe(parts, company.row().id)
    assert company.row().activity_key_field == "Keeping_Key__c"
    change(salesforce, "Task", Keeping_Key__c=replace(key, createable=False))
    salesforce.metadata_changed = "Sat, 9 May 2026 09:00:00 GMT"
    make_due(company)
    schema.describe(parts, company.row().id)
    assert company.row().activity_key_field is None


@pytest.mark.both_databases
def test_documents_belong_to_one_connection(company: Company, parts: Runtime) -> None:
    schema.describe(parts, company.row().id)
    company.sign_in(OTHER)
    with company.database.read() as session:
        owners = set(session.scalars(select(SchemaDocument.connection_id)))
    assert owners == {company.row(ACME).id}
