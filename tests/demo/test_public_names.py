"""The demo is a host like any other: it imports only what the plugin makes public."""

from __future__ import annotations

import ast

import keeping_plugin
from tests.servers.needs import ROOT


def test_the_inbox_imports_public_names_only() -> None:
    imported: set[tuple[str, str]] = set()
    for path in (ROOT / "demo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "keeping_plugin"
            ):
                imported |= {(node.module or "", alias.name) for alias in node.names}
            elif isinstance(node, ast.Import):
                imported |= {
                    (alias.name, "") for alias in node.names if "keeping_plugin" in alias.name
                }
    assert ("keeping_plugin", "KeepingSalesforce") in imported
    for module, name in sorted(imported):
        public = module == "keeping_plugin" and name in (*keeping_plugin.__all__, "testing")
        assert public or module.startswith("keeping_plugin.testing"), (module, name)
