"""New people beyond a company's limits are held for review with their mail, and nobody is lost,
added twice or added unseen."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, event, update

from keeping_plugin.errors import InvalidInput, OutcomeUnclear, SalesforceUnavailable
from keeping_plugin.models import Connection, Database, Lane, SkippedDomain, SyncEntry, migrate, now
from keeping_plugin.services.admin import held
from keeping_plugin.services.automation import policy
from keeping_plugin.services.automation.auto_adding import is_being_added
from keeping_plugin.services.connection.disconnect import end_connection
from keeping_plugin.services.connection.leftovers import settle as settle_leftovers
from keeping_plugin.services.delivery.drain import owes
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.ledger import holding
from keeping_plugin.services.ledger.waiting import contact_appeared
from keeping_plugin.services.operations.forget import forget
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.types import Action, Agent
from tests.services.delivery.house import COMPANY, MAILBOX, House

ADMIN = Agent("ada", COMPANY, "Ada", is_admin=True)
HELD, CREATED, LOGGED = ("pending", "held"), ("done", "created"), ("done", "logged")
EXISTS = ("done", "exists")


def people(house: House, first: int, last: int, *, domain: str = "", **more: Any) -> None:
    """Mail of so many new people, each of a company of their own or all of this one."""
    for number in range(first, last + 1):
        address = f"p{number}@{domain or f'company{number}.example'}"
        house.owe(f"m{number}", address=address, **more)


def states(house: House, action: Action = Action.ADD_CONTACT) -> list[tuple[str, str]]:
    return [(each.state, each.reason) for each in house.entries() if each.action == action]


def number_held(house: House) -> int:
    with house.database.read() as session:
        return held.people_held(session, house.connection_id)


def add(house: House, domain: str | None = None, until: int = 10**9) -> int | None:
    return held.add(house.database, ADMIN, domain=domain, until=until)


def drained(house: House, jobs: int = 1) -> House:
    for _ in range(jobs):
        house.drain()
    return house


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[House]:
    engine = create_engine(sqlite_url)
    migrate.upgrade(engine)
    yield House(Database(lambda: engine))
    engine.dispose()


@pytest.mark.both_databases
def test_people_beyond_the_hours_number_are_held_with_their_mail_in_its_order(
    house: House,
) -> None:
    house.choose(an_hour=3)
    people(house, 1, 5)
    used = house.salesforce.used
    drained(house)
    assert states(house) == [CREATED] * 3 + [HELD] * 2
    assert states(house, Action.LOG_TASK) == [LOGGED] * 3 + [HELD] * 2
    assert all(
        each.due_at is None and each.sent_at is None and each.claim is None
        for each in house.entries()
        if each.reason == "held"
    )
    assert house.salesforce.used - used == 3  # as without the brake
    people(house, 6, 6)
    house.owe("m7", Action.LOG_TASK, address="p4@company4.example")
    drained(house)
    assert states(house)[-1] == HELD
    assert states(house, Action.LOG_TASK)[-1] == HELD
    assert len(house.salesforce.rows("Contact")) == 3

    # An hour later, newcomers pass, and those under review stay there.
    house.pass_time(3_700)
    people(house, 8, 8)
    house.owe("m9", address="p4@company4.example")
    drained(house)
    assert states(house)[-2:] == [CREATED, HELD]
    assert add(house) == house.connection_id
    drained(house)
    assert set(states(house)) == {CREATED, EXISTS}
    assert set(states(house, Action.LOG_TASK)) == {LOGGED}
    fourth = house.contacts("p4@company4.example")
    assert len(fourth) == 1
    theirs = [task["Subject"] for task in house.tasks() if task["WhoId"] == fourth[0]]
    marked = [each.split("[k-")[1] for each in theirs]
    assert len(marked) == 3


@pytest.mark.both_databases
def test_a_burst_of_one_company_is_held_and_personal_mail_is_no_company(house: House) -> None:
    house.add_mailbox("support")
    house.choose(burst=2)
    people(house, 1, 2, domain="acme.example")
    people(house, 3, 3, domain="mail.acme.example", mailbox_id="support")
    people(house, 4, 8, domain="gmail.com")
    people(house, 9, 9)
    drained(house)
    assert states(house) == [CREATED] * 2 + [HELD] + [CREATED] * 6
    house.pass_time(601)
    people(house, 10, 10, domain="acme.example")
    drained(house)
    assert states(house)[-1] == CREATED


def test_each_mailbox_has_its_own_number_and_the_companys_where_it_chose_none(
    house: House,
) -> None:
    house.add_mailbox("support")
    house.choose(an_hour=2)
    house.choose("support", an_hour=1)
    people(house, 1, 3)
    people(house, 4, 5, mailbox_id="support")
    drained(house)
    assert states(house) == [CREATED, CREATED, HELD, CREATED, HELD]


def test_off_nobody_is_held_and_it_costs_no_statement(house: House) -> None:
    statements: list[str] = []

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def note(_c: Any, _x: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    def counted(first: int) -> int:
        people(house, first, first + 9)
        statements.clear()
        drained(house)
        return len(statements)

    off = counted(1)
    assert states(house) == [CREATED] * 10
    house.choose(an_hour=100, burst=100)
    assert counted(11) == off + 3  # a transaction, who is held, who was added
    assert states(house) == [CREATED] * 20
    house.choose(an_hour=0, burst=0)
    assert counted(21) == off


@pytest.mark.both_databases
def test_imported_mail_is_neither_held_nor_counted(house: House) -> None:
    house.choose(an_hour=2)
    people(house, 1, 5, lane=Lane.BACKFILL)
    people(house, 6, 8)
    drained(house)
    assert states(house) == [CREATED] * 7 + [HELD]
    # Found by a backfill, a person under review is added, and all that is held of them ends.
    house.owe("m9", address="p8@company8.example", lane=Lane.BACKFILL)
    drained(house, 2)
    assert states(house)[-2:] == [EXISTS, CREATED]
    assert set(states(house, Action.LOG_TASK)) == {LOGGED}


@pytest.mark.both_databases
def test_people_whom_an_admin_let_pass_are_not_counted_and_not_held_again(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 4)
    drained(house)
    assert number_held(house) == 3
    house.salesforce.fail("create_many", SalesforceUnavailable("away"))
    add(house)
    drained(house)
    house.pass_time(4_000)  # nobody of the first hour counts any more
    drained(house)
    assert states(house) == [CREATED] * 4
    people(house, 5, 6)
    drained(house)
    assert states(house)[-2:] == [CREATED, HELD]


def test_one_domain_is_added_alone_and_only_what_was_looked_at(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 1)
    people(house, 2, 3, domain="big.example")
    people(house, 4, 4, domain="notbig.example")
    drained(house)
    with house.database.read() as session:
        seen = held.listed(session, house.connection_id)
    assert [(each.domain, each.people, each.tasks) for each in seen.domains] == [
        ("big.example", 2, 2),
        ("notbig.example", 1, 1),
    ]
    assert [each.address for each in seen.domains[0].examples] == [
        "p2@big.example",
        "p3@big.example",
    ]
    people(house, 5, 5, domain="big.example")
    drained(house)
    add(house, "big.example", seen.last)
    drained(house)
    assert states(house) == [CREATED] * 3 + [HELD] * 2
    assert add(house, "big.example", seen.last) is None


@pytest.mark.both_databases
def test_a_skipped_domain_ends_what_is_held_of_it_and_is_on_the_skip_list(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 1)
    people(house, 2, 2, domain="spam.example")
    people(house, 3, 3, domain="mail.spam.example")
    people(house, 4, 4, domain="notspam.example")
    drained(house)
    assert held.skip(house.database, ADMIN, domain="spam.example")
    skipped = ("cancelled", "domain_skipped")
    assert states(house) == [CREATED, skipped, skipped, HELD]
    assert states(house, Action.LOG_TASK) == [LOGGED, skipped, skipped, HELD]
    with house.database.read() as session:
        assert session.query(SkippedDomain.domain).all() == [("spam.example",)]
    assert not held.skip(house.database, ADMIN, domain="spam.example")
    with pytest.raises(InvalidInput, match="personal"):
        held.skip(house.database, ADMIN, domain="gmail.com")


@pytest.mark.both_databases
def test_entries_of_a_skipped_domain_beyond_the_first_chunk_end_by_themselves(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of thousands of entries are not for a request."""
    monkeypatch.setattr(held, "MAX_LISTED", 2)
    monkeypatch.setattr(holding, "LOOKED_AT", 3)
    house.choose(an_hour=1)
    people(house, 1, 1)
    people(house, 2, 3, domain="mail.spam.example")
    people(house, 4, 4, domain="notspam.example")
    drained(house)
    assert held.skip(house.database, ADMIN, domain="spam.example")
    assert Counter(states(house)) == {CREATED: 1, ("cancelled", "domain_skipped"): 1, HELD: 2}
    people(house, 5, 6, domain="spam.example")
    holding.tend(house.database)
    assert states(house)[:4] == [CREATED, *[("cancelled", "domain_skipped")] * 2, HELD]


