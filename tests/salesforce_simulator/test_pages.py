"""The org's own pages: where *Open in Salesforce* leads."""

from __future__ import annotations

import re

import pytest
import requests

from salesforce_simulator.process import RunningOrg

from .conftest import Api


def page(org: RunningOrg, path: str) -> requests.Response:
    return requests.get(org.base_url + path, timeout=30)


@pytest.mark.parametrize(
    "path", ["/", "/lightning/o/Contact/list", "/lightning/o/Case", "/search?q=paddle", "/search"]
)
def test_every_page_is_marked_as_simulated_and_needs_no_script(org: RunningOrg, path: str) -> None:
    answer = page(org, path)
    assert answer.status_code == 200
    assert "Simulated org" in answer.text
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
        assert page(org, name).status_code == 200


def test_a_record_page_shows_fields_and_both_halves_of_the_timeline(
    org: RunningOrg, api: Api, contact: str, address: str
) -> None:
    api.create("Task", Subject="Past mail", WhoId=contact, Status="Completed", Description="Hi")
    api.create("Task", Subject="Call back", WhoId=contact, ActivityDate="2030-01-02")
    text = page(org, f"/lightning/r/Contact/{contact}/view").text
    assert address in text
    upcoming, past = text.split("Past activity")
    assert "Call back" in upcoming
    assert "02 Jan 2030" in upcoming
    assert "Past mail" in past


def test_what_came_from_outside_is_escaped(org: RunningOrg, api: Api) -> None:
    evil = "<script>alert(1)</script>"
    contact = api.create("Contact", LastName=evil, Description=evil)
    api.create("Task", Subject=evil, WhoId=contact, Status="Completed", Description=evil)
    for path in (f"/lightning/r/Contact/{contact}/view", f"/search?q={evil}", "/"):
        assert evil not in page(org, path).text


@pytest.mark.parametrize("name", ["Account", "Lead", "Opportunity", "Case", "Task", "User"])
def test_every_object_has_a_record_page(org: RunningOrg, name: str) -> None:
    record = org.control.query(f"SELECT Id FROM {name} LIMIT 1")[0]["Id"]
    assert page(org, f"/lightning/r/{name}/{record}/view").status_code == 200


def test_a_bare_id_leads_to_its_record(org: RunningOrg, contact: str) -> None:
    answer = requests.get(f"{org.base_url}/{contact}", timeout=30, allow_redirects=False)
    assert answer.headers["Location"] == f"/lightning/r/Contact/{contact}/view"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/lightning/o/Nowhere/list",
        "/lightning/r/Contact/003000000000001AAA/view",
        "/lightning/r/Contact/nonsense/view",
        "/lightning/r/Account/'%20OR/view",
    ],
)
def test_what_is_not_there_is_a_page_as_well(org: RunningOrg, path: str) -> None:
    answer = page(org, path)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


@pytest.mark.parametrize("text", ["O'Neill", "100%", "_", "\\", "x' OR Name != '"])
def test_a_search_takes_its_text_literally(org: RunningOrg, text: str) -> None:
    answer = requests.get(f"{org.base_url}/search", params={"q": text}, timeout=30)
    assert answer.status_code == 200
    assert ("Grace O&#39;Neill" in answer.text) is (text == "O'Neill")
