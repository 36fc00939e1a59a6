"""Ordered faults: what the caller sees, and whether the operation was carried out."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.process import RunningOrg

from .conftest import Api

Lost = (requests.ConnectionError, requests.Timeout)


def count(org: RunningOrg, address: str) -> int:
    return org.control.count(f"SELECT Id FROM Contact WHERE Email = '{address}'")


def create(api: Api, address: str, **more: Any) -> requests.Response:
    body = {"LastName": "x", "Email": address}
    url = f"{api.grant.instance_url}{api.base}/sobjects/Contact"
    return api.http.post(url, json=body, **{"timeout": 10, **more})


@pytest.mark.parametrize("kind", ["reset", "hang"])
@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_an_answer_is_lost_before_or_after_the_write(
    org: RunningOrg, api: Api, address: str, kind: str, when: str, made: int
) -> None:
    options = {"seconds": 0.2} if kind == "hang" else {}
    org.control.fault(kind, when=when, **options)
    with pytest.raises(Lost) as lost:
        create(api, address)
    if kind == "reset":
        assert "reset by peer" in str(lost.value)
    assert count(org, address) == made
    assert org.control.log()[-1]["status"] == 0
    assert org.control.log()[-1]["faults"] == [kind]


def test_a_caller_that_gives_up_frees_the_thread_of_a_hang(org: RunningOrg, api: Api) -> None:
    org.control.fault("hang", seconds=60)
    with pytest.raises(requests.Timeout):
        api.http.get(f"{api.grant.instance_url}{api.base}/limits", timeout=0.2)
    end = time.monotonic() + 5
    while not org.control.log():
        assert time.monotonic() < end, "the hang should have ended with its caller"
        time.sleep(0.01)


def test_a_commit_may_come_after_the_caller_has_gone(
    org: RunningOrg, api: Api, address: str
) -> None:
    org.control.fault("late_commit", seconds=0.5)
    with pytest.raises(Lost):
        create(api, address)
    assert (count(org, address), org.control.status()["late"]) == (0, 1)
    org.control.wait_until_committed()
    assert count(org, address) == 1


def test_a_delay_longer_than_the_callers_patience_commits_all_the_same(
    org: RunningOrg, api: Api, address: str
) -> None:
    org.control.fault("delay", seconds=0.5)
    with pytest.raises(requests.Timeout):
        create(api, address, timeout=0.1)
    end = time.monotonic() + 5
    while count(org, address) == 0:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("unavailable", 503, "application/json;charset=UTF-8"),
        ("unavailable_html", 503, "text/html;charset=utf-8"),
        ("bad_gateway", 502, "text/html;charset=utf-8"),
        ("internal_error", 500, "application/json;charset=UTF-8"),
        ("unauthorized", 401, "application/json;charset=UTF-8"),
        ("html_ok", 200, "text/html;charset=utf-8"),
        ("redirect", 302, "text/html;charset=utf-8"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_another_answer_stands_in_before_or_after_the_write(
    org: RunningOrg, api: Api, address: str, kind: str, status: int, content: str, when: str
) -> None:
    org.control.fault(kind, when=when)
    answer = create(api, address, allow_redirects=False)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, content)
    assert count(org, address) == (1 if when == "after" else 0)
    assert create(api, address).status_code == 201, "a one-shot fault strikes once"


def test_a_redirect_names_another_host(org: RunningOrg, api: Api) -> None:
    org.control.fault("redirect", location="https://evil.example/x")
    answer = api.get("limits")
    assert answer.headers["Location"] == "https://evil.example/x"


def test_any_answer_can_be_ordered(org: RunningOrg, api: Api) -> None:
    org.control.fault("answer", status=420, body={"odd": True}, headers={"Retry-After": "7"})
    answer = api.get("limits")
    assert (answer.status_code, answer.json()) == (420, {"odd": True})
    assert answer.headers["Retry-After"] == "7"


def test_a_body_may_end_half_way(org: RunningOrg, api: Api) -> None:
    org.control.fault("truncated")
    answer = api.get("limits")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    org.control.fault("truncated", cut="connection")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get("limits")


def test_a_body_may_drip_byte_by_byte(org: RunningOrg, api: Api) -> None:
    org.control.fault("drip", interval=0.01)
    url = f"{api.grant.instance_url}{api.base}/limits"
    answer = api.http.get(url, headers={"Accept-Encoding": "identity"}, stream=True, timeout=5)
    started, sizes = time.monotonic(), [len(chunk) for chunk in answer.iter_content(None)]
    assert sum(sizes) == int(answer.headers["Content-Length"])
    assert time.monotonic() - started >= 0.01 * (sum(sizes) - 1)


def test_a_body_may_be_huge_and_still_be_json(org: RunningOrg, api: Api) -> None:
    org.control.fault("oversized", bytes=3_000_000)
    answer = api.get("limits")
    assert len(answer.content) > 3_000_000
    assert "DailyApiRequests" in answer.json()


def test_rows_may_be_missing_from_an_answer(org: RunningOrg, api: Api) -> None:
    records = [{"attributes": {"type": "Task"}, "Subject": f"n{n}"} for n in range(3)]
    org.control.fault("fewer_rows")
    assert len(api.post("composite/sobjects", {"records": records}).json()) == 2
    org.control.fault("fewer_rows", rows=2)
    part = {"method": "POST", "referenceId": "r", "url": "composite/sobjects"}
    [answer] = api.composite({**part, "body": {"records": records}})
    assert len(answer["body"]) == 1


def test_a_next_page_may_lie_elsewhere(org: RunningOrg, api: Api) -> None:
    org.control.fault("next_page_url", url="https://evil.example/steal")
    body = api.query("SELECT Id FROM User").json()
    assert (body["done"], body["nextRecordsUrl"]) == (False, "https://evil.example/steal")


# -- rows ------------------------------------------------------------------------------------------


def test_a_row_lock_clears_after_so_many_tries_of_each_record(
    org: RunningOrg, api: Api, contact: str
) -> None:
    org.control.fault("row_refused", times=None, tries=2, scope={"object": "Contact"})
    statuses = []
    for _ in range(4):
        answer = api.patch(f"sobjects/Contact/{contact}", {"Title": "x"})
        statuses.append(answer.status_code)
        if answer.status_code == 400:
            assert answer.json() == [
                {
                    "message": (
                        "unable to obtain exclusive access to this record or 1 records: "
                        + contact[:15]
                    ),
                    "errorCode": "UNABLE_TO_LOCK_ROW",
                    "fields": [],
                }
            ]
    assert statuses == [400, 400, 204, 204]


def test_half_of_a_collection_may_be_refused(org: RunningOrg, api: Api) -> None:
    org.control.fault("row_refused", times=None, every=2, scope={"object": "Task"})
    records = [{"attributes": {"type": "Task"}, "Subject": f"n{n}"} for n in range(10)]
    rows = api.post("composite/sobjects", {"records": records}).json()
    assert [row["success"] for row in rows] == [True, False] * 5
    assert rows[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_one_poison_row_can_be_told_by_its_text(org: RunningOrg, api: Api) -> None:
    scope = {"contains": "poison"}
    org.control.fault("row_refused", times=None, scope=scope, code="STORAGE_LIMIT_EXCEEDED")
    records = [
        {"attributes": {"type": "Task"}, "Subject": subject} for subject in ("a", "poison", "b")
    ]
    rows = api.post("composite/sobjects", {"records": records}).json()
    assert [row["success"] for row in rows] == [True, False, True]


# -- scopes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "struck"),
    [
        ({"method": "POST"}, [False, True]),
        ({"path": "*/composite*"}, [False, True]),
        ({"object": "Task"}, [False, True]),
        ({"object": "User"}, [True, False]),
        ({"user": "admin@example.com"}, [True, True]),
        ({"user": "few@example.com"}, [False, False]),
        ({"contains": "needle"}, [False, True]),
        ({"call": "log*"}, [False, True]),
    ],
)
def test_a_fault_strikes_where_its_scope_says(
    org: RunningOrg, api: Api, scope: dict[str, str], struck: list[bool]
) -> None:
    org.control.fault("unavailable", times=None, scope=scope)
    record = {"attributes": {"type": "Task"}, "Subject": "needle"}
    query = api.query("SELECT Id FROM User")
    headers = {"X-Call-Name": "log_tasks"}
    save = api.post("composite/sobjects", {"records": [record]}, headers=headers)
    assert [answer.status_code == 503 for answer in (query, save)] == struck


def test_a_fault_may_let_calls_pass_first_and_strike_several_times(
    org: RunningOrg, api: Api
) -> None:
    number = org.control.fault("unavailable", skip=1, times=2)
    assert [api.get("limits").status_code for _ in range(4)] == [200, 503, 503, 200]
    assert org.control.faults()[0]["struck"] == 2
    org.control.clear_faults(number)
    assert org.control.faults() == []


def test_a_standing_fault_stands_until_it_is_removed(org: RunningOrg, api: Api) -> None:
    org.control.fault("unavailable_html", times=None)
    assert [api.get("limits").status_code for _ in range(3)] == [503] * 3
    org.control.clear_faults()
    assert api.get("limits").status_code == 200


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("meteor", {}),
        ("delay", {"minutes": 3}),
        ("delay", {"when": "sometimes"}),
        ("drip", {"when": "before"}),
        ("delay", {"scope": {"planet": "Mars"}}),
    ],
)
def test_a_fault_nobody_knows_is_refused(org: RunningOrg, kind: str, more: dict[str, Any]) -> None:
    with pytest.raises(ControlRefused, match="400"):
        org.control.fault(kind, **more)


def test_no_fault_locks_the_control_prefix_out(org: RunningOrg) -> None:
    org.control.fault("reset", times=None)
    org.control.clear_faults()


def test_latency_is_added_to_each_call(org: RunningOrg, api: Api) -> None:
    org.control.set(latency_ms=120)
    api.get("limits")
    assert org.control.log()[-1]["duration_ms"] >= 120


def test_a_refused_refresh_and_a_deactivated_user_end_a_connection(
    org: RunningOrg, api: Api
) -> None:
    org.control.fault("unauthorized", times=None, scope={"path": "*/limits"})
    assert api.get("limits").json()[0]["errorCode"] == "INVALID_SESSION_ID"
    assert api.get("sobjects").status_code == 200


def test_a_fault_may_last_for_a_time(org: RunningOrg, api: Api) -> None:
    org.control.fault("unavailable", times=None, lasting=60.0)
    assert api.get("limits").status_code == 503
    org.control.clear_faults()
    org.control.fault("unavailable", times=None, lasting=0.0)
    assert api.get("limits").status_code == 200


def test_other_consumers_may_use_up_the_daily_limit(org: RunningOrg, api: Api) -> None:
    org.control.usage(used=14_999)
    assert api.get("limits").headers["Sforce-Limit-Info"] == "api-usage=15000/15000"
    assert api.get("limits").status_code == 403
