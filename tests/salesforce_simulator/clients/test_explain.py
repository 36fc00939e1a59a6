"""Query plans."""

from __future__ import annotations

from typing import Any

from tests.salesforce_simulator.conftest import Api


def explain(api: Api, what: str) -> list[dict[str, Any]]:
    answer = api.get("query", params={"explain": what})
    assert answer.status_code == 200, answer.text
    plans: list[dict[str, Any]] = answer.json()["plans"]
    return plans


def test_a_condition_on_an_index_leads_with_it(api: Api, contact: str, address: str) -> None:
    soql = f"SELECT Id FROM Contact WHERE Email = '{address}' AND Title = 'x'"
    index, scan = explain(api, soql)
    assert (index["leadingOperationType"], index["fields"]) == ("Index", ["Email"])
    assert index["cardinality"] == 1
    assert index["relativeCost"] < 1 < scan["relativeCost"]
    assert (scan["leadingOperationType"], scan["fields"]) == ("TableScan", [])
    total = api.query("SELECT COUNT() FROM Contact").json()["totalSize"]
    for plan in (index, scan):
        assert (plan["sobjectType"], plan["sobjectCardinality"]) == ("Contact", total)
        assert plan["notes"][0].keys() == {"description", "fields", "tableEnumOrId"}


def test_one_part_of_an_or_without_an_index_leaves_the_scan(api: Api, address: str) -> None:
    [scan] = explain(api, f"SELECT Id FROM Contact WHERE Email = '{address}' OR Title = 'x'")
    assert scan["leadingOperationType"] == "TableScan"


def test_a_statement_that_is_wrong_is_refused_as_when_it_runs(api: Api) -> None:
    for soql in ("SELECT Bacon__c FROM Contact", "SELECT Id FROM Contact WHERE x", "SELECT"):
        explained = api.get("query", params={"explain": soql})
        run = api.query(soql)
        assert (explained.status_code, explained.json()) == (run.status_code, run.json())


def test_a_list_view_is_explained_by_its_id(api: Api) -> None:
    view = api.get("sobjects/Contact/listviews").json()["listviews"][0]["id"]
    assert explain(api, view)[0]["sobjectType"] == "Contact"
    refused = api.get("query", params={"explain": "00B000000000001AAA"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_ID")
