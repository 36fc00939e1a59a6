"""Each import contract breaks when it is broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers.needs import ROOT

PLANTED = {
    "Imports point down only": ("keeping_plugin/errors.py", "import keeping_plugin.extension"),
    "Services: journeys": (
        "keeping_plugin/services/audit.py",
        "import keeping_plugin.services.operations.doctor",
    ),
    "Rules are pure": ("keeping_plugin/rules/facts.py", "import sqlalchemy"),
    "Services know neither Flask nor a vendor": (
        "keeping_plugin/services/__init__.py",
        "import flask",
    ),
    "simple-salesforce belongs": ("keeping_plugin/salesforce/oauth.py", "import simple_salesforce"),
    "Authlib belongs": ("keeping_plugin/salesforce/wire/client.py", "import authlib"),
    "RQ belongs": ("keeping_plugin/state.py", "import rq"),
    "WTForms belongs": ("keeping_plugin/blueprints/__init__.py", "import wtforms"),
    "The simulator knows nothing": ("salesforce_simulator/__init__.py", "import keeping_plugin"),
    "The demo uses public names only": ("demo/__init__.py", "import keeping_plugin.state"),
}


def test_a_planted_import_breaks_each_contract(tmp_path: Path) -> None:
    for package in ("keeping_plugin", "salesforce_simulator", "demo", "benchmarks"):
        if (ROOT / package).is_dir():
            shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    for file, line in PLANTED.values():
        with (tmp_path / file).open("a") as module:
            module.write(f"\n{line}\n")
    said = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    broken = re.findall(r"^(.+) BROKEN", said, re.MULTILINE)
    assert len(broken) == len(PLANTED), said
    for name in PLANTED:
        assert any(one.startswith(name) for one in broken), name
