"""Text that Salesforce and every database take: cleaned, and cut to a length.

For names, subjects, bodies and the like. Never for addresses and ids: a cleaned address is
somebody else's.

Lengths count UTF-16 units, as Java does (an emoji is two). That is never less than the number of
characters, so what fits here fits however Salesforce counts.
"""

from __future__ import annotations

import re
import unicodedata

# Controls other than tab and newline, and the noncharacters that XML and JSON parsers choke on.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")
# Invisible marks that reorder what follows: harmless in a body, deceiving in a name.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
_BLANKS = re.compile(r"\s+")


def clean(text: str) -> str:
    """The text with newlines as line ends and without controls; surrogate pairs become the
    character they mean, lone ones U+FFFD."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))


def one_line(text: str, limit: int) -> str:
    """Cleaned, composed (NFC), blanks joined to single spaces, cut to `limit`."""
    # What comes may be megabytes long; four times the limit leaves room for what is dropped.
    text = _BLANKS.sub(" ", _REORDERING.sub("", clean(text[: 4 * limit])))
    return cut(unicodedata.normalize("NFC", text).strip(), limit)


def length(text: str) -> int:
    """UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` UTF-16 units that ends between two characters,
    accents and joined emoji counting with what they belong to."""
    if length(text) <= limit:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * limit].decode("utf-16-le", "ignore")
    end = len(kept)
    while end and _continues(text, end):
        end -= 1
    # A text that is one endless cluster is cut anyway, rather than lost.
    return (kept[:end] or kept).rstrip()


_JOINER = "\u200d"


def _continues(text: str, at: int) -> bool:
    after = text[at : at + 1]
    joined = text[at - 1] == _JOINER or after == _JOINER
    return joined or bool(after and unicodedata.combining(after)) or after in ("\ufe0e", "\ufe0f")
