"""`python -m tests.faults --repeat N`: the fault table in loops, on both databases.

The faults are those of `make test`, each N times on SQLite and on PostgreSQL, F2 with 5,000
messages. The last line is JSON; `slowest_recovery_s` is the longest time from a kill to the
settling of everything, with every waiting time of ours scaled as the line before says (`make bench
ONLY=recovery` measures real ones). The exit code is 1 when a fault found something.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from tests.faults.tally import TALLY, Tally
from tests.faults.world import SCALE


class Loops:
    """Tells the fixtures that these are loops."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[TALLY] = self._tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="how often each")
    parser.add_argument("--only", metavar="WORDS", help="as pytest's -k")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat is at least 1")
    tally = Tally(options.repeat)
    words = [str(Path(__file__).parent), "-q", "--timeout=3600", "-p", "no:cacheprovider"]
    if options.only:
        words += ["-k", options.only]
    code = pytest.main(words, plugins=[Loops(tally)])
    print(f"our waiting times were scaled by {SCALE:g}")
    print(tally.line(), flush=True)
    return int(code != pytest.ExitCode.OK or tally.lost + tally.doubled > 0)


if __name__ == "__main__":
    sys.exit(main())
