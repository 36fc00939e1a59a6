"""What every conversation of an inbox loads for the panel stays small."""

from __future__ import annotations

import gzip
from pathlib import Path

import keeping_plugin

STATIC = Path(keeping_plugin.__file__).parent / "static"
LOADED = ("keeping.js", "keys.js", "own.js", "keeping.css")
MAX_BYTES = 14 * 1024


def test_script_and_style_of_the_panel_weigh_little() -> None:
    weights = {name: len(gzip.compress((STATIC / name).read_bytes())) for name in LOADED}
    assert sum(weights.values()) <= MAX_BYTES, weights
