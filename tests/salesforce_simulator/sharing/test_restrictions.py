"""Restriction rules hide rows whatever sharing shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import ObjectRights, User

from .conftest import People

Level = Callable[[User, str], str]
CONDITION = "Priority != 'High'"


@pytest.fixture(params=[True, False], ids=["private", "shared"])
def task(org: Org, people: People, request: pytest.FixtureRequest) -> str:
    """A Task of ``rep`` that the rule hides, in an org that restricts rows and in one that does
    not."""
    if not request.param:
        org.sharing.use(None)
    task = org.create(people.rep, "Task", {"Subject": "Call", "Priority": "High"})
    org.restrictions.set("Task", CONDITION)
    return task


def found(org: Org, user: User) -> int:
    return int(org.query(user, "SELECT COUNT() FROM Task")["totalSize"])


def test_a_row_outside_the_condition_is_hidden_even_from_its_owner(
    org: Org, people: People, task: str
) -> None:
    other = org.create(people.rep, "Task", {"Subject": "Mail", "Priority": "Normal"})
    soql = "SELECT Id FROM Task"
    assert [row["Id"] for row in org.query(people.rep, soql)["records"]] == [other]
    sosl = "FIND {Call OR Mail} IN ALL FIELDS RETURNING Task(Id)"
    assert [row["Id"] for row in org.search(people.rep, sosl)["searchRecords"]] == [other]
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.read(people.rep, "Task", task)
    with pytest.raises(OrgError, match="NOT_FOUND"):
        org.update(people.rep, "Task", task, {"Subject": "X"})


def test_view_all_and_modify_all_bypass_it(org: Org, people: People, task: str) -> None:
    assert (found(org, people.rep), found(org, people.auditor), found(org, people.admin)) == (
        0,
        1,
        1,
    )
    org.set_object_rights(people.rep, "Task", ObjectRights(view_all=True))
    assert found(org, people.rep) == 1


def test_what_a_user_may_do_with_a_row_ignores_it(
    org: Org, people: People, access: Level, task: str
) -> None:
    assert access(people.rep, task) == "All"
    soql = (
        "SELECT HasReadAccess FROM UserRecordAccess "
        f"WHERE UserId = '{people.rep.id}' AND RecordId = '{task}'"
    )
    assert org.query(people.rep, soql)["records"][0]["HasReadAccess"] is True


def test_it_can_be_ended(org: Org, people: People, task: str) -> None:
    org.restrictions.set("Task", None)
    assert found(org, people.rep) == 1


def test_a_hidden_row_is_no_lookup(org: Org, people: People) -> None:
    org.use_feature("shared_activities", {})
    task = org.create(people.rep, "Task", {"Subject": "Call", "Priority": "High"})
    contact = org.create(people.rep, "Contact", {"LastName": "Doe"})
    org.restrictions.set("Task", CONDITION)
    with pytest.raises(OrgError, match="INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"):
        org.create(people.rep, "TaskRelation", {"TaskId": task, "RelationId": contact})


def test_it_is_kept_in_the_database(tmp_path: object) -> None:
    database = f"{tmp_path}/org.sqlite"
    first = Org(database=database, clock=OrgClock(), name="A", sandbox=False)
    user = first.add_user(
        username="a@example.com", email="", last_name="A", permissions=frozenset({"api_enabled"})
    )
    first.create(user, "Task", {"Subject": "Call", "Priority": "High"})
    first.restrictions.set("Task", CONDITION)
    first.close()
    again = Org(database=database, clock=OrgClock(), name="A", sandbox=False)
    try:
        assert found(again, user) == 0
    finally:
        again.close()


def test_only_some_objects_have_such_rules_and_the_condition_has_to_fit(org: Org) -> None:
    with pytest.raises(ValueError, match="no restriction rules"):
        org.restrictions.set("Contact", "LastName != null")
    with pytest.raises(OrgError, match="INVALID_FIELD"):
        org.restrictions.set("Task", "Nothing__c = 'x'")
