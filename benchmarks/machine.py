"""How busy the machine is, and with whose work: Linux's /proc, read before and after."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FULL = 0.8  # of the machine; above it a point that misses says nothing of us
NOISE = 0.1  # so much of it by others does no harm

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Load:
    """Shares of the whole machine, 0 to 1; None where there is no /proc."""

    busy: float | None = None
    others: float | None = None

    @property
    def full(self) -> bool:
        """Over 80 % busy, and not with the figure's own processes alone."""
        if self.busy is None or self.others is None:
            return False
        return self.busy > FULL and self.others > NOISE


@contextmanager
def watched() -> Iterator[Load]:
    """The load while the block runs; the figure's own are this process and all below it."""
    load = Load()
    before = _read()
    yield load
    after = _read()
    if before is None or after is None:
        return
    total, busy, own = (b - a for a, b in zip(before, after, strict=True))
    if total > 0:
        load.busy = min(1.0, busy / total)
        load.others = max(0.0, min(1.0, (busy - own) / total))


def _read() -> tuple[float, float, float] | None:
    """Seconds of all cores: all, busy, and ours."""
    try:
        words = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return None
    ticks = [int(word) for word in words]
    idle = ticks[3] + ticks[4]
    return sum(ticks) / _TICK, (sum(ticks) - idle) / _TICK, _own()


def _own() -> float:
    """Processor time of this process and its descendants, those that have ended and were waited
    for included."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    spent: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            text = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in brackets may hold anything.
        fields = text.rpartition(")")[2].split()
        children[int(fields[1])].append(int(entry.name))
        spent[int(entry.name)] = sum(map(int, fields[11:15]))
    found, waiting = 0, [os.getpid()]
    while waiting:
        pid = waiting.pop()
        found += spent.get(pid, 0)
        waiting += children[pid]
    return found / _TICK


def described() -> str:
    """The machine in one line."""
    model = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {model}, {platform.system()}, Python {platform.python_version()}"
