"""An object takes a row of `objects.py` and its describe, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_a_sixth_object_takes_one_row(sqlite_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sixth_object", sqlite_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
