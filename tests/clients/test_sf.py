"""The Salesforce CLI: log in, query, page, write and describe."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator.oauth.consent import Grant, connect
from salesforce_simulator.process import OrgProcess
from tests.clients.node import Node

Sf = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def grant(process: OrgProcess) -> Grant:
    return connect(process, process.production)


@pytest.fixture(scope="module")
def sf(node: Node, grant: Grant, tmp_path_factory: pytest.TempPathFactory) -> Sf:
    """The command, logged in, in a home of its own; it reaches nothing but the org."""
    home = tmp_path_factory.mktemp("sf")
    environment = {
        "HOME": str(home),
        "PATH": f"{node.sf.parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "SF_ACCESS_TOKEN": grant.access_token,
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_DISABLE_DNS_CHECK": "true",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [node.sf, *words],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    # The slash at the end is what people copy from the address bar.
    url = f"{grant.instance_url}/"
    said = result(
        run("org", "login", "access-token", "--instance-url", url, "--no-prompt", "--set-default",
            "--json")
    )  # fmt: skip
    assert said["username"] == "admin@example.com"
    return run


def result(ended: subprocess.CompletedProcess[str]) -> Any:
    """What a command says with --json."""
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)["result"]


def query(sf: Sf, soql: str) -> dict[str, Any]:
    found: dict[str, Any] = result(sf("data", "query", "--query", soql, "--json"))
    return found


def test_the_org_is_connected(sf: Sf, process: OrgProcess) -> None:
    shown = result(sf("org", "display", "--json"))
    assert shown["connectedStatus"] == "Connected"
    assert shown["id"] == process.production.organization_id


def test_the_user_is_displayed(sf: Sf, grant: Grant) -> None:
    shown = result(sf("org", "display", "user", "--json"))
    assert grant.identity_url.endswith(shown["id"])


def test_objects_are_listed_and_described(sf: Sf) -> None:
    assert {"Account", "Contact", "Task"} <= set(result(sf("sobject", "list", "--json")))
    described = result(sf("sobject", "describe", "--sobject", "Contact", "--json"))
    assert {"LastName", "Email"} <= {field["name"] for field in described["fields"]}


def test_a_query_shows_parents_in_columns_of_their_own(sf: Sf) -> None:
    soql = "SELECT Name, Account.Name FROM Contact WHERE AccountId != null LIMIT 2"
    ended = sf("data", "query", "--query", soql, "--result-format", "csv")
    assert ended.returncode == 0, ended.stderr
    header, *rows = ended.stdout.strip().splitlines()
    assert header == "Name,Account.Name"
    assert len(rows) == 2
    assert all(row.count(",") == 1 and not row.endswith(",") for row in rows)


def test_a_query_reads_child_records(sf: Sf) -> None:
    found = query(sf, "SELECT Name, (SELECT Subject FROM Cases LIMIT 1) FROM Contact")
    assert any(record["Cases"] for record in found["records"])


def test_a_grouped_query_shows_aliases_and_functions(sf: Sf) -> None:
    soql = "SELECT Type kind, COUNT(Id) FROM Account GROUP BY Type"
    ended = sf("data", "query", "--query", soql, "--result-format", "csv")
    assert ended.returncode == 0, ended.stderr
    header, *rows = ended.stdout.strip().splitlines()
    assert header == "kind,count(Id)"
    assert len(rows) == query(sf, soql)["totalSize"]


def test_a_query_fetches_page_after_page(sf: Sf, process: OrgProcess) -> None:
    control = process.production.control
    for number in range(2100):
        control.create("Task", Subject=f"sf {number}", Status="Completed")
    found = query(sf, "SELECT Id FROM Task WHERE Subject LIKE 'sf %'")
    assert (found["totalSize"], len(found["records"])) == (2100, 2100)


def test_a_refused_query_shows_the_place(sf: Sf) -> None:
    ended = sf("data", "query", "--query", "SELECT Bacon__c FROM Account")
    assert ended.returncode == 1
    assert "ERROR at Row:1:Column:8" in ended.stderr
    assert "No such column 'Bacon__c' on entity 'Account'." in ended.stderr


def test_a_record_is_created_read_changed_and_deleted(sf: Sf) -> None:
    on = ("--sobject", "Account")
    values = ("--values", "Name='Sf Works' Phone=1")
    made = result(sf("data", "create", "record", *on, *values, "--json"))["id"]
    record = (*on, "--record-id", made, "--json")
    assert result(sf("data", "get", "record", *record))["Name"] == "Sf Works"
    result(sf("data", "update", "record", *record, "--values", "Phone=2"))
    assert result(sf("data", "get", "record", *record))["Phone"] == "2"
    by_name = (*on, "--where", "Name='Sf Works'", "--json")
    assert result(sf("data", "get", "record", *by_name))["Id"] == made
    result(sf("data", "delete", "record", *record))
    assert query(sf, "SELECT Id FROM Account WHERE Name = 'Sf Works'")["totalSize"] == 0


def test_a_refused_create_says_why(sf: Sf) -> None:
    ended = sf("data", "create", "record", "--sobject", "Contact", "--values", "FirstName=x")
    assert ended.returncode == 1
    assert "Required fields are missing: [LastName]" in ended.stderr


def test_a_tree_of_records_is_imported(sf: Sf, tmp_path: Path) -> None:
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "a"},
                "Name": "Sf Tree",
                "Contacts": {
                    "records": [
                        {
                            "attributes": {"type": "Contact", "referenceId": "c"},
                            "LastName": "Branch",
                        }
                    ]
                },
            }
        ]
    }
    path = tmp_path / "tree.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    result(sf("data", "import", "tree", "--files", str(path), "--json"))
    found = query(sf, "SELECT LastName FROM Contact WHERE Account.Name = 'Sf Tree'")
    assert [record["LastName"] for record in found["records"]] == ["Branch"]


def test_a_search_finds_words(sf: Sf) -> None:
    sosl = "FIND {Paddles} IN NAME FIELDS RETURNING Account(Name)"
    found = result(sf("data", "search", "--query", sosl, "--json"))
    names = [record["Name"] for record in found["searchRecords"]]
    assert "Northwind Paddles" in names


def test_limits_are_listed(sf: Sf) -> None:
    limits = {limit["name"]: limit for limit in result(sf("org", "list", "limits", "--json"))}
    assert limits["DailyApiRequests"]["remaining"] < limits["DailyApiRequests"]["max"]


def test_any_resource_can_be_asked_for(sf: Sf) -> None:
    ended = sf("api", "request", "rest", "/services/data/v66.0/sobjects/Account/listviews")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["sobjectType"] == "Account"
