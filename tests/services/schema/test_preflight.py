"""Each line passes, fails with what mends it, or says that Salesforce did not answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from keeping_plugin.errors import ConnectionLost, PermissionDenied, SalesforceUnavailable
from keeping_plugin.models import Connection, Database, FieldSelection, UndoRun
from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.services.schema import preflight
from keeping_plugin.services.schema.preflight import Line, Outcome
from keeping_plugin.types import FieldSpec
from tests.fake_salesforce import FakeSalesforce
from tests.services.company import Company
from tests.services.runtimes import make_runtime

KEY = FieldSpec(
    name="Keeping_Key__c",
    label="Keeping key",
    type="string",
    length=80,
    unique=True,
    createable=True,
    custom=True,
)


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


@pytest.fixture
def salesforce() -> FakeSalesforce:
    return FakeSalesforce()


def look(company: Company, salesforce: FakeSalesforce) -> dict[str, Line]:
    parts = make_runtime(company.database, times=company.times, gateways=salesforce)
    found = preflight.run(parts, company.row().id)
    assert preflight.last(company.row()) == found  # what was found is kept for the page
    return {line.code: line for line in found.lines}


def test_a_well_kept_org_passes_every_line(company: Company, salesforce: FakeSalesforce) -> None:
    task = salesforce.org.schemas["Task"]
    salesforce.org.schemas["Task"] = replace(task, fields={**task.fields, KEY.name: KEY})
    lines = look(company, salesforce)
    assert {line.outcome for line in lines.values()} == {Outcome.PASSED}
    assert list(lines) == [
        "api_enabled",
        "refresh_token",
        "api_allowance",
        *(f"rights_{name.lower()}" for name in OBJECT_NAMES),
        "hidden_fields",
        "rights_task",
        "sends_add_contact",
        "sends_log_task",
        "closed_task_status",
        "activity_key",
    ]
    kept = preflight.last(company.row())
    assert kept is not None
    assert kept.passed


def withhold(object: str, **rights: bool) -> Callable[[FakeSalesforce], None]:
    def change(salesforce: FakeSalesforce) -> None:
        found = salesforce.org.schemas[object]
        salesforce.org.schemas[object] = replace(found, **rights)  # type: ignore[arg-type]

    return change


def hide_object(salesforce: FakeSalesforce) -> None:
    del salesforce.org.schemas["Case"]


def hide_email(salesforce: FakeSalesforce) -> None:
    found = salesforce.org.schemas["Contact"]
    fields = {name: spec for name, spec in found.fields.items() if name != "Email"}
    salesforce.org.schemas["Contact"] = replace(found, fields=fields)


def open_every_status(salesforce: FakeSalesforce) -> None:
    salesforce.org.statuses = dict.fromkeys(salesforce.org.statuses, False)


def use_up(salesforce: FakeSalesforce) -> None:
    salesforce.used = int(salesforce.limit * 0.9)


@pytest.mark.parametrize(
    ("change", "code", "finding", "mend"),
    [
        (withhold("Lead", createable=False), "rights_lead", "cannot create", "permission set"),
        (
            withhold("Account", createable=False, updateable=False),
            "rights_account",
            "cannot create and edit",
            "create and edit access to Account",
        ),
        (withhold("Contact", queryable=False), "rights_contact", "cannot read", "read access"),
        (withhold("Task", createable=False), "rights_task", "cannot create", "Task"),
        (hide_object, "rights_case", "cannot see the object Case", "read, create and edit"),
        (hide_email, "hidden_fields", "Contact.Email", "field-level read access"),
        (open_every_status, "closed_task_status", "No Task status", "Task Status as closed"),
        (use_up, "api_allowance", "requests used", "larger allowance"),
    ],
)
def test_what_is_missing_fails_with_the_sentence_that_mends_it(
    company: Company,
    salesforce: FakeSalesforce,
    change: Callable[[FakeSalesforce], None],
    code: str,
    finding: str,
    mend: str,
) -> None:
    change(salesforce)
    lines = look(company, salesforce)
    assert lines[code].outcome is Outcome.FAILED
    assert finding in lines[code].finding
    assert mend in lines[code].mend
    failed = {line.code for line in lines.values() if line.outcome is Outcome.FAILED}
    # Without its address nobody can be added either, which is a line of its own.
    assert failed == ({code, "sends_add_contact"} if change is hide_email else {code})


def test_a_task_need_not_be_editable(company: Company, salesforce: FakeSalesforce) -> None:
    withhold("Task", updateable=False)(salesforce)
    assert look(company, salesforce)["rights_task"].outcome is Outcome.PASSED


@pytest.mark.both_databases
def test_a_chosen_field_that_is_hidden_is_named(
    company: Company, salesforce: FakeSalesforce
) -> None:
    with company.database.write() as session:
        session.add(FieldSelection(company_id="acme", object="Lead", fields=["Secret__c"]))
    assert "Lead.Secret__c" in look(company, salesforce)["hidden_fields"].finding


@pytest.mark.both_databases
def test_a_closed_api_fails_at_once(company: Company, salesforce: FakeSalesforce) -> None:
    salesforce.fail("limits", PermissionDenied("The REST API is not enabled"))
    lines = look(company, salesforce)
    assert list(lines) == ["api_enabled"]
    assert lines["api_enabled"].outcome is Outcome.FAILED
    assert "API Enabled" in lines["api_enabled"].mend


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("limits", "api_enabled"),
        ("describe", "object_rights"),
        ("closed_task_status", "closed_task_status"),
    ],
)
def test_no_answer_is_never_called_missing(
    company: Company, salesforce: FakeSalesforce, verb: str, code: str
) -> None:
    salesforce.fail(verb, SalesforceUnavailable("away"), times=None)
    lines = look(company, salesforce)
    assert lines[code].outcome is Outcome.UNKNOWN
    assert not [line for line in lines.values() if line.outcome is Outcome.FAILED]
    kept = preflight.last(company.row())
    assert kept is not None
    assert not kept.passed


def test_a_lost_connection_is_an_error_and_no_finding(
    company: Company, salesforce: FakeSalesforce
) -> None:
    salesforce.fail("limits", ConnectionLost("expired"))
    with pytest.raises(ConnectionLost):
        look(company, salesforce)
    assert preflight.last(company.row()) is None


@pytest.mark.both_databases
def test_a_login_without_refresh_token_is_told(
    company: Company, salesforce: FakeSalesforce
) -> None:
    with company.database.write() as session:
        row = session.get(Connection, company.row().id)
        assert row is not None
        row.scope = "api openid"
    assert look(company, salesforce)["refresh_token"].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("key", "mend"),
    [
        (replace(KEY, unique=False), "Do not allow duplicate values"),
        (replace(KEY, length=40), "at least 80 characters"),
        (replace(KEY, createable=False), "field-level security"),
        (replace(KEY, type="double"), "plain text field"),
    ],
)
def test_an_unfit_key_field_is_advice_and_says_what_to_change(
    company: Company, salesforce: FakeSalesforce, key: FieldSpec, mend: str
) -> None:
    task = salesforce.org.schemas["Task"]
    salesforce.org.schemas["Task"] = replace(task, fields={**task.fields, key.name: key})
    line = look(company, salesforce)["activity_key"]
    assert line.outcome is Outcome.ADVICE
    assert mend in line.mend


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(
    ("object", "code"), [("Contact", "sends_add_contact"), ("Task", "sends_log_task")]
)
def test_a_field_that_an_automation_would_have_to_fill_in_fails_its_line(
    company: Company, salesforce: FakeSalesforce, object: str, code: str
) -> None:
    required = replace(KEY, name="Order__c", label="Order number", unique=False, nillable=False)
    found = salesforce.org.schemas[object]
    salesforce.org.schemas[object] = replace(found, fields={**found.fields, "Order__c": required})
    lines = look(company, salesforce)
    assert lines[code].outcome is Outcome.FAILED
    assert f"“Order number” ({object}.Order__c)" in lines[code].finding
    assert "default value or make it optional" in lines[code].mend
    kept = preflight.last(company.row())
    assert kept is not None
    assert not kept.passed


@pytest.mark.field_case("A9")
def test_what_is_left_out_of_a_task_is_said_and_fails_nothing(
    company: Company, salesforce: FakeSalesforce
) -> None:
    task = salesforce.org.schemas["Task"]
    locked = replace(task.fields["Description"], createable=False)
    fields = {**task.fields, "Description": locked}
    salesforce.org.schemas["Task"] = replace(task, fields=fields)
    line = look(company, salesforce)["sends_log_task"]
    assert line.outcome is Outcome.ADVICE
    assert "Task.Description" in line.finding
    assert "without their text" in line.finding


@pytest.mark.field_case("A10")
def test_encrypted_addresses_are_said_plainly(company: Company, salesforce: FakeSalesforce) -> None:
    contact = salesforce.org.schemas["Contact"]
    email = replace(contact.fields["Email"], filterable=False)
    salesforce.org.schemas["Contact"] = replace(contact, fields={**contact.fields, "Email": email})
    lines = look(company, salesforce)
    assert lines["sends_add_contact"].outcome is Outcome.FAILED
    assert "encrypts email addresses" in lines["sends_add_contact"].finding
    assert lines["sends_log_task"].outcome is Outcome.ADVICE


def test_the_right_to_delete_is_asked_for_only_where_undo_was_used(
    company: Company, salesforce: FakeSalesforce
) -> None:
    contact = salesforce.org.schemas["Contact"]
    salesforce.org.schemas["Contact"] = replace(contact, deletable=False)
    assert "rights_delete" not in look(company, salesforce)
    with company.database.write() as session:
        row = company.row()
        session.add(
            UndoRun(
                connection_id=row.id,
                epoch=row.epoch,
                company_id=row.company_id,
                chosen_by="domain",
                value="acme.example",
                started_by="ada",
                started_at=row.connected_at,
            )
        )
    line = look(company, salesforce)["rights_delete"]
    assert line.outcome is Outcome.ADVICE
    assert "give the user delete access to Contact" in line.mend
    salesforce.org.schemas["Contact"] = contact
    assert look(company, salesforce)["rights_delete"].outcome is Outcome.PASSED
