"""The page of codes is what stands in the code: errors, reasons, the audit, the log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from keeping_plugin import errors
from keeping_plugin.blueprints.web.errors import status_of
from keeping_plugin.errors import (
    BatchRefused,
    CallNotStarted,
    ConfigurationError,
    ConnectionLost,
    KeepingError,
    LoginRefused,
    NotConnected,
    RecordChanged,
    SalesforceError,
    TooLarge,
)
from keeping_plugin.models import SyncEntry
from keeping_plugin.refusals import CODES, WORDS, Advice
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.delivery.outcomes import read
from keeping_plugin.types import Action
from keeping_plugin.wording.barred import BARRED
from keeping_plugin.wording.entries import ENTRY_SENTENCES
from keeping_plugin.wording.logins import REASONS
from keeping_plugin.wording.salesforce_errors import SENTENCES
from tests.servers.needs import ROOT

PACKAGE = ROOT / "keeping_plugin"
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# These end a call, never one row of it; RecordChanged needs a condition that only an agent's edit
# sends.
NEVER_A_ROWS = {
    BatchRefused, CallNotStarted, ConnectionLost, LoginRefused, NotConnected, RecordChanged,
}  # fmt: skip


def part(name: str) -> list[list[str]]:
    """The cells of a table between its marks, without its head."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE, re.DOTALL)
    assert found is not None, f"docs/errors.md has no part called {name}"
    rows = [line.strip("| ").split(" | ") for line in found[1].splitlines()]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def kinds(kind: type[KeepingError] = KeepingError) -> Iterator[type[KeepingError]]:
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield below
            yield from kinds(below)


def test_every_reason_of_a_barred_connection_stands_there() -> None:
    wanted = [[code, reason.means, reason.where] for code, reason in BARRED.items()]
    assert part("barred") == wanted, "put this into docs/errors.md:\n" + "\n".join(
        f"| `{code}` | {means} | {where} |" for code, means, where in wanted
    )


def made(kind: type[KeepingError]) -> KeepingError:
    if kind is LoginRefused:
        return LoginRefused(reason="refused")
    return TooLarge() if kind is TooLarge else kind("x")


def test_every_error_stands_there_with_who_acts_its_status_and_its_meaning() -> None:
    acting = dict(re.findall(r"[├└]── (\w+) +(.+)", errors.__doc__ or ""))
    wanted = []
    for kind in kinds():
        if kind is SalesforceError:
            continue
        status = "–" if kind is ConfigurationError else str(status_of(made(kind)))
        meaning = " ".join((kind.__doc__ or "").split()).replace("`", "").partition(". ")[0]
        who = acting[kind.__name__]
        wanted.append([kind.code, kind.__name__, who, status, meaning.rstrip(".")])
    shown = [[cell.replace("`", "") for cell in row] for row in part("errors")]
    assert shown == wanted, "put this into docs/errors.md:\n" + "\n".join(
        f"| `{code}` | `{name}` | {who} | {status} | {meaning} |"
        for code, name, who, status, meaning in wanted
    )
    codes = [row[0] for row in wanted]
    assert len(codes) == len(set(codes))


def test_every_reason_of_an_entry_stands_there_with_its_sentence() -> None:
    wanted = [[code, sentence] for code, sentence in ENTRY_SENTENCES.items()]
    assert part("entries") == wanted, "put this into docs/errors.md:\n" + "\n".join(
        f"| `{code}` | {sentence} |" for code, sentence in wanted
    )


def texts(node: ast.AST | None) -> set[str]:
    """Every text an expression may come to: `"a" if x else "b"` is both."""
    if node is None:
        return set()
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def reasons_given() -> set[str]:
    """The literal reasons that the ledger is given anywhere."""
    places = {"Outcome": 1, "done": 0, "later": 0}
    found: set[str] = set()
    services = PACKAGE / "services"
    files = [*(services / "delivery").glob("*.py"), *(services / "ledger").glob("*.py")]
    files.append(services / "connection" / "leftovers.py")
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        classes = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
        members = [each for made in classes for each in made.body]  # of enumerations: no reasons
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                if name in places and len(node.args) > places[name]:
                    found |= texts(node.args[places[name]])
                for keyword in node.keywords:
                    if keyword.arg in ("reason", "made"):
                        found |= texts(keyword.value)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if texts(key) == {"reason"}:
                        found |= texts(value)
            elif isinstance(node, ast.Assign) and node not in members:
                if any(
                    isinstance(target, ast.Subscript)
                    and isinstance(target.value, ast.Name)
                    and target.value.id == "cancellations"
                    for target in node.targets
                ) or any(
                    isinstance(target, ast.Name)
                    and (target.id == "reason" or target.id.isupper())
                    and isinstance(node.value, ast.Constant | ast.IfExp)
                    for target in node.targets
                ):
                    found |= texts(node.value)
    return found - {""}


