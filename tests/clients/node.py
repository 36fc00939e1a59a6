"""Node and the clients' packages: where they are, and how they get there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.install_services import install

ROOT = Path(__file__).resolve().parents[2]
#: Outside the package and the repository's files.
MODULES = ROOT / "build" / "clients"
#: For jsforce, the Salesforce CLI and undici in the versions of package.json.
OLDEST = 20


class NoNode(Exception):
    """Node or a package is not here and could not be installed; the text says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node installation."""

    program: Path

    @property
    def sf(self) -> Path:
        """The Salesforce CLI."""
        return MODULES / "node_modules" / ".bin" / "sf"


def find_node() -> Node:
    """Node and npm, installed by apt for root; raises NoNode."""
    if not (shutil.which("node") and shutil.which("npm")):
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise NoNode("there is no npm here (Debian: apt-get install nodejs npm)")
        complaint = install(["nodejs", "npm"])
        if complaint is not None:
            raise NoNode(f"nodejs and npm could not be installed: {complaint}")
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        raise NoNode("nodejs and npm were installed, but are not on the path")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    major = int(said.stdout.lstrip("v").partition(".")[0])
    if major < OLDEST:
        raise NoNode(f"Node {said.stdout.strip()} is older than {OLDEST}")
    return Node(Path(program))


def install_packages() -> None:
    """The packages of package.json, in build/clients; raises NoNode when npm does not give them."""
    wanted = Path(__file__).with_name("package.json").read_text("utf-8")
    MODULES.mkdir(parents=True, exist_ok=True)
    here = MODULES / "package.json"
    if here.exists() and here.read_text("utf-8") == wanted and _complete(wanted):
        return
    here.write_text(wanted, "utf-8")
    ended = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
        cwd=MODULES,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0 or not _complete(wanted):
        raise NoNode(f"npm could not install the clients: {ended.stderr[-2000:]}")


def _complete(wanted: str) -> bool:
    return all(
        (MODULES / "node_modules" / name / "package.json").exists()
        for name in json.loads(wanted)["dependencies"]
    )
