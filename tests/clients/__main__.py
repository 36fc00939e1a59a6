"""`python -m tests.clients`: jsforce and the Salesforce CLI against the simulated org.

As root on Debian it installs Node; the packages come from npm into build/clients. Without npm it
says so and ends, with CI=true as a failure. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.clients.node import NoNode, find_node, install_packages
from tests.clients.table import ROWS


class Counts:
    """How many tests of each module passed."""

    def __init__(self) -> None:
        self.passed: dict[str, int] = {}
        self.failed: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not report.failed:
            return
        module = Path(report.location[0]).stem.removeprefix("test_")
        counts = self.passed if report.passed else self.failed
        counts[module] = counts.get(module, 0) + 1


def main() -> int:
    try:
        node = find_node()
        install_packages()
    except NoNode as error:
        print(f"clients: skipped: {error}", file=sys.stderr)
        return 1 if os.environ.get("CI", "").lower() in ("true", "1") else 0
    os.environ["KEEPING_NODE"] = str(node.program)
    counts = Counts()
    words = [str(Path(__file__).parent), "-q", "--timeout=600", "-p", "no:cacheprovider"]
    code = pytest.main([*words, *sys.argv[1:]], plugins=[counts])
    missing = sum(row.missing is not None for row in ROWS)
    rows = {"all": len(ROWS), "not_modelled": missing}
    said = {"passed": counts.passed, "failed": counts.failed, "jsforce_rows": rows}
    print(json.dumps(said), flush=True)
    return int(code != pytest.ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
