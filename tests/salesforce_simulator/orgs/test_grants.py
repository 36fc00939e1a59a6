"""Three ways to lose a grant, when and from where one may log in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.oauth.consent import ConsentFailed, Grant, connect
from salesforce_simulator.process import OrgProcess, RunningOrg

ELSEWHERE = ["192.0.2.0/24"]
DAY = 86_400


def refresh(
    process: OrgProcess, org: RunningOrg, token: str, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Status and body of a refresh."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": process.client_id,
        "client_secret": process.client_secret,
    }
    url = f"{org.base_url}/services/oauth2/token"
    answer = requests.post(url, data=form, headers=headers, timeout=30)
    return answer.status_code, answer.json()


def invalid_grant(description: str) -> tuple[int, dict[str, str]]:
    return 400, {"error": "invalid_grant", "error_description": description}


def test_a_refresh_token_that_lies_idle_ends(
    process: OrgProcess, org: RunningOrg, grant: Grant
) -> None:
    org.control.set(refresh_idle_days=30)
    for _ in range(2):  # each use begins the thirty days anew
        org.control.advance(29 * DAY)
        assert refresh(process, org, grant.refresh_token)[0] == 200
    org.control.advance(31 * DAY)
    assert refresh(process, org, grant.refresh_token) == invalid_grant("token validity expired")
    org.control.set(refresh_idle_days=0)
    gone = invalid_grant("expired access/refresh token")
    assert refresh(process, org, grant.refresh_token) == gone


def test_an_access_token_in_use_does_not_keep_its_refresh_token_alive(
    process: OrgProcess, org: RunningOrg, grant: Grant
) -> None:
    org.control.set(refresh_idle_days=30, session_seconds=40 * DAY)
    headers = {"Authorization": f"Bearer {grant.access_token}"}
    for _ in range(2):
        org.control.advance(16 * DAY)
        url = f"{org.base_url}/services/data/v66.0/sobjects"
        assert requests.get(url, headers=headers, timeout=30).status_code == 200
    assert refresh(process, org, grant.refresh_token)[0] == 400


def test_a_sixth_grant_of_a_user_ends_the_oldest(
    process: OrgProcess, org: RunningOrg, grant: Grant
) -> None:
    org.control.set(tokens_per_user=5)
    others = [connect(process, org, user="integration") for _ in range(4)]
    assert refresh(process, org, grant.refresh_token)[0] == 200
    others.append(connect(process, org, user="integration"))
    gone = invalid_grant("expired access/refresh token")
    assert refresh(process, org, grant.refresh_token) == gone
    assert [refresh(process, org, one.refresh_token)[0] for one in others] == [200] * 5


def test_the_allowlist_of_the_app_blocks_refreshes_and_codes_from_elsewhere(
    process: OrgProcess, org: RunningOrg, grant: Grant
) -> None:
    org.control.set(token_addresses=ELSEWHERE)
    assert refresh(process, org, grant.refresh_token) == invalid_grant("ip restricted")
    with pytest.raises(ConsentFailed, match="ip restricted"):
        connect(process, org, user="integration")
    org.control.set(token_addresses=[*ELSEWHERE, "127.0.0.1-127.0.0.9"])
    assert refresh(process, org, grant.refresh_token)[0] == 200


@pytest.mark.parametrize("ranges", [["10.0.0.0/8"], ["10.0.0.1"] * 129, ["somewhere"]])
def test_an_allowlist_has_128_ranges_of_256_addresses(org: RunningOrg, ranges: list[str]) -> None:
    with pytest.raises(ControlRefused, match="400"):
        org.control.set(token_addresses=ranges)


def test_a_user_logs_in_and_refreshes_within_their_hours_alone(
    process: OrgProcess, org: RunningOrg, grant: Grant
) -> None:
    org.control.login_bounds("integration@example.com", hours="08:00-18:00")
    org.control.set_clock(datetime(2026, 5, 6, 18, 0, tzinfo=UTC))
    assert refresh(process, org, grant.refresh_token) == invalid_grant("Invalid login hours")
    with pytest.raises(ConsentFailed, match="log in at this time"):
        connect(process, org, user="integration")
    org.control.set_clock(datetime(2026, 5, 7, 8, 0, tzinfo=UTC))
    assert refresh(process, org, grant.refresh_token)[0] == 200


def test_login_hours_may_cross_midnight(process: OrgProcess, org: RunningOrg, grant: Grant) -> None:
    org.control.login_bounds("integration@example.com", hours="22:00-06:00")
    org.control.set_clock(datetime(2026, 5, 6, 23, 0, tzinfo=UTC))
    assert refresh(process, org, grant.refresh_token)[0] == 200
    org.control.set_clock(datetime(2026, 5, 7, 7, 0, tzinfo=UTC))
    assert refresh(process, org, grant.refresh_token)[0] == 400


def test_a_user_logs_in_and_refreshes_from_their_addresses_alone(
    process: OrgProcess, org: RunningOrg, grant: Grant
) -> None:
    org.control.login_bounds("integration@example.com", addresses=ELSEWHERE)
    assert refresh(process, org, grant.refresh_token) == invalid_grant("ip restricted")
    with pytest.raises(ConsentFailed, match="from this address"):
        connect(process, org, user="integration")
    assert connect(process, org, user="admin").access_token
