"""`hostile`: text that a stranger made to take long, through everything that reads it."""

from __future__ import annotations

from functools import partial
from time import process_time
from typing import NamedTuple

from benchmarks.bench import Bench, seconds_of
from benchmarks.hostile_text import READERS, SHAPES
from benchmarks.machine import watched

SIZES = (16 * 1024, 32 * 1024, 64 * 1024)
BUDGET = 0.5  # seconds of processor time a body
GROWTH = 2.5  # for twice the size
COUNTS = 0.020  # growth is told only where the larger takes longer


class Reading(NamedTuple):
    """One shape through one reader, in seconds of processor time by size."""

    shape: str
    reader: str
    seconds: tuple[float, ...]

    @property
    def growth(self) -> float:
        """The largest ratio of two neighbouring sizes, 0 where no larger one counts."""
        pairs = zip(self.seconds, self.seconds[1:], strict=False)
        return max((large / small for small, large in pairs if large > COUNTS), default=0.0)


def measure(bench: Bench) -> None:
    """Each shape at each size, the fastest of some rounds: the machine is shared."""
    rounds = bench.size(5, 2)
    with watched() as load:
        readings = [_reading(shape, reader, rounds) for shape in SHAPES for reader in READERS]
    worst = max(readings, key=lambda one: one.seconds[-1])
    grows = max(readings, key=lambda one: one.growth)
    case = f"{len(SHAPES)} shapes of 64 KB through {len(READERS)} readers"
    bench.point(
        case,
        worst.seconds[-1] * 1000,
        "ms of processor time, the slowest",
        runs=rounds,
        target=f"at most {BUDGET * 1000:.0f} ms",
        met=worst.seconds[-1] <= BUDGET,
        load=load,
        note=f"{worst.shape}, as {worst.reader}",
    )
    bench.point(
        "twice the size, 16 to 32 to 64 KB",
        grows.growth,
        "times the processor time, the steepest above 20 ms",
        runs=rounds,
        target=f"at most {GROWTH} times",
        met=grows.growth <= GROWTH,
        load=load,
        note=f"{grows.shape}, as {grows.reader}",
    )


def _reading(shape: str, reader: str, rounds: int) -> Reading:
    read = READERS[reader]
    seconds = []
    for size in SIZES:
        text = SHAPES[shape].text(size)
        once = partial(read, text)
        taken = [seconds_of(once, process_time)]
        # What is over in a moment is not asked again.
        again = rounds - 1 if taken[0] > COUNTS / 2 else 0
        taken += [seconds_of(once, process_time) for _ in range(again)]
        seconds.append(min(taken))
    return Reading(shape, reader, tuple(seconds))
