"""Limits of a transaction, and the rounds of a partial save."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.process import RunningOrg
from tests.salesforce_simulator.conftest import Api

BAD = "bad"


def tasks(count: int, *bad: int) -> list[dict[str, Any]]:
    """Rows for a collection; those at ``bad`` break the rule of ``refuse_bad``."""
    return [
        {
            "attributes": {"type": "Task"},
            "Subject": BAD if place in bad else uuid.uuid4().hex,
        }
        for place in range(count)
    ]


def send(api: Api, records: list[dict[str, Any]], *, all_or_none: bool = False) -> list[str]:
    """The status code of each row, "" for one that was saved."""
    body = {"allOrNone": all_or_none, "records": records}
    answer = api.post("composite/sobjects", body)
    assert answer.status_code == 200, answer.text
    return ["" if row["success"] else row["errors"][0]["statusCode"] for row in answer.json()]


def stored(org: RunningOrg, records: list[dict[str, Any]]) -> int:
    subjects = ", ".join(f"'{record['Subject']}'" for record in records)
    return org.control.count(f"SELECT COUNT() FROM Task WHERE Subject IN ({subjects})")


def refuse_bad(org: RunningOrg) -> None:
    org.control.validation_rule("Task", f"Subject = '{BAD}'", "Not like this")


LIMIT = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_two_hundred_rows_exceed_a_limit_that_ten_do_not(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "TaskTrigger", queries=10)
    many, few = tasks(200), tasks(10)
    assert send(api, many) == [LIMIT] * 200
    assert send(api, few) == [""] * 10
    assert (stored(org, many), stored(org, few)) == (0, 10)


@pytest.mark.parametrize(
    ("cost", "cause"),
    [
        ({"queries": 51}, "System.LimitException: Too many SOQL queries: 101"),
        ({"cpu_ms": 6000}, "System.LimitException: Apex CPU time limit exceeded"),
    ],
)
def test_the_refusal_names_the_trigger_and_the_limit(
    org: RunningOrg, api: Api, cost: dict[str, int], cause: str
) -> None:
    org.control.trigger("Task", "TaskTrigger", **cost)
    answer = api.post("composite/sobjects", {"records": tasks(2)})
    [error] = answer.json()[0]["errors"]
    assert error["message"] == f"TaskTrigger: execution of AfterInsert\n\ncaused by: {cause}"


def test_a_flow_has_words_of_its_own(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "New Task Alert", kind="flow", queries=101)
    answer = api.post("sobjects/Task", {"Subject": "X"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (
        400,
        "CANNOT_EXECUTE_FLOW_TRIGGER",
    )
    words = "We can't save this record because the “New Task Alert” process failed."
    assert answer.json()[0]["message"].startswith(words)


def test_a_single_save_is_a_transaction_of_one_row(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "TaskTrigger", queries=100)
    assert api.post("sobjects/Task", {"Subject": "X"}).status_code == 201
    org.control.clear_rules()
    org.control.trigger("Task", "TaskTrigger", queries=101)
    assert api.post("sobjects/Task", {"Subject": "X"}).json()[0]["errorCode"] == LIMIT


def test_a_bad_row_is_taken_out_and_the_rest_is_saved_with_fresh_limits(
    org: RunningOrg, api: Api
) -> None:
    refuse_bad(org)
    org.control.trigger("Task", "TaskTrigger", queries=20)
    records = tasks(5, 2)
    assert send(api, records) == ["", "", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "", ""]
    assert stored(org, records) == 4


def test_failures_in_the_third_round_fail_what_is_left(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "TaskTrigger", refuses=1)
    records = tasks(5)
    own = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert send(api, records) == [own, own, *["LIMIT_EXCEEDED"] * 3]
    assert stored(org, records) == 0
    answer = api.post("composite/sobjects", {"records": tasks(5)})
    words = "Too many batch retries in the presence of Apex triggers and partial failures."
    assert answer.json()[4]["errors"][0]["message"] == words


def test_rows_that_run_out_before_the_third_round_have_their_own_refusals(
    org: RunningOrg, api: Api
) -> None:
    org.control.trigger("Task", "TaskTrigger", refuses=1)
    assert send(api, tasks(2)) == ["FIELD_CUSTOM_VALIDATION_EXCEPTION"] * 2


def test_all_or_none_has_one_round(org: RunningOrg, api: Api) -> None:
    refuse_bad(org)
    org.control.trigger("Task", "TaskTrigger", queries=1)
    records = tasks(3, 1)
    undone = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    found = send(api, records, all_or_none=True)
    assert found == [undone, "FIELD_CUSTOM_VALIDATION_EXCEPTION", undone]
    assert stored(org, records) == 0
    assert send(api, tasks(3), all_or_none=True) == [""] * 3


def test_each_run_of_one_object_is_a_transaction(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "TaskTrigger", queries=50)
    lead = {"attributes": {"type": "Lead"}, "LastName": "Doe", "Company": "Acme"}
    assert send(api, [*tasks(2), lead, *tasks(2)]) == [""] * 5
    assert send(api, [lead, *tasks(3)]) == ["", *[LIMIT] * 3]


def test_updates_and_deletions_run_their_own_triggers(org: RunningOrg, api: Api) -> None:
    task = api.create("Task", Subject="X")
    org.control.trigger("Task", "OnUpdate", operations=["update"], queries=101)
    path = f"sobjects/Task/{task}"
    assert api.patch(path, {"Subject": "Y"}).json()[0]["message"].startswith("OnUpdate: execution")
    assert api.post("sobjects/Task", {"Subject": "Z"}).status_code == 201
    assert api.delete(path).status_code == 204


def test_an_upsert_runs_the_triggers_of_both(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "OnUpdate", operations=["update"], queries=101)
    answer = api.patch(f"sobjects/Task/Message_Key__c/{uuid.uuid4().hex}", {"Subject": "X"})
    assert answer.json()[0]["errorCode"] == LIMIT


def test_each_level_of_a_tree_is_a_transaction(org: RunningOrg, api: Api) -> None:
    def tree(contacts: int) -> dict[str, Any]:
        children = [
            {"attributes": {"type": "Contact", "referenceId": f"c{place}"}, "LastName": "Doe"}
            for place in range(contacts)
        ]
        account = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Acme"}
        return {"records": [{**account, "Contacts": {"records": children}}]}

    org.control.trigger("Contact", "ContactTrigger", queries=40)
    assert api.post("composite/tree/Account", tree(2)).status_code == 201
    answer = api.post("composite/tree/Account", tree(3))
    refused = answer.json()["results"]
    assert answer.status_code == 400
    assert [row["referenceId"] for row in refused] == ["c0", "c1", "c2"]
    assert {row["errors"][0]["statusCode"] for row in refused} == {LIMIT}


def test_a_slow_trigger_takes_its_time_for_each_transaction(org: RunningOrg, api: Api) -> None:
    org.control.trigger("Task", "Slow", seconds=0.2, seconds_per_row=0.1)
    started = time.monotonic()
    assert send(api, tasks(2)) == [""] * 2
    assert time.monotonic() - started >= 0.4


def test_what_is_no_trigger_is_refused(org: RunningOrg) -> None:
    for wrong in ({"kind": "macro"}, {"operations": ["read"]}, {"rows": 3}):
        with pytest.raises(ControlRefused, match="400"):
            org.control.trigger("Task", "X", **wrong)
