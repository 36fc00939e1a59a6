"""Sharing over the wire: statuses, rows of collections, control verbs, and pages seen as a user."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess, RunningOrg
from tests.salesforce_simulator.conftest import Api


@dataclass(frozen=True)
class Private:
    """A private org with two users who know nothing of each other's records."""

    org: RunningOrg
    one: Api
    two: Api
    names: tuple[str, str]


@pytest.fixture(scope="module")
def private() -> Iterator[Private]:
    with OrgProcess() as process:
        org = process.production
        org.control.share(Account="None", Contact="None", Case="None", Lead="None")
        apis, names = [], []
        for name in ("one", "two"):
            username = f"{name}@example.com"
            org.control.add_user(username, last_name=name.title(), permissions=["api_enabled"])
            apis.append(Api(connect(process, org, user=username)))
            names.append(username)
        yield Private(org, *apis, names=(names[0], names[1]))
        for api in apis:
            api.http.close()


@pytest.fixture
def hidden(private: Private) -> str:
    """A Contact without an Account that the first user owns."""
    return private.one.create("Contact", LastName=f"Hidden {uuid.uuid4().hex}")


def test_reading_and_changing_a_hidden_record_is_404(private: Private, hidden: str) -> None:
    path = f"sobjects/Contact/{hidden}"
    assert private.one.get(path).status_code == 200
    answers = [private.two.get(path), private.two.patch(path, {"Title": "CEO"}),
               private.two.delete(path)]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert {answer.json()[0]["errorCode"] for answer in answers} == {"NOT_FOUND"}


def test_a_record_that_may_only_be_read_refuses_a_change_with_400(private: Private) -> None:
    private.org.control.share(Account="Read", Contact="None", Case="None", Lead="None")
    account = private.one.create("Account", Name="Acme")
    answer = private.two.patch(f"sobjects/Account/{account}", {"Name": "Other"})
    assert (answer.status_code, answer.json()) == (
        400,
        [
            {
                "message": "insufficient access rights on object id",
                "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY",
                "fields": [],
            }
        ],
    )


def test_a_row_of_a_collection_says_it_in_its_own_form(private: Private, hidden: str) -> None:
    records = [
        {"attributes": {"type": "Contact"}, "id": hidden, "Title": "CEO"},
        {"attributes": {"type": "Contact"}, "id": hidden, "Title": "CFO"},
    ]
    rows = private.two.patch("composite/sobjects", {"records": records}).json()
    assert [row["errors"][0]["statusCode"] for row in rows] == ["INVALID_CROSS_REFERENCE_KEY"] * 2
    tasks = [{"attributes": {"type": "Task"}, "Subject": "Mail", "WhoId": hidden}]
    [row] = private.two.post("composite/sobjects", {"records": tasks}).json()
    assert row["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"


def test_reading_many_leaves_null_for_a_hidden_record(private: Private, hidden: str) -> None:
    body = {"ids": [hidden], "fields": ["Id"]}
    assert private.one.post("composite/sobjects/Contact", body).json()[0]["Id"] == hidden
    assert private.two.post("composite/sobjects/Contact", body).json() == [None]


def test_the_pages_are_seen_as_a_chosen_user(private: Private, hidden: str) -> None:
    home = private.org.base_url
    path = f"/lightning/r/Contact/{hidden}/view"
    assert requests.get(home + path, timeout=30).status_code == 200  # the administrator's view
    for username, status in zip(private.names, (200, 404), strict=True):
        with requests.Session() as http:
            choice = {"user": username, "path": path}
            answer = http.get(f"{home}/viewer", params=choice, timeout=30)
            assert (answer.url, answer.status_code) == (home + path, status)
            assert f'value="{username}" selected' in answer.text
            found = http.get(f"{home}/lightning/o/Contact/list", timeout=30).text
            assert (hidden in found) == (status == 200)


def test_a_hidden_parent_shows_its_name_and_leads_nowhere(private: Private) -> None:
    private.org.control.share(Account="None", Contact="Read", Case="None", Lead="None")
    name = f"Secret {uuid.uuid4().hex[:8]}"
    account = private.one.create("Account", Name=name)
    contact = private.one.create("Contact", LastName="Doe", AccountId=account)
    with requests.Session() as http:
        choice = {"user": private.names[1], "path": f"/lightning/r/Contact/{contact}/view"}
        page = http.get(f"{private.org.base_url}/viewer", params=choice, timeout=30).text
    assert name in page
    assert account not in page


@pytest.mark.parametrize(
    ("user", "path", "where"),
    [("nobody@example.com", "/", None), ("admin@example.com", "//evil.example", "/")],
)
def test_the_choice_takes_users_and_paths_of_the_org_alone(
    private: Private, user: str, path: str, where: str | None
) -> None:
    answer = requests.get(
        f"{private.org.base_url}/viewer",
        params={"user": user, "path": path},
        timeout=30,
        allow_redirects=False,
    )
    assert answer.headers.get("Location") == where
    assert answer.status_code == (404 if where is None else 302)


def test_roles_and_queues_are_set_up_by_control_verbs(private: Private, hidden: str) -> None:
    control = private.org.control
    control.share(Account="None", Contact="None", Case="None", Lead="None")
    lead = private.one.create("Lead", LastName="Doe", Company="Acme")
    soql = f"SELECT Id FROM Lead WHERE Id = '{lead}'"
    assert private.two.query(soql).json()["totalSize"] == 0
    control.role("Boss", private.names[1])
    control.role("Rep", private.names[0], parent="Boss")
    assert private.two.query(soql).json()["totalSize"] == 1
    queue = control.queue("Support", ["Case"], [private.names[1]])
    control.assignment_rule("Case", queue)
    case = private.two.create("Case", Subject="Broken")
    control.clear_rules()
    assert private.two.read("Case", case)["OwnerId"] == queue


def test_sharing_everything_again_shows_every_row(private: Private, hidden: str) -> None:
    private.org.control.share_everything()
    assert private.two.get(f"sobjects/Contact/{hidden}").status_code == 200
