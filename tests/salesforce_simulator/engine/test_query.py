"""SOQL run over records."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import FieldRights, ObjectRights, User

Ids = dict[str, str]
HALF = r"\uD83D"


@pytest.fixture
def people(org: Org, ann: User, clock: OrgClock) -> Ids:
    """Two accounts and five contacts, a minute apart, with cases and an opportunity."""
    ids: Ids = {}
    ids["acme"] = org.create(ann, "Account", {"Name": "Acme", "Industry": "Finance"})
    ids["zenith"] = org.create(ann, "Account", {"Name": "Zenith"})
    rows: list[tuple[str, dict[str, Any]]] = [
        ("jane", {"LastName": "Doe", "FirstName": "Jane", "Email": "jane@acme.example",
                  "AccountId": ids["acme"], "Loyalty_Points__c": 10,
                  "Interests__c": "Billing;Security", "Newsletter__c": True}),
        ("bob", {"LastName": "Brown", "FirstName": "Bob", "Email": "Bob@Acme.example",
                 "AccountId": ids["acme"], "Loyalty_Points__c": 30, "Interests__c": "Billing"}),
        ("eva", {"LastName": "Evans", "Email": "eva@zenith.example", "AccountId": ids["zenith"],
                 "Language__c": "French", "Customer_Since__c": "2026-05-01"}),
        ("cy", {"LastName": "Young", "FirstName": "Cy", "Loyalty_Points__c": 20}),
        ("ann", {"LastName": "O'Hara 50% a_b", "FirstName": "Ann", "Title": "Head\\Lead"}),
    ]  # fmt: skip
    for key, fields in rows:
        clock.advance(timedelta(minutes=1))
        ids[key] = org.create(ann, "Contact", fields)
    for number in range(3):
        case = {"Subject": f"Case {number}", "ContactId": ids["jane"]}
        ids[f"case {number}"] = org.create(ann, "Case", case)
    ids["deal"] = org.create(
        ann,
        "Opportunity",
        {"Name": "Deal", "StageName": "Proposal/Price Quote", "CloseDate": "2026-06-30",
         "Amount": 1000, "AccountId": ids["acme"], "ContactId": ids["jane"]},
    )  # fmt: skip
    return ids


Names = Callable[[str], list[str]]


@pytest.fixture
def names(org: Org, ann: User, people: Ids) -> Names:
    """The keys of the contacts that a WHERE finds, in the order of the answer."""
    keys = {record_id: key for key, record_id in people.items()}

    def find(tail: str) -> list[str]:
        answer = org.query(ann, f"SELECT Id FROM Contact {tail}")
        assert answer["totalSize"] == len(answer["records"])
        return [keys[row["Id"]] for row in answer["records"]]

    return find


def complaint(org: Org, user: User, soql: str) -> tuple[str, str]:
    """(code, last line of the message) of a refused query."""
    with pytest.raises(OrgError) as refused:
        org.query(user, soql)
    (entry,) = refused.value.entries
    return entry.code, entry.message.split("\n")[-1]


# -- conditions -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Email = 'JANE@acme.EXAMPLE'", ["jane"]),
        ("Email = 'nobody@acme.example'", []),
        ("Email IN ('bob@acme.example','eva@zenith.example')", ["bob", "eva"]),
        ("Email NOT IN ('bob@acme.example','eva@zenith.example')", ["jane", "cy", "ann"]),
        ("Email = null", ["cy", "ann"]),
        ("Email = ''", ["cy", "ann"]),
        ("Email != null", ["jane", "bob", "eva"]),
        ("Email != 'jane@acme.example'", ["bob", "eva", "cy", "ann"]),
        ("Email LIKE '%@acme.example'", ["jane", "bob"]),
        ("Email LIKE 'JA%'", ["jane"]),
        ("NOT Email LIKE '%acme%'", ["eva", "cy", "ann"]),
        ("LastName = 'O\\'Hara 50% a_b'", ["ann"]),
        ("LastName LIKE '%50\\% a\\_b'", ["ann"]),
        ("LastName LIKE '%50\\% a\\_c'", []),
        ("Title = 'head\\\\lead'", ["ann"]),
        ("LastName > 'Evan'", ["eva", "cy", "ann"]),
        ("LastName <= 'DOE'", ["jane", "bob"]),
        ("Loyalty_Points__c >= 20", ["bob", "cy"]),
        ("Loyalty_Points__c < 20.5 AND Loyalty_Points__c != 20", ["jane"]),
        ("Newsletter__c = TRUE", ["jane"]),
        ("Newsletter__c != true", ["bob", "eva", "cy", "ann"]),
        ("Interests__c INCLUDES ('Security')", ["jane"]),
        ("Interests__c INCLUDES ('Billing;Security','Reporting')", ["jane"]),
        ("Interests__c EXCLUDES ('Security')", ["bob", "eva", "cy", "ann"]),
        ("Interests__c = 'billing;security'", ["jane"]),
        ("Account.Name = 'acme'", ["jane", "bob"]),
        ("Account.Name != 'acme'", ["eva", "cy", "ann"]),
        ("Account.Name LIKE 'Ze%'", ["eva"]),
        ("Account.Industry = null", ["eva", "cy", "ann"]),
        ("(LastName = 'Doe' OR LastName = 'Young') AND Loyalty_Points__c > 15", ["cy"]),
        ("(NOT LastName = 'Doe') AND AccountId != null", ["bob", "eva"]),
        ("CreatedDate >= 2026-05-06T09:52:20Z", ["eva", "cy", "ann"]),
        ("CreatedDate > 2026-05-06T11:52:20+02:00", ["cy", "ann"]),
        ("CreatedDate = TODAY AND CreatedDate < 2026-05-06T09:51:00Z", ["jane"]),
        ("CreatedDate < TODAY", []),
        ("CreatedDate = LAST_N_DAYS:1", ["jane", "bob", "eva", "cy", "ann"]),
        ("Customer_Since__c = THIS_MONTH", ["eva"]),
        ("Customer_Since__c = LAST_MONTH", []),
        ("Customer_Since__c <= 2026-05-01", ["eva"]),
        ("Customer_Since__c != TODAY", ["jane", "bob", "eva", "cy", "ann"]),
        ("Id IN (SELECT ContactId FROM Case WHERE Subject LIKE 'Case%')", ["jane"]),
        ("Id NOT IN (SELECT ContactId FROM Case)", ["bob", "eva", "cy", "ann"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'Zenith')", ["eva"]),
        ("Contact.LastName = 'Doe'", ["jane"]),
        ("CreatedBy.Email = 'ann@example.com' AND LastName = 'Doe'", ["jane"]),
    ],
)  # fmt: skip
def test_conditions(names: Names, where: str, found: list[str]) -> None:
    assert names(f"WHERE {where}") == found


def test_ids_are_taken_in_both_forms(names: Names, people: Ids) -> None:
    assert names(f"WHERE Id = '{people['jane'][:15]}'") == ["jane"]
    assert names(f"WHERE AccountId IN ('{people['zenith'][:15]}')") == ["eva"]


@pytest.mark.parametrize(
    ("tail", "found"),
    [
        ("ORDER BY LastName", ["bob", "jane", "eva", "ann", "cy"]),
        ("ORDER BY LastName DESC", ["cy", "ann", "eva", "jane", "bob"]),
        ("ORDER BY Loyalty_Points__c", ["eva", "ann", "jane", "cy", "bob"]),
        ("ORDER BY Loyalty_Points__c NULLS LAST", ["jane", "cy", "bob", "eva", "ann"]),
        ("ORDER BY Loyalty_Points__c DESC", ["eva", "ann", "bob", "cy", "jane"]),
        ("ORDER BY Loyalty_Points__c DESC NULLS LAST", ["bob", "cy", "jane", "eva", "ann"]),
        ("ORDER BY Account.Name NULLS LAST, LastName", ["ann", "cy", "bob", "jane", "eva"]),
        ("ORDER BY CreatedDate DESC LIMIT 2", ["ann", "cy"]),
        ("ORDER BY CreatedDate LIMIT 2 OFFSET 3", ["cy", "ann"]),
        ("ORDER BY CreatedDate OFFSET 5", []),
        ("ORDER BY Language__c, LastName", ["bob", "jane", "ann", "cy", "eva"]),
    ],
)
def test_orders(names: Names, tail: str, found: list[str]) -> None:
    """Nulls come first unless told otherwise, always so behind a relationship."""
    assert names(tail) == found


# -- shapes ---------------------------------------------------------------------------------------
def test_a_row_keeps_the_order_of_its_select_and_shows_parents_and_children(
    org: Org, ann: User, people: Ids
) -> None:
    answer = org.query(
        ann,
        "SELECT Name, account.name, Title, ACCOUNT.Id, (SELECT Subject FROM Cases "
        "WHERE Subject != 'Case 1' ORDER BY Subject DESC), (SELECT Id FROM Tasks) "
        "FROM Contact WHERE LastName = 'Doe'",
    )
    (row,) = answer["records"]
    assert list(row) == ["attributes", "Name", "Account", "Title", "Cases", "Tasks"]
    url = f"/services/data/v66.0/sobjects/Contact/{people['jane']}"
    assert row["attributes"] == {"type": "Contact", "url": url}
    assert row["Account"] == {
        "attributes": {
            "type": "Account",
            "url": f"/services/data/v66.0/sobjects/Account/{people['acme']}",
        },
        "Name": "Acme",
        "Id": people["acme"],
    }
    assert row["Tasks"] is None, "an empty child set is null"
    assert row["Cases"]["totalSize"] == 2
    assert row["Cases"]["done"] is True
    assert [case["Subject"] for case in row["Cases"]["records"]] == ["Case 2", "Case 0"]


def test_an_empty_parent_is_null(org: Org, ann: User, people: Ids) -> None:
    soql = "SELECT Account.Name, Account.Owner.Name FROM Contact WHERE LastName = 'Young'"
    (row,) = org.query(ann, soql)["records"]
    assert row["Account"] is None


def test_a_polymorphic_parent_tells_its_type(org: Org, ann: User, people: Ids) -> None:
    org.create(ann, "Task", {"Subject": "Hello", "WhoId": people["jane"]})
    (row,) = org.query(ann, "SELECT Who.Name, Who.Type, What.Name, Owner.Name FROM Task")["records"]
    assert row["Who"]["Name"] == "Jane Doe"
    assert row["Who"]["Type"] == "Contact"
    assert row["What"] is None
    assert row["Owner"]["Name"] == "Ann Agent"


def test_roles_lead_to_opportunities(org: Org, ann: User, people: Ids) -> None:
    soql = (
        "SELECT Id, (SELECT Role, IsPrimary, Opportunity.Name, Opportunity.Amount FROM "
        "OpportunityContactRoles ORDER BY Opportunity.LastModifiedDate DESC LIMIT 6) "
        f"FROM Contact WHERE Id = '{people['jane']}'"
    )
    (row,) = org.query(ann, soql)["records"]
    (role,) = row["OpportunityContactRoles"]["records"]
    assert role["IsPrimary"] is True
    assert role["Opportunity"]["Name"] == "Deal"
    assert role["Opportunity"]["Amount"] == 1000.0


def test_counting_answers_no_rows(org: Org, ann: User, people: Ids) -> None:
    assert org.query(ann, "SELECT COUNT() FROM Contact WHERE AccountId != null") == {
        "totalSize": 3,
        "done": True,
        "records": [],
    }


def test_aggregates(org: Org, ann: User, people: Ids) -> None:
    soql = (
        "SELECT Account.Name, COUNT(Id), SUM(Loyalty_Points__c) points FROM Contact "
        "GROUP BY Account.Name HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC, Account.Name"
    )
    assert org.query(ann, soql)["records"] == [
        {"attributes": {"type": "AggregateResult"}, "Name": None, "expr0": 2, "points": 20.0},
        {"attributes": {"type": "AggregateResult"}, "Name": "Acme", "expr0": 2, "points": 40.0},
    ]
    soql = (
        "SELECT MIN(LastName), MAX(CreatedDate), AVG(Loyalty_Points__c), "
        "COUNT_DISTINCT(AccountId) FROM Contact"
    )
    (row,) = org.query(ann, soql)["records"]
    assert row["expr0"] == "Brown"
    assert row["expr1"] == "2026-05-06T09:54:20.000+0000"
    assert row["expr2"] == 20.0
    assert row["expr3"] == 2


def test_fields_macros(org: Org, ann: User, people: Ids) -> None:
    row = org.query(ann, "SELECT FIELDS(ALL) FROM Contact LIMIT 200")["records"][0]
    described = [field["name"] for field in org.describe(ann, "Contact")["fields"]]
    assert list(row) == ["attributes", *described]
    custom = org.query(ann, "SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1")["records"][0]
    assert all(name.endswith("__c") for name in custom if name != "attributes")
    assert complaint(org, ann, "SELECT FIELDS(ALL) FROM Contact")[0] == "MALFORMED_QUERY"


def test_an_address_comes_as_an_object(org: Org, ann: User) -> None:
    org.create(ann, "Account", {"Name": "A", "BillingCity": "Leiden", "BillingPostalCode": "1"})
    (row,) = org.query(ann, "SELECT BillingAddress, ShippingAddress FROM Account")["records"]
    assert row["BillingAddress"]["city"] == "Leiden"
    assert row["BillingAddress"]["postalCode"] == "1"
    assert row["BillingAddress"]["street"] is None
    assert row["ShippingAddress"] is None


# -- batches --------------------------------------------------------------------------------------
def test_long_answers_come_in_batches(org: Org, ann: User, clock: OrgClock) -> None:
    with org.transaction():
        for number in range(450):
            org.create(ann, "Lead", {"LastName": f"L{number:03d}", "Company": "C"})
    answer = org.query(ann, "SELECT LastName FROM Lead ORDER BY LastName", batch_size=200)
    assert (answer["totalSize"], answer["done"], len(answer["records"])) == (450, False, 200)
    seen = [row["LastName"] for row in answer["records"]]
    while not answer["done"]:
        head, _, locator = answer["nextRecordsUrl"].rpartition("/")
        assert head == "/services/data/v66.0/query"
        answer = org.query_more(ann, locator)
        seen += [row["LastName"] for row in answer["records"]]
    assert seen == [f"L{number:03d}" for number in range(450)]
    assert "nextRecordsUrl" not in answer


def test_locators_end_and_belong_to_their_user(org: Org, ann: User, clock: OrgClock) -> None:
    bob = org.add_user(username="bob@example.com", email="bob@example.com", last_name="Bob")
    with org.transaction():
        for number in range(201):
            org.create(ann, "Lead", {"LastName": f"L{number}", "Company": "C"})
    answer = org.query(ann, "SELECT Id FROM Lead", batch_size=200)
    locator = answer["nextRecordsUrl"].rpartition("/")[2]
    assert len(org.query_more(ann, locator)["records"]) == 1
    for user, text in ((bob, locator), (ann, "0r8-200"), (ann, locator + "9")):
        with pytest.raises(OrgError, match="INVALID_QUERY_LOCATOR"):
            org.query_more(user, text)
    clock.advance(timedelta(days=3))
    with pytest.raises(OrgError, match="INVALID_QUERY_LOCATOR"):
        org.query_more(ann, locator)


def test_child_rows_count_towards_a_batch(org: Org, ann: User) -> None:
    with org.transaction():
        for number in range(60):
            contact = org.create(ann, "Contact", {"LastName": f"C{number}"})
            for _ in range(4):
                org.create(ann, "Case", {"Subject": "S", "ContactId": contact})
    answer = org.query(ann, "SELECT Id, (SELECT Id FROM Cases) FROM Contact", batch_size=200)
    assert answer["done"] is False
    assert len(answer["records"]) == 40


# -- deleted rows ---------------------------------------------------------------------------------
def test_deleted_rows_are_seen_by_query_all_alone(org: Org, ann: User, people: Ids) -> None:
    org.delete(ann, "Contact", people["bob"])
    soql = "SELECT Id, IsDeleted FROM Contact WHERE Email = 'bob@acme.example'"
    assert org.query(ann, soql)["totalSize"] == 0
    (row,) = org.query(ann, soql, all_rows=True)["records"]
    assert row["IsDeleted"] is True
    assert org.query(ann, "SELECT COUNT() FROM Contact")["totalSize"] == 4
    assert org.query(ann, "SELECT COUNT() FROM Contact", all_rows=True)["totalSize"] == 5


def test_old_closed_tasks_are_archived(org: Org, ann: User, clock: OrgClock) -> None:
    org.create(ann, "Task", {"Subject": "Old", "Status": "Completed", "ActivityDate": "2026-05-06"})
    org.create(ann, "Task", {"Subject": "Open", "ActivityDate": "2026-05-06"})
    clock.advance(timedelta(days=400))
    seen = org.query(ann, "SELECT Subject, IsArchived FROM Task")["records"]
    assert [(row["Subject"], row["IsArchived"]) for row in seen] == [("Open", False)]
    everything = org.query(ann, "SELECT Subject, IsArchived FROM Task", all_rows=True)["records"]
    assert [(row["Subject"], row["IsArchived"]) for row in everything] == [
        ("Old", True),
        ("Open", False),
    ]


# -- refusals -------------------------------------------------------------------------------------
CUSTOM_FIELD = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom "
    "field name. Please reference your WSDL or the describe call for the appropriate names."
)


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        (
            "SELECT Bacon__c FROM Account LIMIT 2",
            (
                "\nSELECT Bacon__c FROM Account LIMIT 2\n       ^\nERROR at Row:1:Column:8\n"
                f"No such column 'Bacon__c' on entity 'Account'. {CUSTOM_FIELD}"
            ),
        ),
    ],
)
def test_an_unknown_field_is_answered_as_recorded(
    org: Org, ann: User, soql: str, message: str
) -> None:
    with pytest.raises(OrgError) as refused:
        org.query(ann, soql)
    assert refused.value.body() == [{"message": message, "errorCode": "INVALID_FIELD"}]


def test_an_unknown_object_is_answered_as_recorded(org: Org, ann: User) -> None:
    with pytest.raises(OrgError) as refused:
        org.query(ann, "select count() from XYZZY")
    message = (
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
        "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be "
        "sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names."
    )
    assert refused.value.body() == [{"message": message, "errorCode": "INVALID_TYPE"}]


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT COUNT(Phone), COUNT(Description) FROM Contact", "MALFORMED_QUERY",
         "field Description does not support aggregate operator COUNT"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD",
         "field 'Description' can not be filtered in a query call"),
        ("SELECT Id FROM Contact WHERE MailingAddress = 'x'", "INVALID_FIELD",
         "field 'MailingAddress' can not be filtered in a query call"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD",
         "field 'Description' can not be sorted in a query call"),
        ("SELECT COUNT(Id) FROM Contact GROUP BY Description", "MALFORMED_QUERY",
         "field 'Description' can not be grouped in a query call"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-05-01'", "INVALID_FIELD",
         ("value of filter criterion for field 'CreatedDate' must be of type dateTime and should "
         "not be enclosed in quotes")),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-05-01", "INVALID_FIELD",
         ("value of filter criterion for field 'CreatedDate' must be of type dateTime and should "
         "not be enclosed in quotes")),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD",
         ("value of filter criterion for field 'LastName' must be of type string and should be "
         "enclosed in quotes")),
        ("SELECT Id FROM Contact WHERE Loyalty_Points__c = '5'", "INVALID_FIELD",
         ("value of filter criterion for field 'Loyalty_Points__c' must be of type double and "
         "should not be enclosed in quotes")),
        ("SELECT Id FROM Contact WHERE IsDeleted = 'false'", "INVALID_FIELD",
         ("value of filter criterion for field 'IsDeleted' must be of type boolean and should not "
         "be enclosed in quotes")),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR",
         "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE Id LIKE '003%'", "INVALID_QUERY_FILTER_OPERATOR",
         "invalid operator on id field"),
        ("SELECT Id FROM Contact WHERE CreatedDate LIKE '2026%'", "INVALID_QUERY_FILTER_OPERATOR",
         "invalid operator on datetime field"),
        ("SELECT Id FROM Contact WHERE LastName INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR",
         "includes or excludes operator only valid on multipicklist field"),
        ("SELECT Id FROM Contact WHERE Newsletter__c > true", "INVALID_QUERY_FILTER_OPERATOR",
         "invalid operator on boolean field"),
        ("SELECT Id, Name, id FROM Contact", "MALFORMED_QUERY", "duplicate field selected: id"),
        (f"SELECT Id FROM Contact WHERE Loyalty_Points__c = {'9' * 30}",
         "NUMBER_OUTSIDE_VALID_RANGE", f"number outside valid range: {'9' * 30}"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-05-01T00:00:00+99:00", "MALFORMED_QUERY",
         "Invalid datetime: 2026-05-01T00:00:00+99:00"),
        (f"SELECT {'ReportsTo.' * 6}Id FROM Contact", "MALFORMED_QUERY",
         f"only 5 levels of relationships are allowed: {'ReportsTo.' * 6}Id"),
        (f"SELECT Id FROM Contact WHERE LastName LIKE '{HALF}%'", "MALFORMED_QUERY",
         (f"Invalid string literal '{HALF}%'. Illegal character sequence '{HALF}%' in string "
         "literal.")),
        ("SELECT LastName, COUNT(Id) FROM Contact", "MALFORMED_QUERY",
         "Field must be grouped or aggregated: LastName"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-02-30T00:00:00Z", "MALFORMED_QUERY",
         "Invalid datetime: 2026-02-30T00:00:00Z"),
        ("SELECT Id FROM Contact WHERE CreatedDate = LAST_N_YEARS:99999", "MALFORMED_QUERY",
         "Invalid date literal: LAST_N_YEARS:99999"),
        ("SELECT Id FROM Contact WHERE LastName = 'a\\q'", "MALFORMED_QUERY",
         "Invalid string literal 'a\\q'. Illegal character sequence '\\q' in string literal."),
        ("SELECT Id FROM Contact WHERE LastName IN (SELECT Id FROM Case)", "MALFORMED_QUERY",
         ("The left operand field in the where expression for outer query should be an id field, "
         "cannot use: 'LastName'")),
        ("SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM Case) OR LastName = 'x'",
         "MALFORMED_QUERY", ("Semi join sub-selects are only allowed at the top level WHERE "
         "expressions and not in nested WHERE expressions.")),
    ],
)  # fmt: skip
def test_refusals(org: Org, ann: User, soql: str, code: str, message: str) -> None:
    assert complaint(org, ann, soql) == (code, message)


def test_relationships_that_are_none(org: Org, ann: User) -> None:
    code, message = complaint(org, ann, "SELECT Id, Boss.Name FROM Contact")
    assert code == "INVALID_FIELD"
    assert message.startswith("Didn't understand relationship 'Boss' in field path.")
    code, message = complaint(org, ann, "SELECT Id, (SELECT Id FROM Kases) FROM Contact")
    assert code == "INVALID_FIELD"
    assert message.startswith("Didn't understand relationship 'Kases' in FROM part of query call.")


# -- rights ---------------------------------------------------------------------------------------
def test_a_hidden_field_is_answered_like_one_that_does_not_exist(org: Org, ann: User) -> None:
    org.set_field_rights(ann, "Contact", "Phone", FieldRights(readable=False))
    for soql in (
        "SELECT Phone FROM Contact",
        "SELECT Id FROM Contact WHERE Phone = '1'",
        "SELECT Id FROM Contact ORDER BY Phone",
    ):
        code, message = complaint(org, ann, soql)
        assert code == "INVALID_FIELD"
        assert message == f"No such column 'Phone' on entity 'Contact'. {CUSTOM_FIELD}"


def test_a_hidden_object_fails_the_whole_query(org: Org, ann: User) -> None:
    org.set_object_rights(ann, "Case", ObjectRights(read=False))
    assert complaint(org, ann, "SELECT Id FROM Case")[0] == "INVALID_TYPE"
    code, message = complaint(org, ann, "SELECT Id, (SELECT Id FROM Cases) FROM Contact")
    assert code == "INVALID_FIELD"
    assert message.startswith("Didn't understand relationship 'Cases' in FROM part")


class _Undo(Exception):
    """Leaves nothing of an example behind."""


# -- any text -------------------------------------------------------------------------------------
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        min_size=2,
        max_size=6,
    )
)
def test_any_text_finds_its_record_and_no_other(org: Org, ann: User, texts: list[str]) -> None:
    """Case apart and blanks at the ends apart, which the service does not keep."""
    blanks = "".join(map(chr, range(33)))
    known = {text.strip(blanks) for text in texts} - {""}
    with suppress(_Undo), org.transaction():
        for text in known:
            org.create(ann, "Contact", {"LastName": text})
        for text in known:
            quoted = text.replace("\\", "\\\\").replace("'", "\\'")
            pattern = quoted.replace("%", "\\%").replace("_", "\\_")
            wanted = sorted(other for other in known if other.lower() == text.lower())
            for condition in (
                f"= '{quoted}'",
                f"IN ('{quoted}')",
                f"LIKE '{pattern}'",
            ):
                soql = f"SELECT LastName FROM Contact WHERE LastName {condition}"
                found = [row["LastName"] for row in org.query(ann, soql)["records"]]
                assert sorted(found) == wanted
        raise _Undo
    assert org.query(ann, "SELECT COUNT() FROM Contact")["totalSize"] == 0


def calls_of(work: Callable[[], object]) -> int:
    """How many Python functions the work calls: the same on every machine, however busy."""
    count = 0

    def seen(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_two_hundred_addresses_among_thousands_are_found_by_the_index(org: Org, ann: User) -> None:
    """Counted in calls of the simulator's code: most records are never read."""
    with org.transaction():
        for number in range(3000):
            org.create(ann, "Contact", {"LastName": "P", "Email": f"p{number}@example.com"})
    addresses = ",".join(f"'P{number * 7}@example.com'" for number in range(200))
    soql = f"SELECT Id, Email FROM Contact WHERE Email IN ({addresses})"
    found: list[int] = []
    indexed = calls_of(lambda: found.append(org.query(ann, soql)["totalSize"]))
    scanned = calls_of(lambda: org.query(ann, "SELECT Id FROM Contact WHERE Title = 'nobody'"))
    assert found == [200]
    assert indexed < scanned


