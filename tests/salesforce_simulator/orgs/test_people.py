"""Zones, locales, licences, currencies of their own, and people who are inactive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.oauth.consent import Grant, connect
from salesforce_simulator.org import Org
from salesforce_simulator.process import OrgProcess, RunningOrg
from salesforce_simulator.results import User
from tests.salesforce_simulator.conftest import Api


@pytest.fixture
def engine() -> Iterator[Org]:
    """An org in memory, at half past eleven in the evening of 6 May in UTC."""
    clock = OrgClock()
    clock.hold()
    clock.set(datetime(2026, 5, 6, 23, 30, tzinfo=UTC))
    org = Org(database=":memory:", clock=clock, name="Acme", sandbox=False)
    yield org
    org.close()


@pytest.fixture
def ann(engine: Org) -> User:
    return engine.add_user(username="ann@example.com", email="ann@example.com", last_name="Agent")


def count(org: Org, user: User, condition: str) -> int:
    return int(org.query(user, f"SELECT COUNT() FROM Task WHERE {condition}")["totalSize"])


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("GMT", "2026-05-06"),
        ("Europe/Amsterdam", "2026-05-07"),
        ("America/Los_Angeles", "2026-05-06"),
    ],
)
def test_today_is_the_day_of_the_user_who_asks(
    engine: Org, ann: User, zone: str, today: str
) -> None:
    user = engine.user_setup.change(ann, timezone=zone)
    engine.create(user, "Task", {"Subject": "X", "ActivityDate": today})
    assert count(engine, user, "ActivityDate = TODAY") == 1


def test_a_day_of_a_moment_begins_at_the_users_midnight(engine: Org, ann: User) -> None:
    engine.create(ann, "Task", {"Subject": "X"})  # 01:30 on 7 May in Amsterdam
    there = engine.user_setup.change(ann, timezone="Europe/Amsterdam")
    assert count(engine, there, "CreatedDate = TODAY") == 1
    engine.clock.set(datetime(2026, 5, 7, 22, 30, tzinfo=UTC))  # 00:30 on 8 May in Amsterdam
    assert count(engine, there, "CreatedDate = YESTERDAY") == 1
    assert count(engine, engine.user_setup.change(ann, timezone="GMT"), "CreatedDate = TODAY") == 0


def test_times_of_the_api_are_utc_whatever_the_zone(engine: Org, ann: User) -> None:
    there = engine.user_setup.change(ann, timezone="Europe/Amsterdam", locale="nl_NL")
    task = engine.create(there, "Task", {"Subject": "X"})
    assert engine.read(there, "Task", task)["CreatedDate"] == "2026-05-06T23:30:00.000+0000"


@pytest.fixture
def grant(process: OrgProcess, org: RunningOrg) -> Iterator[Grant]:
    """A connection of a user who lives in Amsterdam and reads Dutch."""
    username = "nel@example.com"
    known = {user["username"] for user in org.control.status()["users"]}
    if username not in known:
        org.control.add_user(username, last_name="Nel")
    org.control.change_user(username, timezone="Europe/Amsterdam", locale="nl_NL", language="nl_NL")
    yield connect(process, org, user=username)
    org.control.revoke_grants(username)


def test_the_user_record_and_userinfo_tell_zone_locale_and_language(grant: Grant) -> None:
    api = Api(grant)
    told = api.get("/services/oauth2/userinfo").json()
    found = (told["zoneinfo"], told["locale"], told["language"], told["utcOffset"])
    assert found == ("Europe/Amsterdam", "nl_NL", "nl_NL", 3_600_000)
    fields = ("TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey")
    soql = f"SELECT {', '.join(fields)} FROM User WHERE Id = '{told['user_id']}'"
    [row] = api.query(soql).json()["records"]
    assert [row[name] for name in fields] == ["Europe/Amsterdam", "nl_NL", "nl_NL"]
    api.http.close()


def test_a_platform_licence_lacks_leads_opportunities_and_cases(engine: Org, ann: User) -> None:
    whole = engine.user_setup.change(ann, license="SFDC")
    assert {"Lead", "Opportunity", "Case"} <= set(engine.object_names(whole))
    platform = engine.user_setup.change(ann, license="AUL")
    names = set(engine.object_names(platform))
    assert not {"Lead", "Opportunity", "Case"} & names
    assert {"Contact", "Account", "Task"} <= names


def test_a_licence_is_found_through_the_profile(engine: Org, ann: User) -> None:
    engine.user_setup.change(ann, license="SFDC")
    other = engine.add_user(username="bob@example.com", email="", last_name="Bob")
    engine.user_setup.change(other, license="AUL")
    soql = "SELECT Name, Profile.Name, Profile.UserLicense.LicenseDefinitionKey FROM User"
    found = {
        row["Name"]: row["Profile"]["UserLicense"]["LicenseDefinitionKey"]
        for row in engine.query(ann, soql)["records"]
    }
    assert found == {"Agent": "SFDC", "Bob": "AUL"}


def test_an_inactive_user_keeps_records_and_gets_no_more(engine: Org, ann: User) -> None:
    bob = engine.add_user(username="bob@example.com", email="", last_name="Bob")
    contact = engine.create(bob, "Contact", {"LastName": "Doe"})
    engine.set_user_active(bob.id, False)
    soql = f"SELECT Owner.IsActive FROM Contact WHERE Id = '{contact}'"
    assert engine.query(ann, soql)["records"][0]["Owner"]["IsActive"] is False
    for name in ("Contact", "Account", "Task"):
        body = {"LastName": "Roe"} if name == "Contact" else {"Subject": "X"}
        body = {"Name": "Acme"} if name == "Account" else body
        with pytest.raises(OrgError, match="INACTIVE_OWNER_OR_USER: operation performed with"):
            engine.create(ann, name, {**body, "OwnerId": bob.id})


@pytest.mark.parametrize(
    "wrong", [{"timezone": "Mars/Olympus"}, {"license": "GOLD"}, {"shoes": "42"},
              {"currency": "EUR"}, {"user_type": "Robot"}],
)  # fmt: skip
def test_what_a_user_cannot_have_is_refused(engine: Org, ann: User, wrong: dict[str, str]) -> None:
    with pytest.raises((ValueError, KeyError)):
        engine.user_setup.change(ann, **wrong)


def test_a_user_is_found_by_address_name_or_federation_id(engine: Org, ann: User) -> None:
    bob = engine.add_user(
        username="bob@example.com.sandbox", email="b@acme.example.invalid", last_name="Bob"
    )
    engine.user_setup.change(bob, federation_id="E4711")
    soql = (
        "SELECT Id FROM User WHERE IsActive = true AND UserType = 'Standard' AND "
        "(Email = '{0}' OR Username = '{0}' OR FederationIdentifier = '{0}')"
    )
    for known in ("b@acme.example.invalid", "bob@example.com.sandbox", "E4711"):
        found = engine.query(ann, soql.format(known))["records"]
        assert [row["Id"] for row in found] == [bob.id]
    engine.user_setup.change(bob, user_type="CsnOnly")
    assert engine.query(ann, soql.format("E4711"))["records"] == []


# -- several currencies ----------------------------------------------------------------------------


def test_an_org_with_one_currency_has_no_currency_types(engine: Org, ann: User) -> None:
    with pytest.raises(OrgError, match="INVALID_TYPE"):
        engine.query(ann, "SELECT IsoCode FROM CurrencyType")
    with pytest.raises(OrgError, match="NOT_FOUND"):
        engine.describe(ann, "CurrencyType")
    names = {field["name"] for field in engine.describe(ann, "Opportunity")["fields"]}
    assert "CurrencyIsoCode" not in names


def test_an_org_with_several_lists_them(engine: Org, ann: User) -> None:
    engine.use_currencies(["EUR", "USD", "JPY"], {"USD": 1.25, "JPY": 160})
    soql = (
        "SELECT IsoCode, ConversionRate, DecimalPlaces, IsActive, IsCorporate FROM CurrencyType "
        "ORDER BY IsoCode"
    )
    rows = [list(row.values())[1:] for row in engine.query(ann, soql)["records"]]
    assert rows == [
        ["EUR", 1.0, 2, True, True],
        ["JPY", 160.0, 0, True, False],
        ["USD", 1.25, 2, True, False],
    ]
    assert "CurrencyType" in engine.object_names(ann)


def test_a_currency_that_goes_is_inactive(engine: Org, ann: User) -> None:
    engine.use_currencies(["EUR", "USD"])
    engine.use_currencies(["EUR"])
    soql = "SELECT IsoCode FROM CurrencyType WHERE IsActive = false"
    assert [row["IsoCode"] for row in engine.query(ann, soql)["records"]] == ["USD"]


def test_a_new_record_has_its_users_currency(engine: Org, ann: User) -> None:
    before = engine.create(ann, "Account", {"Name": "Before"})
    engine.use_currencies(["EUR", "USD"])
    made = engine.create(ann, "Account", {"Name": "Corporate"})
    american = engine.user_setup.change(ann, currency="USD")
    own = engine.create(american, "Account", {"Name": "Own"})
    given = engine.create(american, "Account", {"Name": "Given", "CurrencyIsoCode": "EUR"})
    found = [
        engine.read(ann, "Account", record)["CurrencyIsoCode"]
        for record in (before, made, own, given)
    ]
    assert found == ["EUR", "EUR", "USD", "EUR"]
