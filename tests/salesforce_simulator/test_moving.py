"""An org that is served at another address, or in other versions, than before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from salesforce_simulator.control.client import ControlRefused
from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess, RunningOrg

from .conftest import Api

LIMITS = "/services/data/v66.0/limits"


def ask(api: Api, base: str) -> requests.Response:
    return api.http.get(base + LIMITS, timeout=10, allow_redirects=False)


def says_302(answer: requests.Response, new: str) -> bool:
    return (answer.status_code, answer.headers["Location"]) == (302, new + LIMITS)


LEFT: dict[str, Callable[[requests.Response, str], bool]] = {
    "redirect": says_302,
    "no_route": lambda answer, _: (answer.status_code, answer.content) == (420, b""),
    "not_found": lambda answer, _: (answer.status_code, answer.text[:6]) == (404, "<html>"),
}


@pytest.mark.parametrize("left", LEFT)
def test_a_moved_org_answers_at_its_new_address_and_says_so_in_tokens(
    process: OrgProcess, org: RunningOrg, api: Api, left: str
) -> None:
    new = org.control.move(left=left)
    assert LEFT[left](ask(api, org.base_url), new)
    assert ask(api, new).status_code == 200
    grant = connect(process, org, user="admin")  # at the login host, which stays
    assert grant.instance_url == new
    org.control.reset()
    assert ask(api, org.base_url).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(new + LIMITS, timeout=5)


def test_nobody_listens_at_an_address_that_is_gone(org: RunningOrg, api: Api) -> None:
    with pytest.raises(ControlRefused, match="login host stays"):
        org.control.move(left="gone")
    first = org.control.move()
    second = org.control.move(left="gone")
    with pytest.raises(requests.ConnectionError):
        ask(api, first)
    assert ask(api, second).status_code == 200
    with pytest.raises(ControlRefused, match="left wants one of"):
        org.control.move(left="here")


def test_the_login_host_can_send_token_requests_to_the_orgs_own(org: RunningOrg, api: Api) -> None:
    new = org.control.move()
    org.control.set(logins_at_own_host=True)
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "y"}
    url = "/services/oauth2/token"
    answer = requests.post(org.base_url + url, form, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, new + url)
    assert requests.post(new + url, form, timeout=5).json()["error"] == "invalid_client_id"


def test_a_retired_version_is_gone_and_not_listed(org: RunningOrg, api: Api) -> None:
    org.control.set(retired_versions=["66.0"])
    answer = api.get("limits")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (410, "GONE")
    listed = {entry["version"] for entry in api.get("/services/data/").json()}
    assert "66.0" not in listed
    assert "65.0" in listed


def test_userinfo_tells_the_users_own_time_zone(org: RunningOrg, api: Api) -> None:
    user = api.get("/services/oauth2/userinfo").json()
    assert (user["zoneinfo"], user["utcOffset"]) == ("GMT", 0)
    org.control.update("User", user["user_id"], TimeZoneSidKey="America/Los_Angeles")
    try:
        user = api.get("/services/oauth2/userinfo").json()
        assert (user["zoneinfo"], user["utcOffset"]) == ("America/Los_Angeles", -28_800_000)
    finally:
        org.control.update("User", user["user_id"], TimeZoneSidKey="GMT")
