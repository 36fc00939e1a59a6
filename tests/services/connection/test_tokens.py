"""F10, F11: one refresh among many, stored before it is used, and lost once when it is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from keeping_plugin.errors import (
    ConnectionLost,
    NotConnected,
    NotReady,
    SalesforceUnavailable,
)
from keeping_plugin.models import AuditRecord, ConnectionStatus, Database, Revocation
from keeping_plugin.services.connection import grants
from keeping_plugin.services.connection.tokens import ConnectionTokens
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Tokens
from tests.services.company import ACME, Company
from tests.services.runtimes import make_runtime, oauth


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    return company


def keeping(company: Company, refresh: Callable[[Tokens], Tokens]) -> Runtime:
    return make_runtime(
        company.database,
        vault=company.vault,
        times=company.times,
        clock=RealClock(),
        queue=company.queue,
        oauth=oauth(refresh=refresh),
    )


def rotated(tokens: Tokens) -> Tokens:
    """What an org with refresh token rotation answers."""
    return replace(tokens, access_token="new access", refresh_token="new refresh")


@pytest.mark.both_databases
def test_eight_that_meet_a_401_together_refresh_once(company: Company) -> None:
    calls: list[str | None] = []
    together = threading.Barrier(8)

    def refresh(tokens: Tokens) -> Tokens:
        calls.append(tokens.refresh_token)
        time.sleep(0.2)  # the others arrive while it runs
        return rotated(tokens)

    def renew(_: int) -> Tokens:
        tokens = ConnectionTokens(keeping(company, refresh), company.row().id)
        together.wait()
        return tokens.renew("access-Acme-1")

    with ThreadPoolExecutor(8) as pool:
        renewed = list(pool.map(renew, range(8)))
    assert calls == ["refresh-Acme-1"]
    assert {tokens.access_token for tokens in renewed} == {"new access"}


def test_a_rotated_token_is_stored_before_anybody_uses_it(company: Company) -> None:
    tokens = ConnectionTokens(keeping(company, rotated), company.row().id)
    used = tokens.renew("access-Acme-1")
    blob = company.row().tokens
    assert blob is not None
    stored = grants.unseal(company.vault, blob, company_id="acme", org_id=ACME.org_id)
    assert stored == used
    assert stored.refresh_token == "new refresh"
    assert company.row().refresh_owner is None


def test_who_comes_late_gets_the_new_token_without_a_refresh(company: Company) -> None:
    first = ConnectionTokens(keeping(company, rotated), company.row().id)
    first.renew("access-Acme-1")

    def refuse(tokens: Tokens) -> Tokens:
        raise AssertionError("refreshed a second time")

    late = ConnectionTokens(keeping(company, refuse), company.row().id)
    assert late.renew("access-Acme-1").access_token == "new access"


@pytest.mark.both_databases
def test_a_refused_refresh_loses_the_connection_once(company: Company) -> None:
    def refuse(tokens: Tokens) -> Tokens:
        raise ConnectionLost("expired access/refresh token")

    for _ in range(3):
        with pytest.raises(ConnectionLost, match="expired"):
            ConnectionTokens(keeping(company, refuse), company.row().id).renew("access-Acme-1")
    row = company.row()
    assert (row.status, row.current) == (ConnectionStatus.LOST, True)
    assert row.lost_reason == "expired access/refresh token"
    assert row.lost_at is not None
    assert row.tokens is None, "a dead grant is erased"
    with company.database.read() as session:
        actions = list(session.scalars(select(AuditRecord.action)))
    assert actions.count("connection_lost") == 1


@pytest.mark.both_databases
def test_a_refusal_that_comes_after_a_reconnect_loses_nothing(company: Company) -> None:
    def reconnected_meanwhile(tokens: Tokens) -> Tokens:
        company.sign_in(number=2)
        raise ConnectionLost("expired access/refresh token")

    with pytest.raises(ConnectionLost):
        ConnectionTokens(keeping(company, reconnected_meanwhile), company.row().id).renew(
            "access-Acme-1"
        )
    assert company.row().status == ConnectionStatus.LIVE


@pytest.mark.parametrize("error", [SalesforceUnavailable("away"), NotReady("wrong secret")])
def test_no_answer_is_not_a_refusal(company: Company, error: Exception) -> None:
    def unanswered(tokens: Tokens) -> Tokens:
        raise error

    tokens = ConnectionTokens(keeping(company, unanswered), company.row().id)
    with pytest.raises(type(error)):
        tokens.renew("access-Acme-1")
    assert company.row().status == ConnectionStatus.LIVE
    assert company.row().refresh_until is None  # the next one need not wait


@pytest.mark.both_databases
def test_a_disconnect_during_a_refresh_gives_back_what_the_refresh_brought(
    company: Company,
) -> None:
    def disconnected_meanwhile(tokens: Tokens) -> Tokens:
        company.disconnect()
        return rotated(tokens)

    with pytest.raises(NotConnected):
        ConnectionTokens(keeping(company, disconnected_meanwhile), company.row().id).renew(
            "access-Acme-1"
        )
    assert company.row().tokens is None
    with company.database.read() as session:
        rows = session.scalars(select(Revocation).order_by(Revocation.id)).all()
    given_back = [
        grants.unseal(company.vault, row.tokens, company_id="acme", org_id=ACME.org_id)
        for row in rows
        if row.tokens is not None
    ]
    assert [tokens.refresh_token for tokens in given_back] == ["refresh-Acme-1", "new refresh"]
    assert [job for job, _ in company.queue.jobs].count("revoke") == 2


@pytest.mark.both_databases
def test_a_lease_of_a_killed_process_runs_out(company: Company) -> None:
    with company.database.write() as session:
        row = session.merge(company.row())
        row.refresh_owner = "killed"
        row.refresh_until = datetime.now(UTC) - timedelta(seconds=1)
    renewed = ConnectionTokens(keeping(company, rotated), company.row().id).renew("access-Acme-1")
    assert renewed.access_token == "new access"


def test_waiting_for_anothers_refresh_has_an_end(company: Company) -> None:
    with company.database.write() as session:
        row = session.merge(company.row())
        row.refresh_owner = "slow"
        row.refresh_until = datetime.now(UTC) + timedelta(seconds=30)
    tokens = ConnectionTokens(keeping(company, rotated), company.row().id, patience=0.2)
    with pytest.raises(SalesforceUnavailable):
        tokens.renew("access-Acme-1")
    assert company.row().refresh_owner == "slow"


def test_nothing_opens_a_disconnected_connection(company: Company) -> None:
    tokens = ConnectionTokens(keeping(company, rotated), company.row().id)
    company.disconnect()
    with pytest.raises(NotConnected):
        tokens.current()
    with pytest.raises(NotConnected):
        tokens.renew("access-Acme-1")
