"""Fixtures for the simulated Salesforce orgs, each a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from salesforce_simulator.process import OrgProcess, RunningOrg


def at_rest(process: OrgProcess) -> OrgProcess:
    """As after its start, but for records, users, fields, rights and redirects: no faults, no
    rules, no grants, the clock right, the log empty."""
    for org in (process.production, process.sandbox):
        org.control.reset()
        org.control.revoke_grants()
        org.control.reset_log()
    return process


@pytest.fixture(scope="session")
def org_process() -> Iterator[OrgProcess]:
    with OrgProcess() as process:
        yield process


@pytest.fixture(scope="session")
def keyed_org_process() -> Iterator[OrgProcess]:
    with OrgProcess(options=["--activity-key-field", "Keeping_Key__c"]) as process:
        yield process


@pytest.fixture
def orgs(org_process: OrgProcess) -> OrgProcess:
    """A production and a sandbox org, at rest. Records of earlier tests are still there: use
    addresses of your own."""
    return at_rest(org_process)


@pytest.fixture
def keyed_orgs(keyed_org_process: OrgProcess) -> OrgProcess:
    """The same, with a unique text field for us on Task."""
    return at_rest(keyed_org_process)


@pytest.fixture
def org(orgs: OrgProcess) -> RunningOrg:
    """The production org of `orgs`."""
    return orgs.production


@pytest.fixture
def start_org() -> Iterator[Callable[..., OrgProcess]]:
    """`start_org(**OrgProcess options)` starts one that only this test knows (over a second)."""
    with ExitStack() as stack:

        def start(**options: Any) -> OrgProcess:
            return stack.enter_context(OrgProcess(**options))

        yield start
