"""Collections: what an empty one is told, and what each row of an upsert says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.salesforce_simulator.conftest import Api

ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"


def task(key: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Task"}, "Message_Key__c": key, "Subject": "x", **fields}


def upsert(api: Api, *rows: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    body = {"allOrNone": all_or_none, "records": list(rows)}
    answer = api.patch("composite/sobjects/Task/Message_Key__c", body)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_collection_without_records_is_refused_in_the_recorded_words(
    api: Api, method: str
) -> None:
    answer = api.call(method, "composite/sobjects", {"allOrNone": False, "records": []})
    assert (answer.status_code, answer.json()) == (
        400,
        [{"errorCode": "REQUIRED_FIELD_MISSING", "message": "At least 1 record is required"}],
    )


def test_every_row_of_an_upsert_says_whether_it_creates(api: Api, address: str) -> None:
    upsert(api, task(f"{address} 1"))
    rows = upsert(
        api,
        task(f"{address} 1", Subject="y"),
        task(f"{address} 2"),
        task(f"{address} 1", OwnerId="nobody"),
        task(f"{address} 3", OwnerId="nobody"),
    )
    assert [(row["success"], row["created"]) for row in rows] == [
        (True, False),
        (True, True),
        (False, False),
        (False, True),
    ]


def test_rows_rolled_back_say_it_too(api: Api, address: str) -> None:
    rows = upsert(
        api, task(f"{address} 1"), task(f"{address} 2", OwnerId="nobody"), all_or_none=True
    )
    assert [(row["success"], row["created"]) for row in rows] == [(False, True), (False, True)]
    assert [row["errors"][0]["statusCode"] for row in rows] == [ROLLED_BACK, "MALFORMED_ID"]


def test_rows_of_other_calls_say_nothing_of_it(api: Api) -> None:
    body = {"allOrNone": True, "records": [{"attributes": {"type": "Task"}, "OwnerId": "nobody"}]}
    [row] = api.post("composite/sobjects", body).json()
    assert set(row) == {"success", "errors"}
