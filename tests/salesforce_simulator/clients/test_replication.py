"""``updated`` and ``deleted``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from salesforce_simulator.process import RunningOrg
from tests.salesforce_simulator.conftest import Api

MINUTE = timedelta(minutes=1)


def now(org: RunningOrg) -> datetime:
    return datetime.fromisoformat(org.control.call("GET", "/clock")["now"]).astimezone(UTC)


def span(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": start.isoformat(timespec="seconds"), "end": end.isoformat(timespec="seconds")}


def ask(api: Api, what: str, start: datetime, end: datetime, name: str = "Contact") -> Any:
    return api.get(f"sobjects/{name}/{what}/", params=span(start, end))


def test_created_and_changed_records_are_updated(api: Api, org: RunningOrg, contact: str) -> None:
    start = now(org)
    before = api.create("Contact", LastName="x")
    org.control.advance(3600)
    other = api.create("Contact", LastName="x")
    api.patch(f"sobjects/Contact/{contact}", {"Title": "x"})
    org.control.advance(3600)
    answer = ask(api, "updated", start + 30 * MINUTE, now(org))
    assert answer.status_code == 200
    assert {contact, other} <= set(answer.json()["ids"])
    assert before not in answer.json()["ids"]
    covered = now(org).replace(second=0, microsecond=0)
    assert answer.json()["latestDateCovered"] == f"{covered:%Y-%m-%dT%H:%M:%S}.000+0000"
    assert before in ask(api, "updated", start, start + MINUTE).json()["ids"]


def test_deleted_records_are_deleted_and_no_longer_updated(
    api: Api, org: RunningOrg, contact: str
) -> None:
    start = now(org)
    api.delete(f"sobjects/Contact/{contact}")
    org.control.advance(3600)
    end = now(org)
    body = ask(api, "deleted", start, end).json()
    assert contact in [row["id"] for row in body["deletedRecords"]]
    assert {row["deletedDate"][-5:] for row in body["deletedRecords"]} == {"+0000"}
    assert body.keys() == {"deletedRecords", "earliestDateAvailable", "latestDateCovered"}
    assert contact not in ask(api, "updated", start, end).json()["ids"]


def test_more_than_a_batch_is_listed_whole(api: Api, org: RunningOrg) -> None:
    start, ids = now(org), set()
    for _ in range(11):
        rows = [{"attributes": {"type": "Task"}, "Subject": "x"}] * 200
        made = api.post("composite/sobjects", {"allOrNone": True, "records": rows}).json()
        ids |= {row["id"] for row in made}
    org.control.advance(3600)
    listed = ask(api, "updated", start, now(org), "Task").json()["ids"]
    assert len(ids) == 2200
    assert ids <= set(listed)


@pytest.mark.parametrize(
    ("what", "start", "end"),
    [
        ("updated", -31 * 24 * 60, 0),
        ("deleted", -16 * 24 * 60, 0),
        ("updated", 0, -5),
        ("deleted", 0, 0),
    ],
)
def test_a_timespan_that_can_not_be_covered_is_refused(
    api: Api, org: RunningOrg, what: str, start: int, end: int
) -> None:
    present = now(org)
    answer = ask(api, what, present + start * MINUTE, present + end * MINUTE)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


def test_a_timespan_is_needed(api: Api) -> None:
    def code(answer: requests.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()[0]["errorCode"]

    assert code(api.get("sobjects/Contact/updated")) == (400, "MISSING_ARGUMENT")
    when = {"start": "yesterday", "end": "today"}
    assert code(api.get("sobjects/Contact/deleted", params=when)) == (
        400,
        "INVALID_REPLICATION_DATE",
    )
    assert code(api.get("sobjects/Nothing/updated", params=when)) == (
        400,
        "INVALID_REPLICATION_DATE",
    )
