"""Bad mail, each kind against the real thing: it ends in a clear outcome on the entry, and the
batch around it goes through."""

from __future__ import annotations

import time

import pytest

from keeping_plugin.times import SWEEP
from tests.faults import host
from tests.faults.host_side.test_intake import deliver_again
from tests.faults.on import only
from tests.faults.workers.test_operating import movable_clock
from tests.faults.world import World, contacts_in, fresh, names, tasks_in

BODIES: dict[str, dict[str, str | None]] = {
    "an empty body": {"text": ""},
    "no body at all": {"text": None},
    "a body of 2 MB": {"text": "Hello, this is one sentence of very many. " * 50_000},
    "an html body of 2 MB": {"text": None, "html": "<p>Hello</p>" * 170_000},
    "one line of 60 KB": {"text": "x" * 60_000},
    "one html line of 60 KB": {"text": None, "html": "<p>" + "word " * 12_000 + "</p>"},
    "5,000 nested tags": {"text": None, "html": "<div>" * 5_000 + "deep" + "</div>" * 5_000},
    "NUL bytes": {"text": "before\0after", "html": "<p>before\0after</p>"},
    "lone surrogates": {"text": "before\ud800after\udfff"},
    "lone surrogates in html": {"text": None, "html": "<p>before\ud800after\udfff</p>"},
    "control characters": {"text": "a\x01b\x08c\x1bd\u2028e"},
}


@pytest.fixture
def around(world: World) -> list[tuple[str, str | None]]:
    """Good messages, some owed before and some after the bad one, so that they share its batch."""
    return fresh(6)


def deliver(
    world: World, around: list[tuple[str, str | None]], *bad: tuple[str, str | None], **more: object
) -> None:
    """The bad one among the others, then a worker."""
    world.store(*around[:3])
    world.store(*bad, **more)
    world.store(*around[3:])
    world.worker()
    world.await_settled()
    assert world.outcomes(*names(around))["done", "logged"] == len(around)


@pytest.fixture
def all_bodies(world: World) -> dict[str, tuple[str, str | None]]:
    return dict(zip(BODIES, fresh(len(BODIES), per_customer=1), strict=True))


def test_bodies_of_every_kind_are_logged(
    world: World,
    around: list[tuple[str, str | None]],
    all_bodies: dict[str, tuple[str, str | None]],
) -> None:
    """Each becomes one Task whose description Salesforce takes."""
    for name, body in BODIES.items():
        world.store(all_bodies[name], **body)
    deliver(world, around)
    for name, (mail_id, _) in all_bodies.items():
        outcomes = world.outcomes(mail_id)
        assert outcomes == {("done", "created"): 1, ("done", "logged"): 1}, name
    world.assert_nothing_lost_or_doubled()
    rows = world.org.query("SELECT Subject, Description FROM Task WHERE Subject LIKE '%[k-%'")
    described = {row["Subject"].rsplit(" [k-", 1)[0][-10:]: row["Description"] for row in rows}
    for name, (mail_id, _) in all_bodies.items():
        text = described[mail_id[-10:]] or ""
        assert len(text) <= 32_000, name
        assert "\0" not in text
        assert not any("\ud800" <= each <= "\udfff" for each in text)
    assert "deep" in (described[all_bodies["5,000 nested tags"][0][-10:]] or "")


def test_a_message_with_no_sender(world: World, around: list[tuple[str, str | None]]) -> None:
    """Nobody to log it on: both actions are refused at once, and nothing is owed."""
    deliver(world, around, ("nobody-" + around[0][0], None))
    assert not world.entries("nobody-" + around[0][0])
    world.excused.add("nobody-" + around[0][0])
    world.assert_nothing_lost_or_doubled()


def test_an_address_of_300_characters(world: World, around: list[tuple[str, str | None]]) -> None:
    """Longer than a Contact's: it is refused as such, or ends with a reason; never cut."""
    run = around[0][0]
    long = f"{'x' * 60}@{'.'.join(['y' * 57] * 4)}.example"
    assert len(long) == 300
    mail_id = "long-" + run
    deliver(world, around, (mail_id, long))
    ended = world.outcomes(mail_id)
    assert set(ended) <= {("waiting", "no_contact"), ("cancelled", "no_contact")}
    world.excused.add(mail_id)
    world.assert_nothing_lost_or_doubled()
    assert not tasks_in(world.org, {mail_id})
    assert not [each for each in contacts_in(world.org) if each.startswith("x" * 60)]


def test_a_message_id_of_2000_characters_is_refused_at_intake(
    world: World, around: list[tuple[str, str | None]]
) -> None:
    """Only a mistake in the host's code can be: ValueError, and nothing is half stored."""
    with pytest.raises(ValueError, match="1 to 255 characters"):
        world.store(("m" * 2_000, around[0][1]))
    deliver(world, around)
    assert set(world.committed()) == set(names(around))
    world.assert_nothing_lost_or_doubled()


def test_the_same_message_id_five_times(world: World, around: list[tuple[str, str | None]]) -> None:
    """One Decision, one Contact, one Task."""
    ((mail_id, customer),) = fresh(1)
    assert customer is not None
    with world.in_app():
        for _ in range(5):
            deliver_again(mail_id, customer)
    deliver(world, around)
    assert len(world.entries(mail_id)) == 2
    assert tasks_in(world.org, {mail_id}) == {mail_id: 1}
    world.assert_nothing_lost_or_doubled()


def test_one_mail_to_two_mailboxes_is_two_messages(
    world: World, around: list[tuple[str, str | None]]
) -> None:
    """Two Tasks on one Contact."""
    first, second = fresh(2)
    world.store(second, box=host.OTHER_BOX.id)
    deliver(world, around, first)
    assert tasks_in(world.org, {first[0], second[0]}) == {first[0]: 1, second[0]: 1}
    world.assert_nothing_lost_or_doubled()


def test_a_mailbox_that_was_deleted(world: World, around: list[tuple[str, str | None]]) -> None:
    """Cancelled, with the reason."""
    bad = fresh(1)
    world.store(*bad, box=host.OTHER_BOX.id)
    with world.in_app():
        host.db.session.add(host.ClosedBox(id=host.OTHER_BOX.id))
        host.db.session.commit()
    world.make_old(601)  # younger entries wait for an inbox that may be behind
    deliver(world, around)
    assert world.outcomes(*names(bad)) == {("cancelled", "mailbox_deleted"): 2}
    world.excused |= set(names(bad))
    world.assert_nothing_lost_or_doubled()


@only("postgres")
def test_a_clock_that_jumps_back(world: World, around: list[tuple[str, str | None]]) -> None:
    """Messages owed before the jump are not kept waiting until the clock has caught up."""
    with movable_clock(world) as clock:
        world.worker()
        world.store(*fresh(2))
        world.await_settled()
        world.org.fault("unavailable", times=1)
        clock.execute("UPDATE jumped.by SET amount = '1 hour'")
        world.store(*around[:3])
        time.sleep(4 * SWEEP * world.scale)  # a sweep sees it
        clock.execute("UPDATE jumped.by SET amount = '0'")
        began = time.monotonic()
        world.store(*around[3:])
        world.await_settled()
        assert time.monotonic() - began < (75 + 60) * world.scale + 10
    world.assert_nothing_lost_or_doubled()
