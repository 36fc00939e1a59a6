"""Rows are locked so that the host's inserts, whose foreign keys hold KEY SHARE, are in nobody's
way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.needs import ROOT

SOURCES = (ROOT / "keeping_plugin", ROOT / "demo" / "inbox")


def locks(text: str) -> Iterator[str]:
    """Every way in which a source locks rows, as the name of what it compiles to."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"\bFOR\s+UPDATE\b", node.value) and "\n" not in node.value:
                yield "FOR UPDATE"
        if not isinstance(node, ast.Call):
            continue
        given = {each.arg: each.value for each in node.keywords}
        if isinstance(node.func, ast.Attribute) and node.func.attr == "with_for_update":
            yield _mode({name: ast.unparse(value) for name, value in given.items() if name})
        elif "with_for_update" in given:
            value = given["with_for_update"]
            options = (
                {ast.literal_eval(key): ast.unparse(each) for key, each in _items(value)}
                if isinstance(value, ast.Dict)
                else {}
            )
            yield _mode(options)


def _items(value: ast.Dict) -> list[tuple[ast.expr, ast.expr]]:
    return [(key, each) for key, each in zip(value.keys, value.values, strict=True) if key]


def _mode(options: dict[str, str]) -> str:
    if options.get("read") == "True":
        return "FOR SHARE"
    return "FOR NO KEY UPDATE" if options.get("key_share") == "True" else "FOR UPDATE"


@pytest.mark.parametrize(
    ("source", "mode"),
    [
        ("query.with_for_update()", "FOR UPDATE"),
        ("query.with_for_update(skip_locked=True)", "FOR UPDATE"),
        ("session.get(Row, 1, with_for_update=True)", "FOR UPDATE"),
        ("text('SELECT 1 FROM x FOR UPDATE')", "FOR UPDATE"),
        ("query.with_for_update(key_share=True)", "FOR NO KEY UPDATE"),
        ("session.get(Row, 1, with_for_update={'key_share': True})", "FOR NO KEY UPDATE"),
        ("query.with_for_update(read=True)", "FOR SHARE"),
    ],
)
def test_the_reader_knows_each_way_to_lock(source: str, mode: str) -> None:
    assert list(locks(source)) == [mode]


@pytest.mark.field_case("D1")
def test_nobody_locks_rows_for_update() -> None:
    """A FOR UPDATE on a connection's row never gets its turn while mail arrives in overlapping
    transactions."""
    found: dict[Path, list[str]] = {}
    for folder in SOURCES:
        for file in sorted(folder.rglob("*.py")):
            found[file] = list(locks(file.read_text(encoding="utf-8")))
    assert sum(map(len, found.values())) >= 12, "the reader finds them"
    bad = [str(file) for file, modes in found.items() if "FOR UPDATE" in modes]
    assert not bad, "write with_for_update(key_share=True)"
