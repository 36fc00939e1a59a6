"""`--fast`, of `make test-fast`: the tests that need no minutes."""

from __future__ import annotations

import pytest

# Kills, whole demos, migrations of hosts and of 0.1.0, builds, processes by the dozen, runs of
# pytest, and whether the simulated org behaves as a real one.
_SLOW = (
    "tests/faults/",
    "tests/jobs/test_worker.py",
    "tests/journeys/",
    "tests/demo/test_running.py",
    "tests/demo/test_smoke.py",
    "tests/hosts/test_migrations.py",
    "tests/models/test_upgrade.py",
    "tests/tools/",
    "tests/services/connection/test_tokens_processes.py",
    "tests/salesforce/test_contract_in_other_orgs.py",
    "tests/salesforce_simulator/",
    "tests/test_no_silent_skip.py",
)
# Of whoever uses a browser, or a server that is stopped and started.
_SLOW_FIXTURES = {"browser", "own_postgres"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out what takes long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("fast"):
        return
    slow = [item for item in items if _is_slow(item)]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not _is_slow(item)]


def _is_slow(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.nodeid.startswith(_SLOW) or not _SLOW_FIXTURES.isdisjoint(fixtures)
