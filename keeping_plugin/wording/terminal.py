"""Text of others (an org's name, Salesforce's words, a host's ids) on a terminal or in a log."""

from __future__ import annotations

import unicodedata


def escaped(text: str) -> str:
    """The text as one line: line breaks, terminal sequences and marks that turn the direction of
    writing are written out (`\\x1b`), so that nothing in it can forge a line or hide one. Blanks of
    every kind become plain ones."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")
