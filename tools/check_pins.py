"""constraints.txt against setup.cfg and the security floors. `python -m tools.check_pins`

Every requirement of the package and its extras must be pinned, to a version it allows, and neither
pins nor requirements may fall below the floors under which a hole is known. Where pip-audit can
reach its data it is asked about the pins as well; where it cannot, the line says so.
"""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.verdict import conclude

ROOT = Path(__file__).resolve().parents[1]
# Below these a hole is known. They are also the least that setup.cfg may ask for.
FLOORS: dict[str, Version] = {
    "authlib": Version("1.9.1"),
    "cryptography": Version("46.0.7"),
    "flask": Version("3.1.3"),
    "urllib3": Version("2.7"),
}
_AUDIT_SECONDS = 120


class NoAnswer(Exception):
    """pip-audit could not be asked; the text says why."""


def read_pins(constraints: Path) -> tuple[dict[str, Version], list[str]]:
    """The pinned versions by canonical name, and the lines that are no pin."""
    pins: dict[str, Version] = {}
    strange = []
    for line in constraints.read_text().splitlines():
        name, equals, version = line.partition("==")
        if not line.strip() or line.startswith("#"):
            continue
        if not equals or "://" in line:
            strange.append(f"pins: {line!r} is not of the form name==version")
            continue
        pins[canonicalize_name(name.strip())] = Version(version.strip())
    return pins, strange


def read_requirements(setup: Path) -> list[Requirement]:
    """What the package and each of its extras ask for."""
    parser = configparser.ConfigParser()
    parser.read_string(setup.read_text())
    groups = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    return [Requirement(line) for group in groups for line in group.splitlines() if line.strip()]


def disagreements(constraints: Path, setup: Path) -> Iterator[str]:
    """Everything that is wrong with the pins, a sentence each."""
    pins, strange = read_pins(constraints)
    yield from strange
    requirements = read_requirements(setup)
    for requirement in requirements:
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None:
            yield f"pins: {requirement.name} is required but not pinned"
        elif not requirement.specifier.contains(pin):
            yield f"pins: {requirement.name}=={pin} is outside {requirement.specifier}"
    lowest: dict[str, Version] = {
        canonicalize_name(requirement.name): Version(clause.version)
        for requirement in requirements
        for clause in requirement.specifier
        if clause.operator == ">="
    }
    for name, floor in FLOORS.items():
        if name in pins and pins[name] < floor:
            yield f"pins: {name}=={pins[name]} is below its security floor {floor}"
        if name not in lowest or lowest[name] < floor:
            yield f"pins: setup.cfg must ask for {name}>={floor}"


def audit(constraints: Path) -> tuple[str, list[str]]:
    """What pip-audit says of the pins: a remark, and the known holes. One pin goes first, so that
    a machine cut off from the data learns it from a single question."""
    pins = [line for line in constraints.read_text().splitlines() if "==" in line]
    entries: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for asked in (pins[:1], pins):
            try:
                entries = _ask(Path(folder) / "requirements.txt", asked)
            except NoAnswer as error:
                return f"not audited: {error}", []
            if all("skip_reason" in entry for entry in entries):
                return f"not audited: {entries[0]['skip_reason']}", []
    holes = [
        f"pins: {entry['name']}=={entry['version']} has {hole['id']}, "
        f"fixed in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for entry in entries
        for hole in entry.get("vulns", [])
    ]
    return "audited", holes


def _ask(requirements: Path, pins: list[str]) -> list[dict[str, Any]]:
    """pip-audit's entries for these pins. Raises NoAnswer with the reason."""
    requirements.write_text("\n".join(pins))
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements)]
    command += ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=_AUDIT_SECONDS, check=False
        )
        entries: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    except subprocess.TimeoutExpired as error:
        raise NoAnswer(f"pip-audit had no answer within {_AUDIT_SECONDS} s") from error
    except json.JSONDecodeError as error:
        words = run.stderr.strip().splitlines() or ["pip-audit said nothing"]
        raise NoAnswer(words[-1][:200]) from error
    return entries


def main() -> int:
    constraints, setup = ROOT / "constraints.txt", ROOT / "setup.cfg"
    complaints = list(disagreements(constraints, setup))
    remark, holes = audit(constraints) if not complaints else ("not audited", [])
    pinned = len(read_pins(constraints)[0])
    return conclude(f"pins: {pinned}, all within setup.cfg; {remark}", complaints + holes)


if __name__ == "__main__":
    sys.exit(main())
