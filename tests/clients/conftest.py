"""Clients that others wrote, against a running simulated org; only by `make clients`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator.process import OrgProcess
from tests.clients.node import MODULES, Node

#: These tests need Node and packages from npm, so `make test` does not collect them.
collect_ignore_glob = [] if os.environ.get("KEEPING_NODE") else ["test_*.py"]

REDIRECT = "http://127.0.0.1:9/callback"


@pytest.fixture(scope="session")
def node() -> Node:
    """Where Node is, and the packages."""
    return Node(Path(os.environ["KEEPING_NODE"]))


@pytest.fixture(scope="session")
def process() -> Iterator[OrgProcess]:
    """A fresh org; Task has a unique external id."""
    options = ["--activity-key-field", "Message_Key__c", "--api-limit", "100000"]
    with OrgProcess(redirects=[REDIRECT], options=options) as running:
        yield running


@pytest.fixture(scope="session")
def jsforce_results(node: Node, process: OrgProcess) -> Mapping[str, Mapping[str, Any]]:
    """What each row of jsforce_rows.mjs came to."""
    org = process.production
    login = org.login("admin")
    settings = {
        "modules": f"{MODULES}/",
        "loginUrl": org.base_url,
        "instanceUrl": org.base_url,
        "organizationId": org.organization_id,
        "clientId": process.client_id,
        "clientSecret": process.client_secret,
        "redirectUri": REDIRECT,
        "username": login.username,
        "password": login.password,
    }
    ended = subprocess.run(
        [node.program, Path(__file__).with_name("jsforce_rows.mjs")],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    found: dict[str, dict[str, Any]] = json.loads(ended.stdout.splitlines()[-1])
    return found
