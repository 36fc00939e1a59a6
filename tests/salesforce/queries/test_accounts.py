"""What `accounts` asks, and what it tells where a domain has more than a page holds."""

from __future__ import annotations

from functools import partial

import pytest

from keeping_plugin.errors import (
    Complaint,
    RecordRejected,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.salesforce.queries import accounts
from keeping_plugin.salesforce.queries.accounts import website_forms
from keeping_plugin.services.delivery.actions import names_account, refuses_account
from keeping_plugin.services.people import accounts as service
from keeping_plugin.types import NewRecord
from tests.fake_salesforce.accounts_contract import some_domain, told
from tests.salesforce.conftest import LiveOrg


def test_a_website_is_compared_in_twelve_forms_and_none_is_longer_than_the_field() -> None:
    forms = website_forms("acme.example")
    assert len(forms) == 12
    assert {"acme.example", "https://www.acme.example/", "http://acme.example"} < set(forms)
    longest = f"{'a' * 250}.de"
    assert set(website_forms(longest)) == {longest, f"{longest}/"}
    assert "https://müller.example" in website_forms("xn--mller-kva.example")


def test_domains_of_which_there_is_more_than_a_page_are_told_apart(
    org: LiveOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PAGE", 6)
    crowd, few, *others = (some_domain() for _ in range(9))
    ours = org.add("Account", Name="Ours")
    for number in range(8):
        org.add("Contact", LastName="C", Email=f"c{number}@{crowd}", AccountId=ours)
        org.add("Account", Name="Site", Website=f"https://{crowd}")
    for number in range(2):
        org.add("Contact", LastName="F", Email=f"f{number}@{few}", AccountId=ours)
    domains = [crowd, *others[:3], few, *others[3:]]  # the two share a query
    found = org.gateway.accounts(domains, person_accounts=False)
    assert not found[crowd].colleagues.answered
    assert found[crowd].crowd > found[few].crowd > 0
    assert found[crowd].website.several, "two are enough to know"
    assert not found[few].website.answered
    again = org.gateway.accounts([few], person_accounts=False)
    assert told(again[few]) == (ours, None)
    apart = org.gateway.accounts(domains, person_accounts=False, first=1)[crowd]
    assert apart.colleagues.account is not None
    assert apart.colleagues.account.id == ours


def test_a_domain_of_more_accounts_than_a_page_has_none(
    org: LiveOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PAGE", 3)
    domain = some_domain()
    for number in range(4):
        account = org.add("Account", Name=f"A{number}")
        org.add("Contact", LastName="C", Email=f"c{number}@{domain}", AccountId=account)
    found = org.gateway.accounts([domain], person_accounts=False)[domain]
    assert told(found) == (None, None)
    assert found.colleagues.several


def test_a_right_that_is_missing_answers_its_own_step_only(org: LiveOrg) -> None:
    domain = some_domain()
    account = org.add("Account", Name="A", Website=domain)
    user = org.gateway.org_facts().username
    org.control.field_rights(user, "Contact", "AccountId", readable=False, editable=False)
    try:
        found = org.gateway.accounts([domain], person_accounts=False)[domain]
    finally:
        org.control.field_rights(user, "Contact", "AccountId", readable=True, editable=True)
    assert not found.colleagues.answered
    assert found.website.account is not None
    assert found.website.account.id == account
    assert not found.crowd


def test_an_org_that_does_not_answer_is_an_error(org: LiveOrg) -> None:
    org.control.fault("unavailable")
    with pytest.raises(SalesforceUnavailable):
        org.gateway.accounts([some_domain()], person_accounts=False)


def test_an_account_that_is_gone_or_hidden_is_refused_as_such(org: LiveOrg) -> None:
    account = org.add("Account", Name="Gone")
    org.delete("Account", account)
    fields = {"LastName": "X", "Email": f"x@{some_domain()}", "AccountId": account}
    [refused] = org.gateway.create_many([NewRecord("Contact", fields)])
    assert isinstance(refused, SalesforceError)
    assert refuses_account(refused, account), refused.complaints


@pytest.mark.parametrize(
    ("message", "fields", "refuses", "names"),
    [
        ("invalid cross reference id", (), True, False),
        ("insufficient access rights on cross-reference id: ", (), True, False),
        ("insufficient access rights on cross-reference id: 0015g00000AbCdE", (), True, True),
        ("invalid cross reference id: 0015g00000AbCdEAAX", ("AccountId",), True, True),
        ("id not valid", ("AccountId",), True, True),
        ("insufficient access rights on cross-reference id: 0055g00000AbCdE", (), False, False),
        ("invalid cross reference id", ("AccountId", "OwnerId"), False, False),
        ("Unauthenticated or uncontroversial reference", (), True, False),
    ],
)
def test_a_refusal_that_names_another_record_is_not_about_the_account(
    message: str, fields: tuple[str, ...], refuses: bool, names: bool
) -> None:
    account = "0015g00000AbCdEAAX"
    error = RecordRejected(complaints=(Complaint("INVALID_CROSS_REFERENCE_KEY", message, fields),))
    assert refuses_account(error, account) is refuses
    assert names_account(error, account) is names


def test_two_domains_of_which_one_is_the_others_www_both_find_their_account(org: LiveOrg) -> None:
    domain = some_domain()
    account = org.add("Account", Name="A", Website=f"https://www.{domain}/")
    both = [domain, f"www.{domain}"]
    for domains in (both, both[::-1]):
        found = org.gateway.accounts(domains, person_accounts=False)
        assert [told(found[each]) for each in both] == [(None, account)] * 2


def test_what_shares_a_query_with_a_crowd_is_told_within_three_requests(
    org: LiveOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PAGE", 6)
    domains = [some_domain() for _ in range(12)]
    ours = org.add("Account", Name="Ours")
    for crowd in domains[:2]:
        for number in range(7):
            org.add("Contact", LastName="C", Email=f"c{number}@{crowd}", AccountId=ours)
    for few in domains[2:]:
        org.add("Contact", LastName="F", Email=f"f@{few}", AccountId=ours)
    gateway = org.gateway
    ask = partial(gateway.accounts, person_accounts=False)
    before = gateway.requests
    found = service._ask(ask, domains, lambda: None)
    assert gateway.requests - before <= 3
    assert [told(found[each])[0] for each in domains] == [ours, ours, *[None] * 10]
