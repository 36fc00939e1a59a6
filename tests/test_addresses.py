"""What an address is kept under, and what Salesforce takes for equal to it."""

from __future__ import annotations

import json
from pathlib import Path

import idna
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keeping_plugin.addresses import (
    address_key,
    ascii_lower,
    domain_key,
    for_salesforce,
    keys_by_salesforce,
    known_to_0_1_0,
    salesforce_forms,
    salesforce_key,
)

# Written by 0.1.0's own code. Ledgers, picks, cards and claims are keyed by these: never edit it.
FROZEN: dict[str, str] = json.loads(
    (Path(__file__).parent / "address_keys_0_1_0.json").read_text("utf-8")
)


@pytest.mark.field_case("A14")
def test_addresses_that_0_1_0_accepted_keep_their_keys() -> None:
    assert len(FROZEN) > 150
    assert {address: address_key(address) for address in FROZEN} == FROZEN


def key_of_0_1_0(email: str) -> str | None:
    """`address_key` as 0.1.0 had it."""
    local, _, domain = email.strip().rpartition("@")
    name = domain.strip().rstrip(".")
    if not name or len(name) > 253:
        return None
    try:
        key = ascii_lower(idna.encode(name, uts46=True).decode("ascii"))
        validate_email(f"{local}@example.com", check_deliverability=False)
    except (idna.IDNAError, UnicodeError, EmailNotValidError):
        return None
    return f"{ascii_lower(local)}@{key}" if "." in key else None


LOCALS = st.text(st.sampled_from("aB.\"\\ @'+-ÜüßéK\u212a\u0301"), max_size=12) | st.text(
    max_size=8
)
DOMAINS = st.sampled_from(
    ["a.example", "A.Example.", "münchen.example", "xn--qei.ws", "r3---x.example", "a_b.example",
     "-a.example", "a..example", "example", ""]
)  # fmt: skip


@pytest.mark.field_case("A14")
@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.builds("{}@{}".format, LOCALS, DOMAINS) | st.emails())
@example("a..b@a.example")
def test_no_key_of_0_1_0_changes_and_keys_are_their_own_keys(email: str) -> None:
    key, before = address_key(email), key_of_0_1_0(email)
    assert before is None or key == before
    if key is None:
        assert salesforce_forms(email) == ()
        assert salesforce_key(email) is None
        return
    assert key.isprintable()
    assert address_key(key) == key
    assert salesforce_key(key) == salesforce_key(email)
    for form in salesforce_forms(email):
        assert len(form) <= 80
        assert salesforce_key(form) == salesforce_key(email), form


NEW_KINDS = [
    ("taro..x@docomo.example", "taro..x@docomo.example"),
    ("Taro.@Docomo.example", "taro.@docomo.example"),
    ("a...b..@docomo.example", "a...b..@docomo.example"),
    ('"taro..x"@docomo.example', "taro..x@docomo.example"),
    ('"jane"@example.com', "jane@example.com"),
    ("i@xn--qei.ws", "i@xn--qei.ws"),
    ("jane@R3---sn.example", "jane@r3---sn.example"),
]


@pytest.mark.field_case("A14")
@pytest.mark.parametrize(("address", "key"), NEW_KINDS)
def test_an_address_that_salesforce_may_hold_has_a_key(address: str, key: str) -> None:
    assert key_of_0_1_0(address) is None
    assert address_key(address) == key


@pytest.mark.field_case("A14")
def test_it_is_known_which_keys_0_1_0_would_not_look_for() -> None:
    assert all(known_to_0_1_0(key) for key in FROZEN.values())
    strange = {address_key(address) or "" for address, _ in NEW_KINDS} - {"jane@example.com"}
    assert not any(known_to_0_1_0(key) for key in strange)


@pytest.mark.parametrize(
    "address",
    [".a@example.com", "..@example.com", ".@example.com", "a b@example.com", '"a@example.com',
     '"a"b"@example.com', '"a\\"@example.com', '""@example.com', '"a\nb"@example.com',
     "a.." + "b" * 63 + "@example.com", "a..b@example", "a@-b.example", "a@b_c.example",
     '"a@b"@example.com', '".a"@example.com', '"jane doe"@example.com',
     "a..b@", "a@b..example", "a(comment)@example.com"],
)  # fmt: skip
def test_what_salesforce_cannot_hold_has_none(address: str) -> None:
    assert address_key(address) is None


@pytest.mark.field_case("A14")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MÜLLER@example.com", "müller@example.com"),
        ("ПОЧТА@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"),
        ('"Taro..X"@docomo.example', "taro..x@docomo.example"),
        ("e\u0301@example.com", "\u00e9@example.com"),
        ("Jane@EXAMPLE.com.", "jane@example.com"),
    ],
)
def test_salesforce_stores_these_alike(one: str, other: str) -> None:
    assert salesforce_key(one) == salesforce_key(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße@example.com", "strasse@example.com"),
        ("a+b@example.com", "a@example.com"),
        ("a..b@example.com", "a.b@example.com"),
        ("muller@example.com", "müller@example.com"),
    ],
)
def test_salesforce_tells_these_apart(one: str, other: str) -> None:
    assert salesforce_key(one) != salesforce_key(other)


@pytest.mark.field_case("A14")
@pytest.mark.parametrize(
    ("address", "forms"),
    [
        ("taro..x@docomo.example", ("taro..x@docomo.example", '"taro..x"@docomo.example')),
        ("taro.@docomo.example", ("taro.@docomo.example", '"taro."@docomo.example')),
        ("MÜLLER@example.com", ("mÜller@example.com", "müller@example.com")),
        ("o'brien@example.com", ("o'brien@example.com",)),
    ],
)
def test_an_address_is_looked_for_as_salesforce_may_hold_it(
    address: str, forms: tuple[str, ...]
) -> None:
    assert salesforce_forms(address) == forms


@pytest.mark.field_case("A16")
def test_what_fits_into_80_characters_in_unicode_alone_is_saved_like_that() -> None:
    domain = "größere-büros-für-öffentlichkeit.müller-söhne.example"
    address = "jane.miller.of.sales@" + domain
    assert len(f"jane.miller.of.sales@{domain_key(domain)}") > 80 >= len(address)
    assert salesforce_forms(address) == (address,)
    assert for_salesforce(address) == address


def test_keys_that_salesforce_takes_for_one_stand_together() -> None:
    found = keys_by_salesforce(
        ["MÜLLER@example.com", "müller@example.com", "no address", "a@b.example"]
    )
    assert found == {
        "müller@example.com": ("mÜller@example.com", "müller@example.com"),
        "a@b.example": ("a@b.example",),
    }
