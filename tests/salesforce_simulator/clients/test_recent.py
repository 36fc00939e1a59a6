"""Recently viewed records."""

from __future__ import annotations

from tests.salesforce_simulator.conftest import Api


def recent(api: Api, **parameters: object) -> list[str]:
    answer = api.get("recent", params=parameters)
    assert answer.status_code == 200, answer.text
    return [row["Id"] for row in answer.json()]


def test_what_was_read_or_saved_is_recent_and_the_latest_comes_first(
    api: Api, contact: str
) -> None:
    account = api.create("Account", Name="Recent Works")
    assert recent(api) == [account, contact]
    api.read("Contact", contact)
    assert recent(api) == [contact, account]
    assert recent(api, limit=1) == [contact]
    assert api.get("recent").json()[1] == {
        "attributes": {
            "type": "Account",
            "url": f"/services/data/v66.0/sobjects/Account/{account}",
        },
        "Id": account,
        "Name": "Recent Works",
    }
    assert api.get("sobjects/Contact").json()["recentItems"][0]["Id"] == contact


def test_parts_of_a_composite_count_as_calls_do(api: Api) -> None:
    body = {"LastName": "x"}
    part = {"method": "POST", "referenceId": "a", "url": "sobjects/Contact", "body": body}
    [made] = api.composite(part)
    assert recent(api) == [made["body"]["id"]]


def test_a_query_counts_only_for_view(api: Api, contact: str, address: str) -> None:
    api.read("Task", api.create("Task", Subject="x"))
    soql = f"SELECT Id FROM Contact WHERE Email = '{address}'"
    api.query(soql)
    assert recent(api)[0] != contact
    api.query(f"{soql} FOR VIEW")
    assert recent(api)[0] == contact


def test_a_call_may_ask_to_leave_the_list_alone(api: Api, contact: str) -> None:
    other = api.create("Contact", LastName="x")
    api.get(f"sobjects/Contact/{contact}", headers={"Sforce-Mru": "updateMru=false"})
    assert recent(api) == [other, contact]


def test_deleted_and_refused_records_are_not_recent(api: Api, few: Api, contact: str) -> None:
    other = api.create("Contact", LastName="x")
    api.delete(f"sobjects/Contact/{other}")
    api.get("sobjects/Contact/003000000000000AAA")
    api.post("sobjects/Contact", {})
    assert recent(api) == [contact]
    assert recent(few) == []
