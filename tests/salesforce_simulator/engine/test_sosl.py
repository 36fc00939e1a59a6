"""SOSL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import FieldRights, User


@pytest.fixture
def jane(org: Org, ann: User) -> str:
    """A contact, among others that look alike."""
    org.create(ann, "Lead", {"LastName": "Doe", "Company": "C", "Email": "jane@acme.example"})
    org.create(ann, "Contact", {"LastName": "X", "Email": "jane@acme.example.com"})
    org.create(ann, "Contact", {"LastName": "jane acme example", "Phone": "+31 6 1234"})
    return org.create(
        ann, "Contact", {"LastName": "Doe-Smith", "FirstName": "Jane", "Email": "Jane@acme.example"}
    )


def test_one_address_in_two_objects(org: Org, ann: User, jane: str) -> None:
    sosl = (
        r"FIND {jane@acme.example} IN EMAIL FIELDS RETURNING "
        "Contact(Id, Name WHERE LastName LIKE 'Doe%' ORDER BY Name LIMIT 5), Lead"
    )
    first, second = org.search(ann, sosl)["searchRecords"]
    assert first == {
        "attributes": {"type": "Contact", "url": f"/services/data/v66.0/sobjects/Contact/{jane}"},
        "Id": jane,
        "Name": "Jane Doe-Smith",
    }
    assert second["attributes"]["type"] == "Lead"
    assert list(second) == ["attributes", "Id"]


@pytest.mark.parametrize(
    ("term", "group", "hits"),
    [
        ("jane@acme.example", "EMAIL", 2),
        ("jane", "NAME", 2),
        (r"doe\-smith", "NAME", 1),
        ("smi*", "NAME", 1),
        ("smi", "NAME", 0),
        ('"jane doe"', "ALL", 1),
        ("doe jane", "ALL", 1),
        ("1234", "PHONE", 1),
        ("1234", "SIDEBAR", 1),
        ("1234", "EMAIL", 0),
    ],
)
def test_terms(org: Org, ann: User, jane: str, term: str, group: str, hits: int) -> None:
    sosl = f"FIND {{{term}}} IN {group} FIELDS RETURNING Contact(Id)"
    assert len(org.search(ann, sosl)["searchRecords"]) == hits


@pytest.mark.parametrize(
    ("sosl", "message"),
    [
        ("FIND jane RETURNING Contact",
         "No search term found. The search term must be enclosed in braces."),
        ("", "No search term found. The search term must be enclosed in braces."),
        ("FIND {j} RETURNING Contact", "The search term must be longer than one character"),
        ("FIND {doe-smith} RETURNING Contact",
         "The character - has to be escaped with a backslash"),
        ("FIND {jane AND doe} RETURNING Contact",
         "Of the operators of a search term the simulated org models OR alone"),
        ("FIND {jane} IN ANY FIELDS RETURNING Contact", "ANY FIELDS is no search group"),
        ("FIND {jane} RETURNING Contact(Id", "A parenthesis is missing after RETURNING"),
        ("FIND {jane} RETURNING Contact x", "unexpected token: 'x'"),
    ],
)  # fmt: skip
def test_refusals(org: Org, ann: User, sosl: str, message: str) -> None:
    with pytest.raises(OrgError) as refused:
        org.search(ann, sosl)
    assert refused.value.body() == [{"message": message, "errorCode": "MALFORMED_SEARCH"}]


def test_fields_of_a_search_are_checked_like_those_of_a_query(org: Org, ann: User) -> None:
    with pytest.raises(OrgError, match="No such column 'Nope' on entity 'Contact'"):
        org.search(ann, "FIND {jane} RETURNING Contact(Nope)")
    with pytest.raises(OrgError, match="INVALID_TYPE"):
        org.search(ann, "FIND {jane} RETURNING Nope(Id)")


def test_a_hidden_field_is_not_searched(org: Org, ann: User, jane: str) -> None:
    org.set_field_rights(ann, "Contact", "Email", FieldRights(readable=False))
    sosl = "FIND {jane@acme.example} IN EMAIL FIELDS RETURNING Contact(Id)"
    assert org.search(ann, sosl) == {"searchRecords": []}


def test_the_index_may_lag(org: Org, ann: User, clock: OrgClock) -> None:
    org.set_search_delay(timedelta(minutes=1))
    org.create(ann, "Contact", {"LastName": "Doe"})
    sosl = "FIND {doe} RETURNING Contact(Id)"
    assert org.search(ann, sosl)["searchRecords"] == []
    assert org.query(ann, "SELECT Id FROM Contact WHERE LastName = 'Doe'")["totalSize"] == 1
    clock.advance(timedelta(minutes=1))
    assert len(org.search(ann, sosl)["searchRecords"]) == 1


def test_the_parameterized_search(org: Org, ann: User, jane: str) -> None:
    answer = org.parameterized_search(
        ann, "jane@acme.example", scope="EMAIL", objects={"Contact": ["Id", "Email"], "Lead": []}
    )
    emails = [row.get("Email") for row in answer["searchRecords"]]
    assert "jane@acme.example" in emails, "addresses are stored in lower case"
    assert answer["searchRecords"][-1]["attributes"]["type"] == "Lead"
    hyphen = org.parameterized_search(ann, "doe-smith", objects={"Contact": []})
    assert [row["Id"] for row in hyphen["searchRecords"]] == [jane]


def test_every_email_field_and_the_website_are_searched(org: Org, ann: User) -> None:
    org.add_field("Contact", {"name": "Private__c", "type": "email", "length": 80})
    org.create(ann, "Contact", {"LastName": "X", "Private__c": "eva@home.example"})
    org.create(ann, "Account", {"Name": "A", "Website": "https://zenith.example/"})
    for term, group, name in (
        (r"eva\@home.example", "EMAIL", "Contact"),
        ("zenith.example", "NAME", "Account"),
    ):
        sosl = f"FIND {{{term}}} IN {group} FIELDS RETURNING {name}(Id)"
        assert len(org.search(ann, sosl)["searchRecords"]) == 1, term


def test_an_object_gives_250_rows_unless_its_limit_says_more(org: Org, ann: User) -> None:
    with org.transaction():
        for number in range(251):
            org.create(ann, "Account", {"Name": f"Gamma {number}"})
    for limit, rows in (("", 250), (" LIMIT 251", 251)):
        sosl = f"FIND {{gamma}} IN NAME FIELDS RETURNING Account(Id{limit})"
        assert len(org.search(ann, sosl)["searchRecords"]) == rows


def test_a_text_of_more_than_10000_characters_finds_nothing(org: Org, ann: User, jane: str) -> None:
    for text, hits in (("jane " * 2000, 1), ("jane " * 2001, 0)):
        sosl = f"FIND {{{text}}} IN NAME FIELDS RETURNING Contact(Id WHERE FirstName = 'Jane')"
        assert len(org.search(ann, sosl)["searchRecords"]) == hits
    with pytest.raises(OrgError, match="does not model operators"):
        org.search(ann, f"FIND {{{'jane OR ' * 501}doe}} IN NAME FIELDS RETURNING Contact(Id)")
