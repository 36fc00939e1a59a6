"""Questions that the host or Salesforce does not answer for a while: nothing is sent blindly, no
message is given up for it, and what only a person can tell is left to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from keeping_plugin.models import Connection, EntryState, SyncEntry
from keeping_plugin.services.ledger import retry
from keeping_plugin.times import HOUR, UNKNOWN_LIMIT
from keeping_plugin.types import Action
from tests.faults.org.test_tokens import owe
from tests.faults.processes import await_true
from tests.faults.world import ADMIN, World, fresh, names, struck, tasks_in

TASKS = {"contains": '"type": "Task"'}
LOOKS = {"path": "*/composite"}


@pytest.mark.field_case("D5")
@pytest.mark.parametrize(
    ("question", "error"), [("messages", "OSError"), ("conversation", "RuntimeError")]
)
def test_the_hosts_helpdesk_raises_in_the_worker_for_a_while(
    world: World, question: str, error: str
) -> None:
    """No attempt is burned; the operator is told what raised, and all is logged once it works."""
    broken = world.folder / "broken"
    world.config["HOST_BROKEN"] = str(broken)
    broken.write_text(question)
    world.org.reset_log()
    world.injected += 1
    mails = fresh(20)
    owe(world, mails)
    world.worker()
    await_true(lambda: world.connection().outages >= 2)
    assert world.connection().pause_reason == "helpdesk_failed"
    world.store(*fresh(2))  # mail that comes meanwhile is owed, too
    await_true(lambda: world.connection().outages >= 3)
    assert world.outcomes(*names(mails)) == {("pending", "helpdesk_failed"): 40}
    assert {entry.state for entry in world.entries()} == {"pending"}
    assert {entry.attempts for entry in world.entries()} == {0}
    assert not [call for call in world.org.log() if "composite" in call["path"]]
    log = world.log.read_text()
    told = [line for line in log.splitlines() if "helpdesk_failed" in line]
    assert len(told) >= 3
    assert all(f"ERROR helpdesk_failed question={question} error={error} " in line for line in told)
    assert all("tests/faults/host.py:" in line for line in told)
    assert "bodies" not in log, "what it says may hold people's data"
    broken.unlink()
    world.await_settled()
    connection = world.connection()
    assert (connection.pause_reason, connection.outages) == ("", 0)
    assert {(entry.state, entry.attempts) for entry in world.entries()} == {("done", 0)}
    world.assert_nothing_lost_or_doubled()


@contextmanager
def a_right_is_missing(world: World) -> Iterator[None]:
    user = world.orgs.production.login("admin").username
    world.org.field_rights(user, "Contact", "Email", readable=False, editable=False)
    try:
        yield
    finally:
        world.org.field_rights(user, "Contact", "Email", readable=True, editable=True)


@contextmanager
def salesforce_is_away(world: World) -> Iterator[None]:
    number = world.org.fault("unavailable", times=None, scope=LOOKS)
    try:
        yield
    finally:
        world.org.clear_faults(number)


def a_day_passes(world: World) -> None:
    """More than 24 h, scaled: the login and the marks are so much older, and the pause is over."""
    span = timedelta(seconds=(UNKNOWN_LIMIT + HOUR) * world.scale)
    with world.in_app() as state, state.database.write() as session:
        for connection in session.query(Connection):
            connection.connected_at -= span
            connection.paused_until = None
        for entry in session.query(SyncEntry).filter(SyncEntry.sent_at.is_not(None)):
            assert entry.sent_at is not None
            entry.sent_at -= span  # not sent_after: Salesforce's clock has not moved
            entry.due_at = None if entry.due_at is None else entry.due_at - span
            if entry.sent_key_at is not None:
                entry.sent_key_at = entry.sent_at


def logging(world: World, mails: list[tuple[str, str | None]]) -> list[SyncEntry]:
    """The entries of their Tasks."""
    entries = world.entries(*names(mails))
    return [entry for entry in entries if entry.action == Action.LOG_TASK]


def a_person_settles(world: World, entry: SyncEntry) -> None:
    """As Salesforce shows it."""
    there = tasks_in(world.org, {entry.message_id})[entry.message_id]
    settle = retry.it_is_there if there else retry.send_again
    with world.in_app() as state, state.database.write() as session:
        settle(session, ADMIN, entry.id)


@pytest.mark.field_case("A19")
@pytest.mark.parametrize(
    ("refusing", "reason", "when"),
    [
        (a_right_is_missing, "read_refused", "after"),
        (a_right_is_missing, "read_refused", "before"),
        (salesforce_is_away, "unavailable", "after"),
        (salesforce_is_away, "unavailable", "before"),
    ],
)
def test_the_look_after_an_unclear_send_is_refused_for_more_than_a_day(
    world: World,
    refusing: Callable[[World], Iterator[None]],
    reason: str,
    when: str,
) -> None:
    """What was sent is a person's to settle; what was not sent waits, whoever refuses."""
    marked, unmarked = fresh(4), fresh(4)
    owe(world, marked)
    fault = world.org.fault("reset", when=when, scope=TASKS)
    worker = world.worker()
    await_true(
        lambda: struck(world, fault) and all(entry.sent_at for entry in logging(world, marked))
    )
    worker.stop()
    world.injected += 2
    with refusing(world):
        world.worker()
        await_true(lambda: world.connection().outages)
        assert world.connection().pause_reason == reason
        assert {entry.state for entry in logging(world, marked)} == {"sending"}
        owe(world, unmarked)
        a_day_passes(world)
        await_true(lambda: world.outcomes()["failed", "outcome_unknown"] == len(marked))
        assert all(entry.sent_at for entry in logging(world, marked)), "it is not known yet"
        waiting = world.entries(*names(unmarked))
        assert {(entry.state, entry.attempts) for entry in waiting} == {(EntryState.PENDING, 0)}
    first, *others = logging(world, marked)
    with world.in_app() as state, state.database.write() as session:
        retry.try_again(session, ADMIN, first.id)  # begins with the look
    for entry in others:
        a_person_settles(world, entry)
    world.change(paused_until=None)
    world.await_settled()
    assert {entry.state for entry in world.entries()} == {"done"}
    world.assert_nothing_lost_or_doubled()
