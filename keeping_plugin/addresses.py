"""One rule for comparing addresses and domains, used by the rules, the drain and the panel.

Local parts compare after ASCII lower-casing only (`str.casefold` would make straße and strasse one
person), domains as lower-case IDNA A-labels without a trailing dot. A plus-address is its own
address. Nothing is ever cleaned: a cleaned address is somebody else's.
"""

from __future__ import annotations

import string
from functools import lru_cache

import idna
from email_validator import EmailNotValidError, validate_email

# Contact.Email and Lead.Email hold 80 characters (REFERENCE: recorded describes).
EMAIL_LENGTH = 80

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def ascii_lower(text: str) -> str:
    """Lower-case A to Z and nothing else."""
    return text.translate(_ASCII_LOWER)


@lru_cache(maxsize=65_536)
def domain_key(domain: str) -> str | None:
    """The domain as lower-case A-labels, or None when it is no domain name."""
    name = domain.strip().rstrip(".")
    if not name or len(name) > 253:
        return None
    try:
        key = ascii_lower(idna.encode(name, uts46=True).decode("ascii"))
    except (idna.IDNAError, UnicodeError):
        return None
    return key


@lru_cache(maxsize=65_536)
def address_key(email: str) -> str | None:
    """The address in the form in which two addresses are compared, or None when it is none."""
    local, _, domain = email.strip().rpartition("@")
    key = domain_key(domain)
    if key is None:
        return None
    try:
        # With a stand-in domain: the library refuses .local and .test, whose people exist too.
        validate_email(f"{local}@example.com", check_deliverability=False)
    except EmailNotValidError:
        return None
    return f"{ascii_lower(local)}@{key}" if "." in key else None


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
    except idna.IDNAError:
        return key
