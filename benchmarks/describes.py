"""Describe results of real orgs, from beside the checkout; else the package's own set."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeping_plugin.objects import OBJECT_NAMES
from keeping_plugin.types import ObjectSchema
from keeping_plugin.types.describe_result import schema_of
from salesforce_simulator import describe

_ROOT = Path(__file__).resolve().parents[1]
LARGE = 800  # fields


@dataclass(frozen=True, slots=True)
class Body:
    """One describe result as Salesforce sent it."""

    source: str
    object: str
    text: str

    @property
    def schema(self) -> ObjectSchema:
        return schema_of(json.loads(self.text), self.object)

    @property
    def fields(self) -> int:
        return len(json.loads(self.text)["fields"])


def _recorded() -> Path | None:
    shared = Path(os.environ.get("KEEPING_SHARED_DIR", _ROOT.parent / "shared"))
    folder = shared / "salesforce" / "describe"
    return folder if folder.is_dir() else None


def recorded() -> list[Body]:
    """Recorded describes of the five objects that have forms; none where there are none."""
    folder = _recorded()
    if folder is None:
        return []
    return [
        Body(f"recorded, {path.parent.name}", path.stem, path.read_text("utf-8"))
        for path in sorted(folder.glob("*/*.json"))
        if path.stem in OBJECT_NAMES and "fields" in json.loads(path.read_text("utf-8"))
    ]


def shipped() -> list[Body]:
    """The package's own set of the five objects."""
    return [Body("shipped", name, json.dumps(describe.load(name))) for name in OBJECT_NAMES]


def company() -> list[Body]:
    """One company's five objects, the largest recorded describe of each; shipped ones where none
    was recorded."""
    largest = {body.object: body for body in shipped()}
    real: dict[str, Body] = {}
    for body in recorded():
        if len(body.text) > len(real.get(body.object, body).text) or body.object not in real:
            real[body.object] = body
    return list({**largest, **real}.values())


def large(fields: int = LARGE) -> Body:
    """A Contact of so many fields: the largest one there is, and copies of its custom and plain
    fields under names of their own."""
    body = max(
        (each for each in recorded() or shipped() if each.object == "Contact"),
        key=lambda each: len(each.text),
    )
    described: dict[str, Any] = json.loads(body.text)
    pattern = [
        field
        for field in described["fields"]
        if not field.get("compoundFieldName")
        and not field.get("controllerName")
        and field["type"] not in ("address", "location", "id")
    ]
    number = 0
    while len(described["fields"]) < fields:
        made = copy.deepcopy(pattern[number % len(pattern)])
        made["name"] = f"Copy_{number}_of_{made['name'].removesuffix('__c')}__c"
        made["label"] = f"{made['label']} {number}"
        made["nillable"] = True
        described["fields"].append(made)
        number += 1
    return Body(f"{body.source}, grown", "Contact", json.dumps(described))
