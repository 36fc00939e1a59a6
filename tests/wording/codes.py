"""The fixed codes of the plugin, and the sentences that stand beside them in a source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from jinja2 import Environment, nodes

from keeping_plugin import errors
from keeping_plugin.models import EntryState
from keeping_plugin.rules import CHECKS
from keeping_plugin.services.admin import activity, overview
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.automation import backfill
from keeping_plugin.services.connection.connect import SignedIn
from keeping_plugin.services.panel.view import PanelState
from keeping_plugin.services.schema import changes, preflight
from keeping_plugin.wording.barred import BARRED
from keeping_plugin.wording.entries import ENTRY_SENTENCES
from keeping_plugin.wording.logins import REASONS
from keeping_plugin.wording.pauses import PAUSES
from keeping_plugin.wording.salesforce_errors import SENTENCES, WhoFixes

ENUMS: tuple[type[StrEnum], ...] = (
    activity.Outcome,
    Audited,
    changes.Kind,
    EntryState,
    WhoFixes,
    overview.Standing,
    PanelState,
    preflight.Outcome,
    SignedIn,
)
ERRORS = frozenset(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.KeepingError)
)
CODES: frozenset[str] = frozenset(
    {
        *(member.value for enum in ENUMS for member in enum),
        *(getattr(errors, name).code for name in ERRORS),
        *(row.code for row in SENTENCES),
        *(backfill.RUNNING, backfill.PAUSED, backfill.DONE, backfill.CANCELLED),
        *("pending", "given_up"),  # of a revocation
        *("live", "backfill:"),  # occasions
        *BARRED,
        *CHECKS,
        *ENTRY_SENTENCES,
        *PAUSES,
        *REASONS,
    }
)

_WORDS = re.compile(r"[A-Za-z’'-]+(?: [A-Za-z’'-]+){2,}")


def is_sentence(text: str) -> bool:
    """Whether people would read it as one: three words or more in a row."""
    return bool(_WORDS.search(" ".join(text.split())))


# Templates -----------------------------------------------------------------------------------


def in_template(source: str, environment: Environment) -> list[str]:
    """The sentences that a template chooses by a code: in the branches of a comparison with one
    (or of a name that was set from such a comparison), and in a mapping whose keys are codes."""
    tree = environment.parse(source)
    named = {
        node.target.name
        for node in tree.find_all(nodes.Assign)
        if isinstance(node.target, nodes.Name) and _compares(node.node, frozenset())
    }
    found: list[str] = []
    for node in tree.find_all((nodes.If, nodes.CondExpr, nodes.Dict)):
        if isinstance(node, nodes.If) and _compares(node.test, named):
            for branch in (*node.body, *node.elif_, *node.else_):
                found += _said(branch)
        elif isinstance(node, nodes.CondExpr) and _compares(node.test, named):
            found += [text for side in (node.expr1, node.expr2) if side for text in _said(side)]
        elif isinstance(node, nodes.Dict) and any(
            isinstance(pair.key, nodes.Const) and pair.key.value in CODES for pair in node.items
        ):
            found += [text for pair in node.items for text in _said(pair.value)]
    return found


def _compares(test: nodes.Node, named: frozenset[str] | set[str]) -> bool:
    if any(name.name in named for name in _all(test, nodes.Name)):
        return True
    asked = [
        *(node for node in _all(test, nodes.Compare)),
        *(node for node in _all(test, nodes.Test)),
        *(node for node in _all(test, nodes.Call) if isinstance(node.node, nodes.Getattr)),
    ]
    return any(const.value in CODES for node in asked for const in _all(node, nodes.Const))


def _said(node: nodes.Node) -> list[str]:
    """Sentences in a piece of template; an expression in the middle is one word of its own."""
    texts = [data.data for data in _all(node, nodes.TemplateData)]
    texts += [const.value for const in _all(node, nodes.Const) if isinstance(const.value, str)]
    plain = (re.sub(r"<[^>]*>", "\n", text) for text in texts)
    lines = (line for text in plain for line in re.split(r"[\n<>]", text))
    return [line.strip() for line in lines if is_sentence(line) and "=" not in line]


def _all(node: nodes.Node, kind: Any) -> Iterator[Any]:
    if isinstance(node, kind):
        yield node
    yield from node.find_all(kind)


# Python --------------------------------------------------------------------------------------


def in_python(source: str) -> list[str]:
    """The sentences that a module chooses by a code: in the branches of a comparison with one or
    of an `isinstance` of an error, in a mapping whose keys are codes, and in a row that holds the
    type of an error."""
    tree = ast.parse(source)
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.If(test=test, body=body, orelse=orelse) if _tells(test):
                found += [text for each in (*body, *orelse) for text in _texts(each)]
            case ast.IfExp(test=test, body=yes, orelse=no) if _tells(test):
                found += [*_texts(yes), *_texts(no)]
            case ast.match_case(pattern=pattern, body=body) if _tells(pattern):
                found += [text for each in body for text in _texts(each)]
            case ast.Dict(keys=keys, values=values) if any(
                _is_code(key) for key in keys if key is not None
            ):
                found += [text for value in values for text in _texts(value)]
            case ast.Tuple(elts=elements) if any(_is_error(each) for each in elements):
                found += [text for each in elements for text in _texts(each)]
    return found


def _tells(test: ast.AST) -> bool:
    return any(
        (
            isinstance(node, ast.Compare | ast.MatchValue)
            and any(_is_code(each) for each in ast.walk(node))
        )
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "isinstance"
            and any(_is_error(each) for each in ast.walk(node))
        )
        for node in ast.walk(test)
    )


def _is_code(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value in CODES
    enums = {enum.__name__ for enum in ENUMS}
    return isinstance(node, ast.Attribute) and any(
        isinstance(each, ast.Name) and each.id in enums for each in ast.walk(node)
    )


def _is_error(node: ast.AST) -> bool:
    return bool(_errors_of(node))


def _errors_of(node: ast.AST) -> frozenset[str]:
    return ERRORS & {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _texts(node: ast.AST) -> list[str]:
    return [
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and is_sentence(each.value)
    ]
