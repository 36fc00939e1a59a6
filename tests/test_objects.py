"""One table of objects: complete, right by the describes, and the only place that names them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import keeping_plugin
from keeping_plugin.objects import (
    CONTACT,
    LEAD,
    OBJECTS,
    PEOPLE,
    ROWS,
    TASK,
    StandardObject,
    has_name,
    logs_mail,
    row_of,
    title_field,
)
from tests.fake_salesforce import shipped_schemas

PACKAGE = Path(keeping_plugin.__file__).parent
# The other half of a write: what each action sends, and to which object.
_ACTIONS = ("services/delivery/actions.py",)


@pytest.fixture(scope="module")
def schemas() -> dict[str, object]:
    return dict(shipped_schemas())


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_every_row_says_what_the_describe_says(row: StandardObject) -> None:
    schema = shipped_schemas()[row.name]
    assert schema.key_prefix == row.prefix
    assert schema.label_plural == row.tab
    person_account = {"IsPersonAccount"}  # only in orgs that have person accounts
    named = {*row.title, *row.aside, *row.head, *row.baseline, *row.defaults}
    assert named - person_account <= schema.fields.keys()
    assert set(row.title[:1]) <= {*row.head}
    if row.person is not None:
        assert "Email" in row.head
        assert {*row.person.first} <= schema.fields.keys()


def test_two_kinds_of_people_come_first() -> None:
    assert OBJECTS[:2] == PEOPLE == (CONTACT, LEAD)
    assert [row.name for row in ROWS.values() if logs_mail(row.name)] == [CONTACT.name]


def test_keys_are_unique() -> None:
    assert len({row.key for row in OBJECTS}) == len(OBJECTS)
    assert len({row.prefix for row in ROWS.values()}) == len(ROWS)


def test_an_object_without_a_row_is_known_by_its_name() -> None:
    assert (title_field("Contract"), title_field("Invoice__c")) == ("ContractNumber", "Name")
    assert (has_name("Invoice__c"), has_name("User")) == (True, True)
    assert (has_name("Contract"), has_name("Case"), has_name(TASK.name)) == (False, False, False)
    assert row_of("Invoice__c").head == ()


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_no_other_module_names_an_object() -> None:
    """Not as a text by itself; sentences for people may."""
    names = {*ROWS, *(row.prefix for row in ROWS.values())}
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "objects.py"
        and not path.relative_to(PACKAGE).as_posix().startswith(_ACTIONS)
        for line, text in _texts(path)
        if text in names
    ]
    assert not found
