"""The wheel check notices what it is there for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools.check_wheel import StepFailed, build, install_and_ask, wrong_contents

FILES = [
    Path(name)
    for name in (
        "README.md",
        "demo/__main__.py",
        "keeping_plugin/__init__.py",
        "keeping_plugin/templates/keeping/layout.html",
        "migrations/env.py",
    )
]
PACKED = [
    "keeping_plugin/__init__.py",
    "keeping_plugin/templates/keeping/layout.html",
    "keeping_plugin/migrations/env.py",
    "keeping_plugin-0.1.0.dist-info/METADATA",
]


def wheel_of(names: list[str], folder: Path) -> Path:
    wheel = folder / "made.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return wheel


def test_a_wheel_with_the_package_and_its_migrations_is_good(tmp_path: Path) -> None:
    assert list(wrong_contents(wheel_of(PACKED, tmp_path), FILES)) == []


def test_a_forgotten_template_is_named(tmp_path: Path) -> None:
    packed = [name for name in PACKED if "templates" not in name]
    assert list(wrong_contents(wheel_of(packed, tmp_path), FILES)) == [
        "keeping_plugin/templates/keeping/layout.html is not in it"
    ]


def test_forgotten_migrations_are_named(tmp_path: Path) -> None:
    packed = [name for name in PACKED if "migrations" not in name]
    assert list(wrong_contents(wheel_of(packed, tmp_path), FILES)) == [
        "keeping_plugin/migrations/env.py is not in it"
    ]


@pytest.mark.parametrize("stowaway", ["demo/__main__.py", "tests/conftest.py"])
def test_a_stowaway_is_named(tmp_path: Path, stowaway: str) -> None:
    assert list(wrong_contents(wheel_of([*PACKED, stowaway], tmp_path), FILES)) == [
        f"{stowaway} does not belong in it"
    ]


def test_a_tree_that_does_not_build_says_why(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("not toml")
    with pytest.raises(StepFailed, match=r"pyproject\.toml"):
        build(tmp_path, tmp_path)


def test_a_wheel_that_does_not_install_says_why(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"made\.whl"):
        install_and_ask(wheel_of(PACKED, tmp_path), tmp_path)
