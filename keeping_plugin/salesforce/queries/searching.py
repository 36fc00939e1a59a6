"""What is found by SOSL: what an agent searches the org for, and in orgs whose Email or Name cannot
stand in a query because they are encrypted, people and names.

A search is slower to know than a query: its index lags by a quarter of an hour or more, and it
leaves out what it ranks low. Who is found has the address (compared here); who is not may be there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.errors import InvalidInput, SchemaStale
from keeping_plugin.objects import CONTACT, CONVERSION, LEAD, PERSON_NAMES
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.composite import Rows
from keeping_plugin.types import Record

log = logging.getLogger(__name__)

# Above 4,000 characters of search text Salesforce drops its operators (SOSL, FIND).
_TEXT = 3_500
_MAX_RECORDS = 2_000  # records of an answer
_RESERVED = re.compile(r"([?&|!{}\[\]()^~*:\\\"'+\-])")
_FIELDS = "Id, Email, CreatedDate"
_OPERATORS = frozenset({"AND", "OR", "NOT"})
_PHONE = re.compile(r"[+(]?[\d\s()/.+\-]{3,}")


def people(calls: Calls, name: str, addresses: Iterable[str]) -> dict[str, Rows]:
    """Contacts and unconverted Leads with one of these addresses, by object: one request for some
    hundred addresses."""
    wanted = {key for address in addresses if (key := salesforce_key(address)) is not None}
    found: dict[str, Rows] = {kind: [] for kind in PERSON_NAMES}
    # At worst every character of a form is escaped.
    chunks = soql.address_chunks(
        sorted(wanted), length=lambda form: 2 * len(form), room=_TEXT, most=None
    )
    for forms in chunks:
        for row in _search(calls, name, forms):
            kind = payloads.mapping(row.get("attributes")).get("type")
            # Found by another field of theirs, they may have no Email at all.
            email = str(payloads.at_path(row, "Email") or "")
            if kind in found and salesforce_key(email) in wanted:
                found[kind].append(row)
    return found


def named(calls: Calls, object: str, title: str, text: str, limit: int) -> Rows:
    """Records of an object with a word in their names that begins like this text."""
    word = _RESERVED.sub(r"\\\1", text)
    most = max(1, min(limit, 200))
    sosl = f"FIND {{{word}*}} IN NAME FIELDS RETURNING {object}(Id, {title}) LIMIT {most}"
    answer = calls.ask("search", "GET", "search/?q=" + quote(sosl, safe=""))
    return [payloads.mapping(row) for row in _records(answer.body)]


def by_text(
    calls: Calls, text: str, fields: Mapping[str, Sequence[str]], limit: int
) -> list[Record]:
    """Records of these objects with words that begin like those of the text, at most `limit` of
    each object, the most relevant first. The text says where to look: in email addresses, phone
    numbers, or names (those of the company and of a Contact's Account among them). Other fields are
    not searched, since a hit would tell of what no admin has ticked."""
    group = "EMAIL" if "@" in text else "PHONE" if _PHONE.fullmatch(text) else "NAME"
    returning = []
    for name, paths in fields.items():
        where = f" WHERE {CONVERSION.unconverted}" if name == LEAD.name else ""
        returning.append(f"{name}({', '.join(('Id', *paths))}{where} LIMIT {limit})")
    sosl = f"FIND {{{_words(text)}}} IN {group} FIELDS RETURNING {', '.join(returning)}"
    answer = calls.ask("find_by_text", "GET", "search/?q=" + quote(sosl, safe=""))
    found = []
    for row in map(payloads.mapping, _records(answer.body)):
        name = payloads.text(payloads.mapping(row.get("attributes")), "type")
        found.append(payloads.record(row, name, fields[name]))
    return found


def _words(text: str) -> str:
    """The words of a text as the beginnings of words, all of which must occur. Salesforce refuses a
    search for one character, and takes AND, OR and NOT for operators: these are left out."""
    words = []
    for word in text.split():
        plain = [char for char in word if char.isalnum()]
        if len(plain) > 1 and word.upper() not in _OPERATORS:
            words.append(_RESERVED.sub(r"\\\1", word.rstrip("".join(set(word) - set(plain)))) + "*")
    if not words:
        raise InvalidInput("Type at least three letters or digits.", field="q")
    return " ".join(words)


def _records(body: object) -> Sequence[object]:
    return payloads.sequence(payloads.mapping(body).get("searchRecords"))


def _search(calls: Calls, name: str, forms: Sequence[str]) -> Sequence[Mapping[str, object]]:
    contacts = f"{CONTACT.name}({_FIELDS})"
    leads = f"{LEAD.name}({_FIELDS} WHERE {CONVERSION.unconverted})"
    try:
        answer = calls.ask(name, "GET", _path(forms, f"{contacts}, {leads}"))
    except SchemaStale:
        # A user who may not read Leads finds none, as with a query.
        log.warning("salesforce.search.leads_unreadable")
        answer = calls.ask(name, "GET", _path(forms, contacts))
    return [payloads.mapping(row) for row in _records(answer.body)]


def _path(forms: Sequence[str], returning: str) -> str:
    words = " OR ".join('"' + _RESERVED.sub(r"\\\1", form) + '"' for form in forms)
    sosl = f"FIND {{{words}}} IN EMAIL FIELDS RETURNING {returning} LIMIT {_MAX_RECORDS}"
    return "search/?q=" + quote(sosl, safe="")
