"""Which Account the people of a mail domain belong to, by what Salesforce holds of that domain.

One composite for all domains: one query by website, the others by mail domain. A domain gets a
query of its own, which counts its Contacts by Account, while there are queries left; else several
share one, which reads their Contacts' addresses, and tells nothing of any when they are too many.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from keeping_plugin.addresses import domain_key, shown_domain
from keeping_plugin.errors import SalesforceError
from keeping_plugin.objects import ACCOUNT, CONTACT, TO_ACCOUNT
from keeping_plugin.salesforce.queries import payloads, soql
from keeping_plugin.salesforce.queries.payloads import mapping, text
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls
from keeping_plugin.salesforce.wire.client import Answer, format_soql
from keeping_plugin.salesforce.wire.composite import Rows, Sub
from keeping_plugin.types import AccountFound, DomainAccounts, Told

log = logging.getLogger(__name__)

MAX_DOMAINS = 200
# A page of a query, and all that an aggregate query answers (SOQL and SOSL Reference).
PAGE = 2_000
_WEBSITES = "websites"
_BY_DOMAIN = composite.QUERIES - 1
_WEBSITE_LENGTH = 255
_OWNER, _NAME = "Account.OwnerId", "Account.Name"


def accounts(
    calls: Calls,
    domains: Sequence[str],
    *,
    person_accounts: bool,
    named: bool = True,
    first: int = 0,
) -> Mapping[str, DomainAccounts]:
    """At most 200 domains, each an `addresses.domain_key`. `first`: so many of them get a query of
    their own in any case, at most three. `person_accounts`: the org has them; they are no
    company's. `named`: Account.Name can be grouped by."""
    if not 0 < len(domains) <= MAX_DOMAINS or not 0 <= first < _BY_DOMAIN:
        raise ValueError(f"1 to {MAX_DOMAINS} domains, not {len(domains)}")
    no_persons = ["IsPersonAccount = false"] if person_accounts else []
    groups = {f"d{number}": group for number, group in enumerate(_groups(domains, first))}
    subs = [composite.query(_WEBSITES, _of_websites(domains, no_persons))]
    subs += [_of_domains(name, group, no_persons, named=named) for name, group in groups.items()]
    answers = composite.ask_all(calls, "accounts", subs)
    by_website = _websites(calls, answers[_WEBSITES], domains)
    found = {}
    for name, group in groups.items():
        for domain, colleagues in _colleagues(calls, answers[name], group).items():
            found[domain] = DomainAccounts(colleagues, by_website[domain])
    return found


def _groups(domains: Sequence[str], first: int) -> Iterator[Sequence[str]]:
    """The domains that share a query, as evenly as they can."""
    if len(domains) <= _BY_DOMAIN:
        first = len(domains)
    yield from ([domain] for domain in domains[:first])
    rest, queries = domains[first:], _BY_DOMAIN - first
    yield from (rest[start::queries] for start in range(min(queries, len(rest))))


def _spellings(domain: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((domain, shown_domain(domain))))


def website_forms(domain: str) -> tuple[str, ...]:
    """How this domain may stand in Account.Website: with and without scheme, www. and slash.
    Salesforce compares without regard to case."""
    return tuple(
        form
        for name in _spellings(domain)
        for scheme in ("", "http://", "https://")
        for host in (name, f"www.{name}")
        for form in (scheme + host, f"{scheme}{host}/")
        if len(form) <= _WEBSITE_LENGTH
    )


def _of_websites(domains: Sequence[str], conditions: Sequence[str]) -> str:
    forms = [form for domain in domains for form in website_forms(domain)]
    where = [format_soql("Website IN {}", forms), *conditions]
    return soql.select(("Id", "Website", "OwnerId", "Name"), ACCOUNT.name, where=where, limit=PAGE)


