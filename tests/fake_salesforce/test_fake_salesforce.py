"""The org in memory keeps the contract of the real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from keeping_plugin.testing import FakeClock
from tests.fake_salesforce import FakeGateway, FakeSalesforce
from tests.fake_salesforce.contract import GatewayContract


class FakeOrgUnderTest:
    """`OrgUnderTest` over FakeSalesforce."""

    sharing: str | None = None

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.salesforce = FakeSalesforce(self.clock)
        self.gateway: FakeGateway = self.salesforce.gateway()

    def add(self, object: str, **fields: Any) -> str:
        return self.salesforce.add(object, **fields)

    def delete(self, object: str, record_id: str) -> None:
        self.salesforce.delete(object, record_id)

    def convert(self, lead_id: str) -> str:
        return self.salesforce.convert(lead_id)

    def merge(self, object: str, master_id: str, loser_id: str) -> None:
        self.salesforce.merge(object, master_id, loser_id)

    def fields(self, object: str, record_id: str) -> Mapping[str, Any]:
        return self.salesforce.fields(object, record_id)

    def add_user(self, username: str, *, name: str, email: str = "") -> str:
        return self.salesforce.add_user(username, name, email=email)

    def add_queue(self, name: str, objects: Sequence[str]) -> str:
        return self.salesforce.add_queue(name, objects)

    def deactivate_user(self, username: str) -> None:
        [user] = [row for row in self.salesforce.rows("User") if row["Username"] == username]
        self.salesforce.update("User", user["Id"], IsActive=False)

    def duplicate_rule(self, object: str, field: str) -> None:
        self.salesforce.duplicate_rule(object, field)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def monotonic(self) -> float:
        return self.clock.monotonic()


class TestTheFakeKeepsTheContract(GatewayContract):
    @pytest.fixture
    def org(self) -> FakeOrgUnderTest:
        return FakeOrgUnderTest()
