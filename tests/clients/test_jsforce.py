"""The table of jsforce's behaviours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.clients.table import ROWS, Row

Results = Mapping[str, Mapping[str, Any]]


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=f"{row.section}: {row.behaviour}") for row in ROWS],
)
def test_a_row_does_what_the_table_says(row: Row, jsforce_results: Results) -> None:
    result = jsforce_results[row.name]
    if row.missing is None:
        assert result["ok"], result.get("error")
    else:
        assert not result["ok"], f"the table is out of date: {row.missing}"


def test_the_table_and_the_script_have_the_same_rows(jsforce_results: Results) -> None:
    assert list(jsforce_results) == [row.name for row in ROWS]


@pytest.mark.parametrize("section", sorted({row.section for row in ROWS}))
def test_nine_rows_of_ten_pass(section: str, jsforce_results: Results) -> None:
    rows = [row for row in ROWS if row.section == section]
    assert sum(jsforce_results[row.name]["ok"] for row in rows) >= 0.9 * len(rows)
