"""What came of many worlds."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.faults.world import World


@dataclass
class Tally:
    """Counted in the simulated org against the hosts' messages."""

    repeat: int
    injected: int = 0
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    slowest_recovery_s: float = 0.0

    def add(self, world: World) -> None:
        """Count what this world came to, before it ends."""
        verdict = world.verdict()
        self.injected += world.injected
        self.messages += verdict.messages
        self.lost += len(verdict.lost)
        self.doubled += len(verdict.doubled)
        self.slowest_recovery_s = max([self.slowest_recovery_s, *world.recoveries])

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "injected": self.injected,
                "messages": self.messages,
                "lost": self.lost,
                "doubled": self.doubled,
                "slowest_recovery_s": round(self.slowest_recovery_s, 2),
            }
        )


TALLY = pytest.StashKey[Tally]()
