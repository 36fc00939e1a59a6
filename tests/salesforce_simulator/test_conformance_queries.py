"""Sections 8 and 9: SOQL and SOSL over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.process import RunningOrg

from .conftest import Api

HINT = " Please reference your WSDL or the describe call for the appropriate names."


def refused(api: Api, soql: str) -> dict[str, Any]:
    answer = api.query(soql)
    assert answer.status_code == 400, answer.text
    [entry] = answer.json()
    found: dict[str, Any] = entry
    return found


# -- 8.1 results -----------------------------------------------------------------------------------


def test_one_query_fills_a_sidebar(api: Api, address: str) -> None:
    account = api.create("Account", Name="Acme")
    person = api.create(
        "Contact", FirstName="Jane", LastName="Doe", Email=address, AccountId=account
    )
    for number in range(7):
        api.create("Case", Subject=f"Case {number}", ContactId=person)
    deal = api.create(
        "Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2030-01-01",
        AccountId=account,
    )  # fmt: skip
    api.create("OpportunityContactRole", OpportunityId=deal, ContactId=person, Role="Other")
    soql = f"""SELECT Id, Name, Email, Phone, Title, AccountId, Account.Id, Account.Name,
      (SELECT Id, CaseNumber, Subject, Status, Priority, CreatedDate
         FROM Cases ORDER BY CreatedDate DESC LIMIT 5),
      (SELECT Role, IsPrimary, Opportunity.Id, Opportunity.Name, Opportunity.StageName,
         Opportunity.Amount, Opportunity.CloseDate
         FROM OpportunityContactRoles ORDER BY Opportunity.LastModifiedDate DESC LIMIT 6)
      FROM Contact WHERE Email = '{address}' ORDER BY LastModifiedDate DESC LIMIT 5"""
    body = api.query(soql).json()
    assert (body["totalSize"], body["done"]) == (1, True)
    [record] = body["records"]
    assert list(record) == [
        "attributes", "Id", "Name", "Email", "Phone", "Title", "AccountId", "Account", "Cases",
        "OpportunityContactRoles",
    ]  # fmt: skip
    assert (
        record["Account"]["attributes"]["url"] == f"/services/data/v66.0/sobjects/Account/{account}"
    )
    assert record["Cases"]["totalSize"] == 5
    [role] = record["OpportunityContactRoles"]["records"]
    assert role["Opportunity"]["Name"] == "Deal"
    assert role["Opportunity"]["Amount"] is None


def test_empty_parents_and_child_sets_are_null(api: Api, contact: str, address: str) -> None:
    soql = f"SELECT Account.Name, (SELECT Id FROM Cases) FROM Contact WHERE Email = '{address}'"
    [record] = api.query(soql).json()["records"]
    assert (record["Account"], record["Cases"]) == (None, None)
    assert "Id" not in record
    assert record["attributes"]["url"].endswith(contact)


def test_polymorphic_parents_tell_their_type(api: Api, contact: str, address: str) -> None:
    api.create("Task", Subject=address, WhoId=contact)
    soql = f"SELECT Who.Type, Who.Name, Owner.Name FROM Task WHERE Subject = '{address}'"
    [record] = api.query(soql).json()["records"]
    assert record["Who"]["Type"] == "Contact"
    assert record["Who"]["attributes"]["type"] in ("Name", "Contact")


def test_more_than_a_batch_comes_in_pages_each_of_them_a_call(
    org: RunningOrg, api: Api, address: str
) -> None:
    record = {"attributes": {"type": "Task"}, "Subject": address}
    for _ in range(2):
        api.post("composite/sobjects", {"records": [record] * 200})
    org.control.reset_log()
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = f"SELECT Id FROM Task WHERE Subject = '{address}'"
    first = api.get("query", params={"q": soql}, headers=headers).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (400, False, 200)
    assert first["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8")
    assert first["nextRecordsUrl"].endswith("-200")
    second = api.get(first["nextRecordsUrl"]).json()
    assert (second["done"], len(second["records"])) == (True, 200)
    assert "nextRecordsUrl" not in second
    assert len({r["Id"] for r in first["records"] + second["records"]}) == 400
    assert org.control.counters()["api_requests"] == 2


def test_a_page_holds_2000_rows_when_nobody_asks_for_less(api: Api, address: str) -> None:
    record = {"attributes": {"type": "Task"}, "Subject": address}
    for _ in range(11):
        api.post("composite/sobjects", {"records": [record] * 200})
    first = api.query(f"SELECT Id FROM Task WHERE Subject = '{address}'").json()
    assert (first["totalSize"], len(first["records"])) == (2200, 2000)
    assert first["nextRecordsUrl"].endswith("-2000")
    assert len(api.get(first["nextRecordsUrl"]).json()["records"]) == 200


def test_a_cursor_lives_two_days_and_an_unknown_one_is_refused(org: RunningOrg, api: Api) -> None:
    record = {"attributes": {"type": "Task"}, "Subject": "cursor"}
    api.post("composite/sobjects", {"records": [record] * 200})
    api.post("composite/sobjects", {"records": [record] * 200})
    org.control.set(session_seconds=10**9)
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = {"q": "SELECT Id FROM Task WHERE Subject = 'cursor'"}
    url = api.get("query", params=soql, headers=headers).json()["nextRecordsUrl"]
    org.control.advance(2 * 24 * 3600 + 60)
    for locator in (url, "query/0r8xx0000000000AAA-200", "query/nonsense"):
        answer = api.get(locator)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_count_answers_without_records(api: Api, contact: str, address: str) -> None:
    body = api.query(f"SELECT COUNT() FROM Contact WHERE Email = '{address}'").json()
    assert body == {"totalSize": 1, "done": True, "records": []}


def test_aggregates_have_numbered_columns(api: Api, contact: str, address: str) -> None:
    [row] = api.query(f"SELECT COUNT(Id), MAX(LastName) last FROM Contact WHERE Email = '{address}'"
                      ).json()["records"]  # fmt: skip
    assert row == {"attributes": {"type": "AggregateResult"}, "expr0": 1, "last": "Doe"}


def test_query_all_sees_what_was_deleted(api: Api, contact: str, address: str) -> None:
    soql = f"SELECT Id, IsDeleted FROM Contact WHERE Email = '{address}'"
    api.delete(f"sobjects/Contact/{contact}")
    assert api.query(soql).json()["totalSize"] == 0
    [record] = api.query(soql, "queryAll").json()["records"]
    assert record["IsDeleted"] is True


def test_columns_describe_the_query_instead_of_its_rows(api: Api) -> None:
    answer = api.get(
        "query", params={"q": "SELECT Id, Account.Name FROM Contact", "columns": "true"}
    )
    assert answer.status_code == 200
    assert "columnMetadata" in answer.json()
    assert "records" not in answer.json()


def test_a_query_without_text_is_refused(api: Api) -> None:
    answer = api.get("query")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "MALFORMED_QUERY")


def test_an_org_tells_which_kind_it_is(process: Any, api: Api) -> None:
    soql = (
        "SELECT Id, Name, IsSandbox, OrganizationType, InstanceName, TrialExpirationDate, "
        "NamespacePrefix, TimeZoneSidKey, DefaultLocaleSidKey, LanguageLocaleKey FROM Organization"
    )
    [record] = api.query(soql).json()["records"]
    assert None not in [
        record[name] for name in ("InstanceName", "TimeZoneSidKey", "DefaultLocaleSidKey")
    ]
    assert record["Id"].startswith("00D")
    assert record["IsSandbox"] is False
    [other] = process.sandbox.control.query(soql)
    assert other["IsSandbox"] is True
    assert other["Id"] != record["Id"]


# -- 4.1 queries -----------------------------------------------------------------------------------


def test_an_unknown_column_shows_its_place(api: Api) -> None:
    assert refused(api, "SELECT Bacon__c FROM Account LIMIT 2") == {
        "message": (
            "\nSELECT Bacon__c FROM Account LIMIT 2\n       ^\nERROR at Row:1:Column:8\n"
            "No such column 'Bacon__c' on entity 'Account'. If you are attempting to use a custom "
            "field, be sure to append the '__c' after the custom field name." + HINT
        ),
        "errorCode": "INVALID_FIELD",
    }


def test_an_aggregate_of_a_field_that_has_none_shows_the_fields_place(api: Api) -> None:
    soql = "SELECT COUNT(Description) CNT FROM Contact"
    assert refused(api, soql) == {
        "message": (
            f"\n{soql}\n             ^\nERROR at Row:1:Column:14\n"
            "field Description does not support aggregate operator COUNT"
        ),
        "errorCode": "MALFORMED_QUERY",
    }


def test_an_unexpected_token_is_named(api: Api) -> None:
    entry = refused(api, "SELECT Id FROM Contact WHERE Name = q")
    assert entry["message"].endswith("ERROR at Row:1:Column:36\nunexpected token: 'q'")


def test_a_field_one_may_not_read_is_an_unknown_column(few: Api) -> None:
    entry = refused(few, "SELECT Phone FROM Contact")
    assert entry["errorCode"] == "INVALID_FIELD"
    assert "No such column 'Phone' on entity 'Contact'." in entry["message"]


def test_an_unknown_object_shows_its_place(api: Api) -> None:
    assert refused(api, "select count() from XYZZY") == {
        "message": (
            "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n"
            "sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, "
            "be sure to append the '__c' after the entity name." + HINT
        ),
        "errorCode": "INVALID_TYPE",
    }


def test_an_object_one_may_not_read_is_an_unknown_type(few: Api) -> None:
    assert refused(few, "SELECT Id FROM Case")["errorCode"] == "INVALID_TYPE"


def test_a_relationship_one_may_not_read_is_not_understood(few: Api) -> None:
    entry = refused(few, "SELECT Id, (SELECT Id FROM Cases) FROM Contact")
    assert entry["errorCode"] == "INVALID_FIELD"
    assert "Didn't understand relationship 'Cases' in FROM part of query call." in entry["message"]


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Contact WHERE Name = q", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Loyalty_Points__c = 1 + 1", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Contact WHERE Name = 'a\q'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Name = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Contact WHERE Id LIKE '003%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE Name = '" + "x" * 4001 + "'", "MALFORMED_QUERY"),
        ("SELECT " + "Account.Parent." * 5 + "Name FROM Contact", "MALFORMED_QUERY"),
        (
            "SELECT Id" + ", (SELECT Id FROM Cases)" * 21 + " FROM Contact",
            "QUERY_TOO_COMPLICATED",
        ),
    ],
)
def test_what_the_language_refuses_has_its_code(api: Api, soql: str, code: str) -> None:
    assert refused(api, soql)["errorCode"] == code


def test_a_statement_above_100000_characters_is_refused(api: Api) -> None:
    names = "'" + "','".join(["x" * 10] * 8000) + "'"
    url = f"/services/data/v66.0/query?q=SELECT+Id+FROM+Contact+WHERE+Name+IN+({names})"
    part = {"method": "GET", "url": url, "referenceId": "q"}
    body = api.post("composite", {"compositeRequest": [part]}).json()["compositeResponse"][0]
    assert body["httpStatusCode"] == 400
    [entry] = body["body"]
    assert entry["errorCode"] == "MALFORMED_QUERY"
    assert "SOQL statements can not be longer than 100000 characters" in entry["message"]


# -- 8.2 language ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["O'Neill", 'say "hi"', "back\\slash", "tab\tline\nend", "100%_sure", "Zoë 💌", "a+b & c=d"],
)
def test_any_text_finds_itself_and_nothing_else(api: Api, address: str, text: str) -> None:
    subject = f"{text} {address}"
    made = api.create("Task", Subject=subject, Description="x")
    stored = api.read("Task", made)["Subject"]
    literal = stored.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    found = api.query(f"SELECT Id FROM Task WHERE Subject = '{literal}'").json()["records"]
    assert [record["Id"] for record in found] == [made]


def test_nulls_come_first_unless_told_otherwise(api: Api, address: str) -> None:
    for title in ("b", None, "a"):
        api.create("Contact", LastName="x", Email=address, Title=title)
    soql = f"SELECT Title FROM Contact WHERE Email = '{address}' ORDER BY Title"
    for order, expected in (
        ("", [None, "a", "b"]),
        (" NULLS LAST", ["a", "b", None]),
        (" DESC NULLS LAST", ["b", "a", None]),
    ):
        records = api.query(soql + order).json()["records"]
        assert [record["Title"] for record in records] == expected


def test_fields_standard_selects_without_names(api: Api, contact: str, address: str) -> None:
    soql = f"SELECT FIELDS(STANDARD) FROM Contact WHERE Email = '{address}'"
    [record] = api.query(soql).json()["records"]
    assert record["LastName"] == "Doe"
    assert "Region__c" not in record
    assert api.query("SELECT FIELDS(ALL) FROM Contact").status_code == 400
    assert api.query("SELECT FIELDS(ALL) FROM Contact LIMIT 200").status_code == 200


# -- 9 SOSL ----------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "?&|!{}[]()^~*:\\\"'+-" else c for c in text)


def test_a_search_for_one_address_finds_all_objects_in_one_list(api: Api, address: str) -> None:
    person = api.create("Contact", LastName="x", Email=address)
    lead = api.create("Lead", LastName="x", Company="y", Email=address)
    sosl = (
        f"FIND {{{escaped(address)}}} IN EMAIL FIELDS RETURNING Contact(Id, Name, Email), "
        "Lead(Id, Name, Email WHERE IsConverted = false LIMIT 5)"
    )
    answer = api.get("search/", params={"q": sosl})
    assert answer.status_code == 200, answer.text
    records = answer.json()["searchRecords"]
    assert [(r["attributes"]["type"], r["Id"]) for r in records] == [
        ("Contact", person),
        ("Lead", lead),
    ]


@pytest.mark.parametrize("sign", "?&|!{}[]()^~*:\\\"'+-")
def test_every_reserved_sign_of_a_search_can_be_escaped(api: Api, address: str, sign: str) -> None:
    words = f"{address.partition('@')[0]}{sign}{address.partition('@')[0]}"
    person = api.create("Contact", LastName=words)
    sosl = f"FIND {{{escaped(words)}}} IN NAME FIELDS RETURNING Contact(Id)"
    answer = api.get("search", params={"q": sosl})
    assert answer.status_code == 200, answer.text
    assert [record["Id"] for record in answer.json()["searchRecords"]] == [person]


def test_a_search_without_braces_is_refused(api: Api) -> None:
    answer = api.get("search", params={"q": "FIND jane"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "No search term found. The search term must be enclosed in braces.",
            "errorCode": "MALFORMED_SEARCH",
        }
    ]


def test_the_parameterized_search_needs_no_sosl(api: Api, contact: str, address: str) -> None:
    query = (
        f"parameterizedSearch/?q={address}&in=EMAIL&sobject=Contact&Contact.fields=Id,Email"
        "&sobject=Lead"
    )
    [record] = api.get(query).json()["searchRecords"]
    assert (record["Id"], record["Email"]) == (contact, address)
    body = {
        "q": address,
        "in": "EMAIL",
        "sobjects": [{"name": "Contact", "fields": ["Id", "Email"]}, {"name": "Lead"}],
    }
    assert api.post("parameterizedSearch", body).json()["searchRecords"] == [record]


def test_a_search_without_returning_finds_ids_in_every_object(
    api: Api, few: Api, contact: str, address: str
) -> None:
    lead = api.create("Lead", LastName="x", Company="y", Email=address)
    case = api.create("Case", Subject="x", SuppliedEmail=address)
    sosl = {"q": f'FIND {{"{address}"}} IN EMAIL FIELDS'}
    found = api.get("search", params=sosl).json()["searchRecords"]
    assert {record["Id"] for record in found} == {contact, lead, case}
    assert all(record.keys() == {"attributes", "Id"} for record in found)
    fewer = few.get("search", params=sosl).json()["searchRecords"]
    assert {record["Id"] for record in fewer} == {contact, lead}


def test_the_parameterized_search_covers_every_object_when_none_is_named(
    api: Api, contact: str, address: str
) -> None:
    lead = api.create("Lead", LastName="x", Company="y", Email=address)
    records = api.get(f"parameterizedSearch/?q={address}").json()["searchRecords"]
    assert {record["Id"] for record in records} == {contact, lead}
