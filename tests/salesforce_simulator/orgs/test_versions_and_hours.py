"""Versions to 68.0, read-only hours and maintenance."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.oauth.consent import Grant
from salesforce_simulator.process import RunningOrg

DAY = 86_400


def test_an_org_serves_versions_up_to_its_newest(org: RunningOrg) -> None:
    def newest() -> dict[str, str]:
        listed: list[dict[str, str]] = requests.get(
            f"{org.base_url}/services/data", timeout=30
        ).json()
        return listed[-1]

    assert newest()["version"] == "66.0"
    org.control.set(newest_version=68)
    assert newest() == {
        "label": "Winter '27",
        "url": "/services/data/v68.0",
        "version": "68.0",
    }


def test_a_version_that_is_too_new_is_404(org: RunningOrg, grant: Grant) -> None:
    def status(version: int) -> int:
        headers = {"Authorization": f"Bearer {grant.access_token}"}
        url = f"{org.base_url}/services/data/v{version}.0/sobjects"
        return requests.get(url, headers=headers, timeout=30).status_code

    assert (status(66), status(67)) == (200, 404)
    org.control.set(newest_version=68)
    assert (status(68), status(69)) == (200, 404)


@pytest.mark.parametrize(("version", "warned"), [(31, True), (40, True), (41, False)])
def test_versions_31_to_40_are_deprecated_in_an_org_of_version_68(
    org: RunningOrg, grant: Grant, version: int, warned: bool
) -> None:
    def warns() -> bool:
        headers = {"Authorization": f"Bearer {grant.access_token}"}
        url = f"{org.base_url}/services/data/v{version}.0/sobjects"
        answer = requests.get(url, headers=headers, timeout=30)
        assert answer.status_code == 200
        return answer.headers.get("Warning", "").startswith("299")

    assert not warns()
    org.control.set(newest_version=68)
    assert warns() is warned


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("66.0", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"),
        ("31.0", "INVALID_READ_ONLY_USER_DML"),
    ],
)
def test_during_read_only_hours_records_are_read_and_not_written(
    org: RunningOrg, grant: Grant, version: str, code: str
) -> None:
    contact = org.control.create("Contact", LastName="Doe")
    org.control.set(read_only="22:00-04:00", session_seconds=10 * 365 * DAY)
    base = f"{org.base_url}/services/data/v{version}/sobjects/Contact"
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {grant.access_token}"
        org.control.set_clock(datetime(2026, 5, 6, 21, 59, tzinfo=UTC))
        assert http.patch(f"{base}/{contact}", json={"Title": "A"}, timeout=30).status_code == 204
        org.control.set_clock(datetime(2026, 5, 6, 22, 30, tzinfo=UTC))
        assert http.get(f"{base}/{contact}", timeout=30).status_code == 200
        for refused in (
            http.patch(f"{base}/{contact}", json={"Title": "B"}, timeout=30),
            http.post(base, json={"LastName": "Roe"}, timeout=30),
            http.delete(f"{base}/{contact}", timeout=30),
        ):
            assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, code)


def test_during_maintenance_every_call_is_refused(org: RunningOrg, grant: Grant) -> None:
    org.control.set(maintenance="always")
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    url = f"{org.base_url}/services/data/v66.0/sobjects"
    answer = requests.get(url, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")
    org.control.set(maintenance="")
    assert requests.get(url, headers=headers, timeout=30).status_code == 200


def test_hours_that_are_none_are_refused(org: RunningOrg) -> None:
    with pytest.raises(ControlRefused, match="HH:MM-HH:MM"):
        org.control.set(read_only="at night")
