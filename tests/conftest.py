"""What holds for every test: loopback only, real servers, and no silent skip in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.loopback import sitecustomize as confined
from tests.servers.needs import NO_SHARED, shared_dir

pytest_plugins = ["tests.servers.stores", "tests.servers.chromium"]


def pytest_configure() -> None:
    """Interpreters that the tests start are confined to loopback as well."""
    guard = str(Path(confined.__file__).parent)
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if guard not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([guard, *filter(None, paths)])


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _no_silent_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _no_silent_skip(report)
    return report


def _no_silent_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With CI=true whatever was skipped has failed, unless for want of the shared material."""
    if os.environ.get("CI", "").lower() not in ("true", "1") or not report.skipped:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if NO_SHARED not in reason and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}"