def test_a_person_who_exists_meanwhile_ends_as_such_when_let_pass(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    house.salesforce.add("Contact", LastName="Two", Email="p2@company2.example")
    add(house)
    drained(house)
    assert states(house) == [CREATED, EXISTS]
    assert states(house, Action.LOG_TASK) == [LOGGED, LOGGED]


@pytest.mark.both_databases
def test_a_person_whom_an_agent_adds_is_held_no_more(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    with house.database.read() as session:
        # The panel does not say that they are being added, so that an agent may.
        assert not is_being_added(session, house.connection_id, "p2@company2.example")
    house.salesforce.add("Contact", LastName="Two", Email="p2@company2.example")
    with house.database.write() as session:
        contact_appeared(session, house.connection_id, ["p2@company2.example"])
    drained(house)
    assert states(house) == [CREATED, EXISTS]
    assert states(house, Action.LOG_TASK) == [LOGGED, LOGGED]


@pytest.mark.both_databases
def test_a_contact_that_appears_while_its_person_is_being_held_is_not_slept_through(
    house: House,
) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)

    def appears() -> None:
        house.salesforce.add("Contact", LastName="Two", Email="p2@company2.example")
        with house.database.write() as session:
            contact_appeared(session, house.connection_id, ["p2@company2.example"])

    house.salesforce.meanwhile("find answered", appears)
    drained(house, 2)
    assert states(house) == [CREATED, EXISTS]
    assert states(house, Action.LOG_TASK) == [LOGGED, LOGGED]


def test_what_is_held_rings_for_nobody_and_stops_nobody(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 3)
    drained(house)
    house.queue.take()
    sweep(house.runtime)
    assert house.queue.take() == ([], [])
    assert not owes(house.runtime, house.connection_id)
    used = house.salesforce.used
    drained(house, 2)
    assert house.salesforce.used == used
    house.owe("m4", Action.LOG_TASK, address="p1@company1.example")
    drained(house)
    assert states(house, Action.LOG_TASK)[-1] == LOGGED


def test_a_mailbox_that_stops_adding_lets_go_of_its_people(house: House) -> None:
    house.add_mailbox("support")
    house.choose(an_hour=1)
    people(house, 1, 2)
    people(house, 3, 4, mailbox_id="support")
    drained(house)
    with house.database.write() as session:
        policy.set_mailbox_automation(
            session, ADMIN, MAILBOX.id, add_contacts=False, log_tasks=True
        )
    holding.tend(house.database)
    drained(house)
    assert states(house) == [CREATED, ("cancelled", "switched_off"), CREATED, HELD]
    assert states(house, Action.LOG_TASK) == [LOGGED, ("waiting", "no_contact"), LOGGED, HELD]


def test_switched_on_again_in_time_the_brake_decides_anew(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    house.switch(add_contacts=False)
    holding.tend(house.database)
    house.switch(add_contacts=True)
    drained(house)
    assert states(house) == [CREATED, HELD]


def test_a_brake_that_is_switched_off_adds_nobody_behind_the_admins_back(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    house.choose(an_hour=0)
    house.owe("m3", Action.LOG_TASK, address="p2@company2.example")
    drained(house)
    assert states(house) == [CREATED, HELD]
    assert states(house, Action.LOG_TASK) == [LOGGED, HELD, HELD]
    add(house)
    drained(house)
    assert states(house) == [CREATED, CREATED]
    assert states(house, Action.LOG_TASK) == [LOGGED] * 3


@pytest.mark.both_databases
def test_a_disconnect_ends_what_is_held_and_a_reconnect_brings_none_of_it_back(
    house: House,
) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    with house.database.write() as session:
        end_connection(
            session,
            session.get_one(Connection, house.connection_id),
            agent_id=ADMIN.id,
            at=now(session),
            times=house.runtime.times,
        )
    assert settle_leftovers(house.database, seconds=5)
    assert states(house) == [CREATED, ("cancelled", "disconnected")]
    house.change(current=True, status="live", disconnected_at=None)
    drained(house)
    assert states(house) == [CREATED, ("cancelled", "disconnected")]
    assert number_held(house) == 0


def test_a_message_or_mailbox_that_is_gone_shows_when_its_person_is_let_pass(
    house: House,
) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    del house.desk.company(COMPANY).messages["m2"]
    add(house)
    for _ in range(4):
        house.pass_time(400)
        drained(house)
    assert states(house) == [CREATED, ("cancelled", "message_deleted")]
    assert len(house.salesforce.rows("Contact")) == 1


def test_a_customer_who_was_corrected_is_judged_anew_and_not_let_pass_for_another(
    house: House,
) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    house.add_mail("m2", address="other@elsewhere.example")
    add(house)
    drained(house, 2)
    assert states(house) == [CREATED, HELD]
    assert house.entries()[2].address == "other@elsewhere.example"
    assert not house.contacts("other@elsewhere.example")


@pytest.mark.both_databases
def test_nothing_is_held_longer_than_entries_are_kept(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    run_retention(house.database, house.runtime.times, keep_days=1)
    assert states(house) == [CREATED, HELD]
    house.pass_time(86_400 * 0.9)
    house.owe("m3", Action.LOG_TASK, address="p2@company2.example")
    drained(house)
    house.pass_time(86_400 * 0.2)
    run_retention(house.database, house.runtime.times, keep_days=1)
    gone = ("cancelled", "not_reviewed")
    assert states(house)[-1] == gone
    assert states(house, Action.LOG_TASK)[-2:] == [gone, gone]


def test_an_erased_person_is_held_no_more(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    forget(house.database, COMPANY, "p2@company2.example")
    assert states(house) == [CREATED]
    assert number_held(house) == 0


@pytest.mark.both_databases
def test_operators_are_told_when_it_begins_and_when_it_has_ended(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keeping_plugin.delivery")

    def told() -> list[str]:
        found = [each.message for each in caplog.records if each.message.startswith("people_held")]
        caplog.clear()
        return found

    house.choose(an_hour=1)
    people(house, 1, 1)
    drained(house)
    assert told() == []
    people(house, 2, 3)
    drained(house)
    people(house, 4, 4)
    drained(house)
    assert told() == ["people_held"]
    holding.tend(house.database)
    assert told() == []
    add(house)
    holding.tend(house.database)
    holding.tend(house.database)
    assert told() == ["people_held_ended"]
    people(house, 5, 5)
    drained(house)
    assert told() == ["people_held"]


@pytest.mark.both_databases
def test_a_person_whose_adding_was_not_answered_counts(house: House) -> None:
    house.choose(an_hour=1)
    people(house, 1, 1)
    house.salesforce.fail("create_many", OutcomeUnclear("late"), after=True)
    drained(house)
    people(house, 2, 2)
    drained(house)
    assert states(house) == [("sending", ""), HELD]
    house.pass_time(40)
    drained(house)
    assert states(house) == [CREATED, HELD]


@pytest.mark.both_databases
def test_a_worker_that_died_before_it_settled_loses_and_passes_nobody(house: House) -> None:
    """Its claims outlive it; the next batch decides the same."""
    house.choose(an_hour=1)
    people(house, 1, 3)

    def dies() -> None:
        raise KeyboardInterrupt

    house.salesforce.meanwhile("find answered", dies)
    with pytest.raises(KeyboardInterrupt):
        drained(house)
    assert {each.state for each in house.entries()} == {"pending"}
    house.expire_claims()
    house.pass_time(120)
    drained(house, 6)
    assert sorted(states(house)) == sorted([CREATED, HELD, HELD])


@pytest.mark.both_databases
def test_a_worker_that_stood_still_past_its_lease_sends_nobody(house: House) -> None:
    """Another counts and sends meanwhile: together they add one."""
    house.choose(an_hour=1)
    people(house, 1, 2)
    other = house.worker()

    def meanwhile() -> None:
        house.pass_time(50)  # the lease and the claims run out
        house.expire_claims()
        house.drain(other)

    house.salesforce.meanwhile("find answered", meanwhile)
    drained(house, 4)
    assert len(house.salesforce.rows("Contact")) == 1
    assert sorted(states(house)) == sorted([CREATED, HELD])


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_jumps_holds_nobody_for_good(house: House, hours: int) -> None:
    """Times ahead of the clock do not count, nor those of long ago."""
    house.choose(an_hour=1)
    people(house, 1, 2)
    drained(house)
    with house.database.write() as session:
        session.execute(
            update(SyncEntry)
            .where(SyncEntry.settled_at.is_not(None))
            .values(settled_at=now(session) - timedelta(hours=hours))
        )
    people(house, 3, 4)
    drained(house)
    assert states(house) == [CREATED, HELD, CREATED, HELD]
    add(house)
    drained(house)
    assert set(states(house)) == {CREATED}


def test_a_million_that_are_held_are_read_over_by_no_drain_and_no_sweep(on_sqlite: House) -> None:
    """Each statement finds its entries by more than their connection, in an index in which nothing
    is that is held, or by addresses. PostgreSQL would read so small a table without its indexes."""
    asked: list[tuple[str, Any]] = []
    house = on_sqlite

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def note(_c: Any, _x: Any, statement: str, parameters: Any, _ctx: Any, many: bool) -> None:
        if "keeping_sync_entry" in statement and not statement.startswith("INSERT"):
            asked.append((statement, parameters[0] if many else parameters))

    house.choose(an_hour=1)
    people(house, 1, 3)
    house.owe("m9", Action.LOG_TASK, address="nobody@company9.example")
    asked.clear()
    drained(house)
    first = len(asked)
    house.pass_time(1_000)
    del asked[first:]
    drained(house)
    sweep(house.runtime)
    holding.tend(house.database)
    steps: dict[str, str] = {}
    with house.database.engine.connect() as connection:
        for statement, parameters in tuple(asked):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps |= {row[-1]: statement for row in rows if "keeping_sync_entry" in row[-1]}
    assert any("ix_keeping_sync_entry_due" in step for step in steps)
    over = {
        step: statement
        for step, statement in steps.items()
        if step.startswith("SCAN") or step.endswith("(connection_id=?)")
        if "_held" not in step and "_marked" not in step  # those hold nothing else
    }
    assert over == {}
