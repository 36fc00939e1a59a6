"""The org's unique field for our Tasks comes and goes; no Task is ever created twice for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from keeping_plugin.errors import (
    Complaint,
    OutcomeUnclear,
    RecordRejected,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import SchemaLoad, SyncEntry, now
from keeping_plugin.services.schema import task_key
from keeping_plugin.types import Action, FieldSpec
from tests.services.delivery.house import JANE, House

pytestmark = pytest.mark.field_case("A17")

KEY = "Keeping_Key__c"
UNCLEAR = OutcomeUnclear("no answer", timed_out=True)


def add_field(house: House) -> None:
    task = house.salesforce.org.schemas["Task"]
    spec = FieldSpec(
        name=KEY, label="Key", type="string", length=80, createable=True, unique=True, custom=True
    )
    house.salesforce.org.schemas["Task"] = replace(task, fields={**task.fields, KEY: spec})
    house.salesforce.make_unique("Task", KEY)
    use_field(house, KEY)


def remove_field(house: House) -> None:
    task = house.salesforce.org.schemas["Task"]
    fields = {name: spec for name, spec in task.fields.items() if name != KEY}
    house.salesforce.org.schemas["Task"] = replace(task, fields=fields)
    for made in house.salesforce.rows("Task"):
        row = house.salesforce.org.row("Task", made["Id"])
        if row is not None:
            row.pop(KEY, None)


def use_field(house: House, field: str | None) -> None:
    """As the describe job does when it has found that."""
    with house.database.write() as session:
        task_key.keep(session, house.connection_id, field)


def unclear_task(house: House, *, written: bool) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR, after=written)
    house.drain()
    assert [state for state, _ in house.states()] == ["sending"]


def settle(house: House) -> None:
    for _ in range(4):
        house.pass_time(31)
        house.drain()


def change_user(house: House) -> None:
    other = house.salesforce.add_user("other@example.com")
    house.salesforce.user_id = other
    house.change(user_id=other)


def hide(house: House) -> None:
    """The user behind the connection now does not see the Task that the first one created."""
    task = house.salesforce.org.row("Task", house.tasks()[0]["Id"])
    assert task is not None
    task["CreatedById"] = "005000000000000AAA"


def assert_one_task(house: House) -> None:
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1
    assert house.entries()[0].sent_at is None


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_a_field_added_between_an_unclear_send_and_its_look_doubles_nothing(
    house: House, written: bool
) -> None:
    unclear_task(house, written=written)
    add_field(house)
    settle(house)
    assert_one_task(house)


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_a_field_lost_between_an_unclear_send_and_its_look_doubles_nothing(
    house: House, written: bool
) -> None:
    add_field(house)
    unclear_task(house, written=written)
    remove_field(house)
    settle(house)
    assert_one_task(house)


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_a_field_made_anew_between_an_unclear_send_and_its_look_doubles_nothing(
    house: House, written: bool
) -> None:
    add_field(house)
    unclear_task(house, written=written)
    remove_field(house)
    add_field(house)
    settle(house)
    assert_one_task(house)


def test_a_field_that_is_not_unique_any_more_doubles_nothing(house: House) -> None:
    add_field(house)
    unclear_task(house, written=True)
    house.salesforce.org.unique.clear()
    settle(house)
    assert_one_task(house)


@pytest.mark.parametrize("written", [True, False], ids=["written", "not written"])
def test_a_mark_of_a_worker_of_0_1_0_is_looked_for(house: House, written: bool) -> None:
    add_field(house)
    unclear_task(house, written=written)
    with house.database.write() as session:  # it knows nothing of the new columns
        session.execute(update(SyncEntry).values(sent_key_field=None, sent_key_at=None))
    settle(house)
    assert_one_task(house)


@pytest.mark.both_databases
def test_a_mark_of_a_worker_of_0_1_0_whose_task_came_late_is_a_duplicate_value(
    house: House,
) -> None:
    """Its commit is so late that no look sees it: only the field can tell."""
    add_field(house)
    unclear_task(house, written=True)
    with house.database.write() as session:
        session.execute(update(SyncEntry).values(sent_key_field=None, sent_key_at=None))
    late = house.salesforce.org.row("Task", house.tasks()[0]["Id"])
    assert late is not None
    late["CreatedDate"] = "2036-01-01T00:00:00.000+0000"
    house.pass_time(31)
    house.drain()
    assert_one_task(house)


def test_another_user_sends_again_only_what_carried_the_same_field(house: House) -> None:
    add_field(house)
    unclear_task(house, written=True)
    change_user(house)
    hide(house)
    settle(house)
    assert_one_task(house)


@pytest.mark.both_databases
def test_another_users_refused_second_send_leaves_the_first_mark(house: House) -> None:
    """Without the field nobody could tell any more, so nothing may be sent again."""
    add_field(house)
    unclear_task(house, written=True)
    first = house.salesforce.user_id
    change_user(house)
    hide(house)
    house.salesforce.refuse_rows(SalesforceUnavailable("locked"))
    house.pass_time(31)
    house.drain()
    (entry,) = house.entries()
    assert (entry.sent_user_id, entry.sent_at is not None) == (first, True)
    remove_field(house)
    settle(house)
    assert len(house.tasks()) == 1
    assert [state for state, _ in house.states()] == ["sending"]


@pytest.mark.parametrize(
    "refusal",
    [
        SchemaStale(
            complaints=(
                Complaint("INVALID_FIELD", f"No such column '{KEY}' on sobject of type Task"),
            ),
            object="Task",
            field=KEY,
        ),
        RecordRejected(
            complaints=(
                Complaint(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {KEY}. Please check the security settings of "
                    "this field and verify that it is read/write for your profile.",
                    (KEY,),
                ),
            )
        ),
    ],
    ids=["gone", "not to be written"],
)
@pytest.mark.parametrize("whole", [False, True], ids=["a row", "the call"])
def test_tasks_are_sent_without_a_field_that_is_lost_in_the_same_job(
    house: House, refusal: SchemaStale | RecordRejected, whole: bool
) -> None:
    add_field(house)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for number in range(3):
        house.owe(f"m{number}", Action.LOG_TASK)
    if whole:
        house.salesforce.fail("create_many", refusal)
    else:
        for _ in range(3):
            house.salesforce.refuse_rows(refusal)
    house.drain()
    house.drain()
    assert house.states() == [("done", "logged")] * 3
    assert len(house.tasks()) == 3
    assert all(KEY not in task or task[KEY] is None for task in house.tasks())
    assert {entry.retries for entry in house.entries()} == {0}
    assert house.connection().activity_key_field is None
    with house.database.read() as session:
        load = session.scalars(select(SchemaLoad)).one()
        assert load.due_at is not None
        assert load.due_at <= now(session)


def test_the_mark_says_in_which_field_the_marker_travels(house: House) -> None:
    marks: list[str | None] = []

    def see() -> None:
        marks.extend(entry.key_field_sent for entry in house.entries() if entry.sent_at)

    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.meanwhile("create_many", see)
    house.drain()
    add_field(house)
    house.owe("m2", Action.LOG_TASK)
    house.salesforce.meanwhile("create_many", see)
    house.drain()
    assert marks == ["", KEY]
