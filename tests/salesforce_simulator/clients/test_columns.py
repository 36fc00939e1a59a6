"""``?columns=true``, which the Salesforce CLI asks for to lay out its tables."""

from __future__ import annotations

from typing import Any

from tests.salesforce_simulator.conftest import Api


def columns(api: Api, soql: str) -> list[dict[str, Any]]:
    answer = api.get("query", params={"q": soql, "columns": "true"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["columnMetadata"]
    return found


def names(found: list[dict[str, Any]]) -> list[Any]:
    """Column names; those with columns of their own as (name, aggregate, names)."""
    return [
        (column["columnName"], column["aggregate"], names(column["joinColumns"]))
        if column["joinColumns"]
        else column["columnName"]
        for column in found
    ]


def test_parents_and_child_sets_have_columns_of_their_own(api: Api) -> None:
    soql = (
        "SELECT Id, Account.Name, Account.Owner.Email, LastName, (SELECT Subject FROM Cases) "
        "FROM Contact"
    )
    assert names(columns(api, soql)) == [
        "Id",
        ("Account", False, ["Name", ("Owner", False, ["Email"])]),
        "LastName",
        ("Cases", True, ["Subject"]),
    ]


def test_grouped_columns_go_by_alias_or_number(api: Api) -> None:
    soql = "SELECT Title t, MAX(Email), COUNT(Id) n, COUNT(Id) FROM Contact GROUP BY Title"
    found = columns(api, soql)
    assert [(c["columnName"], c["displayName"], c["aggregate"]) for c in found] == [
        ("t", "t", False),
        ("expr0", "max(Email)", True),
        ("n", "n", True),
        ("expr1", "count(Id)", True),
    ]


def test_columns_say_their_kind(api: Api) -> None:
    found = columns(api, "SELECT IsDeleted, NumberOfEmployees, Name, CreatedDate FROM Account")
    kinds = [(c["booleanType"], c["numberType"], c["textType"]) for c in found]
    assert kinds == [(True, False, False), (False, True, False)] + [(False, False, True)] * 2
    assert [c["updatable"] for c in found] == [False, True, True, False]


def test_a_wrong_statement_is_refused(api: Api) -> None:
    for soql in ("SELECT Bacon FROM Account", "SELECT Id, (SELECT Id FROM Kases) FROM Contact"):
        answer = api.get("query", params={"q": soql, "columns": "true"})
        assert answer.status_code == 400
