"""Ids and names, checked before they stand in a path or a query.

simple-salesforce joins ids into URLs, so an unchecked `//evil.example/x` would carry the token to
that host. Nothing that fails here ever reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from keeping_plugin.errors import InvalidInput
from keeping_plugin.objects import ROWS

_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)
_PATH = re.compile(rf"{_NAME.pattern}(?:\.{_NAME.pattern}){{0,5}}", re.ASCII)

# Key prefixes that are the same in every org; others are the org's own.
PREFIXES = {
    **{name: row.prefix for name, row in ROWS.items()},
    "User": "005",
    "Organization": "00D",
    "RecordType": "012",
}


def is_id(text: object) -> bool:
    """Whether this is a Salesforce id of 15 or 18 characters."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def checked_id(text: str, object: str = "") -> str:
    """The id, if it is one and begins as this object's ids do. Raises InvalidInput."""
    if not is_id(text) or not text.startswith(PREFIXES.get(object, "")):
        raise InvalidInput("This is not a valid record id.", field="id")
    return text


def checked_object(name: object) -> str:
    """The object name, if it can be one. Raises InvalidInput."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput("This is not the name of a Salesforce object.", field="object")
    return name


def checked_field(name: object) -> str:
    """The field name, if it can be one. Raises InvalidInput."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput("This is not the name of a Salesforce field.", field="field")
    return name


def checked_paths(names: Iterable[str]) -> tuple[str, ...]:
    """Field names and relationship paths such as `Owner.Name`, each once. Raises InvalidInput."""
    paths = tuple(dict.fromkeys(names))
    for path in paths:
        if not _PATH.fullmatch(path):
            raise InvalidInput("This is not the name of a Salesforce field.", field="field")
    return paths
