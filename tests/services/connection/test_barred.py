"""A grant is erased only when it is dead: whatever else Salesforce says is waited out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from keeping_plugin.errors import ConnectionBarred, ConnectionLost, SalesforceUnavailable
from keeping_plugin.models import (
    AuditRecord,
    Connection,
    ConnectionStatus,
    Database,
    Revocation,
    now,
)
from keeping_plugin.services.connection import barred
from keeping_plugin.services.connection.tokens import ConnectionTokens
from keeping_plugin.times import BARRED_WAITS, DAY, HOUR, MINUTE
from keeping_plugin.types import Tokens
from tests.services.company import Company
from tests.services.connection.test_tokens import keeping, rotated

WORDS = "ip restricted or invalid login hours"
STALE = "access-Acme-1"
CODES = ("barred_since", "barred_until", "paused_until", "connected_at")


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


def refuse(tokens: Tokens) -> Tokens:
    raise ConnectionBarred(WORDS, reason="restricted")


def tokens_of(company: Company, refresh: Callable[[Tokens], Tokens] = refuse) -> ConnectionTokens:
    return ConnectionTokens(keeping(company, refresh), company.row().id)


def pass_time(company: Company, seconds: float) -> None:
    """Move what stands on the connection into the past."""
    with company.database.write() as session:
        row = session.merge(company.row())
        for name in CODES:
            if (then := getattr(row, name)) is not None:
                setattr(row, name, then - timedelta(seconds=seconds))


def actions(company: Company) -> list[str]:
    with company.database.read() as session:
        rows = session.scalars(select(AuditRecord.action).order_by(AuditRecord.id))
        return [action for action in rows if action.startswith("connection_")]


def bar(company: Company) -> Connection:
    with pytest.raises(ConnectionBarred):
        tokens_of(company).renew(STALE)
    return company.row()


@pytest.mark.field_case("A1")
def test_a_refusal_that_may_pass_keeps_the_tokens_and_stands_there_in_its_words(
    company: Company,
) -> None:
    before = company.row().tokens
    row = bar(company)
    assert (row.status, row.is_barred) == (ConnectionStatus.LIVE, True)
    assert row.tokens == before
    assert (row.barred_reason, row.barred_words) == ("restricted", WORDS)
    assert row.refresh_until is None
    assert (row.pause_reason, row.paused_until) == ("connection_barred", row.barred_until)
    assert actions(company) == ["connection_barred"]


@pytest.mark.field_case("A1")
def test_nobody_asks_salesforce_before_the_next_try_is_due(company: Company) -> None:
    bar(company)
    asked: list[Tokens] = []
    for _ in range(5):
        with pytest.raises(ConnectionBarred, match="ip restricted") as refused:
            tokens_of(company, lambda tokens: asked.append(tokens) or tokens).renew(STALE)
        assert refused.value.reason == "restricted"
    assert asked == []


@pytest.mark.field_case("A1")
def test_one_process_tries_when_it_is_time(company: Company) -> None:
    bar(company)
    pass_time(company, MINUTE + 1)
    first, second = tokens_of(company, rotated), tokens_of(company)
    assert first.current().access_token == STALE
    with pytest.raises(ConnectionBarred):
        second.current()


@pytest.mark.both_databases
@pytest.mark.field_case("A1")
def test_it_goes_on_by_itself_once_salesforce_takes_a_call(company: Company) -> None:
    bar(company)
    pass_time(company, MINUTE + 1)
    tokens = tokens_of(company, rotated)
    tokens.current()
    tokens.renew(STALE)
    tokens.worked()
    row = company.row()
    assert not row.is_barred
    assert (row.barred_until, row.barred_words, row.paused_until) == (None, None, None)
    assert tokens_of(company).current().access_token == "new access"
    assert actions(company) == ["connection_barred", "connection_unbarred"]


@pytest.mark.field_case("A1")
def test_each_try_in_vain_is_followed_by_a_longer_wait_up_to_an_hour(company: Company) -> None:
    row = bar(company)
    waits = []
    for _ in range(len(BARRED_WAITS) + 1):
        assert row.barred_until is not None
        pass_time(company, 2 * HOUR)
        tokens = tokens_of(company)
        tokens.current()
        with pytest.raises(ConnectionBarred):
            tokens.renew(STALE)
        row = company.row()
        assert row.barred_until is not None
        with company.database.read() as session:
            waits.append(round((row.barred_until - now(session)).total_seconds() / MINUTE))
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert row.barred_since is not None
    assert actions(company) == ["connection_barred"], "one bar, however long"


@pytest.mark.field_case("A1")
def test_a_try_without_an_answer_leaves_it_barred_and_is_repeated_soon(company: Company) -> None:
    def silence(tokens: Tokens) -> Tokens:
        raise SalesforceUnavailable("away", timed_out=True)

    bar(company)
    pass_time(company, MINUTE + 1)
    tokens = tokens_of(company, silence)
    tokens.current()
    with pytest.raises(SalesforceUnavailable):
        tokens.renew(STALE)
    assert company.row().is_barred
    pass_time(company, MINUTE + 1)
    assert tokens_of(company, rotated).current()


@pytest.mark.both_databases
@pytest.mark.field_case("A1")
def test_barred_for_thirty_days_is_lost_and_the_grant_is_given_back(company: Company) -> None:
    bar(company)
    pass_time(company, 30 * DAY + 1)
    tokens = tokens_of(company)
    tokens.current()
    with pytest.raises(ConnectionBarred):
        tokens.renew(STALE)
    row = company.row()
    assert (row.status, row.tokens, row.lost_reason) == (ConnectionStatus.LOST, None, WORDS)
    assert not row.is_barred
    assert actions(company) == ["connection_barred", "connection_lost"]
    with company.database.read() as session:
        assert session.scalars(select(Revocation)).one().tokens is not None
    with pytest.raises(ConnectionLost):
        tokens_of(company).current()


@pytest.mark.both_databases
@pytest.mark.field_case("A1")
def test_a_dead_grant_found_while_barred_is_lost(company: Company) -> None:
    def dead(tokens: Tokens) -> Tokens:
        raise ConnectionLost("expired access/refresh token")

    bar(company)
    pass_time(company, MINUTE + 1)
    tokens = tokens_of(company, dead)
    tokens.current()
    with pytest.raises(ConnectionLost):
        tokens.renew(STALE)
    assert (company.row().status, company.row().tokens) == (ConnectionStatus.LOST, None)


@pytest.mark.both_databases
def test_a_reconnect_ends_it(company: Company) -> None:
    bar(company)
    company.sign_in(number=2)
    assert not company.row().is_barred
    assert tokens_of(company).current().access_token == "access-Acme-2"


def test_a_reconnect_by_a_process_of_an_older_version_ends_it_too(company: Company) -> None:
    """It writes when the login was made, and knows nothing of the columns beside it."""
    bar(company)
    with company.database.write() as session:
        row = session.merge(company.row())
        assert row.barred_since is not None
        row.connected_at = row.barred_since + timedelta(seconds=1)
    assert not company.row().is_barred
    assert tokens_of(company).current()


@pytest.mark.both_databases
def test_a_disconnect_while_barred_takes_the_tokens(company: Company) -> None:
    bar(company)
    company.disconnect()
    row = company.row()
    assert (row.status, row.tokens, row.barred_since) == (ConnectionStatus.DISCONNECTED, None, None)


@pytest.mark.both_databases
def test_an_operator_may_have_it_tried_at_once(company: Company) -> None:
    bar(company)
    barred.try_now(company.database)
    assert tokens_of(company, rotated).current()


@pytest.mark.both_databases
@pytest.mark.field_case("A8")
def test_a_session_refused_after_a_good_refresh_bars_the_connection(company: Company) -> None:
    calls: list[str | None] = []

    def refresh(tokens: Tokens) -> Tokens:
        calls.append(tokens.refresh_token)
        return replace(rotated(tokens), access_token=f"access {len(calls)}")

    tokens = tokens_of(company, refresh)
    fresh = tokens.renew(STALE)
    error = ConnectionBarred("Session expired or invalid", reason="session")
    assert tokens.refused(fresh, error) is error
    row = company.row()
    assert (row.is_barred, row.barred_reason) == (True, "session")
    for _ in range(5):
        with pytest.raises(ConnectionBarred):
            tokens_of(company, refresh).current()
    assert len(calls) == 1, "no call refreshes meanwhile"

    pass_time(company, MINUTE + 1)
    again = tokens_of(company, refresh)
    fresh = again.renew(again.current().access_token)
    assert company.row().is_barred, "a good refresh alone proves nothing"
    again.refused(fresh, error)
    assert company.row().barred_probes == 1
    assert len(calls) == 2


@pytest.mark.both_databases
@pytest.mark.field_case("A8")
def test_eight_that_meet_the_refusal_together_make_one_bar_of_the_shortest_wait(
    company: Company,
) -> None:
    error = ConnectionBarred("Session expired or invalid", reason="session")
    all_eight = [tokens_of(company) for _ in range(8)]
    held = [each.current() for each in all_eight]
    for each, tokens in zip(all_eight, held, strict=True):
        each.refused(tokens, error)
    assert company.row().barred_probes == 0
    assert actions(company) == ["connection_barred"]


@pytest.mark.field_case("A8")
def test_a_refusal_of_tokens_that_were_renewed_meanwhile_bars_nothing(company: Company) -> None:
    late = tokens_of(company)
    old = late.current()
    tokens_of(company, rotated).renew(STALE)
    error = late.refused(old, ConnectionBarred("Session expired or invalid", reason="session"))
    assert type(error) is SalesforceUnavailable
    assert not company.row().is_barred
