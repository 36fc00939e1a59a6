"""Modules have at most 400 lines and folders at most 16 modules, so that both can be read.
`python -m tools.check_length [FOLDER ...]`"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tools.verdict import conclude

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    "keeping_plugin",
    "migrations",
    "salesforce_simulator",
    "demo",
    "benchmarks",
    "tools",
    "tests",
)
MAX_LINES = 400
SHORT = 120
MAX_MODULES = 16


def main(folders: list[str]) -> int:
    lengths = {
        path: len(path.read_text().splitlines())
        for folder in folders or FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        # Migrations are records of the past, read one at a time.
        if path.parent != ROOT / "migrations" / "versions"
    }
    if not lengths:
        return conclude("", ["length: no modules found"])
    # A test module is a list of scenarios, read by its names: only its folder has a limit.
    code = {path: length for path, length in lengths.items() if ROOT / "tests" not in path.parents}
    code = code or lengths
    modules = Counter(path.parent for path in lengths if path.name != "__init__.py")
    longest = max(code, key=lambda path: code[path])
    fullest = max(modules, key=lambda folder: modules[folder])
    return conclude(
        f"length: {len(code)} modules, "
        f"{sum(length <= SHORT for length in code.values()) / len(code):.0%} within {SHORT} lines, "
        f"the longest has {code[longest]} ({longest.relative_to(ROOT)}); "
        f"the fullest folder has {modules[fullest]} ({fullest.relative_to(ROOT)})",
        [
            f"length: {path.relative_to(ROOT)} has {length} lines, more than {MAX_LINES}"
            for path, length in sorted(code.items())
            if length > MAX_LINES
        ]
        + [
            f"length: {folder.relative_to(ROOT)} has {count} modules, more than {MAX_MODULES}"
            for folder, count in sorted(modules.items())
            if count > MAX_MODULES
        ],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
