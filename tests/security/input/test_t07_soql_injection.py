"""T7: a customer's address is a value, whatever stands in it.

tests/salesforce/queries/test_soql.py does this for every kind of text, by properties and against
the org's parser; ruff refuses SQL made of f-strings, and one module alone builds SOQL. Here 40
customers with hostile addresses, each of whom has a Contact, open the panel: each finds himself and
nobody else.
"""

from __future__ import annotations

from keeping_plugin.types import Address
from tests.security.town import Town

LOCAL = (
    "o'hara a'or'1'='1 100% a_b {x} a+b #a $a a!b a/b a?b a=b a`b a|b a~b a^b a*b a&b '''' x'y'z "
    "Ab {} {0} {x!r} a'--b '}or{' %25 %27or%27 _ % __ a%_b select'from'contact null true "
    "'in' limit -a a- 1=1"
).split()


def test_forty_hostile_addresses_match_only_themselves(town: Town) -> None:
    assert len(LOCAL) >= 40
    control = town.org_of("acme").control
    contacts = {}
    for number, local in enumerate(LOCAL):
        email = f"{local}.{number}.{town.run}@example.com"
        contacts[email] = control.create("Contact", LastName=f"Person {number}", Email=email)
    gus = town.visitor("gus")
    for number, (email, contact) in enumerate(contacts.items()):
        town.converse("acme", f"h-{number}", Address(email))
        answer = gus.client.get(
            f"/salesforce/conversations/h-{number}", headers={"Accept": "application/json"}
        )
        assert answer.status_code == 200, (email, answer.text)
        match = answer.json["match"]
        assert match is not None, email
        assert match["person"]["id"] == contact, email
        assert answer.json["candidates"] == []


def test_what_is_no_address_asks_nobody(town: Town) -> None:
    gus = town.visitor("gus")
    for number, bad in enumerate(
        [
            "' OR Email != '",
            "a@example.com' OR Email != '",
            "a@example.com, b@example.com",
            "a\\' OR '1'='1@example.com",
            "a@example.com\x00",
            "a@example.com\u2028' OR '",
            "a" * 321 + "@example.com",
            "",
            "a@",
        ]
    ):
        town.converse("acme", f"n-{number}", Address(bad))
        answer = gus.client.get(
            f"/salesforce/conversations/n-{number}", headers={"Accept": "application/json"}
        )
        assert answer.json["state"] == "no_customer", bad
    assert town.calls("acme") == []
