"""What the automations send is made from the describe: what the org does not take is left out where
it can be missed, and told beforehand where it cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.mail.task import task_text
from keeping_plugin.services.schema.sending import PAYLOADS, blocked, obstacles, sendable
from keeping_plugin.types import Action, Address, Direction, Message, ObjectSchema
from keeping_plugin.types.describe_result import schema_of
from tests.forms.samples import schema, spec, values

MESSAGE = Message(
    company_id="acme",
    mailbox_id="support",
    conversation_id="c-1",
    message_id="m-1",
    direction=Direction.INBOUND,
    opens_conversation=True,
    customer=Address("jane@customer.example", "Jane Doe"),
    sender=None,
    recipients=(),
    sent_at=datetime(2026, 5, 6, 9, tzinfo=UTC),
    text="Hello",
)
TASK = {**task_text(MESSAGE, conversation=None, marker="[k-1]").fields, "Status": "Completed"}
CONTACT = contact_fields(Address("jane@customer.example", "Jane Doe"))


def org(**changed: dict[str, Any]) -> dict[str, ObjectSchema]:
    """The package's describes with some fields said otherwise; None takes one away."""
    made = {"Contact": schema("Contact"), "Task": schema("Task")}
    for name, fields in changed.items():
        known = dict(made[name].fields)
        for field, said in fields.items():
            if said is None:
                del known[field]
            elif field in known:
                known[field] = replace(known[field], **said)
            else:
                known[field] = spec(**({"name": field} | said))
        made[name] = replace(made[name], fields=known)
    return made


def told(schemas: dict[str, ObjectSchema], action: Action) -> str:
    return " ".join(one.sentence for one in blocked(schemas, action))


def test_an_org_as_salesforce_ships_it_takes_everything() -> None:
    for action in Action:
        assert obstacles(org(), action) == ()
    assert sendable(org()["Task"], TASK, Action.LOG_TASK) == TASK
    assert sendable(org()["Contact"], CONTACT, Action.ADD_CONTACT) == CONTACT


def test_recorded_orgs_take_everything(shared: Path) -> None:
    recorded = shared / "salesforce" / "describe"
    for path in (*recorded.glob("*/Contact.json"), *recorded.glob("assembled-task/Task.json")):
        found = schema_of(json.loads(path.read_text("utf-8")), path.stem)
        # One recording keeps the fields of an object and nothing about the object itself.
        schemas = {path.stem: replace(found, createable=True)}
        action = Action.ADD_CONTACT if path.stem == "Contact" else Action.LOG_TASK
        assert obstacles(schemas, action) == (), path


def test_what_is_held_against_the_describe_is_all_that_is_sent() -> None:
    for action, fields in ((Action.ADD_CONTACT, CONTACT), (Action.LOG_TASK, TASK)):
        payload = PAYLOADS[action]
        assert {*payload.needed, *payload.optional} - {"WhoId"} == set(fields)


REQUIRED = {"nillable": False, "custom": True, "label": "Order number"}


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(
    ("action", "object", "field"),
    [
        (Action.ADD_CONTACT, "Contact", {"type": "string", "length": 20, **REQUIRED}),
        (Action.ADD_CONTACT, "Contact", {"type": "reference", **REQUIRED}),
        (Action.ADD_CONTACT, "Contact", {"type": "picklist", "picklist": values("a"), **REQUIRED}),
        (Action.LOG_TASK, "Task", {"type": "double", **REQUIRED}),
        (Action.LOG_TASK, "Task", {"type": "picklist", "picklist": values("a", "b"), **REQUIRED}),
    ],
)
def test_a_field_that_the_org_requires_blocks_with_its_label_its_name_and_the_place_in_setup(
    action: Action, object: str, field: dict[str, Any]
) -> None:
    schemas = org(**{object: {"Order__c": field}})
    sentence = told(schemas, action)
    assert f"“Order number” ({object}.Order__c)" in sentence
    place = "Activity" if object == "Task" else "Contact"
    assert f"Object Manager, {place}, Fields & Relationships" in sentence
    (other,) = set(Action) - {action}
    assert blocked(schemas, other) == ()


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(
    "fills_itself",
    [
        {"defaulted_on_create": True},
        {"default_value": "none"},
        {"nillable": True},
        {"createable": False},
        {"type": "picklist", "picklist": (replace(values("a")[0], default=True),)},
    ],
    ids=["defaulted", "a default value", "not required", "not writable", "a default entry"],
)
def test_a_field_that_salesforce_fills_in_blocks_nothing(fills_itself: dict[str, Any]) -> None:
    field = {"type": "string", **REQUIRED, **fills_itself}
    schemas = org(Task={"Order__c": field}, Contact={"Order__c": field})
    assert [blocked(schemas, action) for action in Action] == [(), ()]


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(
    ("name", "missed"),
    [
        ("Description", "messages are logged without their text"),
        ("Status", "every logged message stays an open task"),
        ("ActivityDate", "logged messages have no date"),
        ("TaskSubtype", "logged messages look like tasks"),
        ("Priority", "the org's default priority"),
    ],
)
@pytest.mark.parametrize("how", [{"createable": False}, None], ids=["locked", "hidden"])
def test_an_optional_field_that_may_not_be_written_is_left_out_and_told(
    name: str, missed: str, how: dict[str, Any] | None
) -> None:
    schemas = org(Task={name: how})
    (found,) = obstacles(schemas, Action.LOG_TASK)
    assert not found.blocks
    assert f"Task.{name}" in found.finding
    assert missed in found.finding
    assert "field-level security" in found.mend
    sent = sendable(schemas["Task"], TASK, Action.LOG_TASK)
    assert sent == {field: value for field, value in TASK.items() if field != name}


