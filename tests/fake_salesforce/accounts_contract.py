"""What `accounts` of every `SalesforceGateway` must do."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from keeping_plugin.addresses import domain_key, shown_domain
from keeping_plugin.types import DomainAccounts
from tests.fake_salesforce.org_under_test import OrgContract, OrgUnderTest


def some_domain() -> str:
    """A domain of which the org has nothing yet."""
    return f"d{uuid.uuid4().hex[:12]}.example"


def told(found: DomainAccounts) -> tuple[str | None, str | None]:
    """The ids of both steps."""
    assert found.complete
    return (
        found.colleagues.account.id if found.colleagues.account else None,
        found.website.account.id if found.website.account else None,
    )


Site = Callable[[str], str]


class AccountsContract(OrgContract):
    """The Account of a mail domain, by its people and by its website."""

    def _people(self, org: OrgUnderTest, domain: str, account: str | None, count: int) -> None:
        for number in range(count):
            email = f"p{number}.{uuid.uuid4().hex[:6]}@{domain}"
            fields = {"AccountId": account} if account else {}
            org.add("Contact", LastName="P", Email=email, **fields)

    @pytest.mark.parametrize(
        ("with_ours", "with_other", "without", "ours"),
        [
            (0, 0, 3, False),  # private people tell nothing
            (1, 0, 0, False),  # one is none yet
            (2, 0, 9, True),  # of those that have one
            (3, 2, 0, True),
            (2, 2, 0, False),  # half is not over half
        ],
    )
    def test_the_account_of_most_colleagues_is_told(
        self, org: OrgUnderTest, with_ours: int, with_other: int, without: int, ours: bool
    ) -> None:
        domain = some_domain()
        account, other = org.add("Account", Name="Ours"), org.add("Account", Name="Other")
        self._people(org, domain, account, with_ours)
        self._people(org, domain, other, with_other)
        self._people(org, domain, None, without)
        found = org.gateway.accounts([domain], person_accounts=False)
        assert told(found[domain]) == (account if ours else None, None)

    def test_a_domain_above_or_below_is_another(self, org: OrgUnderTest) -> None:
        domain = some_domain()
        parent, child = org.add("Account", Name="Parent"), org.add("Account", Name="Child")
        self._people(org, domain, parent, 2)
        self._people(org, f"eu.{domain}", child, 3)
        org.add("Account", Name="Site", Website=f"https://eu.{domain}")
        found = org.gateway.accounts([domain, f"eu.{domain}"], person_accounts=False)
        assert told(found[domain]) == (parent, None)
        assert told(found[f"eu.{domain}"])[0] == child

    @pytest.mark.parametrize(
        "site",
        [
            lambda domain: domain,
            lambda domain: f"www.{domain}",
            lambda domain: f"HTTP://WWW.{domain.upper()}/",
            lambda domain: f"https://{domain}",
            lambda domain: f"https://{domain}/",
        ],
    )
    def test_the_one_account_with_this_website_is_told(self, org: OrgUnderTest, site: Site) -> None:
        domain = some_domain()
        account = org.add("Account", Name="Site", Website=site(domain))
        org.add("Account", Name="Longer", Website=f"https://my{domain}")
        org.add("Account", Name="Page", Website=f"https://{domain}/other")
        found = org.gateway.accounts([domain], person_accounts=False)[domain]
        assert told(found) == (None, account)

    def test_of_several_accounts_with_one_website_none_is_told(self, org: OrgUnderTest) -> None:
        domain = some_domain()
        for website in (domain, f"https://www.{domain}"):
            org.add("Account", Name="Site", Website=website)
        found = org.gateway.accounts([domain], person_accounts=False)[domain]
        assert told(found) == (None, None)
        assert found.website.several

    def test_a_domain_in_other_letters_is_told(self, org: OrgUnderTest) -> None:
        shown = "müller" + some_domain()
        key = domain_key(shown)
        assert key is not None
        assert shown_domain(key) == shown
        account = org.add("Account", Name="M", Website=f"https://{shown}")
        self._people(org, key, account, 2)
        found = org.gateway.accounts([key], person_accounts=False)
        assert told(found[key]) == (account, account)

    def test_the_owner_and_the_name_of_an_account_are_told(self, org: OrgUnderTest) -> None:
        domain, many = some_domain(), [some_domain() for _ in range(9)]
        account = org.add("Account", Name="A", Website=domain)
        self._people(org, domain, account, 2)
        owner = org.fields("Account", account)["OwnerId"]
        for domains in ([domain], [domain, *many]):
            found = org.gateway.accounts(domains, person_accounts=False)[domain]
            assert found.colleagues.account is not None
            assert found.website.account is not None
            assert found.colleagues.account.owner_id == owner
            assert found.website.account == found.colleagues.account
            assert found.website.account.name == "A"

    def test_two_hundred_domains_cost_one_request(self, org: OrgUnderTest) -> None:
        domains = [some_domain() for _ in range(200)]
        account = org.add("Account", Name="Last")
        self._people(org, domains[-1], account, 2)
        gateway = org.gateway
        before = gateway.requests
        found = gateway.accounts(domains, person_accounts=False)
        assert gateway.requests == before + 1
        assert list(map(told, (found[domain] for domain in domains[:-1]))) == [(None, None)] * 199
        assert told(found[domains[-1]]) == (account, None)

    def test_a_deleted_account_is_told_no_more(self, org: OrgUnderTest) -> None:
        domain = some_domain()
        account = org.add("Account", Name="Gone", Website=domain)
        org.delete("Account", account)
        found = org.gateway.accounts([domain], person_accounts=False)[domain]
        assert told(found) == (None, None)
