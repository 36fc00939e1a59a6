"""`python -m flask`, in a process that tests.servers.forking forks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from flask.cli import main


def flask_command(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    told: Path,
    complained: Path,
) -> None:
    """Run it in this folder, with these additions to the environment; what it prints goes to two
    files. Exits with its code."""
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    for number, file in ((1, told), (2, complained)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["flask", *words]
    main()
