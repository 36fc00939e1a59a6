"""The Accounts of mail domains, as the org in memory tells them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from keeping_plugin.addresses import domain_key
from keeping_plugin.types import AccountFound, DomainAccounts, Told
from tests.fake_salesforce.org import FakeOrg


def accounts(
    org: FakeOrg, domains: Sequence[str], *, person_accounts: bool
) -> Mapping[str, DomainAccounts]:
    """Every step of every domain, whatever it takes."""
    there = {
        row["Id"]: AccountFound(row["Id"], row["OwnerId"], row.get("Name") or "")
        for row in org.of("Account")
        if not (person_accounts and row.get("IsPersonAccount"))
    }
    found = {}
    for domain in domains:
        people = Counter(
            row["AccountId"]
            for row in org.of("Contact")
            if row.get("AccountId") in there
            and domain_key((row.get("Email") or "").rpartition("@")[2]) == domain
        )
        sites = [
            row["Id"] for row in org.of("Account") if row["Id"] in there and _site(row) == domain
        ]
        found[domain] = DomainAccounts(_most(people, there), _only(sites, there))
    return found


def _site(row: Mapping[str, object]) -> str | None:
    site = str(row.get("Website") or "").lower().removesuffix("/")
    for scheme in ("http://", "https://"):
        site = site.removeprefix(scheme)
    return domain_key(site.removeprefix("www."))


def _most(people: Counter[str], there: Mapping[str, AccountFound]) -> Told:
    for account_id, count in people.most_common(1):
        if count >= 2 and count * 2 > people.total():
            return Told(there[account_id])
    return Told(several=len(people) > 1)


def _only(sites: Sequence[str], there: Mapping[str, AccountFound]) -> Told:
    return Told(there[sites[0]]) if len(sites) == 1 else Told(several=len(sites) > 1)
