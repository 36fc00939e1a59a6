"""A small, realistic set of describe results: what an org tells about its objects.

Five objects agents work with, Task, and what belongs to them: custom fields of many types, two
record types, dependent and restricted picklists. Every file is the body of
``GET /sobjects/<Object>/describe``; Account, Contact and Lead also exist as an org with person
accounts describes them. Which picklist values each record type offers is no part of a describe
result and stands in ``record_types/``.
"""

from __future__ import annotations

import json
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
    folder = files(__package__)
    if name not in names():
        raise KeyError(name)
    path = folder / f"{name}.json"
    if person_accounts and (folder / "person_accounts" / f"{name}.json").is_file():
        path = folder / "person_accounts" / f"{name}.json"
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


def record_type_values(name: str) -> dict[str, dict[str, list[str]]]:
    """The values that an object's record types offer, by developer name and field; a field that is
    not named offers all of its values. Empty for an object without record types of its own."""
    path = files(__package__) / "record_types" / f"{name}.json"
    if name not in names() or not path.is_file():
        return {}
    values: dict[str, dict[str, list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    return values
