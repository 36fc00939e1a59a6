"""`make bench [ONLY=name] [QUICK=1]`: every figure, or one, into build/bench.json and a table.

A missed target is a finding, not an error: the exit code is 1 only when nothing was measured.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from benchmarks import machine, report
from benchmarks.points import Point, not_measured

ROOT = Path(__file__).resolve().parents[1]
# A busy machine takes nothing from these, so they run at the same time: one waits for leases to run
# out, one weighs a process, and the others are timed in processor time, one after the other.
BESIDE = ("recovery", "memory")
COMPUTE = ("rules", "schema", "forms", "hostile", "weight", "simulator")
ALONE = ("panel", "intake", "ledger", "drain", "fairness", "workers")
WHOLE, WHOLE_QUICK = 29 * 60.0, 4.8 * 60.0  # seconds
MAX_SECONDS, MAX_QUICK = 8 * 60.0, 120.0  # of one figure


class Run:
    """A figure in a process of its own, begun at once."""

    def __init__(self, name: str, *, quick: bool, said: IO[bytes], errors: IO[bytes]) -> None:
        self.name = name
        self._said, self._errors = said, errors
        self._began = time.monotonic()
        command = [sys.executable, "-m", "benchmarks.one", name, *(["--quick"] if quick else [])]
        self._process = subprocess.Popen(command, stdout=said, stderr=errors, cwd=ROOT)

    def points(self, seconds: float) -> list[Point]:
        """Its points; one that says why when it failed or took longer than so many seconds."""
        reason = ""
        try:
            self._process.wait(max(1.0, self._began + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            reason = f"stopped after {seconds:.0f} s, so that the whole run ends in time"
            self.end()
        self._said.seek(0)
        lines = self._said.read().decode().splitlines()
        points = [Point.loaded(line) for line in lines if line.startswith("{")]
        if not reason and self._process.returncode:
            self._errors.seek(0)
            text = self._errors.read().decode("utf-8", "replace")
            print(text[-4000:], file=sys.stderr)
            code = f"exit code {self._process.returncode}"
            reason = (text.strip().splitlines() or [code])[-1][:300]
        points += [not_measured(self.name, reason)] if reason else []
        took = time.monotonic() - self._began
        print(f"{self.name}: {report.summary(points)} in {took:.0f} s", file=sys.stderr, flush=True)
        return points

    def end(self) -> None:
        """Let it stop what it started; whatever is left ends with it."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def running(name: str, *, quick: bool) -> Iterator[Run]:
    """A figure's run, which ends with the block however that ends."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        run = Run(name, quick=quick, said=said, errors=errors)
        try:
            yield run
        finally:
            run.end()


def measured(*, quick: bool) -> Iterator[Point]:
    """Every figure's points. No figure takes the others' time."""
    end = time.monotonic() + (WHOLE_QUICK if quick else WHOLE)
    most = MAX_QUICK if quick else MAX_SECONDS

    def one(name: str) -> list[Point]:
        left = min(most, end - time.monotonic())
        if left < 1:
            return [not_measured(name, "the whole run's time was over")]
        with running(name, quick=quick) as run:
            return run.points(left)

    with contextlib.ExitStack() as runs:
        beside = [runs.enter_context(running(name, quick=quick)) for name in BESIDE]
        for name in COMPUTE:
            yield from one(name)
        for run in beside:
            yield from run.points(most)
    for name in ALONE:
        yield from one(name)


def main() -> int:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=(*COMPUTE, *BESIDE, *ALONE), help="one figure")
    parser.add_argument("--quick", action="store_true", help="small cases, within 5 minutes")
    parser.add_argument("--keep", action="store_true", help="write docs/figures.md too")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.only:
        with running(options.only, quick=options.quick) as run:
            points = run.points(WHOLE_QUICK if options.quick else WHOLE)
    else:
        points = list(measured(quick=options.quick))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"measured_at": at, "machine": machine.described(), "quick": options.quick}
    report.write_json(options.out, points, **about)
    if options.keep:
        report.keep(ROOT / "docs" / "figures.md", points, **about)
    print(f"Measured {at} on {about['machine']}{' (QUICK)' if options.quick else ''}.\n")
    print(report.table(points))
    print(f"\n{report.summary(points)}")
    return 0 if any(point.value is not None for point in points) else 1


if __name__ == "__main__":
    sys.exit(main())
