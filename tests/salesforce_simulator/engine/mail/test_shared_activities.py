"""Shared Activities: several people on one Task (REFERENCE-2 section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.org import Org
from salesforce_simulator.results import User

from ..conftest import OrgMaker
from .conftest import refused, rows

TASK = "SELECT TaskWhoIds, WhoId, WhoCount, WhatCount FROM Task"
RELATED = "SELECT RelationId, IsWhat FROM TaskRelation ORDER BY Id"


@pytest.fixture
def org(org: Org) -> Org:
    org.use_feature("shared_activities", {})
    return org


@pytest.fixture
def people(org: Org, ann: User) -> list[str]:
    """Three Contacts."""
    return [org.create(ann, "Contact", {"LastName": name}) for name in ("A", "B", "C")]


def task(org: Org, user: User, **fields: Any) -> str:
    return org.create(user, "Task", {"Subject": "x", **fields})


def test_an_org_has_none_until_it_is_told_to(make_org: OrgMaker) -> None:
    plain = make_org()
    ann = plain.add_user(username="a@example.com", email="a@example.com", last_name="A")
    names = {field["name"] for field in plain.describe(ann, "Task")["fields"]}
    assert "TaskWhoIds" not in names
    assert "TaskRelation" not in plain.object_names(ann)


def test_describe_shows_that_it_is_on(org: Org, ann: User) -> None:
    fields = {field["name"]: field for field in org.describe(ann, "Task")["fields"]}
    assert (fields["TaskWhoIds"]["createable"], fields["TaskWhoIds"]["updateable"]) == (True, True)
    described = org.describe(ann, "TaskRelation")
    operations = ("createable", "deletable", "updateable", "undeletable", "triggerable")
    assert [described[one] for one in operations] == [True, True, False, False, False]
    assert described["keyPrefix"] == "0RT"


def test_tasks_that_are_there_get_their_relations(make_org: OrgMaker) -> None:  # assumed
    org = make_org()
    ann = org.add_user(username="a@example.com", email="a@example.com", last_name="A")
    person = org.create(ann, "Contact", {"LastName": "Doe"})
    task(org, ann, WhoId=person)
    org.use_feature("shared_activities", {})
    org.use_feature("shared_activities", {})
    assert rows(org, ann, TASK)[0]["TaskWhoIds"] == [person]
    assert rows(org, ann, RELATED) == [{"RelationId": person, "IsWhat": False}]


def test_the_first_of_the_list_is_the_person_of_the_task(
    org: Org, ann: User, people: list[str], account: str
) -> None:
    task(org, ann, TaskWhoIds=people, WhatId=account)
    assert rows(org, ann, TASK) == [
        {"TaskWhoIds": people, "WhoId": people[0], "WhoCount": 3, "WhatCount": 1}
    ]
    assert rows(org, ann, RELATED) == [
        *({"RelationId": person, "IsWhat": False} for person in people),
        {"RelationId": account, "IsWhat": True},
    ]


def test_a_single_person_is_a_list_of_one(org: Org, ann: User, people: list[str]) -> None:
    task(org, ann, WhoId=people[1])
    assert rows(org, ann, TASK)[0]["TaskWhoIds"] == [people[1]]
    assert len(rows(org, ann, RELATED)) == 1


def test_another_who_replaces_the_first(org: Org, ann: User, people: list[str]) -> None:  # assumed
    made = task(org, ann, TaskWhoIds=people[:2])
    org.update(ann, "Task", made, {"WhoId": people[2]})
    assert rows(org, ann, TASK)[0]["TaskWhoIds"] == [people[2], people[1]]


def test_null_removes_everybody(org: Org, ann: User, people: list[str]) -> None:
    made = task(org, ann, TaskWhoIds=people)
    org.update(ann, "Task", made, {"TaskWhoIds": None})
    assert rows(org, ann, TASK)[0] == {
        "TaskWhoIds": None,
        "WhoId": None,
        "WhoCount": 0,
        "WhatCount": 0,
    }
    assert rows(org, ann, RELATED, all_rows=True) == []


def test_at_most_fifty_contacts_or_one_lead(org: Org, ann: User, leo: str) -> None:
    many = [org.create(ann, "Contact", {"LastName": f"C{n}"}) for n in range(51)]
    assert task(org, ann, TaskWhoIds=many[:50])
    too_many = refused(lambda: task(org, ann, TaskWhoIds=many))
    assert too_many.code == "LIMIT_EXCEEDED"  # documented limit, assumed code
    assert task(org, ann, TaskWhoIds=[leo])
    mixed = refused(lambda: task(org, ann, TaskWhoIds=[leo, many[0]]))
    assert mixed.code == "FIELD_INTEGRITY_EXCEPTION"  # documented rule, assumed code


def test_relations_are_created_and_deleted_but_never_changed(
    org: Org, ann: User, people: list[str], account: str
) -> None:
    made = task(org, ann, WhoId=people[0])
    relation = org.create(ann, "TaskRelation", {"TaskId": made, "RelationId": people[1]})
    what = {"TaskId": made, "RelationId": account, "IsWhat": True}
    org.create(ann, "TaskRelation", what)
    assert rows(org, ann, TASK)[0] == {
        "TaskWhoIds": people[:2],
        "WhoId": people[0],
        "WhoCount": 2,
        "WhatCount": 1,
    }
    change = refused(lambda: org.update(ann, "TaskRelation", relation, {"IsWhat": True}))
    assert change.code == "INVALID_TYPE_FOR_OPERATION"
    org.delete(ann, "TaskRelation", relation)
    assert rows(org, ann, TASK)[0]["TaskWhoIds"] == people[:1]
    asked = f"SELECT Id FROM TaskRelation WHERE Id = '{relation}'"
    assert rows(org, ann, asked, all_rows=True) == []  # no recycle bin


def test_the_first_who_goes_is_followed_by_the_next(
    org: Org, ann: User, people: list[str]
) -> None:  # assumed
    task(org, ann, TaskWhoIds=people)
    first = rows(org, ann, f"SELECT Id FROM TaskRelation WHERE RelationId = '{people[0]}'")
    org.delete(ann, "TaskRelation", first[0]["Id"])
    assert rows(org, ann, TASK)[0]["WhoId"] == people[1]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"RelationId": "again"}, "DUPLICATE_VALUE"),
        ({"RelationId": "other", "IsWhat": True}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"RelationId": "account"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"RelationId": "second account", "IsWhat": True}, "LIMIT_EXCEEDED"),
    ],
)
def test_what_a_relation_cannot_be(
    org: Org, ann: User, people: list[str], account: str, fields: dict[str, Any], code: str
) -> None:  # assumed
    made = task(org, ann, WhoId=people[0], WhatId=account)
    second = org.create(ann, "Account", {"Name": "B"})
    ids = {"again": people[0], "other": people[1], "account": account, "second account": second}
    body = {"TaskId": made, **fields, "RelationId": ids[fields["RelationId"]]}
    if fields["RelationId"] == "account":
        org.update(ann, "Task", made, {"WhatId": None})
    assert refused(lambda: org.create(ann, "TaskRelation", body)).code == code


def test_a_task_shows_on_everybody(org: Org, ann: User, people: list[str]) -> None:
    made = task(org, ann, TaskWhoIds=people[:2])
    asked = (
        "SELECT Id FROM Task WHERE Id IN "
        f"(SELECT TaskId FROM TaskRelation WHERE RelationId = '{people[1]}')"
    )
    assert rows(org, ann, asked) == [{"Id": made}]
    assert rows(org, ann, f"SELECT Id FROM Task WHERE WhoId = '{people[1]}'") == []


def test_one_of_several_people_does_not_take_the_task_along(
    org: Org, ann: User, people: list[str]
) -> None:  # assumed
    task(org, ann, TaskWhoIds=people[:2])
    org.delete(ann, "Contact", people[0])
    assert rows(org, ann, TASK)[0]["TaskWhoIds"] == [people[1]]
    org.delete(ann, "Contact", people[1])
    assert rows(org, ann, TASK) == []


def test_a_merge_leaves_each_person_once(org: Org, ann: User, people: list[str]) -> None:
    task(org, ann, TaskWhoIds=people)
    org.merge(ann, "Contact", people[2], people[0])
    assert rows(org, ann, TASK)[0]["TaskWhoIds"] == [people[2], people[1]]
    assert {row["RelationId"] for row in rows(org, ann, RELATED)} == set(people[1:])


def test_the_list_is_limited_in_queries(org: Org, ann: User, people: list[str]) -> None:
    for _ in range(167):
        task(org, ann, TaskWhoIds=people)
    refusal = refused(lambda: org.query(ann, "SELECT TaskWhoIds FROM Task"))
    assert refusal.code == "MALFORMED_QUERY"
