"""A mailbox's history: every message once, whatever interrupts the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput, NotConnected, NotFound
from keeping_plugin.models import (
    BackfillRun,
    ConnectionStatus,
    Database,
    Decision,
    Lane,
    SyncEntry,
    now,
)
from keeping_plugin.ports import HelpDesk
from keeping_plugin.services.automation import backfill, backfill_progress
from keeping_plugin.services.automation import history as backfill_history
from keeping_plugin.services.automation.history import without_text
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.operations.forget import forget
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.testing.helpdesk import FakeHelpDesk
from keeping_plugin.types import Action, Agent, Message
from tests.services.delivery.house import COMPANY, MAILBOX, House
from tests.services.runtimes import make_runtime

ADMIN = Agent("admin", COMPANY, "Admin", True)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def parts(house: House) -> Runtime:
    return make_runtime(
        house.database,
        helpdesk=house.desk,
        queue=house.queue,
        times=house.runtime.times,
        end_host_transaction=lambda: None,
    )


def history(house: House, count: int) -> None:
    """Messages that the inbox has and of which nothing is owed."""
    for number in range(count):
        house.add_mail(f"m{number:04}", address=f"p{number % 50}@customer.example")


def start(house: House) -> int:
    with house.database.write() as session:
        return backfill.start(session, ADMIN, mailbox_id=MAILBOX.id, since=SINCE)


def run(house: House, run_id: int) -> BackfillRun:
    with house.database.read() as session:
        return session.get_one(BackfillRun, run_id)


def advance_to_the_end(house: House, run_id: int) -> None:
    """A job makes way for others after some seconds, which a busy machine needs for a few pages."""
    while run(house, run_id).state == "running":
        backfill.advance(parts(house), run_id)


def test_every_message_is_judged_once_and_its_entries_stand_behind_live_mail(
    house: House,
) -> None:
    history(house, 400)
    run_id = start(house)
    advance_to_the_end(house, run_id)
    assert run(house, run_id).state == "done"
    assert (run(house, run_id).seen, run(house, run_id).granted) == (400, 800)
    assert {entry.lane for entry in house.entries()} == {Lane.BACKFILL}
    with house.database.read() as session:
        assert session.query(Decision).filter_by(occasion=f"backfill:{run_id}").count() == 400
    assert house.queue.take()[0] == [house.connection_id]


def test_no_transaction_of_a_run_writes_more_than_500_rows(house: House) -> None:
    history(house, 700)
    written: list[int] = []
    engine = house.database.engine
    inserted = 0

    def count(_: Any, cursor: Any, statement: str, *__: Any) -> None:
        nonlocal inserted
        inserted += statement.startswith("INSERT")

    def commit(_: Any) -> None:
        nonlocal inserted
        written.append(inserted)
        inserted = 0

    run_id = start(house)
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", commit)
    advance_to_the_end(house, run_id)
    event.remove(engine, "before_cursor_execute", count)
    event.remove(engine, "commit", commit)
    assert sum(written) == 3 * 700  # one row a statement: a Decision, two entries
    assert max(written) <= 500


@pytest.mark.both_databases
def test_a_message_already_logged_is_never_logged_again(house: House) -> None:
    history(house, 20)
    backfill.advance(parts(house), start(house))
    house.drain()
    logged = len(house.tasks())
    assert logged == 20
    second = start(house)
    backfill.advance(parts(house), second)
    house.drain()
    assert len(house.tasks()) == logged
    assert run(house, second).granted == 0


@pytest.mark.both_databases
def test_a_cancelled_entry_that_was_never_sent_is_opened_again(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.switch(log_tasks=False, add_contacts=False)
    house.drain()
    assert house.states() == [("cancelled", "switched_off")]
    house.switch(log_tasks=True)
    backfill.advance(parts(house), start(house))
    house.salesforce.add("Contact", LastName="Doe", Email="jane@customer.example")
    house.drain()
    assert house.states() == [("done", "logged")]


def test_a_run_goes_on_where_a_killed_worker_left_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(house, 400)
    run_id = start(house)
    served = []
    ids = house.desk.message_ids

    def dies(*arguments: object, **named: object) -> object:
        if len(served) == 1:
            served.append("died")
            raise KeyboardInterrupt
        served.append("page")
        return ids(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(house.desk, "message_ids", dies)
    with pytest.raises(KeyboardInterrupt):
        backfill.advance(parts(house), run_id)
    assert run(house, run_id).seen == 160
    backfill.advance(parts(house), run_id)  # still claimed by the one that died
    assert run(house, run_id).seen == 160
    with house.database.write() as session:
        row = session.get_one(BackfillRun, run_id)
        row.claimed_until = now(session) - timedelta(seconds=1)
    backfill.advance(parts(house), run_id)
    assert (run(house, run_id).state, run(house, run_id).seen) == ("done", 400)
    with house.database.read() as session:
        assert session.query(SyncEntry).count() == 800


@pytest.mark.both_databases
def test_a_paused_run_waits_and_goes_on(house: House) -> None:
    history(house, 5)
    run_id = start(house)
    with house.database.write() as session:
        backfill.change(session, ADMIN, run_id, backfill.PAUSED)
    backfill.advance(parts(house), run_id)
    assert run(house, run_id).seen == 0
    with house.database.write() as session:
        backfill.change(session, ADMIN, run_id, backfill.RUNNING)
    backfill.advance(parts(house), run_id)
    assert run(house, run_id).state == "done"


@pytest.mark.both_databases
def test_a_disconnect_ends_the_run_before_its_next_page(house: House) -> None:
    history(house, 5)
    run_id = start(house)
    house.change(status=ConnectionStatus.DISCONNECTED, current=False, epoch=2)
    backfill.advance(parts(house), run_id)
    assert run(house, run_id).state == "cancelled"
    assert not house.entries()


def test_one_run_a_mailbox_and_only_of_a_connected_company(house: House) -> None:
    start(house)
    with pytest.raises(InvalidInput), house.database.write() as session:
        backfill.start(session, ADMIN, mailbox_id=MAILBOX.id, since=SINCE)
    stranger = Agent("admin", "other", "Admin", True)
    with pytest.raises(NotConnected), house.database.write() as session:
        backfill.start(session, stranger, mailbox_id=MAILBOX.id, since=SINCE)
    with pytest.raises(NotFound), house.database.write() as session:
        backfill.change(session, stranger, 1, backfill.CANCELLED)


@pytest.mark.field_case("D7")
@pytest.mark.parametrize("how", ["forget", "retention"])
def test_a_live_message_is_not_owed_again_what_a_backfill_granted(house: House, how: str) -> None:
    """The host delivers a message live that was brought over before, and of which nothing is left
    but what was decided."""
    history(house, 1)
    message = without_text(house.desk.company(COMPANY).messages["m0000"])
    backfill.advance(parts(house), start(house))
    house.drain()
    assert len(house.tasks()) == 1
    if how == "forget":
        forget(house.database, COMPANY, "p0@customer.example")
    else:
        with house.database.write() as session:
            session.query(SyncEntry).delete()
    assert not house.entries()
    with Session(house.database.engine) as host:
        intake = house.runtime
        assert message_arrived(intake, host, message) is None
        host.commit()
    assert not house.entries()
    house.drain()
    assert len(house.tasks()) == 1
    assert len(house.salesforce.rows("Contact")) == 1


@pytest.mark.field_case("D7")
def test_a_live_message_is_owed_what_no_backfill_granted(house: House) -> None:
    house.switch(add_contacts=False)
    history(house, 1)
    message = without_text(house.desk.company(COMPANY).messages["m0000"])
    backfill.advance(parts(house), start(house))
    house.switch(add_contacts=True)
    with Session(house.database.engine) as host:
        intake = house.runtime
        assert message_arrived(intake, host, message) == house.connection_id
        host.commit()
    assert [entry.action for entry in house.entries()] == [Action.LOG_TASK, Action.ADD_CONTACT]


@pytest.mark.field_case("D7")
def test_asking_for_older_decisions_costs_the_host_no_statement(house: House) -> None:
    history(house, 1)
    message = without_text(house.desk.company(COMPANY).messages["m0000"])
    statements: list[str] = []
    event.listen(
        house.database.engine,
        "before_cursor_execute",
        lambda _c, _x, statement, *_: statements.append(statement.split()[0]),
    )
    with Session(house.database.engine) as host:
        message_arrived(house.runtime, host, message)
        host.commit()
    assert statements == ["SELECT", "SELECT", "INSERT", "INSERT"]


class Ended(Exception):
    """The worker is ended here."""


class SlowDesk:
    """A host of 0.1.0, which has no other way to tell of messages: each body takes it 0.4 s."""

    def __init__(self, desk: FakeHelpDesk, *, most: int) -> None:
        self._desk, self._left = desk, most
        self.now = 0.0
        self.waited: list[float] = []

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        for message in self._desk.messages(company_id, message_ids):
            self.now += 0.4
            if self._left == 0:
                raise Ended
            self._left -= 1
            yield message

    def message_ids(self, *asked: Any) -> Sequence[str]:
        self.waited.append(self.now)
        return self._desk.message_ids(*asked)

    def __getattr__(self, name: str) -> Any:
        if name == "message_facts":
            raise AttributeError(name)
        return getattr(self._desk, name)


@pytest.mark.field_case("D8")
def test_a_backfill_reads_no_bodies(house: House) -> None:
    history(house, 400)
    run_id = start(house)
    advance_to_the_end(house, run_id)
    assert run(house, run_id).seen == 400
    assert house.desk.bodies_read == []


@pytest.mark.field_case("D8")
def test_a_backfill_of_a_host_with_slow_bodies_moves_a_page_in_seconds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(house, 160)
    desk = SlowDesk(house.desk, most=120)
    for module in ("history", "backfill"):
        place = f"keeping_plugin.services.automation.{module}.monotonic"
        monkeypatch.setattr(place, lambda: desk.now)
    run_id = start(house)
    made = replace(parts(house), helpdesk=cast(HelpDesk, desk), interrupts=(Ended,))
    backfill.advance(made, run_id)  # as long as a job may take
    assert 60 <= run(house, run_id).seen < 120
    with pytest.raises(Ended):
        backfill.advance(made, run_id)
    assert 60 <= run(house, run_id).seen < 120
    pages = [after - before for before, after in pairwise(desk.waited)]
    assert max(pages) < 20
    house.pass_time(61)
    with house.database.write() as session:
        session.execute(update(BackfillRun).values(claimed_until=None))
    backfill.advance(parts(house), run_id)
    assert (run(house, run_id).state, run(house, run_id).seen) == ("done", 160)
    assert len(house.entries()) == 320


class BrokenDesk:
    """A host that raises where a test says; with message_facts or, as in 0.1.0, without."""

    def __init__(self, desk: FakeHelpDesk, *, tells_facts: bool) -> None:
        self._desk = desk
        self._tells_facts = tells_facts
        self.broken: Callable[[str], bool] = lambda message_id: False
        self.question = "messages"

    def _ask(self, question: str, *asked: Any, of: str = "") -> Any:
        if question == self.question and self.broken(of):
            raise RuntimeError("Unable to build URLs for jane@customer.example")
        return getattr(self._desk, question)(*asked)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Any]:
        for each in message_ids:
            yield from self._ask("messages", company_id, [each], of=each)

    def message_ids(self, *asked: Any) -> Any:
        return self._ask("message_ids", *asked)

    def skipped_domains(self, company_id: str) -> Any:
        return self._ask("skipped_domains", company_id)

    def __getattr__(self, name: str) -> Any:
        if name != "message_facts":
            return getattr(self._desk, name)
        if not self._tells_facts:
            raise AttributeError(name)
        return self.messages


@pytest.mark.field_case("D5")
@pytest.mark.parametrize("tells_facts", [True, False])
@pytest.mark.parametrize("question", ["message_ids", "messages", "skipped_domains"])
def test_a_backfill_of_a_host_that_raises_says_where_and_asks_later_each_time(
    house: House, question: str, tells_facts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    history(house, 12)
    desk = BrokenDesk(house.desk, tells_facts=tells_facts)
    desk.question, desk.broken = question, lambda _: True
    made = replace(parts(house), helpdesk=cast(HelpDesk, desk))
    run_id = start(house)
    for wait in (60, 120, 240, 480, 900, 900):
        backfill.advance(made, run_id)
        found = run(house, run_id)
        with house.database.read() as session:
            assert found.due_at is not None
            left = (found.due_at - now(session)).total_seconds()
        assert wait - 30 < left <= wait
        assert (found.state, found.seen, found.claim) == ("running", 0, None)
    told = [each for each in caplog.records if each.getMessage().startswith("helpdesk_failed ")]
    assert {record.levelname for record in told} == {"ERROR"}
    assert all("test_backfill.py:" in each.getMessage() for each in told)
    assert "jane@" not in caplog.text
    with house.database.read() as session:
        progress = backfill_progress.latest(session, COMPANY, MAILBOX.id)
    assert progress is not None
    assert (progress.host_fails, progress.stuck) == (True, False)
    desk.broken = lambda _: False
    backfill.advance(made, run_id)
    found = run(house, run_id)
    assert (found.state, found.seen, found.unread or 0) == ("done", 12, 0)


@pytest.mark.both_databases
@pytest.mark.field_case("D5")
@pytest.mark.parametrize("tells_facts", [True, False])
@pytest.mark.parametrize("broken", [["m0000"], ["m0005", "m0011"], [f"m{n:04}" for n in range(7)]])
def test_a_backfill_leaves_out_what_the_host_cannot_give_although_it_answers_for_others(
    house: House, broken: list[str], tells_facts: bool
) -> None:
    history(house, 12)
    desk = BrokenDesk(house.desk, tells_facts=tells_facts)
    made = replace(parts(house), helpdesk=cast(HelpDesk, desk))
    run_id = start(house)
    if len(broken) > backfill_history.FEW:  # then only a message of before tells
        with house.database.write() as session:
            session.execute(update(BackfillRun).values(after_id="m0000", seen=1))
        broken = broken[1:]
    desk.broken = lambda message_id: message_id in broken
    for _ in range(2):
        backfill.advance(made, run_id)
        assert run(house, run_id).state == "running"
    backfill.advance(made, run_id)
    found = run(house, run_id)
    assert (found.state, found.unread, found.failures) == ("done", len(broken), None)
    assert {entry.message_id for entry in house.entries()}.isdisjoint(broken)
    assert found.seen == 12 - len(broken)
