"""Only `services/ledger/entries` writes entries: read in the sources of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import keeping_plugin
from keeping_plugin.models import Base, SyncEntry

PACKAGE = Path(keeping_plugin.__file__).parent
WRITER = PACKAGE / "services" / "ledger" / "entries.py"

SQL = re.compile(r"\b(insert\s+into|update|delete\s+from)\s+keeping_sync_entry\b", re.IGNORECASE)
WRITES = frozenset({"insert", "update", "delete"})
# What may be called with the class itself: it reads. Anything else could write.
READS = frozenset(
    {"select", "exists", "select_from", "join", "outerjoin", "get", "get_one", "query", "aliased"}
)
KEEPS = frozenset({"add", "add_all", "merge", "delete", "setattr", "delattr", "bulk_save_objects"})
COLUMNS = frozenset(column.key for column in SyncEntry.__table__.columns)
OF_OTHERS = frozenset(
    column.key
    for table in Base.metadata.tables.values()
    if table is not SyncEntry.__table__
    for column in table.columns
)


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def is_entry_class(node: ast.AST, names: set[str]) -> bool:
    """SyncEntry, `models.SyncEntry`, or its table."""
    if isinstance(node, ast.Attribute) and node.attr == "__table__":
        return is_entry_class(node.value, names)
    return name_of(node) in names


def mentions(node: ast.AST | None, names: set[str]) -> bool:
    return node is not None and any(name_of(each) in names for each in ast.walk(node))


def passed(node: ast.AST, names: set[str]) -> bool:
    """The class itself, alone or in a list; not one of its columns, nor a call that reads it."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(passed(each, names) for each in node.elts)
    return is_entry_class(node, names)


