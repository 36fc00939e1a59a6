"""Aliases in grouped queries."""

from __future__ import annotations

from tests.salesforce_simulator.conftest import Api


def test_a_grouped_field_gets_the_name_of_its_alias(api: Api, address: str) -> None:
    for title in ("Buyer", "Buyer", "Owner"):
        api.create("Contact", LastName="x", Title=title, MailingCity=address[:12])
    rows = api.query(
        "SELECT Title t, MAX(LastName) longest, COUNT(Id) FROM Contact "
        f"WHERE MailingCity = '{address[:12]}' GROUP BY Title ORDER BY Title"
    ).json()["records"]
    kind = {"attributes": {"type": "AggregateResult"}, "longest": "x"}
    assert rows == [{**kind, "t": "Buyer", "expr0": 2}, {**kind, "t": "Owner", "expr0": 1}]


def test_an_alias_without_grouping_is_refused(api: Api) -> None:
    answer = api.query("SELECT LastName n FROM Contact")
    assert (answer.status_code, answer.json()) == (
        400,
        [
            {
                "message": "only aggregate expressions use field aliasing",
                "errorCode": "MALFORMED_QUERY",
            }
        ],
    )


def test_a_keyword_is_no_alias(api: Api) -> None:
    [entry] = api.query("SELECT Title NULLS FROM Contact GROUP BY Title").json()
    assert entry["message"].endswith("unexpected token: 'NULLS'")
