"""Each row of the references that the simulated org models has a test; the table names it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("rows.toml")
TESTS = TABLE.parents[1]
BASES = {"recorded", "documented", "practice", "assumed"}
WITH_A_TEST = {"held", "refused"}
WITHOUT_ONE = {"absent", "elsewhere"}


def rows() -> Iterator[tuple[str, list[str]]]:
    """Where a row is, and its cells."""
    for reference, sections in tomllib.loads(TABLE.read_text()).items():
        for section, found in sections.items():
            for row, cells in found.items():
                yield f"{reference} {section}: {row}", cells


@cache
def named_in(file: str) -> frozenset[str]:
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    nodes = ast.walk(ast.parse(path.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def test_every_row_that_is_held_or_refused_names_a_test_that_exists() -> None:
    missing = []
    for where, cells in rows():
        if cells[0] not in WITH_A_TEST:
            continue
        file, _, name = cells[2].partition("::")
        if not name.startswith("test_") or name not in named_in(file):
            missing.append(f"{where} -> {cells[2]}")
    assert missing == []


def test_every_row_has_a_short_name_a_state_and_a_basis() -> None:
    wrong = []
    for where, cells in rows():
        words = where.partition(": ")[2].split()
        size = 3 if cells[0] in WITH_A_TEST else 2
        known = cells[0] in WITH_A_TEST | WITHOUT_ONE and cells[1] in BASES
        if not known or len(cells) != size or not 0 < len(words) <= 8:
            wrong.append(where)
    assert wrong == []