class Source:
    """One module: which names are the class, which are entries, and what writes them."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.classes = {"SyncEntry"}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self.classes |= {
                    each.asname or "" for each in node.names if each.name == "SyncEntry"
                }
        self.classes.discard("")
        self.classes |= set(self._bound(lambda value: passed(value, self.classes)))
        self.entries = self._entries()

    def _bound(self, wanted: Callable[[ast.AST], bool]) -> Iterator[str]:
        """Names that are given, in an assignment or a loop, something wanted."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and wanted(node.value):
                yield from (name for target in node.targets for name in _bound_by(target))
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
                if wanted(node.value):
                    yield from _bound_by(node.target)
            elif isinstance(node, ast.For | ast.comprehension) and wanted(node.iter):
                yield from _bound_by(node.target)

    def _entries(self) -> set[str]:
        """Names of loaded entries, or of lists of them: annotated so, read by a statement about the
        class, given by a function that returns them, or taken from such a name or from `.rows`."""
        found: set[str] = set()
        makers: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.arg | ast.AnnAssign) and mentions(
                node.annotation, self.classes
            ):
                target = node.arg if isinstance(node, ast.arg) else name_of(node.target)
                found.add(target)
            elif isinstance(node, ast.FunctionDef) and mentions(node.returns, self.classes):
                makers.add(node.name)

        def gives(value: ast.AST) -> bool:
            """Whether this expression is an entry, or several."""
            match value:
                case ast.Name(id=name):
                    return name in found
                case ast.Attribute(attr=name):
                    return name == "rows"
                case ast.Subscript(value=inner) | ast.Starred(value=inner):
                    return gives(inner)
                case ast.Call(func=function, args=arguments):
                    chained = isinstance(function, ast.Attribute) and gives(function.value)
                    read = any(passed(each, self.classes) or gives(each) for each in arguments)
                    return chained or read or name_of(function) in makers
                case ast.ListComp(elt=inner) | ast.GeneratorExp(elt=inner):
                    return gives(inner)
                case ast.DictComp(value=inner):
                    return gives(inner)
                case ast.BoolOp(values=several) | ast.Tuple(elts=several) | ast.List(elts=several):
                    return any(map(gives, several))
                case ast.IfExp(body=one, orelse=other):
                    return gives(one) or gives(other)
            return False

        while (more := found | set(self._bound(gives))) != found:
            found = more
        return found

    def written(self) -> list[str]:
        """Where an entry is written, as line and reason."""
        return [f"{line}: {why}" for node in ast.walk(self.tree) for line, why in self._why(node)]

    def _why(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if SQL.search(node.value):
                yield node.lineno, "SQL"
        elif isinstance(node, ast.Call):
            yield from self._why_called(node)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            targets = [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else None
            for target in node.targets if targets is None else targets:  # type: ignore[union-attr]
                for each in _attributes(target):
                    if self._is_of_an_entry(each):
                        yield each.lineno, f"assigns .{each.attr}"

    def _why_called(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        called = name_of(node.func)
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if is_entry_class(node.func, self.classes):
            yield node.lineno, "makes an entry"
        elif called not in READS and any(passed(each, self.classes) for each in given):
            yield node.lineno, f"{called}() gets the class"
        elif called in WRITES and isinstance(node.func, ast.Attribute):
            if mentions(node.func.value, self.classes):
                yield node.lineno, f"a query's .{called}()"
            elif called == "delete" and self._holds_an_entry(given):
                yield node.lineno, "deletes a loaded entry"
        elif called in KEEPS and _of_a_session(node) and self._holds_an_entry(given):
            yield node.lineno, f"{called}() gets an entry"
        elif called in WRITES and given and _is_from_a_column(given[0]):
            if self._gets_a_column(node):
                yield node.lineno, f"{called}() of a column's class"

    def _holds_an_entry(self, given: list[ast.expr]) -> bool:
        return any(name_of(each) in self.entries for each in given)

    def _is_of_an_entry(self, node: ast.Attribute) -> bool:
        if node.attr not in COLUMNS:
            return False
        return node.attr not in OF_OTHERS or name_of(node.value) in self.entries

    def _gets_a_column(self, write: ast.Call) -> bool:
        """Whether the function around this write, which learns the table from a column, is called
        with one of an entry's columns."""
        around = [
            each
            for each in ast.walk(self.tree)
            if isinstance(each, ast.FunctionDef) and write in ast.walk(each)
        ]
        calls = [each for each in ast.walk(self.tree) if isinstance(each, ast.Call)]
        columns_in_lists = {
            each.id
            for loop in ast.walk(self.tree)
            if isinstance(loop, ast.For) and mentions(loop.iter, self.classes)
            for each in _names(loop.target)
        }
        return bool(columns_in_lists & {each.id for each in _names(write)}) or any(
            isinstance(argument, ast.Attribute) and is_entry_class(argument.value, self.classes)
            for function in around
            for call in calls
            if name_of(call.func) == function.name
            for argument in call.args
        )


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (each for each in ast.walk(node) if isinstance(each, ast.Name))


def _bound_by(target: ast.AST) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _bound_by(each)


def _attributes(node: ast.AST) -> Iterator[ast.Attribute]:
    """Those that are assigned to, not those on the way to an item."""
    if isinstance(node, ast.Attribute):
        yield node
    elif isinstance(node, ast.Tuple | ast.List):
        for each in node.elts:
            yield from _attributes(each)


def _of_a_session(node: ast.Call) -> bool:
    """`session.add(...)`, not the `add` of a set; `setattr(...)` has no owner."""
    return isinstance(node.func, ast.Name) or name_of(node.func.value).endswith("session")  # type: ignore[attr-defined]


def _is_from_a_column(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "class_"


def test_no_other_module_writes_entries() -> None:
    found = {
        str(file.relative_to(PACKAGE)): writes
        for file in sorted(PACKAGE.rglob("*.py"))
        if file != WRITER and (writes := Source(file.read_text(encoding="utf-8")).written())
    }
    assert found == {}


def test_the_writer_is_seen_to_write() -> None:
    assert Source(WRITER.read_text(encoding="utf-8")).written()


@pytest.mark.parametrize(
    "planted",
    [
        "session.execute(update(SyncEntry).values(state='done'))",
        "session.execute(delete(SyncEntry))",
        "session.execute(sqlite.insert(SyncEntry).values(rows))",
        "session.execute(update(models.SyncEntry.__table__))",
        "session.execute(SyncEntry.__table__.update())",
        "insert_new(session, SyncEntry, rows)",
        "session.bulk_insert_mappings(SyncEntry, rows)",
        "session.query(SyncEntry).filter_by(id=1).update({'state': 'done'})",
        "session.query(SyncEntry).delete()",
        "session.add(SyncEntry(state='pending'))",
        "from keeping_plugin.models import SyncEntry as Row\nsession.execute(update(Row))",
        "_TABLE = SyncEntry\nsession.execute(delete(_TABLE))",
        "for model in (Pick, SyncEntry):\n    session.execute(delete(model))",
        "def gone(table): session.execute(delete(table))\ngone(SyncEntry)",
        "def cut(column): session.execute(update(column.class_))\ncut(SyncEntry.due_at)",
        "for column in (Lease.until, SyncEntry.due_at):\n    execute(update(column.class_))",
        "session.execute(text('UPDATE keeping_sync_entry SET state = 1'))",
        "def end(entry: SyncEntry) -> None:\n    entry.state = 'done'",
        "def end(rows: list[SyncEntry]) -> None:\n    for row in rows:\n        row.reason = 'x'",
        "entry = session.get(SyncEntry, 1)\nentry.claim = None",
        "entry = session.scalars(select(SyncEntry)).one()\nentry.state, entry.reason = 'a', 'b'",
        "def load() -> SyncEntry: ...\nload_ = load()\nload_.due_at = None",
        "for row in batch.rows:\n    row.state = 'done'",
        "thing.retries += 1",
        "del thing.sent_user_id",
        "def end(entry: SyncEntry) -> None:\n    setattr(entry, name, None)",
        "def end(entry: SyncEntry) -> None:\n    session.delete(entry)",
        "def end(entry: SyncEntry) -> None:\n    session.merge(entry)",
    ],
)
def test_a_planted_writer_is_seen(planted: str) -> None:
    assert Source(planted).written()


@pytest.mark.parametrize(
    "reading",
    [
        "session.scalars(select(SyncEntry).where(SyncEntry.state == 'done'))",
        "session.get(SyncEntry, 1)",
        "entries.happen(session, Event.RETRIED, SyncEntry.id == 1)",
        "for model in (Pick, Card):\n    session.execute(delete(model))",
        "connection.state = 'live'",
        "run.due_at = None",
        "def read(entry: SyncEntry) -> str:\n    line.state = entry.state",
    ],
)
def test_reading_is_not_writing(reading: str) -> None:
    assert Source(reading).written() == []
