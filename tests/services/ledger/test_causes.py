"""What failed for one thing is one cause, counted, listed and tried again by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from keeping_plugin.models import Connection, Database, SyncEntry
from keeping_plugin.services.admin import activity
from keeping_plugin.services.admin.activity import Filter, Period
from keeping_plugin.services.admin.activity_list import listed
from keeping_plugin.services.ledger import causes, retry
from keeping_plugin.services.ledger.causes import MAX_LENGTH, cause_of
from keeping_plugin.types import Action, Agent
from tests.blueprints.ledger import Ledger
from tests.services.company import Company

DAY = date(2026, 5, 6)
PERIOD = Period(DAY - timedelta(days=4), DAY)
NOON = datetime(2026, 5, 6, 12, tzinfo=UTC)
ADMIN = Agent("ada", "acme", "Ada Admin", is_admin=True)
OWN = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER"
TRIGGER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"

# Each with words that another one of the same cause might have.
REFUSALS: dict[str, tuple[Any, Any]] = {
    "rejected:STRING_TOO_LONG:LastName": (
        [["STRING_TOO_LONG", "Last Name: data value too large: Abc", ["LastName"]]],
        [["STRING_TOO_LONG", "Last Name: data value too large: Xyz", ["LastName"]]],
    ),
    "rejected:STRING_TOO_LONG:FirstName": (
        [["STRING_TOO_LONG", "First Name: data value too large: A", ["FirstName"]]],
        [["STRING_TOO_LONG", "First Name: data value too large: B", ["FirstName"]]],
    ),
    "rejected:REQUIRED_FIELD_MISSING:A__c,B__c:missing: [A__c, B__c]": (
        [["REQUIRED_FIELD_MISSING", "missing: [A__c, B__c]", ["A__c", "B__c"]]],
        [["REQUIRED_FIELD_MISSING", "missing: [A__c, B__c]", ["A__c", "B__c"]]],
    ),
    f"rejected:{FLOW}::flow 301: … at … by …": (
        [[FLOW, "flow 301: 00T5g00000ABCDEFGH at 17:04:59\n by jane@customer.example", []]],
        [[FLOW, "flow 301: 00T5g00000ABCDE at 3:05  by sam@other.example", []]],
    ),
    f"rejected:{FLOW}::flow 302: … at … by …": (
        [[FLOW, "flow 302: 00T5g00000ABCDEFGH at 17:04:59\n by jane@customer.example", []]],
        [[FLOW, "flow 302: 00T5g00000ABCDE at 3:05  by sam@other.example", []]],
    ),
    f"rejected:{TRIGGER}::T: execution of AfterInsert caused by: 100%_ on row … (…)": (
        [[TRIGGER, "T: execution of AfterInsert\n\ncaused by: 100%_ on row 7 (123456-78)", []]],
        [[TRIGGER, "T: execution of AfterInsert\n\ncaused by: 100%_ on row 8 (99999)", []]],
    ),
    f'rejected:{OWN}::Tasks need a "region": ask at 50% – Søren': (
        [[OWN, 'Tasks need a "region": ask at 50% – Søren', []]],
        [[OWN, 'Tasks need a "region": ask at 50% – Søren', []], ["X", "more", []]],
    ),
    f"rejected:{OWN}::No Tasks on Sundays:": (
        [[OWN, "No Tasks on Sundays:", []]],
        [[OWN, "No Tasks on Sundays:", []]],
    ),
    f"rejected:{OWN}::{'x' * 255}": ([[OWN, "x" * 256, []]], [[OWN, "x" * 255 + "y", []]]),
    f"rejected:{OWN}::{'x' * 254}": ([[OWN, "x" * 254, []]], [[OWN, "x" * 254, []]]),
    "outcome_unknown": (None, None),
}


@pytest.fixture
def ledger(database: Database) -> Ledger:
    Company(database).sign_in()
    with database.read() as session:
        return Ledger(database, session.query(Connection.id).scalar())


@pytest.fixture
def failed(ledger: Ledger) -> dict[str, list[int]]:
    """Two entries of each cause."""
    return {
        cause: [
            ledger.entry(state="failed", reason=cause.split(":")[0], words=words, created_at=NOON)
            for words in pair
        ]
        for cause, pair in REFUSALS.items()
    }


def test_causes_are_those_that_stand_however_old(database: Database, ledger: Ledger) -> None:
    for number in range(3):
        at = NOON - timedelta(days=number)
        ledger.entry(state="failed", reason="rejected", created_at=at)
    ledger.entry(Action.ADD_CONTACT, "failed", reason="rejected", created_at=NOON)
    ledger.entry(state="failed", reason="no_outcome", created_at=NOON)
    ledger.entry(reason="logged", created_at=NOON)
    with database.read() as session:
        found = causes.causes(session, "acme")
    told = [(one.cause, one.tasks, one.contacts, one.retryable) for one in found]
    assert told == [("rejected", 3, 1, 4), ("no_outcome", 1, 0, 1)]
    assert found[0].oldest == NOON - timedelta(days=2)


def test_what_salesforce_complained_of_tells_causes_apart(
    database: Database, failed: dict[str, list[int]]
) -> None:
    with database.read() as session:
        found = causes.causes(session, "acme")
    assert {one.cause: one.tasks for one in found} == dict.fromkeys(failed, 2)
    assert all(one.complaints for one in found if ":" in one.cause)


@pytest.mark.both_databases
def test_a_cause_lists_and_counts_its_own_entries_and_no_others(
    database: Database, failed: dict[str, list[int]]
) -> None:
    with database.read() as session:
        counts = activity.counts(session, "acme", PERIOD)
        for cause, ids in failed.items():
            wanted = Filter(period=PERIOD, reason=cause)
            rows = listed(session, "acme", wanted).rows
            assert sorted(line.entry_id or 0 for row in rows for line in row.lines) == ids, cause
            assert sum(count.number for count in counts if count.passes(wanted)) == 2, cause
        everything = Filter(period=PERIOD, reason="rejected")
        assert len(listed(session, "acme", everything).rows) == 2 * (len(failed) - 1)


@pytest.mark.parametrize("cause", REFUSALS)
def test_one_cause_is_tried_again_and_no_other(
    database: Database, failed: dict[str, list[int]], cause: str
) -> None:
    assert retry.try_all_again(database, ADMIN, cause) is not None
    with database.read() as session:
        again = session.query(SyncEntry.id).filter(SyncEntry.state != "failed").all()
    assert [row.id for row in again] == failed[cause]


def test_a_cause_is_never_longer_than_an_address_takes() -> None:
    fields = [f"A_custom_field_number_{number}__c" for number in range(100)]
    cause = cause_of("rejected", [["REQUIRED_FIELD_MISSING", "missing", fields]])
    assert cause == "rejected"
    assert len(cause_of("rejected", [[OWN, "w" * 255, ["f" * 200]]])) <= MAX_LENGTH


@pytest.mark.both_databases
@pytest.mark.field_case("A15")
def test_three_flows_that_refuse_with_three_texts_are_three_causes_tried_again_by_themselves(
    database: Database, ledger: Ledger
) -> None:
    texts = [
        "We can't save this record because the “Route mail” process failed. (1012233445)",
        "We can't save this record because the “Count cases” process failed. (1012233445)",
        "We can't save this record because the “Route mail” process failed. (1099887766)",
        "The flow tried to update 0035g00000ABCDEAAA: the account is frozen.",
    ]
    ids = [
        ledger.entry(state="failed", reason="rejected", words=[[FLOW, text, []]], created_at=NOON)
        for text in texts
    ]
    with database.read() as session:
        found = {one.complaints[0][0].message: one for one in causes.causes(session, "acme")}
    assert sorted(one.tasks for one in found.values()) == [1, 1, 2]
    [route] = [one for one in found.values() if "Route mail" in one.cause]
    assert retry.try_all_again(database, ADMIN, route.cause) is not None
    with database.read() as session:
        again = session.query(SyncEntry.id).filter(SyncEntry.state != "failed").all()
    assert [row.id for row in again] == [ids[0], ids[2]]