def _of_domains(name: str, group: Sequence[str], conditions: Sequence[str], *, named: bool) -> Sub:
    parts = [
        format_soql("Email LIKE '%@{:like}'", spelling)
        for domain in group
        for spelling in _spellings(domain)
    ]
    where = [f"({' OR '.join(parts)})", f"{TO_ACCOUNT} != null", *conditions]
    fields = (TO_ACCOUNT, _OWNER, _NAME) if named else (TO_ACCOUNT, _OWNER)
    if len(group) > 1:
        return composite.query(
            name, soql.select(("Email", *fields), CONTACT.name, where=where, limit=PAGE)
        )
    counted = soql.select((*fields, "COUNT(Id) people"), CONTACT.name, where=where)
    by_account = f" GROUP BY {', '.join(fields)} ORDER BY COUNT(Id) DESC LIMIT {PAGE}"
    return composite.query(name, counted + by_account)


def _first_page(calls: Calls, answer: Answer) -> tuple[Rows, bool] | None:
    """The rows, and whether they may not be all; None when Salesforce did not answer this one."""
    try:
        rows = composite.rows(calls, "accounts", answer)
    except SalesforceError as error:
        log.warning("salesforce.accounts.unanswered code=%s", error.code)
        return None
    return rows, len(rows) >= PAGE


def _websites(calls: Calls, answer: Answer, domains: Sequence[str]) -> dict[str, Told]:
    page = _first_page(calls, answer)
    if page is None:
        return dict.fromkeys(domains, Told(answered=False))
    rows, cut = page
    asked: defaultdict[str, list[str]] = defaultdict(list)  # acme.com shares www.acme.com's forms
    for domain in domains:
        for form in dict.fromkeys(map(str.lower, website_forms(domain))):
            asked[form].append(domain)
    found: defaultdict[str, list[AccountFound]] = defaultdict(list)
    for row in rows:
        for domain in asked.get(text(row, "Website").lower(), ()):
            found[domain].append(_found(payloads.record_id(row), row))
    told = {}
    for domain in domains:
        there = found[domain]
        if len(there) > 1:  # more of them change nothing
            told[domain] = Told(several=True)
        elif cut:
            told[domain] = Told(answered=False, crowd=1)
        else:
            told[domain] = Told(there[0] if there else None)
    return told


def _colleagues(calls: Calls, answer: Answer, group: Sequence[str]) -> dict[str, Told]:
    page = _first_page(calls, answer)
    if page is None:
        return dict.fromkeys(group, Told(answered=False))
    rows, cut = page
    counts: defaultdict[str, Counter[AccountFound]] = defaultdict(Counter)
    for row in rows:
        account = _account(row)
        if len(group) == 1:
            counts[group[0]][account] += _count(row)
        else:
            domain = domain_key(text(row, "Email").rpartition("@")[2].rstrip('"'))
            counts[domain or ""][account] += 1
    if cut and len(group) == 1:  # two thousand Accounts: no one of them is most people's
        return {group[0]: Told(several=True)}
    return {
        domain: Told(answered=False, crowd=1 + counts[domain].total())
        if cut
        else _most(counts[domain])
        for domain in group
    }


def _most(people: Counter[AccountFound]) -> Told:
    """The Account of more than half of those that have one, at least two."""
    if not people:
        return Told()
    [(account, count)] = people.most_common(1)
    if count >= 2 and count * 2 > people.total():
        return Told(account)
    return Told(several=len(people) > 1)


def _account(row: Mapping[str, object]) -> AccountFound:
    """Of a Contact's row; an aggregate names the column of a parent's field by the field alone."""
    account_id = payloads.record_id({"Id": row.get(TO_ACCOUNT)})
    return _found(account_id, mapping(row[ACCOUNT.name]) if row.get(ACCOUNT.name) else row)


def _found(account_id: str, row: Mapping[str, object]) -> AccountFound:
    return AccountFound(account_id, _text(row, "OwnerId"), _text(row, "Name"))


def _count(row: Mapping[str, object]) -> int:
    count = row.get("people")
    if not isinstance(count, int):
        raise payloads.Malformed("a count was expected")
    return count


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""
