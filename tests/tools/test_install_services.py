"""What the tests need is installed where that is possible, and missed aloud where it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import install_services
from tools.install_services import Service


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `apt-get` that writes down what it was asked, and installs by touching a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "apt-get"
    script.write_text(
        f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >> {tmp_path}/asked\n'
        f'[ "$1" = update ] || touch {tmp_path}/installed\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    installed = tmp_path / "installed"
    service = Service("some-server", installed.exists, "its tests are skipped")
    monkeypatch.setattr(install_services, "SERVICES", (service,))
    return tmp_path


def test_root_installs_what_is_missing_without_a_question(
    apt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert install_services.main() == 0
    assert (apt / "asked").read_text().splitlines() == [
        "noninteractive update -qq",
        "noninteractive install -qq -y --no-install-recommends some-server",
    ]
    assert capsys.readouterr().out == "installing some-server\n"


def test_nothing_is_done_or_said_when_nothing_is_missing(
    apt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (apt / "installed").touch()
    assert install_services.main() == 0
    assert not (apt / "asked").exists()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_anyone_else_is_told_what_is_skipped_and_ci_fails(
    apt: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str,
    status: int,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CI", ci)
    assert install_services.main() == status
    assert not (apt / "asked").exists()
    assert capsys.readouterr().err == "no some-server here: its tests are skipped\n"


def test_an_apt_that_fails_is_quoted(
    apt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (apt / "bin" / "apt-get").write_text("#!/bin/sh\necho 'no such package' >&2\nexit 100\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("CI", "true")
    assert install_services.main() == 1
    assert "no such package" in capsys.readouterr().err


def test_ci_does_without_what_is_dispensable(
    apt: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Service("some-shell", lambda: False, "tests take longer", dispensable=True)
    monkeypatch.setattr(install_services, "SERVICES", (service,))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("CI", "true")
    assert install_services.main() == 0
    assert capsys.readouterr().err == "no some-shell here: tests take longer\n"
