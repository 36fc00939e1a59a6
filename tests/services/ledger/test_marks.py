"""A mark ends only with a known outcome: a refused second send tells nothing of the first."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import (
    BatchRefused,
    Complaint,
    OutcomeUnclear,
    RecordRejected,
    RowLocked,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.mail.task import marker
from keeping_plugin.models import Installation
from keeping_plugin.services.ledger import retry
from keeping_plugin.types import Action, Agent
from tests.services.delivery.house import COMPANY, JANE, House

UNCLEAR = OutcomeUnclear("no answer", timed_out=True)
INVALID = RecordRejected(complaints=(Complaint("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No mail"),))
CLOSED = SalesforceUnavailable("maintenance")


def sent_once(house: House) -> None:
    """Sent, unclear, and written so late that the first look does not see it."""
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR)
    house.drain()


def commit_late(house: House) -> None:
    """The first send is carried out after all."""
    with house.database.read() as session:
        installation = session.query(Installation).one().installation_id
    house.salesforce.add("Task", Subject=f"Email {marker(installation, COMPANY, 'm1')}")


@pytest.mark.field_case("A17")
@pytest.mark.parametrize(
    "refusal", [RowLocked(), INVALID, CLOSED], ids=["locked", "invalid", "away"]
)
@pytest.mark.parametrize("whole", [False, True], ids=["row", "call"])
def test_a_refused_second_send_leaves_the_mark_of_the_first(
    house: House, refusal: SalesforceError, whole: bool
) -> None:
    sent_once(house)
    house.pass_time(31)
    (before,) = house.entries()
    if whole:
        told = refusal if refusal is CLOSED else BatchRefused(complaints=INVALID.complaints)
        house.salesforce.fail("create_many", told)
    else:
        house.salesforce.refuse_rows(refusal)
    house.drain()
    (entry,) = house.entries()
    assert entry.state in {"pending", "sending", "failed"}
    assert (entry.sent_at, entry.sent_after) == (before.sent_at, before.sent_after)
    assert entry.key_field_sent == before.key_field_sent == ""
    commit_late(house)
    if entry.state == "failed":
        with house.database.write() as session:
            retry.try_again(session, Agent("ada", COMPANY, "Ada", True), entry.id)
    house.pass_time(1_000)
    house.drain()
    assert house.states() == [("done", "logged")]
    assert len(house.tasks()) == 1
    assert house.entries()[0].sent_at is None


def test_a_refused_first_send_leaves_no_mark(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.refuse_rows(RowLocked())
    house.drain()
    assert house.entries()[0].sent_at is None
