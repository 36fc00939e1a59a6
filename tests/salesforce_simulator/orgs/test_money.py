"""Amounts in an org with several currencies: what SOQL converts, compares and sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import User

DEAL = {"StageName": "Prospecting", "CloseDate": "2030-01-01"}


@pytest.fixture
def engine() -> Iterator[Org]:
    org = Org(database=":memory:", clock=OrgClock(), name="Acme", sandbox=False)
    yield org
    org.close()


@pytest.fixture
def ann(engine: Org) -> User:
    """She works in dollars, in an org of euros: 1.25 dollars or 160 yen make one euro."""
    user = engine.add_user(username="ann@example.com", email="", last_name="Agent")
    engine.use_currencies(["EUR", "USD", "JPY"], {"USD": 1.25, "JPY": 160})
    return engine.user_setup.change(user, currency="USD")


@pytest.fixture
def deals(engine: Org, ann: User) -> None:
    """100 euros, 100 dollars and 8,000 yen, which are 100, 80 and 50 euros."""
    for code, amount in (("EUR", 100), ("USD", 100), ("JPY", 8000)):
        deal = {"Name": code, "Amount": amount, "CurrencyIsoCode": code, **DEAL}
        engine.create(ann, "Opportunity", deal)


def rows(org: Org, user: User, soql: str) -> list[dict[str, Any]]:
    found = org.query(user, soql)["records"]
    return [{k: v for k, v in row.items() if k != "attributes"} for row in found]


@pytest.mark.usefixtures("deals")
def test_an_amount_is_converted_to_the_users_currency(engine: Org, ann: User) -> None:
    soql = "SELECT Name, convertCurrency(Amount) FROM Opportunity ORDER BY Name"
    assert rows(engine, ann, soql) == [
        {"Name": "EUR", "Amount": 125.0},
        {"Name": "JPY", "Amount": 62.5},
        {"Name": "USD", "Amount": 100.0},
    ]


@pytest.mark.usefixtures("deals")
def test_beside_the_plain_amount_it_needs_another_name(engine: Org, ann: User) -> None:
    soql = "SELECT Amount, convertCurrency(Amount) own FROM Opportunity WHERE Name = 'EUR'"
    assert rows(engine, ann, soql) == [{"Amount": 100.0, "own": 125.0}]
    with pytest.raises(OrgError, match="duplicate field selected: Amount"):
        engine.query(ann, "SELECT Amount, convertCurrency(Amount) FROM Opportunity")


@pytest.mark.usefixtures("deals")
@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("Amount > EUR60", ["EUR", "USD"]),
        ("Amount >= USD62.50", ["EUR", "JPY", "USD"]),
        ("Amount < jpy10000", ["JPY"]),
        ("Amount = EUR80", ["USD"]),
        ("Amount != EUR80", ["EUR", "JPY"]),
        ("Amount > 100", ["JPY"]),
    ],
)
def test_an_amount_is_compared_in_the_currency_of_the_literal(
    engine: Org, ann: User, condition: str, names: list[str]
) -> None:
    soql = f"SELECT Name FROM Opportunity WHERE {condition} ORDER BY Name"
    assert [row["Name"] for row in rows(engine, ann, soql)] == names


@pytest.mark.usefixtures("deals")
def test_aggregates_are_in_the_currency_of_the_org(engine: Org, ann: User) -> None:
    soql = "SELECT SUM(Amount) s, MIN(Amount) low, MAX(Amount) high FROM Opportunity"
    assert rows(engine, ann, soql) == [{"s": 230.0, "low": 50.0, "high": 100.0}]


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Opportunity WHERE Amount > CHF5", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE Name = USD5", "INVALID_FIELD"),
        ("SELECT convertCurrency(Name) FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE convertCurrency(Amount) > 5", "MALFORMED_QUERY"),
        ("SELECT FORMAT(Amount) FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT convertCurrency(Amount) FROM Opportunity GROUP BY Amount", "MALFORMED_QUERY"),
    ],
)
def test_what_is_not_converted_is_refused(engine: Org, soql: str, code: str) -> None:
    with pytest.raises(OrgError) as refused:
        engine.query(engine.users()[0], soql)
    assert refused.value.entries[0].code == code


def test_an_org_with_one_currency_converts_nothing(engine: Org) -> None:
    user = engine.add_user(username="bob@example.com", email="", last_name="Bob")
    for soql in (
        "SELECT convertCurrency(Amount) FROM Opportunity",
        "SELECT Id FROM Opportunity WHERE Amount > EUR5",
    ):
        with pytest.raises(OrgError):
            engine.query(user, soql)