def test_every_reason_that_is_given_has_a_sentence() -> None:
    given = reasons_given()
    assert {"created", "contact_first", "switched_off", "outcome_unknown", "other_org"} <= given
    assert given <= set(ENTRY_SENTENCES)


def test_every_error_that_can_end_a_row_has_a_sentence() -> None:
    for kind in kinds(SalesforceError):
        if kind in NEVER_A_ROWS:
            continue
        for action in Action:
            for retries in (0, 9):
                row = SyncEntry(action=action, retries=retries, reason="")
                error = made(kind)
                assert isinstance(error, SalesforceError)
                outcome = read(row, error, key_field=None, contact_id=None)
                assert outcome.reason in ENTRY_SENTENCES, (kind, action)


def test_every_way_a_login_is_refused_stands_there() -> None:
    wanted = [[code, sentence] for code, sentence in REASONS.items()]
    assert part("logins") == wanted, "put this into docs/errors.md:\n" + "\n".join(
        f"| `{code}` | {sentence} |" for code, sentence in wanted
    )


def test_every_code_of_salesforce_that_is_explained_stands_there() -> None:
    wanted = [[row.code, row.who_fixes.value, row.means] for row in SENTENCES]
    assert part("salesforce") == wanted, "put this into docs/errors.md:\n" + "\n".join(
        f"| `{code}` | {who_fixes} | {means} |" for code, who_fixes, means in wanted
    )


def test_what_is_done_about_a_refusal_stands_there_by_code_and_by_words() -> None:
    tables: list[tuple[str, list[tuple[str, Advice]]]] = [
        ("advice", list(CODES.items())),
        ("advice-words", list(WORDS)),
    ]
    for name, entries in tables:
        wanted = [
            [done.value, "`, `".join(code for code, each in entries if each is done)]
            for done in Advice
            if any(each is done for _, each in entries)
        ]
        assert part(name) == wanted, f"put this into docs/errors.md ({name}):\n" + "\n".join(
            f"| `{done}` | `{codes}` |" for done, codes in wanted
        )


def test_every_code_of_the_audit_stands_there() -> None:
    assert [row[0] for row in part("audit")] == [action.value for action in Audited]
    assert all(len(row) == 2 and row[1] for row in part("audit"))


def logged() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Event, level and fields of everything that is written to a log."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id.lstrip("_") in {"log", "logger"}
            ):
                text = node.args[0] if node.args else None
                assert isinstance(text, ast.Constant), f"{file}: an event is a fixed string"
                fields = set(re.findall(r"(\w+)=%", str(text.value)))
                for keyword in node.keywords:
                    if keyword.arg == "extra":
                        assert isinstance(keyword.value, ast.Dict), f"{file}: fields are fixed"
                        fields |= set().union(*(texts(key) for key in keyword.value.keys))
                yield (
                    str(text.value).partition(" ")[0].rstrip(":"),
                    node.func.attr,
                    frozenset(fields),
                )


def test_every_event_of_the_log_stands_there_with_its_fields() -> None:
    wanted = sorted(
        [event, level.replace("exception", "error"), ", ".join(sorted(fields)) or "–"]
        for event, level, fields in logged()
    )
    shown = [[cell.replace("`", "") for cell in row] for row in part("log")]
    assert [row[:3] for row in shown] == wanted, "docs/errors.md has these rows to be mended:\n" + (
        "\n".join(" | ".join(row) for row in wanted if row not in [each[:3] for each in shown])
    )
    assert all(len(row) == 4 and row[3] for row in shown)
