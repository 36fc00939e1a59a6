"""Which mail domains may be a company's."""

from __future__ import annotations

import pytest

from keeping_plugin.addresses import domain_key
from keeping_plugin.mail.domains import is_personal, is_public_suffix, may_be_a_company, registered


@pytest.mark.parametrize(
    ("domain", "company"),
    [
        ("acme.example", True),
        ("acme.co.uk", True),
        ("eu.acme.com", True),
        ("münchen-tools.de", True),
        ("gmail.com", False),
        ("hotmail.co.uk", False),
        ("web.de", False),
        ("smtp.gmx.net", False),  # below a provider
        ("co.uk", False),
        ("com", False),
        ("localhost", False),
        ("[192.0.2.1]", False),
        ("192.0.2.1", False),
        ("", False),
        ("." * 300, False),
    ],
)
def test_a_domain_may_be_a_companys_unless_anybody_can_have_an_address_there(
    domain: str, company: bool
) -> None:
    assert may_be_a_company(domain_key(domain) or domain) is company


def test_what_an_owner_registered_is_told_by_the_public_suffix_list() -> None:
    assert registered("mail.acme.co.uk") == "acme.co.uk"
    assert registered("co.uk") == ""
    assert registered("acme.xn--p1ai") == "acme.xn--p1ai"
    assert is_public_suffix("co.uk")
    assert not is_public_suffix("acme.co.uk")
    assert not is_public_suffix("")
    assert is_personal("mail.web.de")
    assert not is_personal("web.example")
