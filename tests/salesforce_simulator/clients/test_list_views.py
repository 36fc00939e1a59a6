"""List views."""

from __future__ import annotations

from typing import Any

from tests.salesforce_simulator.conftest import Api

CONTACTS = "sobjects/Contact/listviews"


def views(api: Api, path: str = CONTACTS) -> dict[str, dict[str, Any]]:
    body = api.get(path).json()
    assert (body["done"], body["size"]) == (True, len(body["listviews"]))
    return {view["developerName"]: view for view in body["listviews"]}


def rows(api: Api, url: str, **parameters: int) -> list[dict[str, Any]]:
    answer = api.get(url, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.json()["size"] == len(answer.json()["records"])
    return [
        {column["fieldNameOrPath"]: column["value"] for column in record["columns"]}
        for record in answer.json()["records"]
    ]


def test_each_object_with_an_owner_has_three(api: Api) -> None:
    found = views(api)
    assert list(found) == ["AllContacts", "MyContacts", "RecentlyViewedContacts"]
    for view in found.values():
        assert api.get(view["url"]).json() == view
    assert len({view["id"] for name in ("Contact", "Account", "Case", "Lead")
                for view in views(api, f"sobjects/{name}/listviews").values()}) == 12  # fmt: skip
    assert api.get("sobjects/TaskStatus/listviews").json()["listviews"] == []
    assert api.get(f"{CONTACTS}/00B000000000001AAA").status_code == 404


def test_its_description_holds_the_statement_that_it_runs(api: Api) -> None:
    view = views(api)["AllContacts"]
    body = api.get(view["describeUrl"]).json()
    assert body.keys() == {
        "columns", "id", "orderBy", "query", "scope", "sobjectType", "whereCondition",
    }  # fmt: skip
    assert [c["fieldNameOrPath"] for c in body["columns"] if not c["hidden"]] == [
        "Name", "Title", "Phone", "Email",
    ]  # fmt: skip
    assert [order["fieldNameOrPath"] for order in body["orderBy"]] == ["Name", "Id"]
    assert api.query(body["query"]).status_code == 200


def test_the_results_come_in_pages(api: Api, contact: str) -> None:
    url = views(api)["AllContacts"]["resultsUrl"]
    first = rows(api, url, limit=3)
    assert len(first) == 3
    assert rows(api, url, limit=1, offset=2) == first[2:]
    everything = rows(api, url, limit=2000)
    assert contact in {row["Id"] for row in everything}
    assert " GMT " in everything[0]["CreatedDate"]
    assert api.get(url, params={"limit": 2001}).json()[0]["errorCode"] == "INVALID_QUERY_PARAMETER"


def test_mine_are_those_one_owns_and_recent_those_one_saw(api: Api, few: Api, contact: str) -> None:
    own = rows(api, views(api)["MyContacts"]["resultsUrl"], limit=2000)
    assert contact in {row["Id"] for row in own}
    mine = rows(few, views(few)["MyContacts"]["resultsUrl"], limit=2000)
    assert contact not in {row["Id"] for row in mine}
    recent = views(api)["RecentlyViewedContacts"]["resultsUrl"]
    assert [row["Id"] for row in rows(api, recent)] == [contact]
    assert rows(few, views(few)["RecentlyViewedContacts"]["resultsUrl"]) == []
    assert "Phone" not in rows(few, views(few)["AllContacts"]["resultsUrl"], limit=1)[0]
