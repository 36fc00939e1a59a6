"""The wheel, as a stranger gets it. `python -m tools.check_wheel`

Builds it from a copy of the files that git knows or would add, installs it with the pinned
dependencies into an empty environment, and asks that installation, away from the checkout, for
everything a host needs: the names, the templates and static files, the command, and migrations that
make the tables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.verdict import conclude

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "keeping_plugin"
_AS_A_HOST = """
import sys
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import keeping_plugin
from keeping_plugin.models import Base
from keeping_plugin.models.migrate import upgrade
import sqlalchemy as sa

assert Path(keeping_plugin.__file__).is_relative_to(sys.prefix), keeping_plugin.__file__
for name in keeping_plugin.__all__:
    getattr(keeping_plugin, name)
(command,) = entry_points(group="flask.commands", name="keeping")
assert command.load().name == "keeping"
assert files("keeping_plugin.migrations").joinpath("env.py").is_file()
engine = sa.create_engine("sqlite:///keeping.db")
upgrade(engine)
missing = Base.metadata.tables.keys() - set(sa.inspect(engine).get_table_names())
assert not missing, missing
"""


class StepFailed(Exception):
    """A command failed; the text is its output."""


def known_files() -> list[Path]:
    """What git tracks, or would if it were added, relative to the root."""
    listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    return sorted(Path(name) for name in set(listed.split("\0")) if name and (ROOT / name).exists())


def build(source: Path, into: Path) -> Path:
    """Build the wheel of the tree at `source`. Raises StepFailed."""
    _run([sys.executable, "-m", "build", "--wheel", "--outdir", str(into), str(source)], source)
    (wheel,) = into.glob("*.whl")
    return wheel


def wrong_contents(wheel: Path, files: list[Path]) -> Iterator[str]:
    """What the wheel lacks of the package's files, and what it carries beyond them."""
    owed = {
        str(PACKAGE / file if file.parts[0] == "migrations" else file)
        for file in files
        if file.parts[0] in (PACKAGE, "migrations") and file.name != ".gitignore"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    yield from (f"{name} is not in it" for name in sorted(owed - names))
    yield from (f"{name} does not belong in it" for name in sorted(names - owed))


def install_and_ask(wheel: Path, folder: Path) -> None:
    """Install the wheel into an empty environment and use it there. Raises StepFailed."""
    _run([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    python = str(folder / "venv" / "bin" / "python")
    constraints = str(ROOT / "constraints.txt")
    _run([python, "-m", "pip", "install", "-qq", "-c", constraints, str(wheel)], folder)
    _run([python, "-m", "pip", "check"], folder)
    _run([python, "-W", "error", "-c", _AS_A_HOST], folder)
    _run([str(folder / "venv" / "bin" / "flask"), "keeping", "--help"], folder)


def _run(command: list[str], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise StepFailed(f"{' '.join(command)[:200]}\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    return run.stdout


def main() -> int:
    files = known_files()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in files:
            target = folder / "source" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, target)
        try:
            wheel = build(folder / "source", folder)
            complaints = list(wrong_contents(wheel, files))
            if not complaints:
                install_and_ask(wheel, folder)
        except StepFailed as error:
            return conclude("", [f"wheel: {error}"])
        size = f"{wheel.stat().st_size / 1024:.0f} KB"
    return conclude(
        f"wheel: {wheel.name}, {size}, installs and works in an empty environment",
        [f"wheel: {complaint}" for complaint in complaints],
    )


if __name__ == "__main__":
    sys.exit(main())
