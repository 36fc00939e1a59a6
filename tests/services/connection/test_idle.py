"""A login is renewed in time: orgs may end one that was not renewed for 30 days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from keeping_plugin.errors import ConnectionBarred, ConnectionLost, SalesforceUnavailable
from keeping_plugin.models import ConnectionStatus, Database, now
from keeping_plugin.services.connection.tokens import ConnectionTokens
from keeping_plugin.times import DAY, HOUR, RENEW_LOGIN
from keeping_plugin.types import Tokens
from tests.services.company import Company
from tests.services.connection.test_barred import actions
from tests.services.connection.test_tokens import keeping, rotated


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


def days_pass(company: Company, days: float) -> None:
    with company.database.write() as session:
        row = session.merge(company.row())
        row.connected_at -= timedelta(days=days)
        for name in ("renew_at", "refreshed_at"):
            if (then := getattr(row, name)) is not None:
                setattr(row, name, then - timedelta(days=days))


def keep(company: Company, refresh: Callable[[Tokens], Tokens]) -> list[str | None]:
    """Do what the drain does; the refresh tokens that Salesforce was given."""
    given: list[str | None] = []

    def noted(tokens: Tokens) -> Tokens:
        given.append(tokens.refresh_token)
        return refresh(tokens)

    ConnectionTokens(keeping(company, noted), company.row().id).keep_in_use()
    return given


@pytest.mark.both_databases
def test_a_login_in_use_is_renewed_within_a_week_rotation_and_all(company: Company) -> None:
    assert RENEW_LOGIN < 7 * DAY
    assert keep(company, rotated) == [], "a new login need not be"
    days_pass(company, 6.1)
    assert keep(company, rotated) == ["refresh-Acme-1"]
    row = company.row()
    with company.database.read() as session:
        assert row.refreshed_at is not None
        assert now(session) - row.refreshed_at < timedelta(minutes=1)
    assert keep(company, rotated) == []
    days_pass(company, 6.1)
    assert keep(company, rotated) == ["new refresh"], "the rotated token was stored"


def test_a_renewal_that_a_call_brought_about_counts(company: Company) -> None:
    days_pass(company, 5)
    ConnectionTokens(keeping(company, rotated), company.row().id).renew("access-Acme-1")
    days_pass(company, 5)
    assert keep(company, rotated) == []


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "error",
    [ConnectionBarred("ip restricted", reason="restricted"), SalesforceUnavailable("away")],
)
def test_a_renewal_refused_ahead_of_time_leaves_the_connection_working(
    company: Company, error: Exception
) -> None:
    def refuse(tokens: Tokens) -> Tokens:
        raise error

    days_pass(company, 6.1)
    with pytest.raises(type(error)):
        keep(company, refuse)
    row = company.row()
    assert (row.status, row.is_barred) == (ConnectionStatus.LIVE, False)
    assert keep(company, rotated) == [], "not at every turn"
    days_pass(company, 1.1 * HOUR / DAY)
    assert keep(company, rotated) == ["refresh-Acme-1"]


def test_a_grant_that_turns_out_to_be_dead_is_lost(company: Company) -> None:
    def dead(tokens: Tokens) -> Tokens:
        raise ConnectionLost("token validity expired")

    days_pass(company, 6.1)
    with pytest.raises(ConnectionLost):
        keep(company, dead)
    assert company.row().status == ConnectionStatus.LOST
    assert actions(company) == ["connection_lost"]