@pytest.mark.field_case("A9")
@pytest.mark.parametrize(
    ("action", "object", "name"),
    [
        (Action.ADD_CONTACT, "Contact", "Email"),
        (Action.ADD_CONTACT, "Contact", "LastName"),
        (Action.LOG_TASK, "Task", "Subject"),
        (Action.LOG_TASK, "Task", "WhoId"),
    ],
)
@pytest.mark.parametrize("how", [{"createable": False}, None], ids=["locked", "hidden"])
def test_a_needed_field_that_may_not_be_written_blocks(
    action: Action, object: str, name: str, how: dict[str, Any] | None
) -> None:
    schemas = org(**{object: {name: how}})
    assert f"{object}.{name}" in told(schemas, action)


@pytest.mark.parametrize("action", Action)
def test_an_object_that_may_not_be_created_blocks(action: Action) -> None:
    name = PAYLOADS[action].object
    schemas = {**org(), name: replace(org()[name], createable=False)}
    assert f"create access to {name}" in told(schemas, action)
    del schemas[name]
    assert f"create access to {name}" in told(schemas, action)


@pytest.mark.field_case("A9")
@pytest.mark.parametrize("name", ["Status", "TaskSubtype", "Priority"])
def test_a_list_value_that_the_org_does_not_have_is_left_out(name: str) -> None:
    sent = sendable(org(Task={name: {"picklist": values("Other")}})["Task"], TASK, Action.LOG_TASK)
    assert sent == {field: value for field, value in TASK.items() if field != name}


@pytest.mark.field_case("A9")
def test_a_retired_list_value_is_left_out() -> None:
    retired = (replace(values("Normal")[0], active=False), *values("P1", "P2"))
    sent = sendable(org(Task={"Priority": {"picklist": retired}})["Task"], TASK, Action.LOG_TASK)
    assert "Priority" not in sent


@pytest.mark.field_case("A9")
def test_a_list_that_must_be_filled_in_gets_the_first_value_that_the_org_offers() -> None:
    priority = {"picklist": values("P1", "P2"), "defaulted_on_create": False, "nillable": False}
    schemas = org(Task={"Priority": priority})
    assert blocked(schemas, Action.LOG_TASK) == ()
    assert sendable(schemas["Task"], TASK, Action.LOG_TASK)["Priority"] == "P1"


@pytest.mark.field_case("A9")
def test_a_first_name_that_may_not_be_written_is_left_out() -> None:
    schemas = org(Contact={"FirstName": {"createable": False}})
    sent = sendable(schemas["Contact"], CONTACT, Action.ADD_CONTACT)
    assert sent == {"LastName": "Doe", "Email": "jane@customer.example"}


def test_everything_is_sent_while_nothing_is_described() -> None:
    assert sendable(None, TASK, Action.LOG_TASK) == TASK


@pytest.mark.field_case("A10")
@pytest.mark.parametrize("object", ["Contact", "Lead"])
def test_addresses_that_cannot_be_filtered_block_adding_and_not_logging(object: str) -> None:
    schemas = {**org(), "Lead": schema("Lead")}
    fields = dict(schemas[object].fields)
    fields["Email"] = replace(fields["Email"], filterable=False)
    schemas[object] = replace(schemas[object], fields=fields)
    sentence = told(schemas, Action.ADD_CONTACT)
    assert "encrypts email addresses" in sentence
    assert "nobody is added automatically" in sentence
    assert blocked(schemas, Action.LOG_TASK) == ()
    (advice,) = obstacles(schemas, Action.LOG_TASK)
    assert "once the search has indexed them" in advice.finding
