"""`weight`: what the panel adds to a host's page, and what importing the plugin costs."""

from __future__ import annotations

import gzip
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from benchmarks.bench import Bench, Runs
from benchmarks.machine import watched

MAX_BYTES = 14 * 1024
SHARE = 1.15

# Every module of the plugin's dependencies, in the order in which they come: neither ours nor
# Python's own, and brought in by importing it, or later by whoever migrates.
_MIGRATING = "import keeping_plugin.models.migrate; keeping_plugin.models.migrate.head()"
_BROUGHT = f"""
import sys
before = set(sys.modules)
import keeping_plugin
{_MIGRATING}
own = sys.stdlib_module_names.union(("keeping_plugin", "migrations"))
for name in list(sys.modules):
    module = sys.modules[name]
    if name in before or name.partition(".")[0] in own or getattr(module, "__spec__", None) is None:
        continue
    if module.__spec__.name == name and all(part.isidentifier() for part in name.split(".")):
        print(name)
"""
_MEMORY = """
from pathlib import Path
print(*(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS:")))
"""


def measure(bench: Bench) -> None:
    """Bytes as a server that compresses sends them; seconds of processor time, fresh interpreters
    in turn."""
    _page(bench)
    _imports(bench)


def _page(bench: Bench) -> None:
    static = files("keeping_plugin") / "static"
    sizes = {
        name: len(gzip.compress((static / name).read_bytes(), 6, mtime=0))
        for name in ("keeping.js", "keys.js", "own.js", "keeping.css")
    }
    total = sum(sizes.values())
    bench.point(
        "script and style of the panel, gzipped",
        total / 1000,
        "KB",
        target="at most 14 KB",
        met=total <= MAX_BYTES,
        note=", ".join(f"{name} {size / 1000:.1f} KB" for name, size in sizes.items()),
    )


def _imports(bench: Bench) -> None:
    python = _Interpreter(bench.folder / "compiled")
    brought = python.output(_BROUGHT).split()
    dependencies = f"import importlib\nfor name in {brought!r}: importlib.import_module(name)"
    programs = {
        "ours": "import keeping_plugin",
        "migrating": _MIGRATING,
        "dependencies": dependencies,
        "nothing": "pass",
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    rounds = bench.size(25, 6)
    with watched() as load:
        for number in range(rounds + 1):
            for name, program in programs.items():
                seconds = python.seconds(program)
                if number:  # the first one compiles
                    taken[name].append(seconds)
    runs = {name: Runs(values) for name, values in taken.items()}
    ours, migrating, floor = (
        runs[name].median - runs["nothing"].median for name in ("ours", "migrating", "dependencies")
    )
    against = f"its dependencies' {len(brought)} modules: {floor * 1000:.0f} ms"
    bench.point(
        "importing the plugin, as a web process does",
        ours * 1000,
        "ms of processor time",
        against=against,
        ratio=ours / floor,
        runs=rounds,
        spread=runs["ours"].spread,
        target="at most 1.15",
        met=ours / floor <= SHARE,
        load=load,
    )
    bench.point(
        "importing the plugin and Alembic, as a worker does",
        migrating * 1000,
        "ms of processor time",
        against=against,
        ratio=migrating / floor,
        runs=rounds,
        spread=runs["migrating"].spread,
        note="a worker checks the tables' revision as it starts",
        load=load,
    )
    memory = {
        name: int(python.output(f"{text}\n{_MEMORY}")) / 1000 for name, text in programs.items()
    }
    bench.point(
        "memory after importing the plugin",
        memory["ours"],
        "MB",
        against=f"its dependencies alone: {memory['dependencies']:.1f} MB",
        ratio=memory["ours"] / memory["dependencies"],
        note=f"an interpreter alone has {memory['nothing']:.1f} MB",
    )


class _Interpreter:
    """A fresh interpreter a program, with compiled modules kept in `cache`: as an installed package
    has them, whatever the environment says of writing them."""

    def __init__(self, cache: Path) -> None:
        self._environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache)}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def output(self, program: str) -> str:
        """What it printed."""
        command = [sys.executable, "-W", "ignore", "-c", program]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=True
        ).stdout

    def seconds(self, program: str) -> float:
        """Its processor time, not the clock's: what else runs on the machine is no part of it."""
        return _processor_time(lambda: self.output(program))


def _processor_time(work: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
