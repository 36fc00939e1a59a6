"""Our own migrations."""

from __future__ import annotations

import subprocess
import sys


def test_only_those_who_migrate_import_alembic() -> None:
    """A web process is spared its start-up time and memory; the first question brings it in."""
    program = (
        "import sys, keeping_plugin\n"
        "from keeping_plugin.models import migrate\n"
        "before = 'alembic' in sys.modules\n"
        "migrate.head()\n"
        "print(before, 'alembic' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["False", "True"]
