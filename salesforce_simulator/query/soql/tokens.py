"""The tokens of SOQL, and what stands between the quotes of a string literal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from salesforce_simulator.errors import OrgError
from salesforce_simulator.query.soql.complaints import misplaced, plainly

Kind = Literal["name", "string", "number", "date", "datetime", "time", "symbol", "end"]

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)(?![\dT])
      | (?P<time>\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)
      | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w])
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<symbol><=|>=|!=|<>|[=<>(),:])
      | (?P<string>')""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_HEX = re.compile(r"[0-9a-fA-F]{4}\Z")
LITERAL_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` is what was written; of strings what stands between the quotes, still escaped."""

    kind: Kind
    text: str
    offset: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords, in any case."""
        return self.kind == "name" and self.text.upper() in words


def tokens(text: str) -> list[Token]:
    """All tokens, ending with one of kind ``end``; OrgError for what is no SOQL at all."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            column = place - (text.rfind("\n", 0, place) + 1)
            row = text.count("\n", 0, place) + 1
            message = f"line {row}:{column} no viable alternative at character '{text[place]}'"
            raise misplaced(text, place, message)
        kind = str(match.lastgroup)
        if kind == "string":
            end = _closing_quote(text, place)
            found.append(Token("string", text[place + 1 : end], place))
            place = end + 1
            continue
        if kind != "blank":
            found.append(Token(kind, match.group(), place))  # type: ignore[arg-type]
        place = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found


def _closing_quote(text: str, opening: int) -> int:
    place = opening + 1
    while place < len(text):
        if text[place] == "\\":
            place += 2
        elif text[place] == "'":
            return place
        else:
            place += 1
    row = text.count("\n") + 1
    column = len(text) - (text.rfind("\n") + 1)
    raise plainly(f"line {row}:{column} mismatched character '<EOF>' expecting '''")


def _illegal(raw: str, sequence: str) -> OrgError:
    return plainly(
        f"Invalid string literal '{raw}'. "
        f"Illegal character sequence '{sequence}' in string literal."
    )


def characters(raw: str, *, pattern: bool) -> list[tuple[str, bool]]:
    """(character, written with a backslash) of a literal; any other backslash is an error.

    ``pattern`` allows the escapes of LIKE as well.
    """
    found: list[tuple[str, bool]] = []
    place = 0
    while place < len(raw):
        char = raw[place]
        if char != "\\":
            found.append((char, False))
            place += 1
            continue
        code = raw[place + 1 : place + 2]
        if code in {"'", '"', "\\"}:
            found.append((code, True))
        elif code in _ESCAPES:
            found.append((_ESCAPES[code], True))
        elif code == "u" and _HEX.match(raw[place + 2 : place + 6]):
            found.append((chr(int(raw[place + 2 : place + 6], 16)), True))
            place += 4
        elif pattern and code in {"%", "_"}:
            found.append((code, True))
        else:
            raise _illegal(raw, "\\" + code)
        place += 2
    if len(found) > LITERAL_LIMIT:
        raise plainly(f"string literal is longer than the maximum of {LITERAL_LIMIT} characters")
    return _whole(raw, found)


def _whole(raw: str, found: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """``\\uD83D\\uDE00`` is one character written in halves, as in Java; a half alone is none."""
    joined: list[tuple[str, bool]] = []
    halves = ""
    for char, escaped in found:
        if "\ud800" <= char <= "\udfff":
            halves += char
            if len(halves) < 2:
                continue
            try:
                char = halves.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                raise _illegal(raw, raw) from None
            halves, escaped = "", True
        elif halves:
            raise _illegal(raw, raw)
        joined.append((char, escaped))
    if halves:
        raise _illegal(raw, raw)
    return joined


def unquoted(raw: str) -> str:
    """The text of a string literal."""
    return "".join(char for char, _ in characters(raw, pattern=False))
