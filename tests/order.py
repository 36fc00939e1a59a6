"""In which order two or more test workers take the files."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Files of few and long tests come first, so that no worker is left alone with one of them at the
# end; `--no-loadscope-reorder` keeps xdist from putting the files with most tests there.
_FIRST = (
    "tests/journeys",
    "tests/demo",
    "tests/browser",
    "tests/faults",
    "tests/hosts",
    "tests/models",
    "tests/tools",
    "tests/security",
    "tests/services",
    "tests/blueprints",
)

# All journeys are walked in the same two demos, and one demo is seven seconds of processor time.
_TOGETHER = "tests/journeys"


class _Files(LoadFileScheduling):  # type: ignore[misc]
    """A worker takes a file at a time, and these files at once."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return _TOGETHER if file.startswith(_TOGETHER) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Of `--dist loadfile`, as `make test` runs it."""
    return _Files(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next(
        (place for place, folder in enumerate(_FIRST) if nodeid.startswith(folder)), len(_FIRST)
    )
