"""Records that carry the dates of another system (REFERENCE-2 sections 3.3 and 4)."""

from __future__ import annotations

import pytest

from salesforce_simulator.org import Org
from salesforce_simulator.results import ALL_PERMISSIONS, User

from .conftest import Log, refused, rows, task_of

PAST = "2024-02-03T04:05:06.000+0000"


@pytest.fixture
def dated(org: Org) -> Org:
    org.use_feature("audit_fields", {})
    return org


def createable(org: Org, user: User) -> bool:
    fields = org.describe(user, "Task")["fields"]
    return bool(next(f["createable"] for f in fields if f["name"] == "CreatedDate"))


def test_without_the_switch_nobody_sets_them(org: Org, ann: User) -> None:
    assert not createable(org, ann)
    entry = refused(lambda: org.create(ann, "Task", {"Subject": "x", "CreatedDate": PAST}))
    assert (entry.code, entry.fields) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ("CreatedDate",))


def test_with_switch_and_permission_a_create_sets_them(dated: Org, ann: User, bob: User) -> None:
    assert createable(dated, ann)
    given = {"CreatedDate": PAST, "CreatedById": bob.id, "LastModifiedById": bob.id}
    made = dated.create(ann, "Task", {"Subject": "x", **given})
    found = dated.read(ann, "Task", made)
    assert {name: found[name] for name in given} == given
    assert found["LastModifiedDate"] > PAST
    assert refused(lambda: dated.update(ann, "Task", made, {"CreatedDate": PAST})).code == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )


def test_without_the_permission_a_create_is_refused(dated: Org) -> None:
    few = dated.add_user(
        username="few@example.com",
        email="few@example.com",
        last_name="Few",
        permissions=ALL_PERMISSIONS - {"create_audit_fields"},
    )
    assert not createable(dated, few)
    entry = refused(lambda: dated.create(few, "Task", {"Subject": "x", "CreatedDate": PAST}))
    assert entry.code == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_upsert_never_sets_them(dated: Org, ann: User) -> None:
    dated.add_field("Task", {"name": "Key__c", "type": "string", "externalId": True})
    for given, allowed in (({"CreatedDate": PAST}, False), ({}, True)):
        body = {"Subject": "x", **given}
        if allowed:
            assert dated.upsert(ann, "Task", "Key__c", "k", body)[1]
        else:
            entry = refused(lambda b=body: dated.upsert(ann, "Task", "Key__c", "k", b))
            assert entry.fields == ("CreatedDate",)


def test_the_task_of_a_message_carries_the_time_of_insertion(
    dated: Org, ann: User, log: Log
) -> None:
    message = log(CreatedDate=PAST)
    assert dated.read(ann, "EmailMessage", message)["CreatedDate"] == PAST
    assert task_of(dated, ann, message)["CreatedDate"] > PAST


def test_a_backfilled_task_is_archived_at_the_next_run(dated: Org, ann: User) -> None:
    old = {"Subject": "x", "Status": "Completed", "CreatedDate": PAST}
    dated.create(ann, "Task", old)
    assert dated.archive_activities() == 1
    assert rows(dated, ann, "SELECT Id FROM Task") == []
