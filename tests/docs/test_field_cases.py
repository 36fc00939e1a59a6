"""The page of cases from the field is what the tests are marked with."""

from __future__ import annotations

import re

from tests.servers.needs import ROOT

PAGE = ROOT / "docs" / "field-cases.md"


def test_every_case_has_a_test_and_every_marked_test_a_case() -> None:
    listed = re.findall(r"^\| ([A-D]\d*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    marked = {
        case
        for file in (ROOT / "tests").rglob("test_*.py")
        for case in re.findall(r'field_case\(\s*"([^"]+)"', file.read_text(encoding="utf-8"))
    }
    assert len(listed) == len(set(listed))
    assert marked == set(listed)
