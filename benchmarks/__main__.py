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
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, report
from benchmarks.points import Point, not_measured

ROOT = Path(__file__).resolve().parents[1]
FIGURES = (
    "rules",
    "schema",
    "forms",
    "weight",
    "panel",
    "intake",
    "ledger",
    "drain",
    "fairness",
    "workers",
    "recovery",
    "memory",
)
WHOLE, WHOLE_QUICK = 29 * 60.0, 4.8 * 60.0  # seconds
MOST, MOST_QUICK = 8 * 60.0, 100.0  # of one figure


def measured(name: str, *, quick: bool, seconds: float) -> list[Point]:
    """A figure's points; one that says why when it failed or took too long."""
    command = [sys.executable, "-m", "benchmarks.one", name, *(["--quick"] if quick else [])]
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=said, stderr=errors, cwd=ROOT)
        reason = ""
        try:
            process.wait(max(1.0, seconds))
        except subprocess.TimeoutExpired:
            reason = f"stopped after {seconds:.0f} s, so that the whole run ends in time"
            _end(process)
        except BaseException:
            _end(process)
            raise
        said.seek(0)
        lines = said.read().decode().splitlines()
        points = [Point.loaded(line) for line in lines if line.startswith("{")]
        if not reason and process.returncode:
            errors.seek(0)
            text = errors.read().decode("utf-8", "replace")
            print(text[-4000:], file=sys.stderr)
            reason = (text.strip().splitlines() or [f"exit code {process.returncode}"])[-1][:300]
    return [*points, not_measured(name, reason)] if reason else points


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it stop what it started; whatever is left ends with it."""
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    process.kill()
    process.wait()


def main() -> int:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=FIGURES, help="one figure")
    parser.add_argument("--quick", action="store_true", help="small cases, within 5 minutes")
    parser.add_argument("--keep", action="store_true", help="write docs/figures.md too")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    end = time.monotonic() + (WHOLE_QUICK if options.quick else WHOLE)
    points: list[Point] = []
    for name in [options.only] if options.only else FIGURES:
        began = time.monotonic()
        most = end - began
        if not options.only:  # no figure takes the others' time
            most = min(MOST_QUICK if options.quick else MOST, most)
        if most < 1:
            points.append(not_measured(name, "the whole run's time was over"))
            continue
        found = measured(name, quick=options.quick, seconds=most)
        points += found
        took = time.monotonic() - began
        print(f"{name}: {report.summary(found)} in {took:.0f} s", file=sys.stderr, flush=True)
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
