"""Numbers that are none, and bodies of the wrong shape, are refused and never an error of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.salesforce_simulator.conftest import Api

HUGE = "9" * 5000
SMALL = {"Sforce-Query-Options": "batchSize=200"}


@pytest.mark.parametrize("number", [HUGE, "²", "-1", "1.5", "x", ""])
@pytest.mark.parametrize(
    "path",
    [
        "recent?limit={}",
        "parameterizedSearch?q=x&overallLimit={}",
        "sobjects/Task/listviews/{view}/results?limit={}",
        "sobjects/Task/listviews/{view}/results?offset={}",
        "query/{cursor}-{}",
    ],
)
def test_a_number_in_a_path_is_a_whole_one(api: Api, path: str, number: str) -> None:
    if "{view}" in path:
        view = api.get("sobjects/Task/listviews").json()["listviews"][0]["id"]
        path = path.replace("{view}", view)
    if "{cursor}" in path:
        rows = [{"attributes": {"type": "Task"}, "Subject": "x"}] * 200
        soql = "SELECT Id FROM Task WHERE Subject = 'x'"
        while (found := api.get("query", params={"q": soql}, headers=SMALL).json())["done"]:
            api.post("composite/sobjects", {"records": rows})
        locator = found["nextRecordsUrl"].rpartition("/")[2]
        path = path.replace("{cursor}", locator.partition("-")[0])
    answer = api.get(path.replace("{}", number))
    assert answer.status_code == 400, answer.text


def test_a_batch_size_that_is_none_is_no_hint(api: Api) -> None:
    for size in (HUGE, "²", ""):
        headers = {"Sforce-Query-Options": f"batchSize={size}"}
        answer = api.get("query?q=SELECT+Id+FROM+Contact", headers=headers)
        assert (answer.status_code, answer.json()["done"]) == (200, True)


@pytest.mark.parametrize(
    "body",
    [
        {"q": "x", "sobjects": 5}, {"q": "x", "sobjects": "Contact"}, {"q": "x", "fields": {}},
        {"q": "x", "sobjects": [{"name": "Contact", "fields": "Id"}]},
        {"q": "x", "sobjects": ["Contact"]}, {"q": "x", "overallLimit": True},
    ],
)  # fmt: skip
def test_a_search_of_the_wrong_shape_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api.post("parameterizedSearch", body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_SEARCH")
