"""The gateway over HTTP keeps the same contract as the org in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_salesforce.contract import GatewayContract


class TestTheGatewayKeepsTheContract(GatewayContract):
    @pytest.fixture
    def org(self, org: Any) -> Any:
        """The running org instead of the suite's empty place."""
        return org
