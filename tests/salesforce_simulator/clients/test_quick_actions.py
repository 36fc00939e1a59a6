"""Quick actions: listed and described, not carried out."""

from __future__ import annotations

import pytest

from tests.salesforce_simulator.conftest import Api


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Opportunity", "Case"])
def test_every_quick_action_of_an_object_is_described_where_its_list_says(
    api: Api, name: str
) -> None:
    listed = api.get(f"sobjects/{name}/quickActions").json()
    assert {"NewTask", "LogACall"} <= {entry["name"] for entry in listed}
    for entry in listed:
        assert entry.keys() == {"actionEnumOrId", "label", "name", "type", "urls"}
        found = api.get(entry["urls"]["describe"]).json()
        assert found == api.get(entry["urls"]["quickAction"]).json()
        assert (found["contextSobjectType"], found["name"]) == (name, entry["name"])
        items = [row["layoutItems"][0] for row in found["layout"]["layoutRows"]]
        target = api.get(f"sobjects/{found['targetSobjectType']}/describe").json()
        described = {field["name"]: field for field in target["fields"]}
        for item in items:
            [component] = item["layoutComponents"]
            assert component["details"] == described[component["value"]]


def test_an_action_whose_record_the_user_may_not_create_is_not_offered(few: Api) -> None:
    names = {entry["name"] for entry in few.get("sobjects/Account/quickActions").json()}
    assert names == {"NewTask", "LogACall", "NewContact"}
    assert few.get("sobjects/Account/quickActions/NewCase").status_code == 404


def test_other_actions_and_carrying_one_out_are_not_there(api: Api) -> None:
    assert api.get("sobjects/User/quickActions").json() == []
    assert api.get("sobjects/Account/quickActions/Nothing/describe").status_code == 404
    assert api.get("sobjects/Account/quickActions/NewContact/defaultValues").status_code == 404
    assert api.post("sobjects/Account/quickActions/NewContact", {}).status_code == 405
