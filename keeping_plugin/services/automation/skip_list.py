"""The company's own list of domains whose people are never added, and its reading line by line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_key
from keeping_plugin.errors import InvalidInput
from keeping_plugin.mail.domains import is_personal, is_public_suffix
from keeping_plugin.models import SkippedDomain, change_rows, insert_new
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.types import Agent

# Far above any list that a person keeps; longer ones belong to the host's own list.
MAX_DOMAINS: Final = 10_000
# What one statement takes on every database (SQLite binds 32,766 values at most).
_ROWS: Final = 1_000
_SEPARATORS = re.compile(r"[\s,;]+")
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no domain: its number from 1, its text as typed, what to write instead."""

    number: int
    text: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SkipList:
    """Domain keys in alphabetical order. `unlogged` are those with "do not log either"; no domain
    stands in both."""

    skipped: tuple[str, ...] = ()
    unlogged: tuple[str, ...] = ()


def read_lines(text: str) -> tuple[tuple[str, ...], tuple[BadLine, ...]]:
    """The domains a person typed or pasted, one a line (commas and blanks part them too), each
    once and in order; and every line that holds something else, with a sentence for it."""
    domains: dict[str, None] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        for word in filter(None, _SEPARATORS.split(line)):
            sentence = _objection(word)
            key = domain_key(word)
            if sentence is None and key is not None:
                domains[key] = None
            else:
                shown = word if len(word) <= _SHOWN else word[: _SHOWN - 1] + "…"
                bad.append(BadLine(number, shown, sentence or _NO_DOMAIN))
    return tuple(domains), tuple(bad)


_NO_DOMAIN: Final = "This is not a domain. Enter the part after the @, such as acme.com."


def _objection(word: str) -> str | None:
    """Why this is no domain to skip, and what to write instead; None when it is one."""
    bare = word.removeprefix("*.").removeprefix("@").removeprefix(".")
    known = domain_key(bare)
    real = known if known is not None and "." in known else None
    if "://" in word or "/" in word:
        return "This is a web address. Enter only its domain, such as acme.com."
    if word.startswith("@"):
        wanted = real or f"{known or 'acme'}.com"
        return f"Leave out the @ and enter the whole domain, such as {wanted}."
    if "@" in word:
        domain = domain_key(word.rpartition("@")[2])
        if domain is None or "." not in domain:
            return _NO_DOMAIN
        return f"This is an address; only whole domains can be skipped. Enter {domain} to skip it."
    if real is not None and ("*" in word or word.startswith(".")):
        return f"Enter {real} instead: a domain covers its subdomains."
    if "*" in word:
        return "Enter the domain without *: a domain covers its subdomains."
    if known is None:
        return _NO_DOMAIN
    if "." not in known:
        return f"This is only part of a domain. Enter all of it, such as {known}.com."
    if known.replace(".", "").isdigit():
        return "This is an IP address. Enter a domain, such as acme.com."
    return None


def warnings(domains: Iterable[str]) -> list[str]:
    """A sentence for each domain that covers more people than whoever skips it may mean."""
    found = []
    for domain in domains:
        if is_public_suffix(domain):
            found.append(
                f"{domain} is not one company’s: everybody with an address that ends in it is "
                "skipped."
            )
        elif is_personal(domain):
            found.append(
                f"{domain} is a provider of personal email: all of its customers are skipped."
            )
    return found


def read(session: Session, company_id: str) -> SkipList:
    """The company's own list; the host's is not part of it."""
    skipped: list[str] = []
    unlogged: list[str] = []
    rows = session.execute(
        select(SkippedDomain.domain, SkippedDomain.skip_logging)
        .where(SkippedDomain.company_id == company_id)
        .order_by(SkippedDomain.domain)
    )
    for domain, skip_logging in rows:
        (unlogged if skip_logging else skipped).append(domain)
    return SkipList(tuple(skipped), tuple(unlogged))


def add(
    session: Session, agent: Agent, domains: Collection[str], *, skip_logging: bool = False
) -> bool:
    """Put domains on the list, whatever else is added or taken off at this moment; says whether
    that changed anything. `skip_logging`: do not log their mail either. What is not logged stays
    so: a list pasted again weakens nothing.

    Takes domains as `read_lines` gives them. Raises InvalidInput when more than 10,000 would stand
    on the list.
    """
    company_id = agent.company_id
    known = read(session, company_id)
    stands = {*known.skipped, *known.unlogged}
    fresh = [domain for domain in dict.fromkeys(domains) if domain not in stands]
    if len(stands) + len(fresh) > MAX_DOMAINS:
        raise InvalidInput(
            f"The list would have {len(stands) + len(fresh)} domains; the limit is {MAX_DOMAINS}.",
            field="skipped",
        )
    for some in _chunks(fresh):
        rows: list[dict[str, Any]] = [
            {"company_id": company_id, "domain": domain, "skip_logging": skip_logging}
            for domain in some
        ]
        insert_new(session, SkippedDomain, rows)
    changed = bool(fresh)
    if skip_logging:
        # Those that somebody else has just added, too.
        for some in _chunks([domain for domain in domains if domain not in known.unlogged]):
            changed |= _set_logging(session, company_id, some, skip_logging=True)
    return _noted(session, agent, changed, f"added {len(domains)}")


def set_logging(session: Session, agent: Agent, domain: str, *, skip_logging: bool) -> bool:
    """Whether mail of a domain on the list is not logged either; says whether that was a change. A
    domain that somebody else took off meanwhile stays off."""
    changed = _set_logging(session, agent.company_id, [domain], skip_logging=skip_logging)
    return _noted(session, agent, changed, "unlog" if skip_logging else "log")


def remove(session: Session, agent: Agent, domain: str) -> bool:
    """Take a domain off the list; says whether it stood there."""
    row = delete(SkippedDomain).where(
        SkippedDomain.company_id == agent.company_id, SkippedDomain.domain == domain
    )
    return _noted(session, agent, change_rows(session, row) > 0, "remove")


def _noted(session: Session, agent: Agent, changed: bool, detail: str) -> bool:
    """The change itself, with its row in the audit trail when there was one."""
    if changed:
        audit.record_by(session, agent, Audited.SKIP_LIST_CHANGED, detail=detail)
    return changed


def _set_logging(
    session: Session, company_id: str, domains: Sequence[str], *, skip_logging: bool
) -> bool:
    others = update(SkippedDomain).where(
        SkippedDomain.company_id == company_id,
        SkippedDomain.domain.in_(domains),
        SkippedDomain.skip_logging.is_not(skip_logging),
    )
    return change_rows(session, others.values(skip_logging=skip_logging)) > 0


def _chunks(domains: Sequence[str]) -> Iterable[Sequence[str]]:
    return (domains[start : start + _ROWS] for start in range(0, len(domains), _ROWS))
