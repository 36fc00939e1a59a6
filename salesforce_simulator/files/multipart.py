"""Multipart bodies: a part of JSON, and the files beside it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from salesforce_simulator.errors import OrgError, refuse


def _bad(message: str) -> OrgError:
    return refuse("INVALID_MULTIPART_REQUEST", message, None)


def parse_multipart(body: bytes, content_type: str, parse: Callable[[bytes], Any]) -> Any:
    """The JSON of the part that holds it, with each file in its field as base64.

    For a single record the files' parts are named after the fields. Records of a collection name
    the part and the field in their attributes, which keep neither.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    try:
        form, files = MultiPartParser().parse(BytesIO(body), boundary.encode(), len(body))
    except ValueError as error:
        raise _bad(f"The multipart message cannot be read: {error}") from error
    data = {name: part.read() for name, part in files.items()}
    texts = [text.encode() for text in form.values()]
    texts += [
        data.pop(name)
        for name, part in list(files.items())
        if _is_json(part.headers)
    ]  # fmt: skip
    if len(texts) != 1:
        raise _bad("Multipart message must include a non-binary part")
    value = parse(texts[0])
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("records"), list):
        records = [_with_file(record, data) for record in value["records"]]
        return {**value, "records": records}
    return {**value, **{name: _text(content) for name, content in data.items()}}


def _is_json(headers: Headers) -> bool:
    return headers.get("Content-Type", "").partition(";")[0].strip() == "application/json"


def _with_file(record: Any, data: Mapping[str, bytes]) -> Any:
    attributes = record.get("attributes") if isinstance(record, Mapping) else None
    if not isinstance(attributes, Mapping) or "binaryPartName" not in attributes:
        return record
    part, field = str(attributes["binaryPartName"]), attributes.get("binaryPartNameAlias")
    if part not in data or not isinstance(field, str):
        raise _bad(f"There is no binary part named {part}")
    kept = {k: v for k, v in attributes.items() if not k.startswith("binaryPartName")}
    return {**record, "attributes": kept, field: _text(data[part])}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
