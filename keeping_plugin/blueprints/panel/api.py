"""`openapi.json`: the shape of the panel's JSON, for the objects that the product knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from flask import Response, jsonify, url_for

from keeping_plugin.objects import AROUND_KEYS, CREATED, OBJECT_NAMES, PERSON_NAMES


def openapi() -> Response:
    """What the JSON of these URLs looks like, for the prefix at which this host mounted them."""
    document = json.loads((files("keeping_plugin") / "static" / "openapi.json").read_text("utf-8"))
    document["servers"] = [{"url": url_for(".openapi").removesuffix("/openapi.json") or "/"}]
    schemas = document["components"]["schemas"]
    schemas["ObjectName"] = _one_of(OBJECT_NAMES)
    schemas["PersonName"] = _one_of(PERSON_NAMES)
    schemas["CreatableName"] = _one_of([*PERSON_NAMES, *(row.name for row in CREATED)])
    match = schemas["Match"]
    records = {"type": "array", "items": {"$ref": "#/components/schemas/Record"}}
    match["properties"] |= dict.fromkeys(AROUND_KEYS, records)
    match["required"] = sorted({*match["required"], *AROUND_KEYS})
    return jsonify(document)


def _one_of(names: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}
