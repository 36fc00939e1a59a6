"""`--fast`, of `make test-fast`: the tests that need no minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

# Kills, whole demos, migrations of hosts and of 0.1.0, builds, processes by the dozen, runs of
# pytest, generated input by the thousand, and whether the simulated org behaves as a real one.
_SLOW = (
    "tests/faults/",
    "tests/jobs/test_worker.py",
    "tests/journeys/",
    "tests/demo/test_running.py",
    "tests/demo/test_smoke.py",
    "tests/hosts/test_migrations.py",
    "tests/security/input/test_fuzz.py",
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


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What stays out is not read either: each worker would import it."""
    if not config.getoption("fast") or not collection_path.is_relative_to(config.rootpath):
        return None
    path = collection_path.relative_to(config.rootpath).as_posix()
    return f"{path}/".startswith(_SLOW) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("fast"):
        return
    slow = [item for item in items if _is_slow(item)]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not _is_slow(item)]


def _is_slow(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return item.nodeid.startswith(_SLOW) or not _SLOW_FIXTURES.isdisjoint(fixtures)
