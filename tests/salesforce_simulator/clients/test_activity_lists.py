"""ActivityHistories and OpenActivities, which are read as child sets."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.process import RunningOrg
from tests.salesforce_simulator.conftest import Api

ORDERED = "ORDER BY ActivityDate {} NULLS LAST, LastModifiedDate DESC LIMIT {}"


def sets(api: Api, object_name: str, record_id: str) -> tuple[list[str], list[str]]:
    """The subjects of what is done and of what is to be done."""
    done = ORDERED.format("DESC", 499)
    upcoming = ORDERED.format("ASC", 499)
    soql = (
        f"SELECT Id, (SELECT Subject FROM ActivityHistories {done}), "
        f"(SELECT Subject FROM OpenActivities {upcoming}) "
        f"FROM {object_name} WHERE Id = '{record_id}'"
    )
    [row] = api.query(soql).json()["records"]
    found = [row[name] or {"records": []} for name in ("ActivityHistories", "OpenActivities")]
    first, second = ([one["Subject"] for one in some["records"]] for some in found)
    return first, second


def test_they_are_the_closed_and_the_open_tasks_of_a_record(api: Api, contact: str) -> None:
    account = api.create("Account", Name="Acme")
    api.patch(f"sobjects/Contact/{contact}", {"AccountId": account})
    case = api.create("Case", Subject="x", ContactId=contact, AccountId=account)
    api.create("Task", Subject="old", WhoId=contact, Status="Completed", ActivityDate="2026-01-01")
    api.create(
        "Task", Subject="new", WhoId=contact, WhatId=case, Status="Completed",
        ActivityDate="2026-05-01",
    )  # fmt: skip
    api.create("Task", Subject="open", WhatId=account)
    assert sets(api, "Contact", contact) == (["new", "old"], [])
    assert sets(api, "Account", account) == (["new", "old"], ["open"])
    assert sets(api, "Case", case) == (["new"], [])
    assert sets(api, "Lead", api.create("Lead", LastName="x", Company="y")) == ([], [])


def test_a_row_is_of_its_own_type(api: Api, contact: str) -> None:
    task = api.create("Task", Subject="x", WhoId=contact, Status="Completed")
    soql = f"SELECT (SELECT Id FROM activityhistories) FROM Contact WHERE Id = '{contact}'"
    [row] = api.query(soql).json()["records"]
    [shown] = row["ActivityHistories"]["records"]
    assert shown == {
        "attributes": {
            "type": "ActivityHistory",
            "url": f"/services/data/v66.0/sobjects/ActivityHistory/{task}",
        },
        "Id": task,
    }


@pytest.mark.parametrize(
    "name",
    [
        "ActivityHistory", "OpenActivity", "AttachedContentDocument", "NoteAndAttachment",
        "CombinedAttachment",
    ],
)  # fmt: skip
def test_some_objects_are_queried_as_child_sets_alone(api: Api, name: str) -> None:
    [entry] = api.query(f"SELECT Id FROM {name}").json()
    assert entry["errorCode"] == "INVALID_TYPE_FOR_OPERATION"
    assert entry["message"].endswith(f"entity type {name} does not support query")


def refusal(api: Api, ending: str) -> dict[str, Any]:
    soql = f"SELECT Id, (SELECT Id FROM ActivityHistories {ending}) FROM Contact LIMIT 1"
    answer = api.query(soql)
    return {} if answer.status_code == 200 else dict(answer.json()[0])


@pytest.mark.parametrize(
    "ending",
    [
        "", "LIMIT 5", "ORDER BY ActivityDate DESC LIMIT 5", ORDERED.format("ASC", 5),
        ORDERED.format("DESC", 500), f"WHERE Subject = 'x' {ORDERED.format('DESC', 5)}",
    ],
)  # fmt: skip
def test_without_view_all_data_the_order_is_fixed(
    org: RunningOrg, api: Api, few: Api, ending: str
) -> None:
    assert refusal(few, ending)["errorCode"] == "MALFORMED_QUERY"
    assert refusal(few, ending)["message"].startswith("There is an implementation restriction on ")
    assert refusal(api, ending) == refusal(few, ORDERED.format("DESC", 5)) == {}


def test_an_object_without_activities_has_none(api: Api) -> None:
    answer = api.query("SELECT Id, (SELECT Id FROM ActivityHistories) FROM User")
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD"
