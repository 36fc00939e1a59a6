"""Orgs with state and country picklists, and with several currencies."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import User

PLACES = {"US": ["CA", "NY"], "DE": [], "AU": ["NSW", "NT"]}
NAMES = {
    "US": "United States",
    "CA": "California",
    "NY": "New York",
    "DE": "Germany",
    "AU": "Australia",
    "NSW": "New South Wales",
    "NT": "Northern Territory",
}


@pytest.fixture
def listed(org: Org) -> Org:
    org.use_places(PLACES, NAMES)
    return org


def mailing(org: Org, user: User, record_id: str) -> tuple[Any, ...]:
    fields = ("MailingCountryCode", "MailingCountry", "MailingStateCode", "MailingState")
    found = org.query(user, f"SELECT {', '.join(fields)} FROM Contact WHERE Id = '{record_id}'")
    return tuple(found["records"][0][name] for name in fields)


def create(org: Org, user: User, **fields: Any) -> str:
    return org.create(user, "Contact", {"LastName": "Doe", **fields})


@pytest.mark.parametrize(
    "given",
    [
        {"MailingCountryCode": "US", "MailingStateCode": "CA"},
        {"MailingCountry": "United States", "MailingState": "California"},
        {"MailingCountry": "united states", "MailingStateCode": "CA"},
        {"MailingCountryCode": "US", "MailingCountry": "Germany", "MailingStateCode": "CA"},
    ],
    ids=["codes", "texts", "one of each", "a code that contradicts its text wins on create"],
)
def test_code_and_text_fill_each_other(listed: Org, ann: User, given: dict[str, str]) -> None:
    made = create(listed, ann, **given)
    assert mailing(listed, ann, made) == ("US", "United States", "CA", "California")


def test_a_country_that_goes_takes_its_state_along(listed: Org, ann: User) -> None:
    made = create(listed, ann, MailingCountryCode="US", MailingStateCode="CA")
    listed.update(ann, "Contact", made, {"MailingCountryCode": None})
    assert mailing(listed, ann, made) == (None, None, None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"MailingState": "Bavaria"},
        {"MailingStateCode": "NSW"},
        {"MailingCountryCode": "DE"},
        {"MailingCountryCode": "AU", "MailingCountry": "Germany"},
    ],
    ids=["no such state", "another country's state", "a country without it", "both, different"],
)
def test_what_does_not_go_together_is_refused(
    listed: Org, ann: User, changes: dict[str, str]
) -> None:
    made = create(listed, ann, MailingCountryCode="US", MailingStateCode="CA")
    with pytest.raises(OrgError) as refused:
        listed.update(ann, "Contact", made, changes)
    assert refused.value.entries[0].code == "FIELD_INTEGRITY_EXCEPTION"
    assert mailing(listed, ann, made) == ("US", "United States", "CA", "California")


@pytest.mark.parametrize(
    ("given", "message", "field"),
    [
        (  # reported by administrators
            {"MailingCountryCode": "US", "MailingStateCode": "EP"},
            (
                "The MailingStateCode field contains EP, which isn't an available state. Your "
                "administrator can add it for you."
            ),
            "MailingStateCode",
        ),
        (  # assumed after it
            {"MailingCountryCode": "XX"},
            (
                "The MailingCountryCode field contains XX, which isn't an available country. Your "
                "administrator can add it for you."
            ),
            "MailingCountryCode",
        ),
        (  # quoted in public sources
            {"MailingState": "California"},
            (
                "A country/territory must be specified before specifying a state value for field: "
                "Mailing State/Province"
            ),
            "MailingState",
        ),
        (
            {"MailingCountryCode": "US", "MailingState": "EP"},
            (
                "There's a problem with this state, even though it may appear correct. Please "
                "select a state from the list of valid states.: MailingState"
            ),
            "MailingState",
        ),
        (  # labels are texts, never codes
            {"MailingCountry": "US"},
            (
                "There's a problem with this country, even though it may appear correct. Please "
                "select a country from the list of valid countries.: MailingCountry"
            ),
            "MailingCountry",
        ),
    ],
)
def test_a_place_that_is_not_on_the_list_is_refused_in_the_services_words(
    listed: Org, ann: User, given: dict[str, str], message: str, field: str
) -> None:
    with pytest.raises(OrgError) as refused:
        create(listed, ann, **given)
    [entry] = refused.value.entries
    assert (entry.code, entry.message) == ("FIELD_INTEGRITY_EXCEPTION", message)
    assert entry.fields == (field,)


def test_a_text_from_before_the_lists_stays_until_it_is_changed(org: Org, ann: User) -> None:
    made = create(org, ann, MailingCountry="NL", MailingState="Noord-Holland")
    org.use_places(PLACES, NAMES)
    org.update(ann, "Contact", made, {"Title": "CTO"})
    assert mailing(org, ann, made) == (None, "NL", None, "Noord-Holland")
    with pytest.raises(OrgError, match="FIELD_INTEGRITY_EXCEPTION"):
        org.update(ann, "Contact", made, {"MailingState": "Utrecht"})


def test_an_address_tells_codes_and_texts(listed: Org, ann: User) -> None:
    made = create(listed, ann, MailingCountryCode="AU", MailingStateCode="NT")
    found = listed.query(ann, f"SELECT MailingAddress FROM Contact WHERE Id = '{made}'")
    address = found["records"][0]["MailingAddress"]
    assert (address["countryCode"], address["country"]) == ("AU", "Australia")
    assert (address["stateCode"], address["state"]) == ("NT", "Northern Territory")


def test_a_record_is_in_the_users_currency_unless_it_says_another(org: Org, ann: User) -> None:
    org.use_currencies(["USD", "JPY"])
    for code in ({}, {"CurrencyIsoCode": "JPY"}):
        fields = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-31", **code}
        org.create(ann, "Opportunity", fields)
    found = org.query(ann, "SELECT CurrencyIsoCode FROM Opportunity ORDER BY Id")
    assert [row["CurrencyIsoCode"] for row in found["records"]] == ["USD", "JPY"]
    with pytest.raises(OrgError):
        org.create(ann, "Account", {"Name": "x", "CurrencyIsoCode": "XXX"})
