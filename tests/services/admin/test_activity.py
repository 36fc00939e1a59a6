"""Counting and listing what the automations did, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import ClauseElement, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from keeping_plugin.models import Connection, Database, migrate
from keeping_plugin.services.admin import activity
from keeping_plugin.services.admin.activity import CONDITIONS, Filter, Outcome, Period, outcome_of
from keeping_plugin.services.admin.activity_list import Place, listed
from keeping_plugin.services.admin.entry_line import record_url
from keeping_plugin.services.automation import backfill, backfill_progress
from keeping_plugin.services.ledger import causes
from keeping_plugin.types import Action, Agent
from keeping_plugin.wording.entries import entry_sentence
from tests.blueprints.ledger import Ledger
from tests.services.company import Company

DAY = date(2026, 5, 6)
PERIOD = Period(DAY - timedelta(days=1), DAY)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    Company(database).sign_in()
    with database.read() as session:
        return Ledger(database, session.query(Connection.id).scalar())


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def test_a_day_begins_and_ends_in_utc(database: Database, ledger: Ledger) -> None:
    before, after = DAY - timedelta(days=2), DAY + timedelta(days=1)
    for time in (
        at(23, 59, before),
        at(0, 0, PERIOD.first),
        at(23, 59, PERIOD.first),
        at(0),
        at(23, 59),
        at(0, 0, after),
    ):
        ledger.entry(reason="logged", created_at=time)
        ledger.refusal(at=time)
    with database.read() as session:
        counts = activity.counts(session, "acme", PERIOD)
        days = sorted((count.outcome, count.day, count.number) for count in counts)
        page = listed(session, "acme", Filter(period=PERIOD))
    assert days == [
        ("logged", "2026-05-05", 2),
        ("logged", "2026-05-06", 2),
        ("refused", "2026-05-05", 2),
        ("refused", "2026-05-06", 2),
    ]
    assert [row.at for row in page.rows] == [
        at(23, 59),
        at(0),
        at(23, 59, PERIOD.first),
        at(0, 0, PERIOD.first),
    ]


@pytest.mark.parametrize(
    ("action", "state", "reason"),
    [
        (Action.ADD_CONTACT, "done", "created"),
        (Action.ADD_CONTACT, "done", "exists"),
        (Action.ADD_CONTACT, "done", "duplicate_rule"),
        (Action.ADD_CONTACT, "done", "confirmed"),
        (Action.ADD_CONTACT, "pending", ""),
        (Action.ADD_CONTACT, "pending", "held"),
        (Action.LOG_TASK, "pending", "held"),
        (Action.ADD_CONTACT, "failed", "rejected"),
        (Action.LOG_TASK, "done", "logged"),
        (Action.LOG_TASK, "done", "confirmed"),
        (Action.LOG_TASK, "done", "logged_elsewhere"),
        (Action.LOG_TASK, "sending", "outcome_unclear"),
        (Action.LOG_TASK, "waiting", "no_contact"),
        (Action.LOG_TASK, "failed", "outcome_unknown"),
        (Action.LOG_TASK, "cancelled", "no_contact"),
    ],
)
def test_what_is_counted_as_an_outcome_is_listed_under_it_and_nowhere_else(
    database: Database, ledger: Ledger, action: Action, state: str, reason: str
) -> None:
    ledger.entry(action, state, reason=reason, created_at=at(9))
    expected = outcome_of(action, state, reason)
    with database.read() as session:
        [count] = activity.counts(session, "acme", PERIOD)
        found = [
            outcome
            for outcome in CONDITIONS
            if listed(session, "acme", Filter(period=PERIOD, outcome=outcome)).rows
        ]
    assert count.outcome == expected
    assert found == [expected]


@pytest.mark.both_databases
def test_a_count_passes_the_filters_that_list_it(database: Database, ledger: Ledger) -> None:
    ledger.entry(Action.LOG_TASK, "failed", reason="rejected", created_at=at(9))
    ledger.entry(Action.ADD_CONTACT, reason="created", created_at=at(9), mailbox_id="sales")
    ledger.entry(Action.LOG_TASK, "pending", created_at=at(9))
    ledger.refusal(add=("no_customer",), log=("logging_off", "no_customer"), at=at(9))
    ledger.refusal(add=("auto_add_off",), log=("logging_off",), at=at(10), mailbox_id="sales")
    filters = [
        Filter(period=PERIOD, mailbox_id=box, outcome=outcome, action=action, reason=reason)
        for box in ("", "sales", "nobody")
        for outcome in (None, *Outcome)
        for action in ("", *Action)
        for reason in ("", "rejected", "created", "no_customer")
    ]
    with database.read() as session:
        counts = activity.counts(session, "acme", PERIOD)
        for wanted in filters:
            number = sum(count.number for count in counts if count.passes(wanted))
            assert number == len(listed(session, "acme", wanted).rows), wanted


def test_a_reason_is_found_whole_and_taken_as_it_is(database: Database, ledger: Ledger) -> None:
    ledger.refusal(add=("not_opening",), at=at(9))
    for reason, number in (("not_opening", 1), ("not_open", 0), ("not%", 0), ("not-opening", 0)):
        wanted = Filter(period=PERIOD, outcome=Outcome.REFUSED, reason=reason)
        with database.read() as session:
            assert len(listed(session, "acme", wanted).rows) == number, reason


def test_other_companies_are_left_out(database: Database, ledger: Ledger) -> None:
    ledger.entry(state="failed", reason="rejected", created_at=at(9))
    ledger.refusal(at=at(9))
    with database.read() as session:
        assert not activity.counts(session, "other", PERIOD)
        assert not causes.causes(session, "other")
        for outcome in (None, Outcome.REFUSED):
            assert not listed(session, "other", Filter(period=PERIOD, outcome=outcome)).rows


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Database]:
    """PostgreSQL would read so small a table without its indexes."""
    engine = create_engine(sqlite_url)
    migrate.upgrade(engine)
    database = Database(lambda: engine)
    Company(database).sign_in()
    yield database
    engine.dispose()


def plans(database: Database, question: Callable[[Session], object]) -> list[str]:
    """How SQLite answers each statement of a question, parameters written into it."""
    asked: list[ClauseElement] = []
    with database.read() as session:
        event.listen(session, "do_orm_execute", lambda state: asked.append(state.statement))
        question(session)
        written = [
            str(each.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
            for each in asked
        ]
        connection = session.connection()
        return [
            "; ".join(
                str(row[-1])
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
            )
            for statement in written
        ]


def test_every_question_of_the_page_is_answered_from_its_index(on_sqlite: Database) -> None:
    entries, failed, refused = (
        f"USING INDEX ix_keeping_{name} (company_id=?"
        for name in ("sync_entry_activity", "sync_entry_failed", "decision_refused")
    )
    counted = plans(on_sqlite, lambda session: activity.counts(session, "acme", PERIOD))
    assert entries in counted[0]
    assert refused in counted[1]
    assert failed in plans(on_sqlite, lambda session: causes.causes(session, "acme"))[0]
    for outcome, index in (
        (None, entries),
        (Outcome.LOGGED, entries),
        (Outcome.FAILED, failed),
        (Outcome.REFUSED, refused),
    ):
        wanted = Filter(period=PERIOD, outcome=outcome)
        place = Place(at(9), 1)
        for after in (None, place):
            [plan] = plans(
                on_sqlite,
                lambda session, wanted=wanted, after=after: listed(
                    session, "acme", wanted, after=after
                ),
            )
            assert index in plan, (outcome, plan)


def test_what_a_run_still_owes_is_counted_from_its_index(on_sqlite: Database) -> None:
    agent = Agent("ada", "acme", "Ada Admin", True)
    with on_sqlite.write() as session:
        backfill.start(session, agent, mailbox_id="support", since=at(0))
    told = plans(on_sqlite, lambda session: backfill_progress.latest(session, "acme", "support"))
    index = "ix_keeping_sync_entry_due (connection_id=? AND lane=? AND due_at>?)"
    assert f"USING INDEX {index}" in told[1]


@pytest.mark.parametrize(
    ("record_id", "object"),
    [
        ("003000000000001AAA", "Contact"),
        ("00Q000000000001AAA", "Lead"),
        ("00T000000000001", "Task"),
    ],
)
def test_a_record_is_opened_as_what_its_id_says(record_id: str, object: str) -> None:
    url = record_url("https://acme.my.salesforce.com", record_id)
    assert url == f"https://acme.my.salesforce.com/lightning/r/{object}/{record_id}/view"


@pytest.mark.parametrize("record_id", [None, "", "005000000000001AAA", "x"])
def test_no_link_leads_nowhere(record_id: str | None) -> None:
    assert record_url("https://acme.my.salesforce.com", record_id) == ""


def test_the_same_reason_reads_by_its_state() -> None:
    assert "if one appears" in entry_sentence("no_contact", "waiting")
    assert "within 14 days" in entry_sentence("no_contact", "cancelled")
    assert entry_sentence("no_contact", "cancelled") != entry_sentence("no_contact", "waiting")
    assert entry_sentence("", "pending") == "In progress."
    assert entry_sentence("of_another_release") == "of_another_release"
