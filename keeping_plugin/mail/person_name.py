"""The name under which a new customer is added: his own where he gave one, else the local part of
his address, as the settings promise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from keeping_plugin.addresses import ascii_lower, for_salesforce
from keeping_plugin.mail.clean import cut, one_line
from keeping_plugin.types import Address, Value

# Object Reference, Contact.
LAST_NAME: Final = 80
FIRST_NAME: Final = 40

_QUOTES = "\"'`´‘’‚“”„«»‹›「」『』"
_COMMAS = re.compile(r"\s*[,，、،]\s*")
_BESIDE = re.compile(r"\s*[(\[（【][^)\]）】]*[)\]）】]\s*")
_VIA = re.compile(r"\s(?:via|on behalf of|namens|im auftrag von|über)\s.*$", re.IGNORECASE)
# Of addresses, markup, links, formulas and encoded words that nobody decoded.
_NOT_IN_NAMES = re.compile(r"[@<>{}()\[\]=|\\/^~#%*+$]|:|\?|^[-.,;!]")
_TITLES = frozenset(
    "dr prof mr mrs ms mx miss sir herr frau hr fr mme mlle sr sra dhr mevr ing dipl".split()
)
_SUFFIXES = frozenset("jr sr ii iii iv phd md mba esq dds cpa msc bsc ma ba".split())
_FIRMS = frozenset(
    "inc ltd llc llp gmbh ag bv nv sa sas sarl srl spa ab oy as aps plc pty co corp kg ug ev team "
    "support sales service".split()
)
# Words that begin a family name of several: van der Berg, de la Cruz, bin Salman.
_PARTICLES = frozenset(
    "af al am auf bin bint da dal de del della den der des di do dos du el het la las le los 't te "
    "ten ter van vd vom von zu zum zur".split()
)
_FAMILY_FIRST = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")


def contact_fields(customer: Address, *, not_names: Collection[str] = ()) -> dict[str, Value]:
    """LastName, FirstName when there is one, and Email, within Salesforce's lengths (80, 40).

    `not_names` are words that are nobody's name, such as the mailbox's: many programs put those
    beside a customer's address. Email is the address in the form in which it is saved.
    """
    email = customer.email.strip()
    first, last = _split(_real_name(customer, not_names))
    local = one_line(email.rpartition("@")[0] or email, LAST_NAME)
    fields: dict[str, Value] = {"LastName": cut(last, LAST_NAME) or local}
    if first:
        fields["FirstName"] = cut(first, FIRST_NAME)
    fields["Email"] = for_salesforce(email)
    return fields


def _real_name(customer: Address, not_names: Collection[str]) -> str:
    """The display name when it is a person's, else ""."""
    name = one_line(customer.name, 2 * (LAST_NAME + FIRST_NAME))
    name = _VIA.sub("", _BESIDE.sub(" ", name))
    name = "".join(c for c in name if unicodedata.category(c) not in ("So", "Sk", "Cf", "Co", "Cn"))
    name = " ".join(name.strip(_QUOTES + " ").split())
    if _NOT_IN_NAMES.search(name) or not any(c.isalpha() for c in name):
        return ""
    return "" if _squashed(name) in {_squashed(word) for word in not_names} else name


def _squashed(text: str) -> str:
    return "".join(c for c in ascii_lower(text) if c.isalnum())


def _split(name: str) -> tuple[str, str]:
    """First and last name; all of it is the last name when nothing tells them apart."""
    parts = [part for part in _COMMAS.split(name) if part]
    while len(parts) > 1 and _bare(parts[-1]) in _SUFFIXES:
        parts.pop()
    if len(parts) == 2 and not {_bare(word) for word in parts[1].split()} & _FIRMS:
        return " ".join(_untitled(parts[1].split())), parts[0]  # Last, First
    words = _untitled(parts[0].split()) if parts else []
    while len(words) > 1 and _bare(words[-1]) in _SUFFIXES:
        words.pop()
    if len(words) < 2:
        return "", " ".join(words)
    if _is_family_first(words):
        return " ".join(words[1:]), words[0]
    return _western(words)


def _western(words: list[str]) -> tuple[str, str]:
    shouted = [word for word in words if len(word) > 1 and word.isupper() and "." not in word]
    if shouted and len(shouted) < len(words):  # DUPONT Jean, Jean DUPONT
        others = [word for word in words if word not in shouted]
        return " ".join(others), " ".join(shouted)
    start = len(words) - 1
    while start > 1 and _bare(words[start - 1]) in _PARTICLES:
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


def _bare(word: str) -> str:
    return word.replace(".", "").lower()


def _untitled(words: list[str]) -> list[str]:
    while len(words) > 1 and _bare(words[0]) in _TITLES:
        words = words[1:]
    return words


def _is_family_first(words: list[str]) -> bool:
    return all(unicodedata.name(word[0], "").startswith(_FAMILY_FIRST) for word in words)