# -- what the references name ---------------------------------------------------------------------
def test_objects_that_are_not_modelled_are_unknown_types(org: Org, ann: User) -> None:
    names = (
        "AccountContactRelation", "CaseComment", "ContactPointEmail", "ContentNote",
        "DatedConversionRate", "DuplicateRule", "EntityDefinition", "Event", "EventRelation",
        "ObjectPermissions", "PlatformEventChannel", "Pricebook2", "UserRole",
    )  # fmt: skip
    for name in names:
        code, message = complaint(org, ann, f"SELECT Id FROM {name}")
        assert (code, message[:30]) == (
            "INVALID_TYPE",
            f"sObject type '{name}' is not supported"[:30],
        )


def test_changes_are_polled_in_their_order(org: Org, ann: User, people: Ids) -> None:
    first = org.read(ann, "Contact", people["jane"])["SystemModstamp"]
    soql = f"SELECT Id FROM Contact WHERE SystemModstamp > {first} ORDER BY SystemModstamp, Id"
    found = [row["Id"] for row in org.query(ann, soql)["records"]]
    assert found == [people[name] for name in ("bob", "eva", "cy", "ann")]


def test_the_account_of_most_contacts_with_a_domain(org: Org, ann: User, people: Ids) -> None:
    soql = (
        "SELECT AccountId, COUNT(Id) n FROM Contact WHERE Email LIKE '%@acme.example' AND "
        "AccountId != null GROUP BY AccountId ORDER BY COUNT(Id) DESC LIMIT 3"
    )
    (row,) = org.query(ann, soql)["records"]
    assert (row["AccountId"], row["n"]) == (people["acme"], 2)


