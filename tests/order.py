"""In which order two or more test workers take the files."""

from __future__ import annotations

import pytest

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next(
        (place for place, folder in enumerate(_FIRST) if nodeid.startswith(folder)), len(_FIRST)
    )
