"""Archived activities, restored and purged records (REFERENCE-2 sections 4 and 16)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.org import Org
from salesforce_simulator.results import User

from .conftest import refused, rows

# status, day, archived by a run on 2026-05-06
ARCHIVED = [
    ("Completed", "2025-05-06", True),  # 365 days: a backfilled Task goes at the next run
    ("Completed", "2025-05-07", False),
    ("Completed", None, False),  # created today
    ("Not Started", "2020-01-01", False),
]


@pytest.mark.parametrize(("status", "day", "archived"), ARCHIVED)
def test_a_run_archives_old_closed_tasks(
    org: Org, ann: User, status: str, day: str | None, archived: bool
) -> None:
    made = org.create(ann, "Task", {"Subject": "x", "Status": status, "ActivityDate": day})
    assert org.query(ann, "SELECT COUNT() FROM Task")["totalSize"] == 1
    assert org.archive_activities() == int(archived)
    assert org.query(ann, "SELECT COUNT() FROM Task")["totalSize"] == int(not archived)
    asked = "SELECT Id, IsArchived, IsDeleted FROM Task"
    everything = rows(org, ann, asked, all_rows=True)
    assert everything == [{"Id": made, "IsArchived": archived, "IsDeleted": False}]
    assert org.archive_activities() == 0


def test_a_closed_task_without_a_day_is_archived_a_year_after_its_creation(
    org: Org, ann: User, clock: OrgClock
) -> None:
    org.create(ann, "Task", {"Subject": "x", "Status": "Completed"})
    clock.advance(timedelta(days=364))
    assert org.archive_activities() == 0
    clock.advance(timedelta(days=1))
    assert org.archive_activities() == 1


def test_an_archived_task_is_changed_and_deleted_by_its_id(org: Org, ann: User, jane: str) -> None:
    old = {"Subject": "x", "Status": "Completed", "ActivityDate": "2020-01-01"}
    made = org.create(ann, "Task", old)
    org.archive_activities()
    org.update(ann, "Task", made, {"WhoId": jane})
    asked = f"SELECT Id FROM Task WHERE WhoId = '{jane}'"
    assert rows(org, ann, asked) == []
    assert rows(org, ann, asked, all_rows=True) == [{"Id": made}]
    org.delete(ann, "Task", made)
    (row,) = rows(org, ann, "SELECT IsDeleted, IsArchived FROM Task", all_rows=True)
    assert row == {"IsDeleted": True, "IsArchived": True}


# -- the recycle bin -------------------------------------------------------------------------------


def test_restoring_brings_back_what_went_along(
    org: Org, ann: User, account: str, jane: str
) -> None:
    task = org.create(ann, "Task", {"Subject": "x", "WhoId": jane})
    gone_before = org.create(ann, "Task", {"Subject": "y", "WhoId": jane})
    org.delete(ann, "Task", gone_before)
    org.delete(ann, "Account", account)
    assert set(org.undelete(ann, account)) == {account, jane, task}
    assert [row["Id"] for row in rows(org, ann, "SELECT Id FROM Task")] == [task]
    assert org.read(ann, "Contact", jane)["AccountId"] == account


def test_only_what_lies_in_the_bin_is_restored(org: Org, ann: User, jane: str) -> None:
    assert refused(lambda: org.undelete(ann, jane)).code == "UNDELETE_FAILED"  # assumed
    assert refused(lambda: org.undelete(ann, "003000000000000AAA")).code == "NOT_FOUND"


def merged(org: Org, user: User, jane: str) -> str:
    twin = org.create(user, "Contact", {"LastName": "Doe"})
    org.create(user, "Task", {"Subject": "x", "WhoId": twin})
    org.merge(user, "Contact", jane, twin)
    return twin


def test_a_merged_record_names_its_master_and_is_followed(org: Org, ann: User, jane: str) -> None:
    twin = merged(org, ann, jane)
    third = org.create(ann, "Contact", {"LastName": "Doe"})
    org.merge(ann, "Contact", third, jane)
    asked = f"SELECT Id, MasterRecordId FROM Contact WHERE Id IN ('{twin}', '{jane}')"
    found: dict[Any, Any] = {
        row["Id"]: row["MasterRecordId"] for row in rows(org, ann, asked, all_rows=True)
    }
    assert found == {twin: jane, jane: third}
    assert rows(org, ann, "SELECT WhoId FROM Task") == [{"WhoId": third}]


def test_restoring_a_merged_record_moves_no_history_back(org: Org, ann: User, jane: str) -> None:
    twin = merged(org, ann, jane)
    org.undelete(ann, twin)
    assert org.read(ann, "Contact", twin)["MasterRecordId"] is None
    assert rows(org, ann, "SELECT WhoId FROM Task") == [{"WhoId": jane}]


def test_the_bin_is_purged_after_fifteen_days(
    org: Org, ann: User, jane: str, clock: OrgClock
) -> None:
    twin = merged(org, ann, jane)
    asked = f"SELECT MasterRecordId FROM Contact WHERE Id = '{twin}'"
    clock.advance(timedelta(days=14))
    assert org.empty_bin() == 0
    assert rows(org, ann, asked, all_rows=True) == [{"MasterRecordId": jane}]
    clock.advance(timedelta(days=2))
    assert org.empty_bin() == 1
    assert rows(org, ann, asked, all_rows=True) == []  # the link is lost
    assert refused(lambda: org.undelete(ann, twin)).code == "NOT_FOUND"
