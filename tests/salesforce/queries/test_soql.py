"""Whatever text goes in, it stays a value: the same record comes out, and no other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeping_plugin.addresses import salesforce_forms
from keeping_plugin.errors import InvalidInput
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import soql
from keeping_plugin.salesforce.wire.client import format_soql
from salesforce_simulator.query.soql import parse
from salesforce_simulator.query.soql.tokens import unquoted
from salesforce_simulator.query.soql.tree import (
    And,
    Comparison,
    Condition,
    Literal,
    Membership,
    Or,
    Query,
)
from tests.salesforce.conftest import LiveOrg

HOSTILE = [
    "' OR Name != '",
    "') OR (Name LIKE '%",
    "\\' OR '1'='1",
    "\\",
    "\\\\'",
    "'; DELETE FROM Contact; --",
    "a' LIMIT 1 OFFSET 0 --",
    "%",
    "_%",
    "{}",
    "{0}",
    "{x:literal}",
    "{address!r}",
    "@{contact.id}",
    "%27 OR 1=1",
    "\n OR Name = 'x'",
    "\u2028' OR '",
    "\uff07 OR 1=1",
    "/* */",
    '"',
]


# The machine may be busy; the properties do not depend on its speed.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_finds_only_itself(org: LiveOrg, text: str) -> None:
    name = f"{text} {uuid.uuid4().hex}"
    account = org.add("Account", Name=name)
    org.add("Account", Name=f"{uuid.uuid4().hex}")
    try:
        found = org.gateway.search("Account", name)
    except InvalidInput:
        assert not name.isprintable()
    else:
        assert [record.id for record in found] == [account]


# Local parts that the syntax of addresses allows, and that mean something to SOQL.
LOCAL_PARTS = (
    "o'hara a'or'1'='1 100% a_b {x} a+b #a $a a!b a/b a?b a=b a`b a|b a~b a^b a*b a&b '''' x'y'z "
    "Ab {} {0}"
).split()
ADDRESSES = [f"{local}-{number}@example.com" for number, local in enumerate(LOCAL_PARTS)]


def test_addresses_that_mean_something_to_soql_match_only_themselves(org: LiveOrg) -> None:
    made = {
        address: org.control.create("Contact", LastName="X", Email=address) for address in ADDRESSES
    }
    for address, contact in made.items():
        people = org.gateway.find([address]).people
        assert [[p.id for p in same] for same in people.values()] == [[contact]]
    everyone = org.gateway.find(ADDRESSES).people
    assert {p.id for same in everyone.values() for p in same} == set(made.values())


@UNHURRIED
@given(st.text(max_size=200))
def test_any_text_is_one_literal(text: str) -> None:
    """The parser of the org reads back the very text."""
    statement = soql.select(("Id",), "Contact", where=[format_soql("Name = {}", text)])
    assert literals(parse(statement)) == [text]


@UNHURRIED
@given(st.lists(st.text(max_size=50), min_size=1, max_size=5))
def test_any_list_is_as_many_literals(texts: list[str]) -> None:
    statement = soql.select(("Id",), "Contact", where=[format_soql("Name IN {}", texts)])
    assert literals(parse(statement)) == texts


@UNHURRIED
@given(st.emails())
def test_an_address_is_at_most_two_literals(address: str) -> None:
    forms = salesforce_forms(address)
    assert len(forms) <= 2
    if forms:
        statement = soql.people("Lead", forms)
        assert literals(parse(statement)) == [*forms, "FALSE"]


def literals(query: Query) -> list[object]:
    """Every value in the conditions of a parsed statement, in order."""
    assert query.where is not None
    return list(_values(query.where))


def _values(node: Condition) -> Iterator[object]:
    match node:
        case And(items) | Or(items):
            for item in items:
                yield from _values(item)
        case Membership(values=Query() as inner):
            yield from literals(inner)
        case Membership(values=tuple() as several):
            yield from map(_value, several)
        case Comparison(value=one):
            yield _value(one)
        case _:
            raise AssertionError(f"a condition we never write: {node}")


def _value(literal: Literal) -> object:
    return unquoted(literal.text) if literal.kind == "string" else literal.text


def test_a_statement_stands_whole_in_a_path() -> None:
    statement = soql.people("Contact", ["a+b&c=d#e%f@example.com"])
    path = soql.path(statement)
    assert path.startswith("query/?q=")
    assert unquote(path.removeprefix("query/?q=")) == statement
    assert not set(path.removeprefix("query/?q=")) & set("+&=#? '")


def test_a_thousand_addresses_fit_into_five_queries_of_one_call() -> None:
    """Two statements each for Contacts and Leads leave one for Tasks."""
    chunks = list(soql.address_chunks(f"{'x' * 50}{n}@{'y' * 20}.com" for n in range(1_000)))
    assert [len(chunk) for chunk in chunks] == [500, 500]
    assert all(len(soql.people("Lead", chunk)) < 100_000 for chunk in chunks)


def test_even_the_worst_addresses_stay_within_a_statement() -> None:
    quotes = "'" * 60
    worst = [f"{quotes}{number:04}@abc.com" for number in range(1_000)]
    for chunk in soql.address_chunks(worst):
        assert len(soql.people("Contact", chunk)) < 100_000
    five = [f"{'A' * 70}{number}__c" for number in range(5)]
    for chunk in soql.address_chunks(worst, room=soql.STATEMENT // len(five)):
        assert len(soql.people("Contact", chunk, by=five)) < 100_000


BOTH = ("jane@xn--mnchen-3ya.example", "jane@m\u00fcnchen.example")


@pytest.mark.parametrize(
    ("address", "forms"),
    [
        ("Jane.Doe@Example.COM", ("jane.doe@example.com",)),
        ("jane@m\u00fcnchen.example", BOTH),
        ("jane@xn--mnchen-3ya.example", BOTH),
        ("not an address", ()),
        ("", ()),
        ("a" * 60 + "@" + "b" * 30 + ".com", ()),
        ("jane@example.com\x00", ()),
        ("jane@example.com, joe@example.com", ()),
    ],
)
def test_an_address_is_looked_for_in_every_form_it_may_have(
    address: str, forms: tuple[str, ...]
) -> None:
    assert salesforce_forms(address) == forms


BAD_NAMES = ["", "a b", "a'b", "a,b", "(a)", "a;b", "1a", "a-b", "a\n", "\u0430", "_a", "a.b"]
BAD_NAMES.append("a" * 81)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_never_stands_in_a_query(name: str) -> None:
    with pytest.raises(InvalidInput):
        names.checked_object(name)
    with pytest.raises(InvalidInput):
        names.checked_field(name)
    if name != "a.b":
        with pytest.raises(InvalidInput):
            names.checked_paths([name])


@pytest.mark.parametrize(
    ("text", "object"),
    [
        ("003dM00001wBXYD", "Contact"),
        ("003dM00001wBXYDQA4", "Contact"),
        ("a00dM00001wBXYDQA4", "Thing__c"),
    ],
)
def test_an_id_of_either_length_passes(text: str, object: str) -> None:
    assert names.checked_id(text, object) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "003",
        "003dM00001wBXYDQA",
        "003dM00001wBXYDQA4x",
        "001dM00001wBXYDQA4",
        "003dM00001wBXYD\n",
        "003dM00001wBXY\u0661",
        "//evil.example/xx",
        "../Account/001",
        "003dM0000?_HttpMe",
    ],
)
def test_a_bad_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        names.checked_id(text, "Contact")
