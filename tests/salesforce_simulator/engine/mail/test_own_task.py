"""The Task that an EmailMessage makes by itself (REFERENCE-2 3.4, 3.6, 19)."""

from __future__ import annotations

from typing import Any

import pytest

from salesforce_simulator.org import Org
from salesforce_simulator.results import User

from .conftest import Log, refused, rows, task_of


def test_a_message_makes_its_task_in_the_same_call(
    org: Org, ann: User, bob: User, log: Log, jane: str, deal: str
) -> None:
    made = log(bob, ToIds=[ann.id, jane], RelatedToId=deal)
    task = task_of(org, ann, made)
    expected = {
        "Subject": "Email: Where is my order?",  # assumed
        "Description": "It is late.",  # assumed
        "TaskSubtype": "Email",
        "Status": "Completed",
        "IsClosed": True,
        "WhoId": jane,
        "WhatId": deal,
        "CreatedById": bob.id,
        "OwnerId": bob.id,  # assumed
        "ActivityDate": "2026-05-01",  # assumed
    }
    assert {name: task[name] for name in expected} == expected


def test_the_task_carries_the_time_of_insertion(org: Org, ann: User, log: Log) -> None:
    task = task_of(org, ann, log(MessageDate="2025-01-01T00:00:00Z"))
    assert task["CreatedDate"].startswith("2026-05-06")


def test_what_einstein_activity_capture_logs_is_told_by_its_source_and_its_creator(
    org: Org, ann: User, log: Log
) -> None:  # documented; no capture runs by itself
    capture = org.add_user(username="auto@example.com", email="a@b.example", last_name="Process")
    org.user_setup.change(capture, user_type="AutomatedProcess")
    log()
    made = log(capture, Source="Einstein Activity Capture")
    asked = "SELECT Id FROM EmailMessage WHERE Source = 'Einstein Activity Capture'"
    assert rows(org, ann, asked) == [{"Id": made}]
    asked = "SELECT Id FROM Task WHERE CreatedBy.UserType = 'AutomatedProcess'"
    assert rows(org, ann, asked) == [{"Id": task_of(org, ann, made)["Id"]}]


@pytest.mark.parametrize(
    ("state", "closed"),
    [("3", True), ("2", True), ("4", True), ("0", False), ("1", False), ("5", False)],
)
def test_a_message_that_is_not_sent_stands_under_upcoming(
    org: Org, ann: User, log: Log, state: str, closed: bool
) -> None:  # public code for 0 and 3, assumed for the others
    assert task_of(org, ann, log(Status=state))["IsClosed"] is closed


def test_a_draft_that_is_sent_closes_its_task(org: Org, ann: User, log: Log) -> None:  # assumed
    made = log(Status="5")
    before = task_of(org, ann, made)["Id"]
    org.update(ann, "EmailMessage", made, {"Status": "3", "Subject": "Sent"})
    task = task_of(org, ann, made)
    assert (task["Id"], task["IsClosed"], task["Subject"]) == (before, True, "Email: Sent")


def test_a_lead_is_the_person_when_no_contact_competes(
    org: Org, ann: User, log: Log, leo: str, deal: str
) -> None:  # assumed
    assert task_of(org, ann, log(ToIds=[ann.id, leo]))["WhoId"] == leo
    related = task_of(org, ann, log(ToIds=[leo], RelatedToId=deal))
    assert (related["WhoId"], related["WhatId"]) == (None, deal)


@pytest.mark.parametrize(
    ("fields", "makes_one"),
    [
        ({"Incoming": True}, False),
        ({"Incoming": True, "IsClientManaged": True}, True),
        ({"Incoming": False}, True),
    ],
)
def test_incoming_mail_on_a_case_makes_none_unless_a_client_manages_it(
    org: Org, ann: User, log: Log, case: str, fields: dict[str, Any], makes_one: bool
) -> None:
    made = log(ParentId=case, **fields)
    assert (org.read(ann, "EmailMessage", made)["ActivityId"] is not None) is makes_one
    assert len(rows(org, ann, "SELECT Id FROM Task")) == int(makes_one)


def test_the_tasks_rules_refuse_the_message(org: Org, ann: User, log: Log) -> None:
    org.add_validation_rule("Task", "TaskSubtype = 'Email'", "No mail here")
    assert refused(log).message == "No mail here"
    assert rows(org, ann, "SELECT Id FROM EmailMessage") == []


def test_a_required_field_of_activities_refuses_the_message(org: Org, log: Log) -> None:
    field = {"name": "Team__c", "type": "string", "nillable": False}
    org.add_field("Task", field)
    assert refused(log).code == "REQUIRED_FIELD_MISSING"


def test_a_related_record_of_a_managed_message_moves_its_task(
    org: Org, ann: User, log: Log, deal: str
) -> None:
    made = log(IsClientManaged=True)
    before = task_of(org, ann, made)["Id"]
    org.update(ann, "EmailMessage", made, {"RelatedToId": deal})
    task = task_of(org, ann, made)
    assert (task["Id"], task["WhatId"]) == (before, deal)  # assumed that it is the same Task


@pytest.mark.parametrize("first", ["EmailMessage", "Task"])
def test_message_and_task_delete_each_other(
    org: Org, ann: User, log: Log, jane: str, first: str
) -> None:
    message = log(ToIds=[jane])
    task = task_of(org, ann, message)["Id"]
    ids = {"EmailMessage": message, "Task": task}
    second = "Task" if first == "EmailMessage" else "EmailMessage"
    org.delete(ann, first, ids[first])
    assert refused(lambda: org.delete(ann, second, ids[second])).code == "ENTITY_IS_DELETED"
    assert rows(org, ann, "SELECT Id FROM EmailMessageRelation") == []
    org.undelete(ann, message)
    assert task_of(org, ann, message)["Id"] == task
    assert len(rows(org, ann, "SELECT Id FROM EmailMessageRelation")) == 1


def test_a_deleted_case_takes_its_mail_along(org: Org, ann: User, log: Log, case: str) -> None:
    log(ParentId=case)
    log(ParentId=case, Incoming=False)
    org.delete(ann, "Case", case)
    assert rows(org, ann, "SELECT Id FROM EmailMessage") == []
    assert rows(org, ann, "SELECT Id FROM Task") == []


def test_a_deleted_account_takes_what_was_related_to_it_along(
    org: Org, ann: User, log: Log, account: str
) -> None:  # assumed: its Task goes by recorded cascade, and the message with its Task
    log(RelatedToId=account)
    org.delete(ann, "Account", account)
    assert rows(org, ann, "SELECT Id FROM EmailMessage") == []
