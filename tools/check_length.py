"""Modules stay within 400 lines. `python -m tools.check_length [FOLDER ...]`"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.verdict import conclude

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("keeping_plugin", "migrations", "salesforce_simulator", "demo", "benchmarks", "tools")
LIMIT = 400
MOST = 120


def main(folders: list[str]) -> int:
    roots = [ROOT / folder for folder in folders or FOLDERS]
    lengths = {
        path: len(path.read_text().splitlines())
        for root in roots
        for path in root.rglob("*.py")
        if path.parent
        != ROOT / "migrations" / "versions"  # records of the past, read one at a time
    }
    if not lengths:
        return conclude("", ["length: no modules found"])
    short = sum(length <= MOST for length in lengths.values())
    longest = max(lengths, key=lambda path: lengths[path])
    return conclude(
        f"length: {len(lengths)} modules, {short / len(lengths):.0%} within {MOST} lines, "
        f"the longest has {lengths[longest]} ({longest.relative_to(ROOT)})",
        [
            f"length: {path.relative_to(ROOT)} has {length} lines, more than {LIMIT}"
            for path, length in sorted(lengths.items())
            if length > LIMIT
        ],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
