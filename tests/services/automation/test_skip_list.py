"""The company's skip list: what people type, and what is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import Database, SkippedDomain, insert_new
from keeping_plugin.services.automation import skip_list
from keeping_plugin.services.automation.skip_list import SkipList, read_lines
from tests.services.company import ADMIN, admin_of

GOOD = [
    ("acme.com", "acme.com"),
    ("ACME.COM.", "acme.com"),
    ("  acme.com  ", "acme.com"),
    ("müller.example", "xn--mller-kva.example"),
    ("xn--mller-kva.example", "xn--mller-kva.example"),
    ("mail.acme.co.uk", "mail.acme.co.uk"),
]


@pytest.mark.parametrize(("typed", "kept"), GOOD)
def test_a_domain_is_taken_in_any_spelling(typed: str, kept: str) -> None:
    assert read_lines(typed) == ((kept,), ())


BAD = [
    ("@acme", "Leave out the @ and enter the whole domain, such as acme.com."),
    ("@acme.org", "Leave out the @ and enter the whole domain, such as acme.org."),
    ("acme", "This is only part of a domain. Enter all of it, such as acme.com."),
    ("*.acme.com", "Enter acme.com instead: a domain covers its subdomains."),
    (".acme.com", "Enter acme.com instead: a domain covers its subdomains."),
    ("*acme*", "Enter the domain without *: a domain covers its subdomains."),
    (
        "Bob@Acme.com",
        "This is an address; only whole domains can be skipped. Enter acme.com to skip it.",
    ),
    ("https://acme.com/x", "This is a web address. Enter only its domain, such as acme.com."),
    ("..", "This is not a domain. Enter the part after the @, such as acme.com."),
    ("192.168.0.1", "This is an IP address. Enter a domain, such as acme.com."),
]


@pytest.mark.parametrize(("typed", "sentence"), BAD)
def test_what_is_no_domain_gets_the_sentence_that_mends_it(typed: str, sentence: str) -> None:
    domains, [bad] = read_lines(f"fine.example\n{typed}")
    assert domains == ("fine.example",)
    assert (bad.number, bad.text, bad.sentence) == (2, typed, sentence)


@pytest.mark.parametrize(
    "typed", ["..", "a..b.com", "-acme.com", "ac\0me.com", "\ud800.com", "a_b.com", "a@b@c", "[1]"]
)
def test_anything_else_gets_a_sentence_too(typed: str) -> None:
    domains, [bad] = read_lines(typed)
    assert domains == ()
    assert bad.sentence.endswith(".")


def test_a_thousand_pasted_lines_are_read_with_each_domain_once() -> None:
    text = "\r\n".join(f"D{number % 900}.example" for number in range(1000))
    domains, bad = read_lines(text)
    assert (len(domains), bad) == (900, ())


def test_commas_and_blanks_part_domains_as_lines_do() -> None:
    assert read_lines("a.example, b.example;c.example\n\n d.example") == (
        ("a.example", "b.example", "c.example", "d.example"),
        (),
    )


def test_domains_of_more_than_one_company_are_warned_of() -> None:
    told = skip_list.warnings(["acme.com", "co.uk", "gmail.com", "acme.co.uk"])
    assert [each.split()[0] for each in told] == ["co.uk", "gmail.com"]


def test_a_megabyte_on_one_line_is_told_shortly() -> None:
    _, [bad] = read_lines("x" * 1_000_000)
    assert len(bad.text) == 80


@pytest.mark.both_databases
def test_the_list_is_kept_as_it_is_changed(database: Database) -> None:
    with database.write() as session:
        assert skip_list.read(session, "acme") == SkipList()
        assert skip_list.add(session, ADMIN, ["b.example", "a.example"])
        assert skip_list.add(session, ADMIN, ["c.example"], skip_logging=True)
        skip_list.add(session, admin_of("globex"), ["z.example"])
    with database.write() as session:
        kept = SkipList(("a.example", "b.example"), ("c.example",))
        assert skip_list.read(session, "acme") == kept
        assert not skip_list.add(session, ADMIN, ["a.example", "c.example"])
        assert skip_list.add(session, ADMIN, ["b.example"], skip_logging=True)
        assert not skip_list.add(session, ADMIN, ["b.example"], skip_logging=True)
        assert skip_list.set_logging(session, ADMIN, "c.example", skip_logging=False)
        assert not skip_list.set_logging(session, ADMIN, "c.example", skip_logging=False)
        assert not skip_list.set_logging(session, ADMIN, "off.example", skip_logging=True)
    with database.write() as session:
        kept = SkipList(("a.example", "c.example"), ("b.example",))
        assert skip_list.read(session, "acme") == kept
        assert skip_list.remove(session, ADMIN, "b.example")
        assert not skip_list.remove(session, ADMIN, "z.example")
    with database.read() as session:
        assert skip_list.read(session, "acme") == SkipList(("a.example", "c.example"))
        assert skip_list.read(session, "globex") == SkipList(("z.example",))


@pytest.mark.both_databases
def test_two_admins_at_once_lose_nothing_of_each_other(database: Database) -> None:
    """Each read the list before the other wrote: an addition and a removal both stand."""
    with database.write() as session:
        skip_list.add(session, ADMIN, ["old.example", "stays.example"])
    both_read = threading.Barrier(2)

    def act(change: Callable[[Session], bool]) -> None:
        with database.read() as session:
            skip_list.read(session, "acme")
            both_read.wait(10)
        with database.write() as session:
            assert change(session)

    with ThreadPoolExecutor(2) as admins:
        ends = [
            admins.submit(act, lambda session: skip_list.add(session, ADMIN, ["new.example"])),
            admins.submit(act, lambda session: skip_list.remove(session, ADMIN, "old.example")),
        ]
    for end in ends:
        end.result()
    with database.read() as session:
        kept = skip_list.read(session, "acme")
    assert kept == SkipList(("new.example", "stays.example"))


@pytest.mark.both_databases
def test_a_domain_added_twice_at_once_is_not_logged_when_one_of_them_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = skip_list.read

    def somebody_else_is_quicker(session: Session, company_id: str) -> SkipList:
        before = real(session, company_id)
        insert_new(session, SkippedDomain, [{"company_id": "acme", "domain": "a.example"}])
        return before

    monkeypatch.setattr(skip_list, "read", somebody_else_is_quicker)
    with database.write() as session:
        assert skip_list.add(session, ADMIN, ["a.example"], skip_logging=True)
        assert real(session, "acme") == SkipList((), ("a.example",))


def test_a_long_list_is_kept_and_a_longer_one_refused(database: Database) -> None:
    domains = [f"d{number}.example" for number in range(skip_list.MAX_DOMAINS)]
    with database.write() as session:
        skip_list.add(session, ADMIN, domains)
        with pytest.raises(InvalidInput, match="the limit is 10000"):
            skip_list.add(session, ADMIN, ["one.more.example"])
    with database.write() as session:
        assert len(skip_list.read(session, "acme").skipped) == skip_list.MAX_DOMAINS
        assert skip_list.add(session, ADMIN, domains, skip_logging=True)
        assert len(skip_list.read(session, "acme").unlogged) == skip_list.MAX_DOMAINS
