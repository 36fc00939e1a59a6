"""Whoever changes something for a person leaves a row in the audit trail: read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import keeping_plugin

PACKAGE = Path(keeping_plugin.__file__).parent
# What changes rows of ours or records of Salesforce's; `session.add` and the like count as well.
WRITING = frozenset(
    {"insert", "inserting", "insert_new", "upsert", "upsert_all", "update", "delete"}
    | {"create", "create_many", "update_many", "revoke"}
)
OF_SESSION = frozenset({"add", "add_all", "merge", "delete"})
# Written for the plugin itself, whoever asked: what the panel and the counts keep in mind.
NOT_THEIR_DOING = {
    "services/panel/open.py:open_panel": "keeps the card that was read",
    "services/panel/open.py:known": "keeps the card that was read",
    "services/panel/lookup.py:begin": "counts a search, whose outcome is audited",
    "services/panel/edit.py:target": "keeps the card that was read",
    "services/people/predict.py:predict": "keeps which Accounts mail domains have",
    "services/corrections/repair.py:look": "keeps which Accounts mail domains have",
}


@dataclass
class Source:
    """One module of the services: its functions, and what its names mean elsewhere."""

    name: str  # relative path
    functions: Mapping[str, ast.FunctionDef]
    imported: Mapping[str, tuple[str, str]]  # local name: module path, name there ("" a module)


@dataclass
class Sources:
    """The services, read once."""

    modules: dict[str, Source] = field(default_factory=dict)

    def read(self, path: str, text: str) -> None:
        tree = ast.parse(text)
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        imported: dict[str, tuple[str, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keeping_"):
                folder = "/".join(str(node.module).split(".")[1:])
                for one in node.names:
                    inner = f"{folder}/{one.name}.py"
                    is_module = (PACKAGE / inner).exists()
                    target = (inner, "") if is_module else (f"{folder}.py", one.name)
                    imported[one.asname or one.name] = target
        self.modules[path] = Source(path, functions, imported)

    def reached(self, path: str, name: str) -> Iterator[ast.FunctionDef]:
        """The function and every function of the services that it may call."""
        waiting, seen = [(path, name)], set()
        while waiting:
            at = waiting.pop()
            module = self.modules.get(at[0])
            if at in seen or module is None or at[1] not in module.functions:
                continue
            seen.add(at)
            yield module.functions[at[1]]
            for call in calls(module.functions[at[1]]):
                if isinstance(call.func, ast.Name):
                    waiting.append(module.imported.get(call.func.id, (at[0], call.func.id)))
                elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
                    there = module.imported.get(call.func.value.id)
                    if there is not None and not there[1]:
                        waiting.append((there[0], call.func.attr))

    def unaudited(self) -> set[str]:
        """Public functions that are told who asks, write something and write no audit row."""
        found = set()
        for path, module in self.modules.items():
            for name, function in module.functions.items():
                if name.startswith("_") or not takes_agent(function):
                    continue
                if path == "services/audit.py":
                    continue
                reached = list(self.reached(path, name))
                if any(map(writes, reached)) and not any(map(audits, reached)):
                    found.add(f"{path}:{name}")
        return found


def calls(function: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Call))


def takes_agent(function: ast.FunctionDef) -> bool:
    each = (*function.args.args, *function.args.kwonlyargs)
    return any(one.annotation and ast.unparse(one.annotation) == "Agent" for one in each)


def writes(function: ast.FunctionDef) -> bool:
    for call in calls(function):
        what = call.func
        if isinstance(what, ast.Name) and what.id in WRITING:
            return True
        if isinstance(what, ast.Attribute):
            whose = ast.unparse(what.value)
            if what.attr in OF_SESSION and whose == "session":
                return True
            if what.attr in WRITING and whose in ("gateway", "sqlite", "postgresql"):
                return True
    return False


def audits(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(call.func).startswith("audit.record") for call in calls(function))


@pytest.fixture(scope="module")
def services() -> Sources:
    sources = Sources()
    for file in sorted((PACKAGE / "services").rglob("*.py")):
        sources.read(str(file.relative_to(PACKAGE)), file.read_text("utf-8"))
    return sources


def test_a_service_that_changes_something_for_a_person_writes_an_audit_row(
    services: Sources,
) -> None:
    assert services.unaudited() - NOT_THEIR_DOING.keys() == set()
    assert len([path for path in services.modules if "/panel/" in path]) > 5


@pytest.mark.parametrize(
    "change",
    [
        "session.add(Pick())",
        "session.execute(update(Pick).values(record_id=''))",
        "gateway.update('Contact', '003', {})",
        "_deeper(session)",
        "cards.keep(session)",
    ],
)
def test_the_law_sees_a_writer_of_each_kind(change: str) -> None:
    sources = Sources()
    sources.read("services/panel/cards.py", "def keep(session): session.add(1)")
    sources.read(
        "services/panel/planted.py",
        "from keeping_plugin.services.panel import cards\n"
        f"def silent(runtime, agent: Agent): {change}\n"
        "def _deeper(session): session.add(1)\n"
        f"def told(runtime, agent: Agent): {change}; audit.record(session)\n",
    )
    assert sources.unaudited() == {"services/panel/planted.py:silent"}


def test_pages_change_nothing_themselves() -> None:
    """So that nothing a person does goes around the services and their audit rows."""
    found = {}
    for file in (PACKAGE / "blueprints").rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        guilty = [one.name for one in functions if writes(one) or audits(one)]
        if guilty:
            found[str(file.relative_to(PACKAGE))] = guilty
    assert found == {}
