"""No token ever goes to a host that is not Salesforce's."""

from __future__ import annotations

import pytest

from keeping_plugin import salesforce_hosts as hosts
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport

REAL = [
    "https://acme.my.salesforce.com",
    "https://acme--uat.sandbox.my.salesforce.com",
    "https://acme--uat.cs12.my.salesforce.com",
    "https://acme--uat.my.salesforce.com",
    "https://orgfarm-1a2b3c.develop.my.salesforce.com",
    "https://na44.salesforce.com",
    "https://cs12.salesforce.com",
    "https://acme.my.salesforce.mil",
    "https://acme.my.sfcrmproducts.cn",
    "https://login.salesforce.com",
]
HOSTILE = [
    "https://" + ".".join(["x" * 60] * 5) + ".salesforce.com",  # longer than any name in the DNS
    "",
    "acme.my.salesforce.com",
    "http://acme.my.salesforce.com",
    "ftp://acme.my.salesforce.com",
    "javascript://acme.my.salesforce.com",
    "//acme.my.salesforce.com",
    "https://",
    "https://salesforce.com",
    "https://evil.example",
    "https://salesforce.com.evil.example",
    "https://evilsalesforce.com",
    "https://acme.my.salesforce.com.",
    "https://.salesforce.com",
    "https://acme..salesforce.com",
    "https://-acme.salesforce.com",
    "https://user@acme.my.salesforce.com",
    "https://acme.my.salesforce.com@evil.example",
    "https://acme.my.salesforce.com:443",
    "https://acme.my.salesforce.com:8443",
    "https://acme.my.salesforce.com/path",
    "https://acme.my.salesforce.com?x=1",
    "https://acme.my.salesforce.com#x",
    "https://evil.example/.salesforce.com",
    "https://evil.example#.salesforce.com",
    "https://evil.example?.salesforce.com",
    "https://evil.example\\.salesforce.com",
    "https://evil.example%2f.salesforce.com",
    "https://acme.my.salesforce.com\n.evil.example",
    "https://acme.my.salesforce.com\n",
    " https://acme.my.salesforce.com",
    "https://acme.my.salesforce.com\t",
    "https://acme.my.sale\u017fforce.com",
    "https://acme\u3002salesforce.com",
    "https://127.0.0.1",
    "https://169.254.169.254",
    "https://[::1]",
    "https://2130706433",
    "https://localhost",
    "https://localhost.salesforce.com.evil.example",
]


@pytest.mark.parametrize("url", REAL)
def test_a_host_of_salesforce_is_allowed(url: str) -> None:
    assert hosts.origin_allowed(url, allow_loopback=False)


@pytest.mark.parametrize("url", HOSTILE)
def test_any_other_host_is_refused(url: str) -> None:
    assert not hosts.origin_allowed(url, allow_loopback=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://127.0.0.1:8080", "http://localhost"]
)
def test_loopback_is_allowed_by_configuration_alone(url: str) -> None:
    assert hosts.origin_allowed(url, allow_loopback=True)
    assert not hosts.origin_allowed(url, allow_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.2",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://[::1]:80",
        "http://0.0.0.0",
    ],
)
def test_what_only_looks_like_loopback_is_refused(url: str) -> None:
    assert not hosts.origin_allowed(url, allow_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.my.salesforce.com/",
        "https://acme.my.salesforce.com/setup/x",
        "https://acme.my.salesforce.com//evil.example/services/x",
        "https://acme.my.salesforce.com/services//evil.example/x",
        "https://acme.my.salesforce.com/services/../x",
        "https://acme.my.salesforce.com/services/data x",
        "https://acme.my.salesforce.com/services/\r\nHost: evil.example",
        *(url.rstrip("/") + "/services/data/" for url in HOSTILE[2:]),
    ],
)
def test_the_transport_sends_nothing_elsewhere(url: str) -> None:
    """The check stands at the session itself, whatever built the address."""
    assert not hosts.url_allowed(url, allow_loopback=False)


def test_a_refused_address_opens_no_connection() -> None:
    # The tests' own guard fails this one if anything is looked up or connected.
    with pytest.raises(NoAnswer) as refused:
        Transport().get("https://evil.example/services/data/")
    assert not refused.value.sent


def test_an_identity_url_names_org_and_user() -> None:
    url = "https://login.salesforce.com/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU"
    assert hosts.identity(url, allow_loopback=False) == (
        "00Dx0000000BV7zEAG",
        "005x00000012Q9PAAU",
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU",
        "https://login.salesforce.com/id/00Dx0000000BV7zEAG",
        "https://login.salesforce.com/id/005x00000012Q9PAAU/00Dx0000000BV7zEAG",
        "https://login.salesforce.com/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU/x",
        "https://login.salesforce.com@evil.example/id/00Dx0000000BV7zEAG/005x00000012Q9PAAU",
        "",
    ],
)
def test_any_other_identity_url_is_refused(url: str) -> None:
    assert hosts.identity(url, allow_loopback=False) is None
