"""F2: kills, Redis deaths, lost replies, late commits, row locks and 503, all at once."""

from __future__ import annotations

from tests.faults.chaos import rage
from tests.faults.on import on
from tests.faults.world import World


@on("postgres", "sqlite")
def test_everything_at_once(world: World, many: int) -> None:
    """F2: of 300 messages (5,000 in `make faults`) none is lost and none doubled."""
    rage(world, messages=many, chunk=20 if many < 1_000 else 50)
    assert world.injected > 10
    assert {entry.state for entry in world.entries()} == {"done"}
    world.assert_nothing_lost_or_doubled()
