"""What holds for every test: loopback only, real servers, and no silent skip in CI."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import sitecustomize
from tests.servers.needs import shared_dir

pytest_plugins = [
    "tests.no_silent_skip",
    "tests.compiled_once",
    "tests.fast",
    "tests.order",
    "tests.servers.stores",
    "tests.servers.tables",
    "tests.servers.chromium",
    "tests.servers.org",
]


def pytest_configure() -> None:
    """Interpreters that the tests start are confined to loopback as well."""
    guard = str(Path(sitecustomize.__file__).parent)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if guard not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([guard, *filter(None, paths)])


def pytest_collection_finish() -> None:
    """What was imported and collected stays for the whole run: the collector need not look at it
    again and again (a tenth of the time)."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this process and those it starts write the connections they were refused."""
    file = tmp_path_factory.mktemp("loopback") / "refusals"
    file.touch()
    os.environ["KEEPING_TEST_REFUSALS"] = str(file)
    return file


@pytest.fixture(autouse=True)
def loopback_only(refusals: Path) -> Iterator[None]:
    """A test fails when anything it ran tried to reach another machine, caught or not."""
    before = refusals.stat().st_size
    yield
    refused = refusals.read_text()[before:]
    if refused:
        pytest.fail(refused)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real mail and recorded describes; the test is skipped where there is none."""
    return shared_dir()
