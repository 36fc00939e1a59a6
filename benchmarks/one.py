"""`python -m benchmarks.one NAME`: one figure in a process of its own, a line of JSON a point."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.points import Point


def main() -> None:
    """Measure; points go to stdout as they are found, everything else to stderr."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one")
    parser.add_argument("name")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    measure = importlib.import_module(f"benchmarks.figures.{options.name}").measure

    def record(point: Point) -> None:
        print(point.dumped(), flush=True)

    with tempfile.TemporaryDirectory(prefix="keeping-bench-") as folder:
        bench = Bench(options.name, Path(folder), options.quick, record)
        with bench.clean_up:
            measure(bench)


if __name__ == "__main__":
    main()
