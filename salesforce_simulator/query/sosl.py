"""SOSL: one search term over the words of several objects.

A term is words that must all occur, or several such joined by OR; a word finds the same run of
letters and digits at the start of a word boundary, whole unless it ends in ``*``. AND, AND NOT and
the other options of SOSL are refused. Contacts of person accounts are not indexed, and ``delay``
is how long the index lags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.query.run import Queries
from salesforce_simulator.query.selection import Selection
from salesforce_simulator.query.soql import parse
from salesforce_simulator.query.soql.stream import TokenStream
from salesforce_simulator.query.soql.tokens import Token, tokens
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store
from salesforce_simulator.values import TEXT_TYPES, show_datetime

_TERM = re.compile(r"\s*FIND\s*\{((?:\\.|[^{}\\])*)\}\s*", re.IGNORECASE | re.DOTALL)
# Between words; inside quotation marks an address may hold no blanks, so this never splits one.
_OR = re.compile(r"\s+OR\s+")
_WORD = re.compile(r"[^\W_]+")
_RESERVED = set("?&|!{}[]()^~*:\\\"'+-")
_SCOPES = frozenset({"ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"})
_TAIL = re.compile(r"\b(WHERE|ORDER|LIMIT|OFFSET|USING|WITH|GROUP)\b", re.IGNORECASE)
_LIMIT = 2000
_PER_OBJECT = 250
# A longer search text finds nothing; above the shorter length the service drops its operators.
_LONGEST_TEXT = 10_000
_LONGEST_WITH_OPERATORS = 4_000


@dataclass(frozen=True, slots=True)
class _Word:
    """Runs of letters and digits that must follow each other; the last may be a prefix."""

    runs: tuple[str, ...]
    prefix: bool

    def occurs_in(self, text: str) -> bool:
        found = [run.lower() for run in _WORD.findall(text)]
        size = len(self.runs)
        for start in range(len(found) - size + 1):
            part = found[start : start + size]
            last = part[-1]
            ends = last.startswith(self.runs[-1]) if self.prefix else last == self.runs[-1]
            if tuple(part[:-1]) == self.runs[:-1] and ends:
                return True
        return False


def _malformed(message: str) -> OrgError:
    return refuse("MALFORMED_SEARCH", message, None)


def search_words(term: str) -> list[_Word]:
    """The words of an escaped search term; MALFORMED_SEARCH for what is not modelled."""
    plain: list[tuple[str, bool]] = []
    place = 0
    while place < len(term):
        escaped = term[place] == "\\"
        place += escaped
        plain.append((term[place : place + 1], escaped))
        place += 1
    words: list[list[tuple[str, bool]]] = [[]]
    quoted = False
    for char, escaped in plain:
        if char == '"' and not escaped:
            quoted = not quoted
        elif char.isspace() and not quoted:
            words.append([])
        elif char in _RESERVED and not escaped and char != "*":
            raise _malformed(f"The character {char} has to be escaped with a backslash")
        else:
            words[-1].append((char, escaped))
    if quoted:
        raise _malformed("A quotation mark is missing in the search term")
    found = [word for word in (_word(chars) for chars in words) if word is not None]
    if sum(len(run) for word in found for run in word.runs) < 2:
        raise _malformed("The search term must be longer than one character")
    return found


def _word(chars: list[tuple[str, bool]]) -> _Word | None:
    prefix = bool(chars) and chars[-1] == ("*", False)
    body = chars[:-1] if prefix else chars
    if any(char == "*" and not escaped for char, escaped in body):
        raise _malformed("A wildcard is only modelled at the end of a word")
    text = "".join(char for char, _ in body)
    if text in {"AND", "OR", "NOT"}:
        raise _malformed("Of the operators of a search term the simulated org models OR alone")
    runs = tuple(run.lower() for run in _WORD.findall(text))
    return _Word(runs, prefix) if runs else None


class Searches:
    """Answers SOSL for the org; ``delay`` keeps records younger than that out of the index."""

    def __init__(self, store: Store, queries: Queries, clock: OrgClock) -> None:
        self._store = store
        self._queries = queries
        self._clock = clock
        self.delay = timedelta(0)

    def run(self, user: User, sosl: str, *, api_version: str) -> dict[str, Any]:
        """``{"searchRecords": [...]}`` for a FIND statement."""
        match = _TERM.match(sosl)
        if match is None:
            raise _malformed("No search term found. The search term must be enclosed in braces.")
        terms = [search_words(term) for term in _OR.split(match[1])]
        if len(terms) > 1 and len(match[1]) > _LONGEST_WITH_OPERATORS:
            raise _malformed(
                "The simulated org does not model operators in a search text of more than "
                f"{_LONGEST_WITH_OPERATORS} characters"
            )
        rest = sosl[match.end() :]
        stream = TokenStream(rest, tokens(rest))
        scope = "ALL"
        if stream.skip_word("IN"):
            scope = stream.name().text.upper()
            stream.word("FIELDS")
        if scope not in _SCOPES:
            raise _malformed(f"{scope} FIELDS is no search group")
        statements = _returning(stream)
        limit = stream.count("LIMIT")
        if stream.peek().kind != "end":
            raise _malformed(f"unexpected token: '{stream.peek().text}'")
        if statements is None:
            statements = self._everything(user, api_version)
        if len(match[1]) > _LONGEST_TEXT:
            return {"searchRecords": []}
        records = self._find(user, terms, scope, statements, api_version)
        return {"searchRecords": records[: _LIMIT if limit is None else limit]}

    def parameterized(
        self,
        user: User,
        text: str,
        *,
        scope: str,
        objects: Mapping[str, Sequence[str]],
        limit: int,
        api_version: str,
    ) -> dict[str, Any]:
        """The same for a plain text, objects and fields given as parameters."""
        if scope.upper() not in _SCOPES:
            raise _malformed(f"{scope} is no search group")
        escaped = "".join(
            f"\\{char}" if char in _RESERVED and char not in '*"' else char for char in text
        )
        words = search_words(escaped)
        statements = [
            f"SELECT {', '.join(fields) or 'Id'} FROM {name}" for name, fields in objects.items()
        ]
        records = self._find(user, [words], scope.upper(), statements, api_version)
        return {"searchRecords": records[:limit]}

    def _everything(self, user: User, api_version: str) -> list[str]:
        """The ids of every object that the user may search: FIND without RETURNING."""
        scope = self._queries.scope(user, "", all_rows=False, api_version=api_version)
        readable = (scope.readable_object(name) for name in scope.catalog.names())
        return [
            f"SELECT Id FROM {schema.name}"
            for schema in readable
            if schema is not None and schema.raw.get("searchable")
        ]

    def _find(
        self,
        user: User,
        terms: list[list[_Word]],
        group: str,
        statements: list[str],
        api_version: str,
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        newest = show_datetime(self._clock.now() - self.delay)
        with self._store.reading():
            for statement in statements:
                query = parse(statement)
                scope = self._queries.scope(
                    user, statement, all_rows=False, api_version=api_version
                )
                schema = scope.object(query.source, query.source_offset)
                if not schema.allows("searchable"):
                    raise refuse(
                        "INVALID_TYPE", f"entity type {schema.name} does not support search", None
                    )
                fields = [
                    field
                    for field in schema.fields.values()
                    if _in_group(field, group) and scope.rights.may_read(user, schema, field)
                ]
                hits = frozenset(
                    str(record["Id"])
                    for record in self._store.scan(schema.name, deleted=False)
                    if _indexed(schema, record)
                    and record["SystemModstamp"] <= newest
                    and any(_matches(record, fields, words) for words in terms)
                )
                if scope.rights.hides_rows:
                    # Sharing is applied to the candidates the index gives, so many that the user
                    # cannot see leave few that the user can.
                    hits = frozenset(sorted(hits)[:_LIMIT])
                rows = Selection(scope, within=hits).rows(schema, query)
                most = min(_PER_OBJECT, _LIMIT // len(statements))
                found += rows if query.limit is not None else rows[:most]
        return found


def _returning(stream: TokenStream) -> list[str] | None:
    """A SOQL statement for each object of RETURNING; None when there is no RETURNING."""
    if not stream.skip_word("RETURNING"):
        return None
    statements = []
    while True:
        name = stream.name()
        inside = _parenthesised(stream) if stream.peek().text == "(" else "Id"
        tail = _TAIL.search(inside)
        fields = inside[: tail.start()] if tail else inside
        ending = inside[tail.start() :] if tail else ""
        statements.append(f"SELECT {fields.strip()} FROM {name.text} {ending}".strip())
        if not stream.skip(","):
            return statements


def _parenthesised(stream: TokenStream) -> str:
    opening = stream.next()
    depth, token = 1, opening
    while depth:
        token = stream.next()
        if token.kind == "end":
            raise _malformed("A parenthesis is missing after RETURNING")
        depth += _depth(token)
    return stream.text[opening.offset + 1 : token.offset]


def _depth(token: Token) -> int:
    return {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0


def _in_group(field: FieldSchema, group: str) -> bool:
    kind = field.type
    named = bool(field.raw.get("nameField")) or field.compound == "Name"
    named = named or field.name in {"Company", "Website"}
    in_group = {
        "ALL": kind in TEXT_TYPES and kind not in {"base64", "picklist", "multipicklist"},
        "NAME": named,
        "EMAIL": kind == "email",
        "PHONE": kind == "phone",
        "SIDEBAR": named or kind in {"email", "phone"},
    }
    return in_group[group]


def _indexed(schema: ObjectSchema, record: Record) -> bool:
    """The Contact of a person account is in no search, nor is a Lead that was converted."""
    hidden = {"Contact": "IsPersonAccount", "Lead": "IsConverted"}.get(schema.name)
    return hidden is None or not record.get(hidden)


def _matches(record: Record, fields: list[FieldSchema], words: list[_Word]) -> bool:
    texts = [text for f in fields if isinstance(text := record.get(f.name), str)]
    return all(any(word.occurs_in(text) for text in texts) for word in words)
