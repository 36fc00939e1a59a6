"""``@{reference.path}``: values of earlier answers put into later subrequests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from salesforce_simulator.errors import OrgError, refuse

REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])+)\}")
STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")


class References:
    """The bodies of the answers so far, by referenceId.

    A reference to a field that is null gives null; one to nothing halts the subrequest.
    ``refused_rows_are_null`` makes the id of a refused collection row null instead of nothing.
    """

    def __init__(self, *, refused_rows_are_null: bool = False) -> None:
        self._bodies: dict[str, Any] = {}
        self._refused_rows_are_null = refused_rows_are_null

    def __setitem__(self, reference: str, body: Any) -> None:
        self._bodies[reference] = body

    def fill(self, value: Any) -> Any:
        """``value`` with every reference replaced; PROCESSING_HALTED when one has no value."""
        if isinstance(value, str):
            whole = REFERENCE.fullmatch(value)
            if whole is not None:
                return self._value(whole)
            return REFERENCE.sub(lambda found: _text(self._value(found)), value)
        if isinstance(value, Mapping):
            return {key: self.fill(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.fill(part) for part in value]
        return value

    def fill_url(self, url: str) -> str:
        """``url`` with every reference replaced and percent-encoded."""
        return REFERENCE.sub(lambda found: quote(_text(self._value(found)), safe=""), url)

    def _value(self, found: re.Match[str]) -> Any:
        reference, path = found.group(1), found.group(2)
        if reference not in self._bodies:
            raise _no_value(reference, path)
        value = self._bodies[reference]
        for name, index in STEP.findall(path):
            if index and isinstance(value, list) and int(index) < len(value):
                value = value[int(index)]
            elif name and isinstance(value, Mapping) and name in value:
                value = value[name]
            elif name == "id" and self._refused_rows_are_null and _refused_row(value):
                value = None
            else:
                raise _no_value(reference, path)
        return value


def _refused_row(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("success") is False


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _no_value(reference: str, path: str) -> OrgError:
    wanted = reference + path
    message = f"Invalid reference specified. No value for {wanted} found in {reference}."
    return refuse("PROCESSING_HALTED", message, None)
