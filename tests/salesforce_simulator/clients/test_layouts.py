"""Page layouts, compact layouts, tabs and themes."""

from __future__ import annotations

from typing import Any

from tests.salesforce_simulator.conftest import Api


def got(api: Api, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fields_of(section: dict[str, Any]) -> list[str]:
    return [
        component["value"]
        for row in section["layoutRows"]
        for item in row["layoutItems"]
        for component in item["layoutComponents"]
    ]


def test_the_layout_of_an_object_shows_the_fields_that_its_user_sees(api: Api, few: Api) -> None:
    body = got(api, "sobjects/Task/describe/layouts/")
    assert body.keys() == {"layouts", "recordTypeMappings", "recordTypeSelectorRequired"}
    [layout] = body["layouts"]
    assert body["recordTypeSelectorRequired"] == [False]
    described = {f["name"]: f for f in got(api, "sobjects/Task/describe")["fields"]}
    [detail], [edit] = layout["detailLayoutSections"], layout["editLayoutSections"]
    assert {"Subject", "WhoId", "IsClosed"} <= set(fields_of(detail))
    assert "IsClosed" not in fields_of(edit)
    item = detail["layoutRows"][0]["layoutItems"][0]
    name = item["layoutComponents"][0]["value"]
    assert item["layoutComponents"][0]["details"] == described[name]
    assert layout["id"].startswith("00h")
    contact = "sobjects/Contact/describe/layouts/012000000000000AAA"
    [section] = got(few, contact)["detailLayoutSections"]
    assert "Phone" not in fields_of(section)
    [section] = got(api, contact)["detailLayoutSections"]
    assert "Phone" in fields_of(section)


def test_an_object_of_several_record_types_has_a_layout_for_each(api: Api) -> None:
    body = got(api, "sobjects/Account/describe/layouts")
    assert body["layouts"] is None
    assert body["recordTypeSelectorRequired"] == [True]
    for mapping in body["recordTypeMappings"]:
        path = mapping["urls"]["layout"]
        assert got(api, path)["id"] == mapping["layoutId"]
    assert api.get("sobjects/Account/describe/layouts/012000000000001AAA").status_code == 404


def test_related_lists_are_those_that_can_be_queried(api: Api) -> None:
    layout = got(api, "sobjects/Contact/describe/layouts/012000000000000AAA")
    assert {"Cases", "Tasks"} <= {one["name"] for one in layout["relatedLists"]}
    for one in layout["relatedLists"]:
        soql = f"SELECT Id, (SELECT Id FROM {one['name']}) FROM Contact"
        assert api.query(soql).status_code == 200


def test_named_layouts_and_approval_layouts(api: Api) -> None:
    assert len(got(api, "sobjects/User/describe/namedLayouts/UserAlt")["layouts"]) == 1
    assert api.get("sobjects/User/describe/namedLayouts/Other").status_code == 404
    assert got(api, "sobjects/Account/describe/approvalLayouts") == {"approvalLayouts": []}
    assert api.get("sobjects/Nothing/describe/approvalLayouts").status_code == 404


def test_the_compact_layout_is_the_systems_own(api: Api) -> None:
    body = got(api, "sobjects/Contact/describe/compactLayouts")
    [layout] = body["compactLayouts"]
    assert (layout["id"], layout["name"], layout["label"]) == (None, "SYSTEM", "System Default")
    assert layout["objectType"] == "Contact"
    values = [item["layoutComponents"][0]["value"] for item in layout["fieldItems"]]
    assert values == ["Name", "Title", "Phone", "Email"]
    assert body["defaultCompactLayoutId"] is None
    assert {m["recordTypeId"] for m in body["recordTypeCompactLayoutMappings"]} == {
        info["recordTypeId"] for info in got(api, "sobjects/Contact/describe")["recordTypeInfos"]
    }
    several = got(api, "compactLayouts?q=Account,Contact")
    assert several["Contact"] == layout
    assert several.keys() == {"Account", "Contact"}
    assert api.get("compactLayouts").json()[0]["errorCode"] == "INVALID_QUERY_PARAMETER"


def test_tabs_and_themes_name_the_objects_their_user_sees(api: Api, few: Api) -> None:
    tabs = {tab["sobjectName"]: tab for tab in got(api, "tabs")}
    assert tabs.keys() == {"Account", "Contact", "Lead", "Opportunity", "Case"}
    assert tabs["Account"]["name"] == "standard-Account"
    assert tabs["Account"]["label"] == "Accounts"
    assert {item["name"] for item in got(api, "theme")["themeItems"]} == {*tabs, "Task"}
    assert "Case" not in {tab["sobjectName"] for tab in got(few, "tabs")}
    icon = tabs["Account"]["icons"][0]["url"]
    assert api.http.get(icon, timeout=30).status_code == 200
