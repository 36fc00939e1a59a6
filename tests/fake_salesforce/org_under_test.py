"""What the suites of the gateway need to know of an org."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pytest

from keeping_plugin.objects import DESCRIBE_REQUESTS, OBJECT_NAMES
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.types import ObjectSchema


class OrgUnderTest(Protocol):
    """An org with the shipped describe set, and its administrator's hands."""

    @property
    def gateway(self) -> SalesforceGateway:
        """In the name of a user who may do everything."""

    @property
    def sharing(self) -> str | None:
        """The organization-wide default of every object, None where Salesforce tells none."""

    def add(self, object: str, **fields: Any) -> str:
        """Create a record past every rule; its id."""

    def delete(self, object: str, record_id: str) -> None:
        """Put it into the recycle bin."""

    def convert(self, lead_id: str) -> str:
        """Convert a Lead; the id of its Contact."""

    def merge(self, object: str, master_id: str, loser_id: str) -> None:
        """Merge two records into the first."""

    def fields(self, object: str, record_id: str) -> Mapping[str, Any]:
        """What stands in a record."""

    def add_user(self, username: str, *, name: str, email: str = "") -> str:
        """An active user with this last name; their id."""

    def add_queue(self, name: str, objects: Sequence[str]) -> str:
        """A queue for records of these objects; its id."""

    def deactivate_user(self, username: str) -> None:
        """Let a user no longer log in or own what is new."""

    def duplicate_rule(self, object: str, field: str) -> None:
        """Warn of records that are equal in this field."""

    def pass_time(self, seconds: float) -> None:
        """Let the org's clock go on."""

    def monotonic(self) -> float:
        """The clock by which `start_by` is read."""


def schemas_of(gateway: SalesforceGateway) -> dict[str, ObjectSchema]:
    """The objects that agents see, as the user of this gateway does."""
    found = (entry for names in DESCRIBE_REQUESTS for entry in gateway.describe(names))
    return {
        entry.object: entry.schema
        for entry in found
        if entry.schema is not None and entry.object in OBJECT_NAMES
    }


def someone() -> str:
    """An address that nobody has yet."""
    return f"p{uuid.uuid4().hex[:16]}@example.com"


class OrgContract:
    """Base of the suites; a subclass gives the org."""

    @pytest.fixture
    def org(self) -> OrgUnderTest:
        raise NotImplementedError("give the suite an org")
