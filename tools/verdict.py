"""How a check ends: one line when all is well, the complaints and exit status 1 otherwise."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def conclude(good: str, complaints: Sequence[str]) -> int:
    """Print `good`, or every complaint; returns the exit status."""
    if not complaints:
        print(good)
        return 0
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1
