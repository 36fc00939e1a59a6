"""An org with Enhanced Email, the junction lists described, and people to write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from salesforce_simulator.errors import ErrorEntry, OrgError
from salesforce_simulator.org import Org
from salesforce_simulator.results import ALL_PERMISSIONS, User

JANE = "jane@acme.example"
LEO = "leo@lead.example"
RECEIVED = {
    "Subject": "Where is my order?",
    "TextBody": "It is late.",
    "FromAddress": JANE,
    "FromName": "Jane Doe",
    "ToAddress": "help@us.example",
    "Incoming": True,
    "Status": "3",
    "MessageDate": "2026-05-01T08:12:00Z",
    "MessageIdentifier": "<abc@acme.example>",
}
Rows = list[dict[str, Any]]
Log = Callable[..., str]


@pytest.fixture
def org(org: Org) -> Org:
    org.use_feature("mail", {"enhanced": True, "junction_lists": True})
    return org


@pytest.fixture
def bob(org: Org) -> User:
    """A user without *Update Email Messages*."""
    return org.add_user(
        username="bob@example.com",
        email="bob@example.com",
        first_name="Bob",
        last_name="Agent",
        permissions=ALL_PERMISSIONS - {"update_email_messages"},
    )


@pytest.fixture
def account(org: Org, ann: User) -> str:
    return org.create(ann, "Account", {"Name": "Acme"})


@pytest.fixture
def jane(org: Org, ann: User, account: str) -> str:
    values = {"FirstName": "Jane", "LastName": "Doe", "Email": JANE, "AccountId": account}
    return org.create(ann, "Contact", values)


@pytest.fixture
def leo(org: Org, ann: User) -> str:
    return org.create(ann, "Lead", {"LastName": "Lead", "Company": "L", "Email": LEO})


@pytest.fixture
def case(org: Org, ann: User) -> str:
    return org.create(ann, "Case", {"Subject": "Late"})


@pytest.fixture
def deal(org: Org, ann: User, account: str) -> str:
    values = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-09-01"}
    return org.create(ann, "Opportunity", values | {"AccountId": account})


@pytest.fixture
def log(org: Org, ann: User) -> Log:
    """Logs the received message, as Ann unless told otherwise; its id."""

    def create(user: User | None = None, **fields: Any) -> str:
        return org.create(user or ann, "EmailMessage", RECEIVED | fields)

    return create


def rows(org: Org, user: User, soql: str, **options: Any) -> Rows:
    """The records of a query without their attributes."""
    found = org.query(user, soql, **options)["records"]
    return [{k: v for k, v in row.items() if k != "attributes"} for row in found]


def relate(org: Org, user: User, message: str, person: str | None, kind: str, **more: Any) -> str:
    """A new EmailMessageRelation's id."""
    values = {"EmailMessageId": message, "RelationId": person, "RelationType": kind}
    return org.create(user, "EmailMessageRelation", values | more)


def task_of(org: Org, user: User, message: str) -> dict[str, Any]:
    """The Task a message points at."""
    task_id = org.read(user, "EmailMessage", message, ["ActivityId"])["ActivityId"]
    return org.read(user, "Task", task_id)


def refused(call: Callable[[], object]) -> ErrorEntry:
    """The only entry of a refusal."""
    with pytest.raises(OrgError) as refusal:
        call()
    (entry,) = refusal.value.entries
    return entry
