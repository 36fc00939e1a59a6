"""A connection that is ended afterwards, for tests that change how an org behaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from salesforce_simulator.oauth.consent import Grant, connect
from salesforce_simulator.process import OrgProcess, RunningOrg


@pytest.fixture
def grant(process: OrgProcess, org: RunningOrg) -> Iterator[Grant]:
    """A connection of the integration user."""
    yield connect(process, org, user="integration")
    org.control.reset()
    org.control.login_bounds("integration@example.com")
    org.control.revoke_grants("integration@example.com")
