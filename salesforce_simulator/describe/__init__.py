"""A small, realistic set of describe results: what an org tells about its objects.

Five objects agents work with, Task, Note, and what belongs to them: custom fields of many types,
two record types, dependent and restricted picklists. Every file is the body of
``GET /sobjects/<Object>/describe``; Account, Contact and Lead also exist as an org with person
accounts describes them. Which picklist values each record type offers is no part of a describe
result and stands in ``record_types/``.
"""

from __future__ import annotations

import json
import marshal
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def names() -> tuple[str, ...]:
    """API names of the objects in the set, sorted."""
    found = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in found if name.endswith(".json")))


def load(name: str, *, person_accounts: bool = False) -> dict[str, Any]:
    """The describe result of one object, a fresh dict; KeyError for a name not in ``names()``.

    ``person_accounts``: as an org that has them tells it (Account.Name and Lead.Company stop being
    required, the person's fields appear on Account).
    """
    if name not in names():
        raise KeyError(name)
    people = _read(f"person_accounts/{name}.json") if person_accounts else None
    body: dict[str, Any] = people or _read(f"{name}.json")
    return body


def record_type_values(name: str) -> dict[str, dict[str, list[str]]]:
    """The values that an object's record types offer, by developer name and field; a field that is
    not named offers all of its values. Empty for an object without record types of its own."""
    if name not in names():
        return {}
    values: dict[str, dict[str, list[str]]] = _read(f"record_types/{name}.json") or {}
    return values


def _read(file: str) -> Any:
    """What a file of the set holds, fresh; None when there is no such file. An org is made of two
    dozen of them, and parsing the JSON again takes eight times as long."""
    packed = _packed(file)
    return None if packed is None else marshal.loads(packed)  # noqa: S302 - packed below


@cache
def _packed(file: str) -> bytes | None:
    path = files(__package__) / file
    if not path.is_file():
        return None
    return marshal.dumps(json.loads(path.read_text(encoding="utf-8")))
