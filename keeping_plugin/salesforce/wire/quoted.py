"""Salesforce's words without what they quote of our questions.

A refused query is echoed with a caret below it, and a query of ours holds an address. Neither is
for a page, a log or the database, and both say nothing to whoever reads them.
"""

from __future__ import annotations

import re
from typing import Final

# The words that follow are Salesforce's own: "ERROR at Row:1:Column:8\nNo such column …".
_BEFORE_PLACE: Final = "ERROR at Row:"
_PLACE = re.compile(_BEFORE_PLACE + r"\s{0,4}-?\d{1,9}:\s{0,4}Column:\s{0,4}-?\d{1,9}\s{0,9}")
_CARET = re.compile(r"[^\n]*\n[ \t]*\^[ \t]*(?:\n|$)")
_STATEMENT = re.compile(r"\b(?:SELECT|FIND|FROM|WHERE)\b[^\n]*", re.IGNORECASE)
_KEYWORDS = re.compile(r"\bSELECT\b|\bFIND\s*\{|\bWHERE\b|\bEmail\s{0,3}(?:=|IN\b)", re.IGNORECASE)
# As it stands in a question: with quotes around what needs them, or percent-encoded.
_ADDRESS = re.compile(
    r"(?:\"[^\"\n]{1,90}\"|[^\s@'\"<>(){}\[\],;:]{1,320})(?:@|%40)[^\s@'\"<>(){}\[\],;:]{1,320}"
)
_LITERAL = re.compile(r"(?<!\w)'(?P<text>[^'\n]{0,400})'(?!\w)")
_NAME = re.compile(r"[A-Za-z]\w{0,79}(?:\.[A-Za-z]\w{0,79}){0,5}", re.ASCII)

# They say what the parser met of the statement, and nothing else.
_OF_THE_STATEMENT: Final = frozenset(
    {
        "INVALID_QUERY_FILTER_OPERATOR",
        "INVALID_SEARCH",
        "INVALID_SEARCH_SCOPE",
        "MALFORMED_QUERY",
        "MALFORMED_SEARCH",
    }
)
_REFUSED = "Salesforce did not accept the query."
_MAX_LENGTH = 2_000  # characters of an answer to a question


def without_questions(message: str, code: str, *, asked: bool) -> str:
    """A message as it may be kept and shown. `asked`: it answers a question, so that addresses in
    it are those that were asked for; in the answer to a write they are what somebody typed."""
    if not asked:
        return message
    if code in _OF_THE_STATEMENT:
        return _REFUSED
    place = _PLACE.match(message, max(0, message.rfind(_BEFORE_PLACE)))
    text = _CARET.sub("", message[-_MAX_LENGTH:]) if place is None else message[place.end() :]
    text = text[:_MAX_LENGTH]
    if _KEYWORDS.search(text):
        text = _STATEMENT.sub("…", text)
    text = _ADDRESS.sub("…", text)
    return _LITERAL.sub(_named, text).strip()


def _named(literal: re.Match[str]) -> str:
    """Names of fields and objects stay, values go."""
    return literal[0] if _NAME.fullmatch(literal["text"]) else "'…'"
