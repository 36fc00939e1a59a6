"""What a figure says: one value, what it is held against, and whether it reached its target."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["met", "missed", "reported", "machine full", "not measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement. `ratio` is value / against (or what `target` says); `spread` half the
    distance between the quartiles of the runs, as a share of their median; `cpu` the machine's
    busy share while it was taken and `cpu_others` the part of it that was not the figure's own.
    `met` is None unless the verdict is met or missed."""

    name: str
    case: str
    value: float | None
    unit: str
    against: str
    ratio: float | None
    runs: int
    spread: float | None
    target: str
    met: bool | None
    verdict: Verdict
    cpu: float | None = None
    cpu_others: float | None = None
    note: str = ""

    def dumped(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, line: str) -> Point:
        """The point of a line that `dumped` made."""
        values: dict[str, Any] = json.loads(line)
        return cls(**values)


def not_measured(name: str, reason: str, *, case: str = "", target: str = "") -> Point:
    """What stands in the report instead of a value."""
    return Point(
        name=name,
        case=case,
        value=None,
        unit="",
        against="",
        ratio=None,
        runs=0,
        spread=None,
        target=target,
        met=None,
        verdict="not measured",
        note=reason,
    )
