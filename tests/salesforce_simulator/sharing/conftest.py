"""A private org in memory, with people who see different rows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.org import Org
from salesforce_simulator.results import ALL_PERMISSIONS, User

PRIVATE = {"Account": "None", "Contact": "None", "Lead": "None", "Opportunity": "None",
           "Case": "None", "Task": "None"}  # fmt: skip
API = frozenset({"api_enabled"})


@dataclass(frozen=True)
class People:
    """``rep`` works for ``boss``; ``other`` stands beside them; ``auditor`` has View All Data."""

    admin: User
    boss: User
    rep: User
    other: User
    auditor: User


@pytest.fixture
def org() -> Iterator[Org]:
    """Every default is private."""
    org = Org(database=":memory:", clock=OrgClock(), name="Acme", sandbox=False)
    org.sharing.use(PRIVATE)
    yield org
    org.close()


@pytest.fixture
def people(org: Org) -> People:
    def user(name: str, permissions: frozenset[str]) -> User:
        address = f"{name}@example.com"
        return org.add_user(
            username=address, email=address, last_name=name.title(), permissions=permissions
        )

    people = People(
        admin=user("admin", ALL_PERMISSIONS),
        boss=user("boss", API),
        rep=user("rep", API),
        other=user("other", API),
        auditor=user("auditor", API | {"view_all_data"}),
    )
    org.sharing.add_role("Sales")
    org.sharing.add_role("Sales, North", "Sales")
    org.sharing.give_role(people.boss, "Sales")
    org.sharing.give_role(people.rep, "Sales, North")
    return people


@pytest.fixture
def account(org: Org, people: People) -> str:
    """An Account of ``rep``."""
    return org.create(people.rep, "Account", {"Name": "Acme"})


@pytest.fixture
def contact(org: Org, people: People, account: str) -> str:
    """A Contact of ``rep`` at that Account."""
    return org.create(people.rep, "Contact", {"LastName": "Doe", "AccountId": account})


@pytest.fixture
def ids(org: Org) -> Callable[..., list[str]]:
    """The ids a query finds for a user."""

    def found(user: User, soql: str, **more: Any) -> list[str]:
        return [row["Id"] for row in org.query(user, soql, **more)["records"]]

    return found


@pytest.fixture
def access(org: Org) -> Callable[[User, str], str]:
    """``MaxAccessLevel`` of a user on a record, as the administrator is told."""

    def level(user: User, record_id: str) -> str:
        admin = next(one for one in org.users() if one.permissions == ALL_PERMISSIONS)
        [row] = org.query(
            admin,
            "SELECT MaxAccessLevel FROM UserRecordAccess "
            f"WHERE UserId = '{user.id}' AND RecordId = '{record_id}'",
        )["records"]
        return str(row["MaxAccessLevel"])

    return level
