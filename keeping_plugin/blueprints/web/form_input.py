"""What a person or a program sent, in the shape a form reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from keeping_plugin.errors import InvalidInput
from keeping_plugin.forms.controls import WAS
from keeping_plugin.forms.record import PREFIX


def form_input() -> MultiDict[str, str]:
    """The request's form, or its JSON body `{"fields": {name: value}, "seen": {name: mark}}` in
    the same shape. Values are text, numbers, booleans, null, or lists of text. Raises
    InvalidInput."""
    if not request.is_json:
        return request.form
    body = json_body()
    sent: MultiDict[str, str] = MultiDict()
    for name, value in _mapping(body, "fields").items():
        for text in _texts(name, value):
            sent.add(PREFIX + name, text)
    for name, mark in _mapping(body, "seen").items():
        if not isinstance(mark, str):
            raise InvalidInput("Every value in `seen` must be a string.", field=name)
        sent.add(WAS + name, mark)
    for name in ("save_anyway", "record_type", "attempt", "person"):
        if body.get(name):
            sent.add(name, str(body[name]))
    return sent


def row_id(text: str) -> int | None:
    """The number of a row, within what every database accepts; None if it is not one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def sent() -> Mapping[str, Any]:
    """The request's plain inputs, from a form or a JSON object. Raises InvalidInput."""
    return json_body() if request.is_json else request.form


def json_body() -> Mapping[str, Any]:
    """The request's JSON object. Raises InvalidInput."""
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise InvalidInput("The body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise InvalidInput("The body must be a JSON object.")
    return body


def _mapping(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = body.get(key, {})
    if not isinstance(found, dict):
        raise InvalidInput(f"`{key}` must be a JSON object of field names.", field=key)
    return found


def _texts(name: str, value: object) -> Iterator[str]:
    if value is None:
        yield ""
    elif isinstance(value, bool):
        yield "true" if value else ""
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float):
        yield repr(value)
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        yield ""
        yield from value
    else:
        raise InvalidInput(
            "Expected a string, number, boolean, null or list of strings.", field=name
        )
