"""Header fields of real mail: as the standard library reads them, or by hand where it cannot.

The modern parser (`email.policy.default`) understands most fields; on malformed ones it raises
errors of many kinds, which are bugs of the parser and no reason to lose a message. Such a field is
read again the older, forgiving way.
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.errors import InvalidHeaderDefect
from email.header import decode_header
from email.headerregistry import Address
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

# What the standard library's header parser has been seen to raise on malformed fields.
_PARSER_FAILURES = (
    AttributeError,
    IndexError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
_ID = re.compile(r"<([^<>\s]+)>")
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Correspondent:
    """One address with its display name. `email` is what stood there, valid or not."""

    email: str
    name: str = ""


def as_written(name: str, email: str) -> Address:
    """An address for a header field, whose display name keeps its commas: `Müller, Sabine`."""
    return Address(display_name=name, addr_spec=email)


class Fields:
    """The header fields of one message, in order, bytes outside ASCII already made text."""

    def __init__(self, message: Message) -> None:
        charset = _charset(message)
        self._items = [
            (name.lower(), joined_words(_text_of_bytes(str(value), charset)))
            for name, value in message.raw_items()
        ]

    def __len__(self) -> int:
        return len(self._items)

    def every(self, name: str) -> Iterator[str]:
        """The raw values of all fields of that name."""
        return (value for found, value in self._items if found == name)

    def plain(self) -> dict[str, str]:
        """Lower-case names to decoded, unfolded values; the first of several wins."""
        values: dict[str, str] = {}
        for name, value in self._items:
            values.setdefault(name, _decoded(name, value))
        return values

    def text(self, name: str) -> str:
        """The decoded value on one line, or "" when there is none."""
        for value in self.every(name):
            return _decoded(name, value)
        return ""

    def addresses(self, name: str) -> Sequence[Correspondent]:
        """Every address of every such field, in order. A field that holds text but nothing like
        an address gives that text as the address: it is shown, and refused, as it stands."""
        found: list[Correspondent] = []
        for value in self.every(name):
            found += _addresses(name, value)
        return found

    def ids(self, *names: str) -> list[str]:
        """Message ids (`<...>` without the brackets) of these fields, in order."""
        values = (value for name in names for value in self.every(name))
        return list(dict.fromkeys(found for value in values for found in _ID.findall(value)))

    def date(self, *, now: datetime) -> datetime:
        """When it was sent, in UTC: `Date`, else the newest `Received`, else `now`.

        A date before 1970 or more than a day ahead is nobody's clock and counts as none.
        """
        received = (line.rpartition(";")[2] for line in self.every("received"))
        for stamp in (*self.every("date"), *received):
            moment = _moment(stamp)
            if moment is not None and _OLDEST <= moment <= now + _AHEAD:
                return moment
        return now


def _charset(message: Message) -> str:
    try:
        return str(message.get_content_charset() or "")
    except _PARSER_FAILURES:
        return ""


def _text_of_bytes(value: str, charset: str) -> str:
    """Raw bytes arrive as surrogate escapes: UTF-8, else the message's charset, else Latin-1."""
    if value.isascii():
        return value
    raw = value.encode("utf-8", "surrogateescape")
    for name in ("utf-8", charset):
        try:
            return raw.decode(name)
        except (LookupError, ValueError):
            continue
    return raw.decode("latin-1")


def _decoded(name: str, value: str) -> str:
    try:
        text = str(policy.default.header_factory(name, value))
    except _PARSER_FAILURES:
        text = decoded_words(value)
    return " ".join(clean(text).split())


_FOLD = re.compile(r"\r?\n(?=[ \t])")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]*)\?=")


def joined_words(value: str) -> str:
    """An unfolded field in which encoded words that follow each other are one.

    The blanks between two of them are no part of the text (RFC 2047, section 6.2), also where the
    line ends there; the parser keeps those. And programs cut in the middle of a character, whose
    bytes then stand in two words.
    """
    value = _FOLD.sub("", value)
    made: list[str] = []
    run: list[re.Match[str]] = []
    end = 0
    for word in _WORD.finditer(value):
        gap = value[end : word.start()]
        if not run or gap.strip(" \t") or word[1].lower() != run[-1][1].lower():
            made += (_one_word(run), gap if not run or gap.strip(" \t") else " ")
            run = []
        run.append(word)
        end = word.end()
    return "".join((*made, _one_word(run), value[end:]))


def _one_word(words: Sequence[re.Match[str]]) -> str:
    if len(words) < 2:
        return "".join(word[0] for word in words)
    try:
        text = b"".join(_bytes_of(word) for word in words)
    except ValueError:  # no base64
        return "".join(word[0] for word in words)
    return f"=?{words[0][1]}?B?{base64.b64encode(text).decode()}?="


def _bytes_of(word: re.Match[str]) -> bytes:
    if word[2] in "bB":
        return base64.b64decode(word[3] + "=" * (-len(word[3]) % 4))
    return quopri.decodestring(word[3].replace("_", " ").encode(), header=True)


def decoded_words(value: str) -> str:
    """Encoded words by the older rules, which take them wherever they stand."""
    try:
        pieces = decode_header(value)
    except _PARSER_FAILURES:
        return value
    return "".join(_piece(text, charset) for text, charset in pieces)


def _piece(text: bytes | str, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    for name in (charset or "utf-8", "utf-8"):
        try:
            return text.decode(name)
        except (LookupError, ValueError):
            continue
    return text.decode("latin-1")


def _addresses(name: str, value: str) -> list[Correspondent]:
    # From an invalid field only what stands there word for word is taken: the parser reads
    # `Jo Doe jo@example.com` as `"Jo Doe jo"@example.com`, and that is somebody else.
    field: Any = None
    try:
        field = policy.default.header_factory(name, value)
        invalid = any(isinstance(defect, InvalidHeaderDefect) for defect in field.defects)
        found = [
            Correspondent(clean(address.addr_spec), clean(address.display_name))
            for address in field.addresses
            if address.domain and (address.addr_spec in value or not invalid)
        ]
    except _PARSER_FAILURES:
        found = []
    if found or (field is not None and _names_nobody(field)):
        return found
    by_hand = [
        Correspondent(clean(email), clean(decoded_words(shown)))
        for shown, email in getaddresses([" ".join(value.split())])
        if "@" in email and email in value
    ]
    shown = _decoded(name, value)
    return by_hand or ([Correspondent(shown)] if shown else [])


def _names_nobody(field: Any) -> bool:
    """`undisclosed-recipients:;` names nobody, on purpose."""
    groups = getattr(field, "groups", ())
    return bool(groups) and all(group.display_name and not group.addresses for group in groups)


def _moment(stamp: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(stamp.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except _PARSER_FAILURES:
        return None


def clean(text: str) -> str:
    """Text that every database stores: U+FFFD in place of NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
