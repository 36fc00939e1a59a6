"""EmailMessageRelation: who a message is from and to (REFERENCE-2 3.2, 3.3, 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from salesforce_simulator.org import Org
from salesforce_simulator.results import User

from .conftest import JANE, Log, refused, relate, rows, task_of

SHOWN = "SELECT RelationId, RelationType, RelationAddress, RelationObjectType"


def test_a_person_is_attached_with_what_follows_from_them(
    org: Org, ann: User, log: Log, jane: str
) -> None:
    made = log()
    relate(org, ann, made, jane, "FromAddress")
    (row,) = rows(org, ann, f"{SHOWN} FROM EmailMessageRelation")
    assert row == {
        "RelationId": jane,
        "RelationType": "FromAddress",
        "RelationAddress": JANE,
        "RelationObjectType": "Contact",
    }
    (parent,) = rows(org, ann, "SELECT (SELECT RelationId FROM EmailMessageRelations) FROM Contact")
    assert parent["EmailMessageRelations"]["totalSize"] == 1


def test_a_stranger_is_an_address_alone(org: Org, ann: User, log: Log) -> None:
    made = log()
    relate(org, ann, made, None, "OtherAddress", RelationAddress="who@else.example")
    (row,) = rows(org, ann, f"{SHOWN} FROM EmailMessageRelation")
    assert (row["RelationId"], row["RelationAddress"]) == (None, "who@else.example")
    assert refused(lambda: relate(org, ann, made, None, "OtherAddress")).code == (
        "REQUIRED_FIELD_MISSING"  # assumed
    )


def test_an_opportunity_is_no_person(org: Org, ann: User, log: Log, deal: str) -> None:
    made = log()
    entry = refused(lambda: relate(org, ann, made, deal, "ToAddress"))
    assert entry.fields == ("RelationId",)  # field: refused; the code is assumed


def test_the_relation_types_are_these(org: Org, ann: User, log: Log, jane: str) -> None:
    made = log()
    for kind in ("ToAddress", "CcAddress", "BccAddress", "FromAddress", "OtherAddress"):
        relate(org, ann, made, jane, kind)
    entry = refused(lambda: relate(org, ann, made, jane, "Carbon"))
    assert entry.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_lists_of_ids_make_the_relations_and_show_them(
    org: Org, ann: User, log: Log, jane: str, leo: str
) -> None:
    made = log(ToIds=[ann.id], CcIds=[jane, leo[:15]], BccIds=None)
    found = rows(org, ann, "SELECT ToIds, CcIds, BccIds FROM EmailMessage")
    assert found == [{"ToIds": [ann.id], "CcIds": [jane, leo], "BccIds": None}]
    kinds = rows(org, ann, "SELECT RelationId, RelationType FROM EmailMessageRelation ORDER BY Id")
    assert [(row["RelationId"], row["RelationType"]) for row in kinds] == [
        (ann.id, "ToAddress"),
        (jane, "CcAddress"),
        (leo, "CcAddress"),
    ]
    relate(org, ann, made, jane, "BccAddress")
    assert org.read(ann, "EmailMessage", made)["BccIds"] == [jane]


def test_null_in_a_list_removes_its_people_for_good(
    org: Org, ann: User, log: Log, jane: str
) -> None:
    made = log(ToIds=[jane], CcIds=[ann.id])
    org.update(ann, "EmailMessage", made, {"ToIds": None})
    asked = "SELECT RelationType FROM EmailMessageRelation"
    assert rows(org, ann, asked, all_rows=True) == [{"RelationType": "CcAddress"}]


def test_a_list_cannot_be_filtered(org: Org, ann: User) -> None:
    asked = "SELECT Id FROM EmailMessage WHERE ToIds = 'x'"
    assert refused(lambda: org.query(ann, asked)).code == "INVALID_FIELD"


def test_a_query_shows_at_most_500_ids_of_lists(org: Org, ann: User, log: Log, jane: str) -> None:
    for _ in range(251):
        log(ToIds=[jane, ann.id])
    asked = "SELECT Id, ToIds FROM EmailMessage ORDER BY Id LIMIT"
    assert len(rows(org, ann, f"{asked} 250")) == 250
    assert refused(lambda: org.query(ann, f"{asked} 251")).code == "MALFORMED_QUERY"


# -- the sender ------------------------------------------------------------------------------------


def test_a_message_has_one_sender(org: Org, ann: User, log: Log, jane: str, leo: str) -> None:
    made = log(Incoming=False)
    relate(org, ann, made, jane, "FromAddress")
    entry = refused(lambda: relate(org, ann, made, leo, "FromAddress"))
    assert (entry.code, entry.message) == (
        "LIMIT_EXCEEDED",
        "An email can't have more than 1 sender.",
    )


@pytest.mark.parametrize("kind", ["ToAddress", "CcAddress", "OtherAddress", "FromAddress"])
def test_no_type_lets_a_lead_with_the_senders_address_on(
    org: Org, ann: User, log: Log, jane: str, kind: str
) -> None:
    made = log()
    relate(org, ann, made, jane, "FromAddress")
    lead = {"LastName": "Doe", "Company": "Acme", "Email": JANE}
    twin = org.create(ann, "Lead", lead)
    assert refused(lambda: relate(org, ann, made, twin, kind)).code == "LIMIT_EXCEEDED"


def test_the_senders_record_makes_their_relation(
    org: Org, ann: User, log: Log, jane: str
) -> None:  # documented that FromId is the sender's record, assumed that it makes the row
    log(FromId=jane)
    (row,) = rows(org, ann, f"{SHOWN} FROM EmailMessageRelation")
    assert (row["RelationType"], row["RelationId"]) == ("FromAddress", jane)


# -- rights on a sent message ----------------------------------------------------------------------


def test_people_of_a_sent_message_need_the_permission_or_a_mail_client(
    org: Org, ann: User, bob: User, log: Log, jane: str
) -> None:
    sent, managed, draft = log(), log(IsClientManaged=True), log(Status="5")
    entry = refused(lambda: relate(org, bob, sent, jane, "ToAddress"))
    assert entry.code == "INSUFFICIENT_ACCESS_OR_READONLY"  # documented, the code assumed
    for message in (managed, draft):
        assert relate(org, bob, message, jane, "ToAddress")
    assert relate(org, ann, sent, jane, "ToAddress")


# -- the Task is rebuilt ---------------------------------------------------------------------------


def test_each_change_of_people_rebuilds_the_task(
    org: Org, ann: User, bob: User, log: Log, jane: str, leo: str
) -> None:
    made = log(IsClientManaged=True)
    relation = ""

    def insert() -> None:
        nonlocal relation
        relation = relate(org, bob, made, jane, "ToAddress")

    steps: list[Callable[[], object]] = [
        insert,
        lambda: relate(org, bob, made, leo, "CcAddress"),
        lambda: org.update(bob, "EmailMessageRelation", relation, {"RelationId": ann.id}),
        lambda: org.delete(bob, "EmailMessageRelation", relation),
    ]
    for step in steps:
        before = task_of(org, ann, made)
        step()
        after = task_of(org, ann, made)
        assert after["Id"] != before["Id"]
        assert after["CreatedById"] == bob.id
        asked = f"SELECT IsDeleted FROM Task WHERE Id = '{before['Id']}'"
        assert rows(org, ann, asked, all_rows=True) == [{"IsDeleted": True}]
    assert org.query(ann, "SELECT COUNT() FROM Task")["totalSize"] == 1
    assert org.query(ann, "SELECT COUNT() FROM EmailMessage")["totalSize"] == 1


def test_an_existing_relation_again_replaces_the_row_and_rebuilds(
    org: Org, ann: User, log: Log, jane: str
) -> None:
    made = log()
    first = relate(org, ann, made, jane, "FromAddress")
    before = task_of(org, ann, made)["Id"]
    second = relate(org, ann, made, jane, "FromAddress")
    assert rows(org, ann, "SELECT Id FROM EmailMessageRelation") == [{"Id": second}]
    assert second != first
    assert task_of(org, ann, made)["Id"] != before


def test_a_lead_beside_a_contact_gets_no_timeline_entry(
    org: Org, ann: User, log: Log, jane: str, leo: str
) -> None:
    made = log(ToIds=[jane])
    relate(org, ann, made, leo, "CcAddress")
    assert task_of(org, ann, made)["WhoId"] == jane


def test_lists_in_the_create_spare_the_rebuilds(
    org: Org, ann: User, log: Log, jane: str, leo: str
) -> None:  # assumed
    log(ToIds=[jane, ann.id], CcIds=[leo])
    assert len(rows(org, ann, "SELECT Id FROM Task", all_rows=True)) == 1


# -- finding and losing ----------------------------------------------------------------------------


def test_a_persons_messages_are_found_by_a_semi_join(
    org: Org, ann: User, log: Log, jane: str, leo: str
) -> None:
    theirs, _ = log(ToIds=[jane]), log(ToIds=[leo])
    asked = (
        "SELECT Id FROM EmailMessage WHERE Id IN (SELECT EmailMessageId FROM EmailMessageRelation "
        f"WHERE RelationId = '{jane}')"
    )
    assert rows(org, ann, asked) == [{"Id": theirs}]


def test_a_deleted_contact_leaves_the_message_there(
    org: Org, ann: User, log: Log, jane: str
) -> None:
    made = log(ToIds=[jane, ann.id])
    org.delete(ann, "Contact", jane)
    assert org.read(ann, "EmailMessage", made)["ToIds"] == [ann.id]
    assert task_of(org, ann, made)["WhoId"] is None
    org.undelete(ann, jane)
    assert org.read(ann, "EmailMessage", made)["ToIds"] == [jane, ann.id]
    assert task_of(org, ann, made)["WhoId"] == jane
    assert org.query(ann, "SELECT COUNT() FROM Task")["totalSize"] == 1


def test_a_merge_moves_the_relations_and_keeps_each_once(
    org: Org, ann: User, log: Log, jane: str
) -> None:
    twin = org.create(ann, "Contact", {"LastName": "Doe", "Email": "j.doe@acme.example"})
    both, other = log(ToIds=[jane, twin]), log(ToIds=[twin])
    before = task_of(org, ann, other)["Id"]
    org.merge(ann, "Contact", jane, twin)
    for message in (both, other):
        assert org.read(ann, "EmailMessage", message)["ToIds"] == [jane]
        assert task_of(org, ann, message)["WhoId"] == jane
    assert task_of(org, ann, other)["Id"] == before  # reparented without any trigger
