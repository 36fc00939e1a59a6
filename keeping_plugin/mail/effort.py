"""How much processor time the reading of one body may take, whatever stands in it.

Everything here takes time in proportion to the text. The budget is for what nobody thought of: it
is checked between steps and every few hundred lines, and whoever is over it reads no further.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final

SECONDS: Final = 0.5  # of this thread's processor time


class TextTooSlow(Exception):
    """The budget of one body is used up."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The processor time left for one body, in the thread that began it."""

    until: float

    @classmethod
    def begun(cls, seconds: float = SECONDS) -> Effort:
        """From now on, so many seconds."""
        return cls(time.thread_time() + seconds)

    @classmethod
    def unlimited(cls) -> Effort:
        """For text that is short."""
        return cls(math.inf)

    def check(self) -> None:
        """Raises TextTooSlow when it is used up."""
        if time.thread_time() > self.until:
            raise TextTooSlow
