"""The checkout, installed with `pip install -e`, finds what the wheel would carry."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.servers.needs import ROOT

WHERE = "from importlib.resources import files; print(files('keeping_plugin.migrations'))"


@pytest.mark.parametrize("inside_checkout", [True, False])
def test_the_migrations_folder_is_found(inside_checkout: bool, tmp_path: Path) -> None:
    """Also where the package itself is imported from the current folder."""
    run = subprocess.run(
        [sys.executable, "-c", WHERE],
        cwd=ROOT if inside_checkout else tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == str(ROOT / "migrations")


def test_flask_finds_the_command() -> None:
    (command,) = entry_points(group="flask.commands", name="keeping")
    assert command.value == "keeping_plugin.cli:keeping"
