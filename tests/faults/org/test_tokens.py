"""F10, F11: tokens that end, and refreshes that are refused or never stored."""

from __future__ import annotations

import pytest

from tests.faults import host
from tests.faults.processes import await_true
from tests.faults.world import World, fresh

LOST_BY = ("refused", "revoked", "idle", "not stored")


def owe(world: World, mails: list[tuple[str, str | None]]) -> None:
    """Many messages in one transaction of the host's."""
    with world.in_app():
        for mail_id, customer in mails:
            host.add(mail_id, customer)
        host.db.session.commit()


def test_eight_processes_see_401_together(world: World) -> None:
    """F10: one of them refreshes, the others wait for its token, and no call fails."""
    world.org.set(token_request_ms=300, rotate_refresh_tokens=True)
    callers = [world.host_process() for _ in range(8)]
    for caller in callers:
        assert caller.order({"ask": "limits"}) == "ready"
    world.org.expire_access_tokens()
    world.org.reset_log()
    world.injected += 1
    for caller in callers:
        caller.send({"ask": "limits"})
    assert [caller.hear() for caller in callers] == ["ready"] * 8
    refreshes = [each for each in world.org.log() if each["path"] == "/services/oauth2/token"]
    assert len(refreshes) == 1
    assert world.connection().status == "live"
    world.worker()
    world.store(*fresh(2))
    world.await_settled()
    world.assert_nothing_lost_or_doubled()


@pytest.mark.parametrize("how", LOST_BY)
def test_a_refresh_brings_nothing(world: World, how: str) -> None:
    """F11: the connection is lost once, 500 rows wait, and they are sent after a reconnect."""
    match how:
        case "refused":
            world.org.fault("token_refused", error="invalid_grant")
            world.org.expire_access_tokens()
        case "revoked":
            world.org.revoke_grants()
        case "idle":
            text = "expired access/refresh token"
            world.org.fault("token_refused", error="invalid_grant", error_description=text)
            world.org.expire_access_tokens()
        case "not stored":
            world.org.set(rotate_refresh_tokens=True)
            world.org.expire_access_tokens()
            doomed = world.worker("refresh.answered:1:kill")
    world.injected += 1
    owe(world, fresh(250))
    if how == "not stored":
        await_true(lambda: doomed.struck)
    world.worker()
    await_true(lambda: world.connection().status == "lost")
    assert {entry.state for entry in world.entries()} == {"pending"}
    assert len(world.entries()) == 500
    asked = world.org.counters()["http_round_trips"]
    world.store(*fresh(2))  # mail that comes meanwhile is owed, too
    assert world.org.counters()["http_round_trips"] == asked
    world.reconnect()
    world.await_settled()
    world.assert_nothing_lost_or_doubled()
