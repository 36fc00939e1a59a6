"""The pins check notices what it is there for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tools import check_pins

SETUP = (check_pins.ROOT / "setup.cfg").read_text()
PINS = (check_pins.ROOT / "constraints.txt").read_text()


@pytest.fixture
def complaints(tmp_path: Path) -> Any:
    def ask(*, setup: str = SETUP, pins: str = PINS) -> list[str]:
        (tmp_path / "setup.cfg").write_text(setup)
        (tmp_path / "constraints.txt").write_text(pins)
        return list(check_pins.disagreements(tmp_path / "constraints.txt", tmp_path / "setup.cfg"))

    return ask


def pinned(name: str, version: str) -> str:
    """The real pins with one of them moved."""
    lines = [
        f"{name}=={version}" if line.lower().startswith(f"{name}==") else line
        for line in PINS.splitlines()
    ]
    assert "\n".join(lines) + "\n" != PINS
    return "\n".join(lines) + "\n"


def test_the_real_pins_agree_with_what_the_package_asks_for(complaints: Any) -> None:
    assert complaints() == []


@pytest.mark.parametrize(
    ("name", "version"),
    [("authlib", "1.9.0"), ("flask", "3.1.2"), ("urllib3", "2.6.3"), ("cryptography", "46.0.6")],
)
def test_a_planted_lower_pin_fails(complaints: Any, name: str, version: str) -> None:
    floor = check_pins.FLOORS[name]
    assert f"pins: {name}=={version} is below its security floor {floor}" in complaints(
        pins=pinned(name, version)
    )


def test_a_lowered_requirement_fails(complaints: Any) -> None:
    assert complaints(setup=SETUP.replace("authlib>=1.9.1", "authlib>=1.8")) == [
        "pins: setup.cfg must ask for authlib>=1.9.1"
    ]


def test_a_pin_the_package_does_not_allow_fails(complaints: Any) -> None:
    assert complaints(pins=pinned("wtforms", "3.4.0")) == [
        "pins: wtforms==3.4.0 is outside <3.4,>=3.3"
    ]


def test_a_requirement_nobody_pinned_fails(complaints: Any) -> None:
    pins = "".join(line for line in PINS.splitlines(True) if not line.startswith("rq=="))
    assert complaints(pins=pins) == ["pins: rq is required but not pinned"]


@pytest.mark.parametrize("line", ["-e .", "flask>=3", "flask @ https://example.com/flask.whl"])
def test_a_line_that_is_no_pin_fails(complaints: Any, line: str) -> None:
    assert complaints(pins=f"{PINS}{line}\n") == [
        f"pins: {line!r} is not of the form name==version"
    ]


def test_an_unreachable_audit_says_so_and_reports_no_holes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python` is replaced by a command that prints no JSON, as a failing pip-audit does."""
    (tmp_path / "constraints.txt").write_text("flask==3.1.3\n")
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\necho 'no route to the data' >&2\nexit 1\n")
    silent.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(silent))
    assert check_pins.audit(tmp_path / "constraints.txt") == (
        "not audited: no route to the data",
        [],
    )


def test_an_audit_that_finds_a_hole_names_it_and_its_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text("flask==0.1\n")
    finding = tmp_path / "finding"
    finding.write_text(
        '#!/bin/sh\necho \'{"dependencies": [{"name": "flask", "version": "0.1", "vulns": '
        '[{"id": "CVE-1", "fix_versions": ["0.2"]}]}]}\'\nexit 1\n'
    )
    finding.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(finding))
    assert check_pins.audit(tmp_path / "constraints.txt") == (
        "audited",
        ["pins: flask==0.1 has CVE-1, fixed in 0.2"],
    )
