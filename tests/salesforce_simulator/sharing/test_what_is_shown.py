"""What queries, searches, reads and writes do with rows a user may not see or not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from salesforce_simulator.errors import OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.query import sosl
from salesforce_simulator.results import ObjectRights, SaveOptions

from .conftest import PRIVATE, People

Ids = Callable[..., list[str]]
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2030-01-01"}


def refusal(call: Callable[[], Any]) -> tuple[int, str, str]:
    """Status, code and message of the refusal that a call meets."""
    with pytest.raises(OrgError) as refused:
        call()
    [entry] = refused.value.entries
    return refused.value.status, entry.code, entry.message


def test_a_query_leaves_hidden_rows_out_and_says_nothing(
    org: Org, people: People, ids: Ids, contact: str
) -> None:
    soql = "SELECT Id FROM Contact"
    assert ids(people.rep, soql) == [contact]
    assert ids(people.auditor, soql) == [contact]
    assert ids(people.other, soql) == []
    assert ids(people.other, soql + f" WHERE Id = '{contact}'") == []
    assert ids(people.other, soql, all_rows=True) == []


def test_counts_and_aggregates_are_about_what_the_user_sees(
    org: Org, people: People, contact: str
) -> None:
    assert org.query(people.other, "SELECT COUNT() FROM Contact")["totalSize"] == 0
    assert org.query(people.rep, "SELECT COUNT() FROM Contact")["totalSize"] == 1
    [row] = org.query(people.other, "SELECT COUNT(Id) n FROM Contact")["records"]
    assert row["n"] == 0


def test_a_search_leaves_hidden_rows_out(org: Org, people: People, contact: str) -> None:
    def found(user: Any) -> list[str]:
        sosl = "FIND {Doe} IN NAME FIELDS RETURNING Contact(Id)"
        return [row["Id"] for row in org.search(user, sosl)["searchRecords"]]

    assert found(people.rep) == [contact]
    assert found(people.other) == []


def test_a_search_applies_sharing_after_its_limit_of_candidates(
    org: Org, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        org.create(people.rep, "Account", {"Name": "Gamma"})
    own = org.create(people.other, "Account", {"Name": "Gamma"})
    statement = "FIND {Gamma} IN NAME FIELDS RETURNING Account(Id)"
    assert [r["Id"] for r in org.search(people.other, statement)["searchRecords"]] == [own]
    monkeypatch.setattr(sosl, "_LIMIT", 3)
    assert org.search(people.other, statement)["searchRecords"] == []


def test_a_hidden_record_cannot_be_told_from_none(org: Org, people: People, contact: str) -> None:
    gone = refusal(lambda: org.read(people.other, "Contact", "003000000000000AAA"))
    assert refusal(lambda: org.read(people.other, "Contact", contact)) == gone
    assert gone[:2] == (404, "NOT_FOUND")
    title = {"Title": "CEO"}
    assert refusal(lambda: org.update(people.other, "Contact", contact, title))[0] == 404
    assert refusal(lambda: org.delete(people.other, "Contact", contact))[0] == 404


def test_a_record_that_may_only_be_read_is_not_changed(
    org: Org, people: People, contact: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": "Read"})
    assert org.read(people.other, "Contact", contact)["LastName"] == "Doe"
    expected = (400, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    title = {"Title": "CEO"}
    assert refusal(lambda: org.update(people.other, "Contact", contact, title)) == expected
    assert refusal(lambda: org.delete(people.other, "Contact", contact)) == expected


def test_public_read_write_lets_others_edit_and_not_delete(
    org: Org, people: People, contact: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": "Edit"})
    org.update(people.other, "Contact", contact, {"Title": "CEO"})
    assert refusal(lambda: org.delete(people.other, "Contact", contact))[0] == 400


def test_parents_and_children_that_are_hidden_are_null(
    org: Org, people: People, account: str, contact: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": "Read"})
    org.create(people.rep, "Case", {"Subject": "Hidden", "ContactId": contact})
    [row] = org.query(
        people.other, "SELECT AccountId, Account.Name, (SELECT Id FROM Cases) FROM Contact"
    )["records"]
    assert (row["AccountId"], row["Account"], row["Cases"]) == (account, None, None)
    [row] = org.query(people.rep, "SELECT Account.Name, (SELECT Id FROM Cases) FROM Contact")[
        "records"
    ]
    assert (row["Account"]["Name"], row["Cases"]["totalSize"]) == ("Acme", 1)


def test_a_contact_role_may_name_a_contact_that_is_hidden(
    org: Org, people: People, contact: str
) -> None:
    deal = org.create(people.other, "Opportunity", DEAL)
    role = {"OpportunityId": deal, "ContactId": contact}
    org.create(people.admin, "OpportunityContactRole", role)
    [row] = org.query(people.other, "SELECT ContactId, Contact.Name FROM OpportunityContactRole")[
        "records"
    ]
    assert (row["ContactId"], row["Contact"]) == (contact, None)


def test_a_semi_join_is_about_what_the_user_sees(
    org: Org, people: People, ids: Ids, account: str, contact: str
) -> None:
    soql = "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)"
    org.sharing.use({**PRIVATE, "Account": "Read"})
    assert ids(people.rep, soql) == [account]
    assert ids(people.other, soql) == []


@pytest.mark.parametrize(
    ("object_name", "fields", "name"),
    [("Task", {"Subject": "Call"}, "WhoId"), ("Case", {"Subject": "Broken"}, "ContactId")],
)
def test_a_lookup_to_a_hidden_record_is_refused(
    org: Org, people: People, contact: str, object_name: str, fields: dict[str, str], name: str
) -> None:
    body = {**fields, name: contact}
    assert refusal(lambda: org.create(people.other, object_name, body)) == (
        400,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        f"insufficient access rights on cross-reference id: {contact[:15]}",
    )
    assert org.create(people.rep, object_name, body)


def test_a_contact_goes_to_an_account_that_controls_it_only_with_edit_there(
    org: Org, people: People, account: str
) -> None:
    org.sharing.use({**PRIVATE, "Contact": "ControlledByParent", "Account": "Read"})
    body = {"LastName": "Roe", "AccountId": account}
    refused = refusal(lambda: org.create(people.other, "Contact", body))
    assert refused[1] == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    org.sharing.use({**PRIVATE, "Contact": "ControlledByParent", "Account": "Edit"})
    assert org.create(people.other, "Contact", body)


def test_an_upsert_does_not_find_a_hidden_record(org: Org, people: People) -> None:
    address = "jane@acme.example"
    first = org.create(people.rep, "Contact", {"LastName": "Doe", "Email": address})
    fields = {"LastName": "Roe"}
    made, created = org.upsert(people.other, "Contact", "Email", address, fields)
    assert created
    assert made != first


def test_a_unique_value_of_a_hidden_record_is_refused_without_naming_it(
    org: Org, people: People, contact: str
) -> None:
    key = {"name": "Key__c", "type": "string", "unique": True, "externalId": True}
    org.add_field("Contact", key)
    org.update(people.rep, "Contact", contact, {"Key__c": "k1"})
    body = {"LastName": "Roe", "Key__c": "k1"}
    assert refusal(lambda: org.create(people.other, "Contact", body)) == (
        400,
        "DUPLICATE_VALUE",
        "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
    )
    assert contact[:15] in refusal(lambda: org.create(people.rep, "Contact", body))[2]


def test_duplicate_rules_see_every_row_unless_run_as_the_user(
    org: Org, people: People, contact: str
) -> None:
    org.add_duplicate_rule("Contact", "Contact_DR", action="alert", match_on=["LastName"])
    body = {"LastName": "Doe"}
    refused = refusal(lambda: org.create(people.other, "Contact", body))
    assert refused[1] == "DUPLICATES_DETECTED"
    assert org.create(people.other, "Contact", body, SaveOptions(as_current_user=True))


def test_who_may_only_edit_does_not_give_a_record_away(org: Org, people: People) -> None:
    org.sharing.use({**PRIVATE, "Lead": "Edit"})
    lead = org.create(people.rep, "Lead", {"LastName": "Doe", "Company": "Acme"})
    given = {"OwnerId": people.other.id}
    refused = refusal(lambda: org.update(people.other, "Lead", lead, given))
    assert refused[:2] == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    org.sharing.use({**PRIVATE, "Lead": "ReadEditTransfer"})
    org.update(people.other, "Lead", lead, given)
    assert org.read(people.other, "Lead", lead)["OwnerId"] == people.other.id


def test_a_new_owner_has_to_be_able_to_read_the_object(
    org: Org, people: People, contact: str
) -> None:
    org.set_object_rights(people.other, "Contact", ObjectRights(read=False))
    given = {"OwnerId": people.other.id}
    refused = refusal(lambda: org.update(people.rep, "Contact", contact, given))
    assert refused[1] == "TRANSFER_REQUIRES_READ"


def test_a_queue_owns_only_what_it_is_for(org: Org, people: People) -> None:
    queue = org.sharing.add_queue("Support", ["Case"])
    body = {"LastName": "Doe", "Company": "Acme", "OwnerId": queue}
    refused = refusal(lambda: org.create(people.rep, "Lead", body))
    assert refused[1] == "FIELD_INTEGRITY_EXCEPTION"
    tasks = org.sharing.add_queue("Calls", ["Task"], [people.other])
    task = org.create(people.rep, "Task", {"Subject": "Call", "OwnerId": tasks})
    assert org.read(people.other, "Task", task)["OwnerId"] == tasks
    with pytest.raises(ValueError, match="cannot be owned by a queue"):
        org.sharing.add_queue("Wrong", ["Contact"])


def test_queues_are_found_by_their_objects(org: Org, people: People) -> None:
    queue = org.sharing.add_queue("Support", ["Case"], [people.other])
    assert queue.startswith("00G")
    soql = "SELECT Queue.Id, Queue.Name FROM QueueSobject WHERE SobjectType = 'Case'"
    [row] = org.query(people.rep, soql)["records"]
    assert (row["Queue"]["Id"], row["Queue"]["Name"]) == (queue, "Support")
    case = org.create(people.other, "Case", {"Subject": "X", "OwnerId": queue})
    [row] = org.query(people.other, f"SELECT Owner.Name, Owner.Type FROM Case WHERE Id = '{case}'")[
        "records"
    ]
    assert (row["Owner"]["Name"], row["Owner"]["Type"]) == ("Support", "Queue")


def test_merging_needs_both_records(org: Org, people: People, contact: str) -> None:
    own = org.create(people.other, "Contact", {"LastName": "Roe"})
    assert refusal(lambda: org.merge(people.other, "Contact", own, contact))[0] == 404


def test_converting_needs_the_lead(org: Org, people: People) -> None:
    lead = org.create(people.rep, "Lead", {"LastName": "Doe", "Company": "Acme"})
    assert refusal(lambda: org.convert_lead(people.other, lead))[0] == 404
