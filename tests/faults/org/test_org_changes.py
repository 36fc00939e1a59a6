"""F26: an org that moves, and one that takes a version of its API away."""

from __future__ import annotations

import pytest

from tests.faults.processes import await_true
from tests.faults.world import World, fresh


def refreshes(world: World) -> int:
    return sum(entry["path"] == "/services/oauth2/token" for entry in world.org.log())


def failed(world: World) -> list[str]:
    return [entry.reason for entry in world.entries() if entry.state == "failed"]


@pytest.mark.field_case("A5")
@pytest.mark.parametrize("left", ["redirect", "no_route", "gone"])
def test_the_org_moves(world: World, left: str) -> None:
    """F26: one refresh learns its new address, and everything goes on by itself."""
    if left == "gone":  # not from the login host, which stays
        world.org.move()
    world.worker()
    world.store(*fresh(10))
    world.await_settled()
    world.change(address_asked_at=None)
    world.org.reset_log()
    url = world.org.move(left=left)
    world.injected += 1
    world.store(*fresh(20))
    world.await_settled()
    assert refreshes(world) == 1
    assert world.connection().instance_url == url
    assert (world.connection().status, failed(world)) == ("live", [])
    world.assert_nothing_lost_or_doubled()


@pytest.mark.field_case("A6")
def test_a_version_is_retired(world: World) -> None:
    """F26: the next older one is spoken, and no mail fails."""
    world.worker()
    world.store(*fresh(10))
    world.await_settled()
    world.org.set(retired_versions=["66.0"])
    world.injected += 1
    world.store(*fresh(20))
    world.await_settled()
    assert (world.connection().api_version, failed(world)) == ("65.0", [])
    world.assert_nothing_lost_or_doubled()


@pytest.mark.field_case("A6")
def test_no_version_is_left_that_both_speak(world: World) -> None:
    """F26: paused with words, and it goes on by itself once there is one again."""
    world.org.set(oldest_version=67, newest_version=69)
    world.injected += 1
    world.worker()
    world.store(*fresh(10))
    await_true(lambda: world.connection().is_barred)
    connection = world.connection()
    assert connection.barred_reason == "version"
    assert "67.0 to 69.0" in (connection.barred_words or "")
    assert {entry.state for entry in world.entries()} == {"pending"}
    world.org.set(oldest_version=31, newest_version=66)
    world.await_settled()
    assert (world.connection().is_barred, failed(world)) == (False, [])
    world.assert_nothing_lost_or_doubled()
