"""A folder of describe results: read, checked, and completed where it must be.

Recordings come from clients of every age and are often trimmed, so little is asked of them: an
object's fields by name. What is there has to have the shape of a describe result.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from salesforce_simulator import describe as own
from salesforce_simulator.metadata.describing import complete_field
from salesforce_simulator.metadata.schema import controlling_indexes

logger = logging.getLogger(__name__)


class NoDescribes(ValueError):
    """A folder, or a file in it, holds no describe results; the text says which and why."""


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """The describe results of a folder by object name. Raises NoDescribes, one sentence."""
    if not folder.is_dir():
        raise NoDescribes(f"{folder} is not a folder of describe results")
    found: dict[str, dict[str, Any]] = {}
    files: dict[str, Path] = {}
    canonical = {name.lower(): name for name in own.names()}
    for path in sorted(folder.glob("*.json")):
        body = _described(path)
        name = str(body.get("name") or path.stem)
        name = canonical.get(name.lower(), name)
        if name.lower() in files:
            raise NoDescribes(f"{files[name.lower()]} and {path} both describe {name}")
        files[name.lower()] = path
        found[name] = {"label": name, **body, "name": name}
    if not found:
        raise NoDescribes(f"{folder} holds no describe results (*.json)")
    return found


def _described(path: Path) -> dict[str, Any]:
    """The describe result of a file; an id is added to an object recorded without one."""
    try:
        # With or without the mark that Windows puts in front of UTF-8.
        body = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise NoDescribes(f"{path} can not be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise NoDescribes(f"{path} is not JSON: {error}") from error
    if isinstance(body, dict) and "fields" not in body and isinstance(body.get("result"), dict):
        body = body["result"]  # what `sf sobject describe --json` prints
    try:
        _check(body)
    except _WrongShape as error:
        raise NoDescribes(f"{path} is not a describe result: {error}") from error
    if not any(field["name"].lower() == "id" for field in body["fields"]):
        logger.warning("%s has no field Id, so one is added", path)
        given = {"name": "Id", "type": "id", "createable": False, "updateable": False}
        body["fields"].insert(0, complete_field({**given, "nillable": False}))
    return dict(body)


class _WrongShape(ValueError):
    """What is wrong, to follow the file's name."""


def _check(body: Any) -> None:
    if not isinstance(body, dict) or not isinstance(body.get("fields"), list):
        raise _WrongShape("it has no list of fields")
    if not isinstance(body.get("name", ""), str | None):
        raise _WrongShape("its name is no text")
    if not isinstance(body.get("keyPrefix", ""), str | None):
        raise _WrongShape("its keyPrefix is no text")
    if not body["fields"]:
        raise _WrongShape("its list of fields is empty")
    seen: set[str] = set()
    for number, field in enumerate(body["fields"], start=1):
        name = field.get("name") if isinstance(field, dict) else None
        if not isinstance(name, str) or not name:
            raise _WrongShape(f"field {number} has no name")
        if name.lower() in seen:
            raise _WrongShape(f"it has two fields {name}")
        seen.add(name.lower())
        _check_field(field)
    for entry in _entries(body, "childRelationships", "it"):
        if entry.get("relationshipName"):
            _texts(entry, ("relationshipName", "childSObject", "field"), "a child relationship")
    for entry in _entries(body, "recordTypeInfos", "it"):
        if entry.get("recordTypeId"):
            _texts(entry, ("recordTypeId", "name"), "a record type")


#: Keys of a field that are read, and whether a value is one of theirs.
_KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "type": ("text", lambda value: isinstance(value, str)),
    "label": ("text", lambda value: isinstance(value, str)),
    "relationshipName": ("text", lambda value: isinstance(value, str)),
    "compoundFieldName": ("text", lambda value: isinstance(value, str)),
    "controllerName": ("text", lambda value: isinstance(value, str)),
    "length": ("a number", lambda value: isinstance(value, int)),
    "precision": ("a number", lambda value: isinstance(value, int)),
    "scale": ("a number", lambda value: isinstance(value, int)),
    "defaultValue": (
        "a text, a number, true or false",
        lambda value: isinstance(value, str | int | float),
    ),
    "referenceTo": (
        "a list of objects",
        lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    ),
}


def _check_field(field: Mapping[str, Any]) -> None:
    name = field["name"]
    for key, (kind, fits) in _KINDS.items():
        value = field.get(key)
        if value is not None and not fits(value):
            raise _WrongShape(f"{key} of the field {name} is not {kind}")
    for entry in _entries(field, "picklistValues", f"the field {name}"):
        _texts(entry, ("value",), f"a picklist value of the field {name}")
        if field.get("dependentPicklist"):
            try:
                controlling_indexes(entry.get("validFor") or "")
            except (ValueError, TypeError) as error:
                value = entry["value"]
                message = f"validFor of {value} in the field {name} is no bitmap in base64"
                raise _WrongShape(message) from error


def _entries(body: Mapping[str, Any], key: str, owner: str) -> Iterable[Mapping[str, Any]]:
    """The entries of a list that may be missing; each has to be an object."""
    entries = body.get(key)
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _WrongShape(f"{key} of {owner} is not a list of objects")
    return entries


def _texts(entry: Mapping[str, Any], keys: tuple[str, ...], owner: str) -> None:
    for key in keys:
        if not isinstance(entry.get(key), str):
            raise _WrongShape(f"{owner} has no {key}")