def test_a_website_is_found_in_any_case_and_only_whole(org: Org, ann: User, people: Ids) -> None:
    org.update(ann, "Account", people["acme"], {"Website": "HTTPS://www.Acme.example"})
    for forms, hits in (("'acme.example','https://www.acme.example'", 1), ("'acme.example'", 0)):
        soql = f"SELECT Id FROM Account WHERE Website IN ({forms})"
        assert org.query(ann, soql)["totalSize"] == hits


def test_a_statement_leads_to_55_parents_at_most(org: Org, ann: User) -> None:
    for number in range(56):
        name = f"Parent{number}__c"
        lookup = {"type": "reference", "referenceTo": ["Account"]}
        relation = {"relationshipName": f"Parent{number}__r"}
        org.add_field("Contact", {"name": name, **lookup, **relation})
    paths = [f"Parent{number}__r.Name" for number in range(56)]
    assert org.query(ann, f"SELECT {', '.join(paths[:55])} FROM Contact")["totalSize"] == 0
    code, _ = complaint(org, ann, f"SELECT {', '.join(paths)} FROM Contact")
    assert code == "MALFORMED_QUERY"


def test_a_custom_lookup_leads_to_its_parent(org: Org, ann: User, people: Ids) -> None:
    lookup = {
        "name": "Partner__c", "type": "reference", "referenceTo": ["Account"],
        "relationshipName": "Partner__r",
    }  # fmt: skip
    org.add_field("Contact", lookup)
    org.update(ann, "Contact", people["cy"], {"Partner__c": people["acme"]})
    soql = f"SELECT Partner__r.Name FROM Contact WHERE Id = '{people['cy']}'"
    assert org.query(ann, soql)["records"][0]["Partner__r"]["Name"] == "Acme"
    children = org.describe(ann, "Account")["childRelationships"]
    assert {
        "childSObject", "field", "relationshipName", "cascadeDelete", "restrictedDelete",
        "deprecatedAndHidden", "junctionIdListNames", "junctionReferenceTo",
    } <= set(children[0])  # fmt: skip


def test_a_field_flagged_unfilterable_cannot_be_filtered(org: Org, ann: User) -> None:
    flags = {"type": "string", "length": 80, "encrypted": True, "filterable": False}
    org.add_field("Contact", {"name": "Shielded__c", **flags})
    code, message = complaint(org, ann, "SELECT Id FROM Contact WHERE Shielded__c = 'x'")
    assert code == "INVALID_FIELD"
    assert message == "field 'Shielded__c' can not be filtered in a query call"
