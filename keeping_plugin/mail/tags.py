"""Text without its HTML tags, in time that grows with the text and no faster, however malformed."""

from __future__ import annotations

import re
from html import unescape

# An opening bracket ends a tag that was never closed; else each of a thousand would be read to the
# end of the text.
_TAG = re.compile(r"<[^<>]*>")
# int() refuses numbers of more than 4,300 digits, and no character's has more than seven.
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{8,};?")


def without_tags(html: str, instead: str = "") -> str:
    """What stands between the tags, entities as the characters they mean."""
    return unescape(_LONG_NUMBER.sub("", _TAG.sub(instead, html)))
