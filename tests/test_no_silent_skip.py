from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.servers.needs import NO_SHARED, ROOT

WAYS_TO_SKIP = {
    "test": "def test_it(): pytest.skip({reason!r})",
    "fixture": "@pytest.fixture\ndef it(): pytest.skip({reason!r})\ndef test_it(it): pass",
    "mark": "@pytest.mark.skip(reason={reason!r})\ndef test_it(): pass",
    "module": "pytest.skip({reason!r}, allow_module_level=True)",
}


def closing_words(folder: Path, *, ci: str, reason: str) -> str:
    """What pytest says of a folder where everything is skipped, each time in another way."""
    for way, source in WAYS_TO_SKIP.items():
        module = folder / f"test_{way}.py"
        module.write_text(f"import pytest\n{source.format(reason=reason)}")
    command = [sys.executable, "-m", "pytest", "-rs", "--continue-on-collection-errors"]
    command += ["-p", "tests.no_silent_skip", "-p", "no:cacheprovider", "-c", os.devnull]
    run = subprocess.run(
        [*command, str(folder)],
        cwd=ROOT,
        env={**os.environ, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout


def test_a_skip_is_a_failure_in_ci(tmp_path: Path) -> None:
    said = closing_words(tmp_path, ci="true", reason="needs chromium")
    assert said.count("skipped in CI: Skipped: needs chromium") == len(WAYS_TO_SKIP)
    assert "skipped" not in said.splitlines()[-1]


def test_a_skip_for_want_of_the_shared_material_is_none(tmp_path: Path) -> None:
    said = closing_words(tmp_path, ci="true", reason=NO_SHARED)
    assert said.splitlines()[-1].strip("= ").startswith("4 skipped in ")


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    said = closing_words(tmp_path, ci="", reason="needs chromium")
    assert said.splitlines()[-1].strip("= ").startswith("4 skipped in ")
