"""F26: a right that the connected user needs is taken away in Salesforce, and comes back."""

from __future__ import annotations

import pytest

from tests.faults.on import on
from tests.faults.org.test_tokens import owe
from tests.faults.processes import await_true
from tests.faults.world import World, fresh


@pytest.mark.field_case("A7")
@on("postgres", "sqlite")
def test_a_right_taken_away_pauses_with_words_fails_no_row_and_goes_on_by_itself(
    world: World,
) -> None:
    """F26: nobody touches the inbox, and no query stands in what is kept of the refusal."""
    user = world.orgs.production.login("admin").username

    def may_read(allowed: bool) -> None:
        world.org.field_rights(user, "Contact", "Email", readable=allowed, editable=allowed)

    may_read(False)
    world.injected += 1
    try:
        owe(world, fresh(30))
        world.worker()
        await_true(lambda: world.connection().pause_reason == "read_refused")
        world.store(*fresh(2))  # mail that comes meanwhile is owed, too
        await_true(lambda: world.connection().outages >= 2)
        [[code, words, _]] = world.connection().pause_words
        assert (code, words[:16]) == ("INVALID_FIELD", "No such column '")
        assert "SELECT" not in words
        assert "@" not in words
        assert {entry.state for entry in world.entries()} == {"pending"}
        assert {entry.attempts for entry in world.entries()} == {0}
    finally:
        may_read(True)
    world.await_settled()
    connection = world.connection()
    assert (connection.pause_reason, connection.pause_words) == ("", None)
    assert {entry.state for entry in world.entries()} == {"done"}
    world.assert_nothing_lost_or_doubled()
