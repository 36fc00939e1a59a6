"""F8, F14, F15, F17, F21: what Salesforce answers, or does not."""

from __future__ import annotations

import pytest

from keeping_plugin.models import now
from keeping_plugin.services.ledger import retry
from tests.faults.on import only
from tests.faults.processes import await_true
from tests.faults.world import ADMIN, World, fresh, names, struck, tasks_in

CONTACTS, TASKS = '"type": "Contact"', '"type": "Task"'
LOST_REPLIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("reset", {"when": "after"}),
    ("truncated", {}),
    ("truncated", {"cut": "connection"}),
    ("html_ok", {"when": "after"}),
    ("internal_error", {"when": "after"}),
    ("bad_gateway", {"when": "after"}),
    ("redirect", {"when": "after"}),
    ("fewer_rows", {}),
    ("hang", {"when": "after"}),
    ("late_commit", {"seconds": 1.0}),
)


def strike(world: World, kind: str, contains: str, **options: object) -> None:
    """One new customer's two messages, struck by this fault; comes back once it has struck."""
    number = world.org.fault(kind, scope={"contains": contains}, **options)  # type: ignore[arg-type]
    world.injected += 1
    world.store(*fresh(2))
    await_true(lambda: struck(world, number), what=f"{kind} on {contains}")


@pytest.mark.parametrize("contains", [CONTACTS, TASKS], ids=["contacts", "tasks"])
def test_the_reply_is_lost_after_the_commit(world: World, contains: str) -> None:
    """F8: every way in which an answer can be none, and a commit that comes after we gave up."""
    world.worker()
    for kind, options in LOST_REPLIES:
        strike(world, kind, contains, **options)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert {entry.state for entry in world.entries()} == {"done"}
    assert all(entry.sent_at is None for entry in world.entries())


@only("postgres-keyed")
def test_with_the_orgs_unique_field_every_lost_reply_and_a_much_later_commit_are_no_double(
    world: World,
) -> None:
    """F8: DUPLICATE_VALUE on our own field says that the Task is there."""
    world.worker()
    strike(world, "late_commit", TASKS, seconds=2.0)
    for kind, options in LOST_REPLIES:
        strike(world, kind, TASKS, **options)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert {entry.state for entry in world.entries()} == {"done"}


def move_on(world: World) -> None:
    """The pause is over, as if its quarter of an hour had passed."""
    with world.in_app() as state, state.database.read() as session:
        time = now(session)
    world.change(paused_until=time)


def test_the_daily_limit_and_a_storm_of_refusals(world: World) -> None:
    """F14: the company pauses; it goes on when the limit renews, and by itself after a storm."""
    mails = fresh(100)
    world.store(*mails)
    world.org.usage(used=15_000, limit=15_000)
    world.org.fault("request_limit", times=None)
    world.injected += 1
    world.worker()
    await_true(lambda: world.connection().pause_reason == "rate_limited")
    asked = world.org.counters()["data_round_trips"]
    world.store(*fresh(2))
    assert world.org.counters()["data_round_trips"] == asked
    assert set(world.outcomes()) == {("pending", "")}

    world.org.clear_faults()
    world.org.usage(used=12_100, limit=15_000)  # over the automations' share, not over the limit
    world.change(api_used=12_100, api_limit=15_000)
    move_on(world)
    await_true(lambda: world.connection().pause_reason == "budget")
    assert not tasks_in(world.org, names(mails))

    world.org.usage(used=0)
    for kind in ("unavailable", "unavailable_html"):
        world.org.fault(kind, times=3)
    world.org.fault("answer", status=429, body=[{"errorCode": "X", "message": "slow down"}])
    world.org.fault("request_limit", concurrent=True)
    world.injected += 8
    move_on(world)
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert world.connection().pause_reason == ""


def test_fifty_tasks_on_one_contact_whose_rows_are_locked(world: World) -> None:
    """F15: each comes back for itself; closed Tasks, one writer."""
    world.org.fault("row_refused", times=None, tries=2, scope={"object": "Task"})
    world.injected += 50
    mails = fresh(50, per_customer=50)
    world.store(*mails)
    world.worker()
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    assert len({entry.contact_id for entry in world.entries() if entry.contact_id}) == 1
    open_ones = world.org.query("SELECT Subject FROM Task WHERE IsClosed = false")
    assert not [row for row in open_ones if any(name in row["Subject"] for name in names(mails))]


def test_one_poison_row_whose_whole_call_is_refused(world: World) -> None:
    """F17: at two hundred, at ten, alone: the rest proceeds, and a person can try it again."""
    mails = fresh(200, per_customer=4)
    poison = mails[77][0]
    body = [{"errorCode": "JSON_PARSER_ERROR", "message": "Unexpected character at 1:7"}]
    world.org.fault(
        "answer", times=None, status=400, body=body, scope={"contains": f": {poison} [k-"}
    )
    world.injected += 1
    world.excused.add(poison)
    world.store(*mails)
    world.worker()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
    (failed,) = [entry for entry in world.entries() if entry.state == "failed"]
    assert (failed.message_id, failed.reason) == (poison, "rejected")
    assert "Unexpected character" in str(failed.words)
    world.org.clear_faults()
    with world.in_app() as state, state.database.write() as session:
        retry.try_again(session, ADMIN, failed.id)
    world.excused.clear()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


def test_a_field_is_validated_read_only_or_gone(world: World) -> None:
    """F21: the row has failed with Salesforce's words; the others go on; Try again works. Without
    the field that only we need, Tasks are sent as they are."""
    validated, gone = fresh(1), fresh(1)
    world.org.validation_rule(
        "Task", f"Subject LIKE '%{validated[0][0]}%'", "No mail on Fridays", "Subject"
    )
    world.injected += 2
    world.excused |= {validated[0][0]}
    world.worker()
    world.store(*validated, *fresh(2))
    world.await_settled()
    assert world.outcomes(validated[0][0])["failed", "rejected"] == 1
    assert "No mail on Fridays" in str(world.entries(validated[0][0])[1].words)

    world.change(activity_key_field="Gone__c")  # as if an admin had deleted it in Salesforce
    world.store(*gone)
    world.await_settled()
    assert world.outcomes(gone[0][0])["done", "logged"] == 1
    assert not any(entry.retries for entry in world.entries(gone[0][0]))
    world.assert_nothing_lost_or_doubled()

    world.org.clear_rules()
    with world.in_app() as state:
        retry.try_all_again(state.database, ADMIN, "rejected")
    world.excused.clear()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
