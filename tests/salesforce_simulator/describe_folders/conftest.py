"""Folders of describe results: the simulator's own, changed in one way each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from salesforce_simulator import describe as own
from salesforce_simulator.__main__ import connected_app, open_site, parse
from salesforce_simulator.clock import OrgClock
from salesforce_simulator.site import Site

Describe = dict[str, Any]


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[Callable[[Describe], Describe]], Path]:
    """Writes every describe result of the simulator, each changed by the function given."""

    def write(change: Callable[[Describe], Describe]) -> Path:
        for name in own.names():
            text = json.dumps(change(own.load(name)))
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Site]]:
    """Opens the production org of a folder as the command does, with its records."""
    opened: list[Site] = []

    def site_of(folder: Path) -> Site:
        options = parse(["--describe", str(folder)])
        app = connected_app(options)
        site = open_site("production", options, clock=OrgClock(), app=app, port=9)
        opened.append(site)
        return site

    yield site_of
    for site in opened:
        site.close()
