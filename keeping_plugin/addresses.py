"""Address keys, under which we keep what belongs to an address, and how Salesforce compares.

`address_key`: local parts after ASCII lower-casing only (`str.casefold` would make straße and
strasse one person), domains as lower-case IDNA A-labels without a trailing dot. A plus-address is
its own address. Nothing is ever cleaned: a cleaned address is somebody else's. The ledger, picks,
cards and claims are keyed by it, so the key of an address that 0.1.0 accepted never changes; kinds
that it refused may get keys (tests/test_addresses.py holds both).

`salesforce_key` and `salesforce_forms`: what Salesforce stores and takes for equal, which is wider.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

import idna
from email_validator import EmailNotValidError, validate_email

# Contact.Email and Lead.Email hold 80 characters (REFERENCE: recorded describes).
EMAIL_LENGTH = 80

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def ascii_lower(text: str) -> str:
    """Lower-case A to Z and nothing else."""
    return text.translate(_ASCII_LOWER)


# What the DNS takes and IDNA 2008 does not: hyphens in the third and fourth place, the A-labels of
# IDNA 2003 such as those of emoji. Salesforce takes letters, digits and hyphens.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@lru_cache(maxsize=65_536)
def domain_key(domain: str) -> str | None:
    """The domain as lower-case A-labels, or None when it is no domain name."""
    name = domain.strip().rstrip(".")
    if not name or len(name) > 253:
        return None
    try:
        return ascii_lower(idna.encode(name, uts46=True).decode("ascii"))
    except (idna.IDNAError, UnicodeError):
        plain = ascii_lower(name)
        return plain if _PLAIN_DOMAIN.fullmatch(plain) else None


@lru_cache(maxsize=65_536)
def address_key(email: str) -> str | None:
    """The key of this address in our tables, or None when it is no address that an Email field can
    hold."""
    local, _, domain = email.strip().rpartition("@")
    key = domain_key(domain)
    if key is None or "." not in key:
        return None
    written = ascii_lower(local) if _is_standard(local) else _unusual(local)
    return None if written is None else f"{written}@{key}"


def _is_standard(local: str) -> bool:
    """Whether this is a local part without quotes by RFC 5322 or, not in ASCII, RFC 6531."""
    try:
        # With a stand-in domain: the library refuses .local and .test, whose people exist too.
        validate_email(f"{local}@example.com", check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


_LOCAL_LENGTH = 64  # RFC 5321, section 4.5.3.1.1
_DOTS = re.compile(r"\.+")


def _unusual(local: str) -> str | None:
    """Local parts that 0.1.0 took for none, and that Salesforce keeps: several dots in a row or one
    at the end, as Japanese carriers give them out, but none at the beginning (Salesforce Help
    000384328). Quotes around what stands there without are left off: it is the same mailbox, and
    the RFC asks for them where such dots are. What needs quotes for another reason is nobody's."""
    if len(local) > _LOCAL_LENGTH:
        return None
    if len(local) > 2 and local[0] == local[-1] == '"':
        local = local[1:-1]
    fits = not local.startswith(".") and _is_standard(_DOTS.sub(".", local).removesuffix("."))
    return ascii_lower(local) if fits else None


@lru_cache(maxsize=65_536)
def known_to_0_1_0(key: str) -> bool:
    """Whether 0.1.0, too, takes this key for an address. Its workers look for no other, and would
    make a second Contact."""
    local, _, domain = key.rpartition("@")
    try:
        idna.encode(domain, uts46=True)
    except (idna.IDNAError, UnicodeError):
        return False
    return _is_standard(local)


@lru_cache(maxsize=65_536)
def salesforce_key(email: str) -> str | None:
    """The address as Salesforce stores and compares it: all of it in lower case, not ASCII alone.
    None when it is none. For telling whose a record is; tables are keyed by `address_key`."""
    key = address_key(email)
    if key is None or key.isascii():
        return key
    local, _, domain = key.rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}@{domain}"


def salesforce_forms(email: str) -> tuple[str, ...]:
    """How this address may stand in an Email field of at most 80 characters, the form to save
    first: the domain in A-labels or in Unicode; with quotes where a local part with such dots needs
    them by the RFC. Empty when no record can carry it (it is no address, or too long)."""
    key = address_key(email)
    if key is None:
        return ()
    local, _, domain = key.rpartition("@")
    spellings = [local, (salesforce_key(key) or key).rpartition("@")[0]]
    if ".." in local or local.endswith("."):
        spellings.append(f'"{local}"')
    forms = dict.fromkeys(
        f"{each}@{name}" for each in spellings for name in (domain, shown_domain(domain))
    )
    return tuple(form for form in forms if len(form) <= EMAIL_LENGTH)


def for_salesforce(email: str) -> str:
    """The form in which this address is saved; as it is when no form fits, so that Salesforce says
    what is wrong with it."""
    return next(iter(salesforce_forms(email)), address_key(email) or email)


def keys_by_salesforce(emails: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The keys of these addresses by `salesforce_key`: two of ours can be one for Salesforce."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for email in emails:
        key, same = address_key(email), salesforce_key(email)
        if key is not None and same is not None:
            found[same][key] = None
    return {same: tuple(keys) for same, keys in found.items()}


def domain_of(key: str) -> str:
    """The domain of an `address_key`."""
    return key.rpartition("@")[2]


def parent_domains(domain: str) -> tuple[str, ...]:
    """The domain and every domain above it: a.b.c -> (a.b.c, b.c, c)."""
    labels = domain.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)))


def shown_domain(key: str) -> str:
    """A `domain_key` as its owner writes it (xn--mller-kva.example -> müller.example)."""
    try:
        return idna.decode(key)
    except (idna.IDNAError, UnicodeError):
        return key
