"""What a figure measures with: a folder, its size, and a place for its points."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import Load
from benchmarks.points import Point, Verdict, not_measured


@dataclass(frozen=True, slots=True)
class Runs:
    """Several measurements of one thing, in one unit."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float | None:
        """Half the distance between the quartiles, as a share of the median."""
        if len(self.values) < 4 or not self.median:
            return None
        low, _, high = statistics.quantiles(self.values, n=4)
        return (high - low) / 2 / self.median

    def percentile(self, share: float) -> float:
        """The value below which this share of the runs lies."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long it took, once."""
    began = clock()
    work()
    return clock() - began


def side_by_side(
    works: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Runs]:
    """Time all of them in turn, round by round, so that a busy moment hits each alike; one round
    before does not count. What only computes is timed by `time.process_time`, of which a busy
    machine takes nothing."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            seconds = seconds_of(work, clock)
            if number:
                taken[name].append(seconds)
    return {name: Runs(values) for name, values in taken.items()}


@dataclass(slots=True)
class Bench:
    """One figure's run. `clean_up` is closed at its end, however it ends."""

    name: str
    folder: Path
    quick: bool
    record: Callable[[Point], None]
    clean_up: ExitStack = field(default_factory=ExitStack)

    def size(self, full: int, quick: int) -> int:
        """A case's size in this run."""
        return quick if self.quick else full

    def point(
        self,
        case: str,
        value: float,
        unit: str,
        *,
        against: str = "",
        ratio: float | None = None,
        runs: int = 1,
        spread: float | None = None,
        target: str = "",
        met: bool | None = None,
        load: Load | None = None,
        note: str = "",
    ) -> None:
        """Record a measurement; `met` None: there is no target, it is reported."""
        verdict: Verdict = "reported" if met is None else "met" if met else "missed"
        if met is False and load is not None and load.full:
            met, verdict = None, "machine full"
        self.record(
            Point(
                name=self.name,
                case=case,
                value=value,
                unit=unit,
                against=against,
                ratio=ratio,
                runs=runs,
                spread=spread,
                target=target,
                met=met,
                verdict=verdict,
                cpu=load.busy if load else None,
                cpu_others=load.others if load else None,
                note=note,
            )
        )

    def missing(self, case: str, reason: str, *, target: str = "") -> None:
        """Say that something could not be measured, and why."""
        self.record(not_measured(self.name, reason, case=case, target=target))
