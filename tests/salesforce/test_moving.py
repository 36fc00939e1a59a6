"""An org that moves: its old address redirects, knows no way to it, or is nobody's any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from keeping_plugin.errors import OutcomeUnclear, SalesforceUnavailable
from keeping_plugin.salesforce import grants
from keeping_plugin.types import NewRecord, Saved
from tests.salesforce.byte_server import reply, says, serving
from tests.salesforce.conftest import LiveOrg


@pytest.fixture
def org(admin: LiveOrg) -> Iterator[LiveOrg]:
    admin.control.reset()
    admin.tokens.tokens = admin.log_in("admin")
    admin.tokens.renewed = 0
    yield admin
    admin.control.reset()
    admin.tokens.tokens = admin.log_in("admin")


def move(org: LiveOrg, left: str) -> str:
    """Away from the login host first, which nobody can leave without a word."""
    if left == "gone":
        org.control.move(left="redirect")
        org.tokens.tokens = org.oauth.refresh(org.tokens.tokens)
    return org.control.move(left=left)


@pytest.mark.field_case("A5")
@pytest.mark.parametrize("left", ["redirect", "no_route", "not_found", "gone"])
def test_one_refresh_learns_the_new_address_and_the_work_goes_on(org: LiveOrg, left: str) -> None:
    url = move(org, left)
    assert org.gateway.find(["nobody@example.com"]).people == {}
    assert org.tokens.tokens.instance_url == url
    assert org.gateway.limits().used > 0
    assert org.tokens.renewed == 1


@pytest.mark.field_case("A5")
@pytest.mark.parametrize("left", ["no_route", "not_found", "gone"])
def test_a_write_that_nobody_took_is_sent_to_the_new_address(org: LiveOrg, left: str) -> None:
    move(org, left)
    [saved] = org.gateway.create_many([NewRecord("Contact", {"LastName": left})])
    assert isinstance(saved, Saved)
    assert org.control.count(f"SELECT Id FROM Contact WHERE Id = '{saved.id}'") == 1


@pytest.mark.field_case("A5")
def test_a_write_that_was_redirected_is_unclear_and_the_next_look_finds_the_way(
    org: LiveOrg,
) -> None:
    url = move(org, "redirect")
    with pytest.raises(OutcomeUnclear):
        org.gateway.create("Contact", {"LastName": "Redirected"})
    assert org.tokens.tokens.instance_url == url
    assert org.gateway.find(["nobody@example.com"]).people == {}


@pytest.mark.field_case("A5")
def test_an_org_that_has_not_moved_is_away(org: LiveOrg) -> None:
    org.control.fault("answer", status=420, body="", content_type="text/html", times=1)
    with pytest.raises(SalesforceUnavailable):
        org.gateway.limits()
    assert org.tokens.tokens.instance_url == org.running.base_url


@pytest.mark.field_case("A5")
def test_a_refresh_is_taken_to_the_orgs_own_host_when_the_login_host_says_so(org: LiveOrg) -> None:
    """An org may forbid the common login hosts."""
    url = move(org, "redirect")
    org.control.set(logins_at_own_host=True)
    renewed = org.oauth.refresh(org.tokens.tokens)
    assert (renewed.instance_url, renewed.login_url) == (url, org.running.base_url)


@pytest.mark.field_case("A5")
@pytest.mark.parametrize("path", ["/services/oauth2/token?x", "/services/oauth2/revoke", "/"])
def test_a_refresh_token_follows_no_redirect_to_anything_but_a_token_endpoint(
    org: LiveOrg, path: str
) -> None:
    with serving(says(reply(b"{}"))) as elsewhere:
        where = f"Location: {elsewhere.url}{path}\r\n"
        with serving(says(reply(b"", status="302 Found", headers=where))) as login:
            tokens = replace(org.tokens.tokens, login_url=login.url)
            with pytest.raises(SalesforceUnavailable):
                org.oauth.refresh(tokens)
        assert elsewhere.requests == []


@pytest.mark.field_case("A5")
@pytest.mark.parametrize(
    ("location", "goes"),
    [
        ("https://acme.my.salesforce.com/services/oauth2/token", True),
        ("https://evil.example/services/oauth2/token", False),
        ("https://acme.my.salesforce.com.evil.example/services/oauth2/token", False),
        ("https://evil.example@acme.my.salesforce.com/services/oauth2/token", False),
        ("https://acme.my.salesforce.com:8443/services/oauth2/token", False),
        ("http://acme.my.salesforce.com/services/oauth2/token", False),
        ("http://127.0.0.1:1/services/oauth2/token", False),
        ("https://evil.example/services/services/oauth2/token", False),
        ("/services/oauth2/token", False),
        ("//evil.example/services/oauth2/token", False),
        ("", False),
    ],
)
def test_only_a_token_endpoint_of_salesforce_is_followed(location: str, goes: bool) -> None:
    assert grants.token_address(location, allow_loopback=False) == (location if goes else None)
