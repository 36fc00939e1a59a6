"""What comes from mail, files and other processes, on a terminal."""

from __future__ import annotations


def escaped(text: str) -> str:
    """The text with its control characters written out, line breaks excepted."""
    return "".join(
        c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in text
    )
