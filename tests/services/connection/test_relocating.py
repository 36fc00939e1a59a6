"""A5, A6: one refresh learns where an org has gone, and the version of its API is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from keeping_plugin.errors import (
    ConnectionBarred,
    ConnectionLost,
    KeepingError,
    NotConnected,
    RateLimited,
    SalesforceUnavailable,
)
from keeping_plugin.models import ConnectionStatus, Database
from keeping_plugin.services.connection.tokens import ConnectionTokens
from keeping_plugin.times import ADDRESS_ASKED
from keeping_plugin.types import Tokens
from tests.services.company import ACME, Company
from tests.services.connection.test_tokens import keeping, rotated

NEW = "https://acme--moved.my.salesforce.com"


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


def moved(tokens: Tokens) -> Tokens:
    return replace(rotated(tokens), instance_url=NEW)


def tokens_of(company: Company, refresh: Callable[[Tokens], Tokens] = moved) -> ConnectionTokens:
    return ConnectionTokens(keeping(company, refresh), company.row().id)


def pass_time(company: Company, seconds: float) -> None:
    with company.database.write() as session:
        row = session.merge(company.row())
        assert row.address_asked_at is not None
        row.address_asked_at -= timedelta(seconds=seconds)


@pytest.mark.both_databases
@pytest.mark.field_case("A5")
def test_a_refresh_brings_the_new_address_and_it_is_stored(company: Company) -> None:
    tokens = tokens_of(company)
    found = tokens.relocate(tokens.current())
    assert found is not None
    assert found.instance_url == company.row().instance_url == NEW
    assert tokens_of(company).current() == found


@pytest.mark.field_case("A5")
def test_who_comes_late_gets_the_new_address_without_a_refresh(company: Company) -> None:
    def refuse(tokens: Tokens) -> Tokens:
        raise AssertionError("refreshed a second time")

    stale = tokens_of(company).current()
    first = tokens_of(company).relocate(stale)
    assert tokens_of(company, refuse).relocate(stale) == first


@pytest.mark.both_databases
@pytest.mark.field_case("A5")
def test_eight_that_find_nobody_together_refresh_once(company: Company) -> None:
    calls: list[Tokens] = []
    together = threading.Barrier(8)
    stale = tokens_of(company).current()

    def refresh(tokens: Tokens) -> Tokens:
        calls.append(tokens)
        time.sleep(0.2)  # the others arrive while it runs
        return moved(tokens)

    def relocate(_: int) -> Tokens | None:
        tokens = tokens_of(company, refresh)
        together.wait()
        return tokens.relocate(stale)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(relocate, range(8)))
    assert len(calls) == 1
    assert {tokens.instance_url for tokens in found if tokens is not None} == {NEW}
    assert None not in found


@pytest.mark.both_databases
@pytest.mark.field_case("A5")
def test_an_org_that_is_merely_away_costs_one_refresh_in_five_minutes(company: Company) -> None:
    calls: list[Tokens] = []

    def refresh(tokens: Tokens) -> Tokens:
        calls.append(tokens)
        return replace(tokens, access_token=f"access {len(calls)}")

    tokens = tokens_of(company, refresh)
    for expected in (1, 1, 1):
        assert tokens.relocate(tokens.current()) is None
        assert len(calls) == expected
    pass_time(company, ADDRESS_ASKED - 5)
    assert tokens.relocate(tokens.current()) is None
    assert len(calls) == 1
    pass_time(company, 6)
    assert tokens.relocate(tokens.current()) is None
    assert len(calls) == 2
    pass_time(company, -3600)  # the clock was set back
    assert tokens.relocate(tokens.current()) is None
    assert len(calls) == 3


@pytest.mark.field_case("A5")
@pytest.mark.parametrize("error", [SalesforceUnavailable("away"), RateLimited("slowly")])
def test_a_refresh_that_brings_nothing_leaves_it_as_it_was(
    company: Company, error: KeepingError
) -> None:
    def fail(tokens: Tokens) -> Tokens:
        raise error

    tokens = tokens_of(company, fail)
    assert tokens.relocate(tokens.current()) is None
    assert (company.row().status, company.row().refresh_until) == (ConnectionStatus.LIVE, None)
    assert not company.row().is_barred


@pytest.mark.field_case("A5")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionBarred("ip restricted", reason="restricted"), ConnectionStatus.LIVE),
        (ConnectionLost("expired access/refresh token"), ConnectionStatus.LOST),
    ],
)
def test_a_refresh_that_is_refused_says_so(
    company: Company, error: KeepingError, status: str
) -> None:
    def refuse(tokens: Tokens) -> Tokens:
        raise error

    tokens = tokens_of(company, refuse)
    with pytest.raises(type(error)):
        tokens.relocate(tokens.current())
    assert company.row().status == status
    assert company.row().is_barred is isinstance(error, ConnectionBarred)


@pytest.mark.both_databases
@pytest.mark.field_case("A6")
def test_the_agreed_version_is_kept_until_another_login(company: Company) -> None:
    tokens = tokens_of(company)
    tokens.current()
    assert tokens.version is None
    tokens.agreed("65.0")
    other = tokens_of(company)
    other.current()
    assert other.version == "65.0"
    company.sign_in(facts=replace(ACME, api_version="66.0"))
    other.current()
    assert other.version == "66.0"


def test_a_connection_that_is_gone_has_no_address(company: Company) -> None:
    tokens = ConnectionTokens(keeping(company, moved), 4711)
    with pytest.raises(NotConnected):
        tokens.relocate(tokens_of(company).current())
