"""What Salesforce says, as text that every page and database takes.

JSON can spell what is no character: half a surrogate pair, where a trigger has cut an emoji in two,
and NUL. No page can be encoded with the one, PostgreSQL keeps no text with the other. Each becomes
U+FFFD, here, before anybody reads it.
"""

from __future__ import annotations

import re
from typing import Any

_ESCAPES = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


def may_be_unreadable(body: bytes) -> bool:
    """Whether a JSON text spells anything of the kind; a whole pair counts, too."""
    return _ESCAPES.search(body) is not None


def readable(value: Any) -> Any:
    """The same parsed JSON, every text in it readable. Raises RecursionError."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, dict):
        return {readable(name): readable(one) for name, one in value.items()}
    return value
