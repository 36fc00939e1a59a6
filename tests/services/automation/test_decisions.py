"""Backfill's decisions beside those of live mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from keeping_plugin.models import Database, Decision, EntryState, Lane, SyncEntry
from keeping_plugin.rules import Policy
from keeping_plugin.services.automation.decisions import (
    LIVE,
    Judged,
    Occasion,
    backfill_occasion,
    judge_and_write,
)
from keeping_plugin.types import Action
from tests.services.arrivals import arrived
from tests.services.company import Company

BOTH_ON = Policy(connected=True, add_contacts=True, log_tasks=True)


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


def judge(company: Company, occasion: Occasion, epoch: int = 1) -> Judged:
    with company.database.write() as session:
        return judge_and_write(
            session.connection(),
            arrived(),
            BOTH_ON,
            connection_id=company.row().id,
            epoch=epoch,
            occasion=occasion,
        )


def entries(database: Database) -> dict[str, SyncEntry]:
    with database.read() as session:
        return {entry.action: entry for entry in session.scalars(select(SyncEntry))}


@pytest.mark.both_databases
def test_a_backfill_has_decisions_and_a_lane_of_its_own(
    database: Database, company: Company
) -> None:
    assert judge(company, backfill_occasion(7)).entries == 2
    for entry in entries(database).values():
        assert (entry.lane, entry.run_id) == (Lane.BACKFILL, 7)
    assert judge(company, backfill_occasion(7)) == Judged(
        judge(company, backfill_occasion(7)).verdicts, False, 0
    )
    with database.read() as session:
        assert list(session.scalars(select(Decision.occasion))) == ["backfill:7"]


def test_a_message_that_live_mail_owes_is_never_owed_again(
    database: Database, company: Company
) -> None:
    judge(company, LIVE)
    judged = judge(company, backfill_occasion(7))
    assert (judged.is_new, judged.entries) == (True, 0)
    assert {entry.lane for entry in entries(database).values()} == {Lane.LIVE}


def test_a_message_that_a_backfill_owes_is_never_owed_again(
    database: Database, company: Company
) -> None:
    judge(company, backfill_occasion(7))
    assert judge(company, LIVE).entries == 0
    assert judge(company, backfill_occasion(8)).entries == 0
    assert {entry.run_id for entry in entries(database).values()} == {7}


@pytest.mark.both_databases
def test_a_backfill_opens_again_what_was_cancelled_without_a_mark_and_nothing_else(
    database: Database, company: Company
) -> None:
    judge(company, LIVE)
    with database.write() as session:
        cancelled = {
            "state": EntryState.CANCELLED,
            "reason": "disconnected",
            "due_at": None,
            "settled_at": datetime(2026, 1, 1, tzinfo=UTC),
            "retries": 3,
        }
        session.execute(update(SyncEntry).values(cancelled))
        session.execute(
            update(SyncEntry)
            .where(SyncEntry.action == Action.ADD_CONTACT)
            .values(sent_at=datetime(2026, 1, 1, tzinfo=UTC))
        )
    assert judge(company, backfill_occasion(7), epoch=5).entries == 1
    found = entries(database)
    opened = found[Action.LOG_TASK]
    assert (opened.state, opened.reason, opened.settled_at) == (EntryState.PENDING, "", None)
    assert (opened.epoch, opened.run_id, opened.retries) == (5, 7, 0)
    assert opened.due_at is not None
    assert found[Action.ADD_CONTACT].state == EntryState.CANCELLED


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "state", [EntryState.DONE, EntryState.FAILED, EntryState.WAITING, EntryState.SENDING]
)
def test_a_backfill_leaves_every_other_state_alone(
    database: Database, company: Company, state: EntryState
) -> None:
    judge(company, LIVE)
    with database.write() as session:
        session.execute(update(SyncEntry).values(state=state))
    assert judge(company, backfill_occasion(7)).entries == 0
    assert {entry.state for entry in entries(database).values()} == {state}
