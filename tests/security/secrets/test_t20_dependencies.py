"""T20: what a vulnerable release is known by, `make check` refuses.

Every way in which pins, requirements and floors can disagree is tried in
tests/tools/test_check_pins.py. Here the command itself, on a copy of the checkout's files with one
pin planted; and what is really installed where the tests run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from tests.servers.needs import ROOT
from tools.check_pins import FLOORS

PROMISED = {"authlib": "1.9.1", "flask": "3.1.3", "urllib3": "2.7", "cryptography": "46.0.7"}


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """The command of `make check`, in a copy."""
    return subprocess.run(
        [sys.executable, "-m", "tools.check_pins"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ['PYTHONPATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("constraints.txt", "setup.cfg"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    return tmp_path


def test_the_floors_are_no_lower_than_promised() -> None:
    assert {name: Version(text) for name, text in PROMISED.items()} == FLOORS


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_installed_is_no_lower_than_its_floor(name: str) -> None:
    assert Version(version(name)) >= FLOORS[name]


@pytest.mark.parametrize(
    ("name", "lower"),
    [("authlib", "1.9.0"), ("flask", "3.1.2"), ("urllib3", "2.6.3"), ("cryptography", "46.0.6")],
)
def test_a_planted_lower_pin_fails_the_check(copied: Path, name: str, lower: str) -> None:
    pins = (copied / "constraints.txt").read_text()
    planted = re.sub(rf"(?im)^{name}==.*$", f"{name}=={lower}", pins)
    assert planted != pins
    (copied / "constraints.txt").write_text(planted)
    done = check(copied)
    assert done.returncode == 1
    assert f"{name}=={lower} is below its security floor {FLOORS[name]}" in done.stderr


def test_make_check_runs_it() -> None:
    text = (ROOT / "Makefile").read_text()
    assert re.search(r"^check:.*\bcheck-pins\b", text, re.MULTILINE)
    assert "\ncheck-pins: $(DEV)\n\t@$(BIN)/python -m tools.check_pins\n" in text
