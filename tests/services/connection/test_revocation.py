"""T16: a grant is given back at once, or for a day at most, and then nothing of it is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import NotReady, SalesforceUnavailable
from keeping_plugin.models import AuditRecord, Database, Revocation
from keeping_plugin.services.connection.revocation import revoke
from keeping_plugin.services.runtime import Runtime
from tests.services.company import Company
from tests.services.runtimes import make_runtime, oauth


class LoginHost:
    """Salesforce's revoke endpoint; `away` for so many calls."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.revoked: list[tuple[str, str]] = []

    def __call__(self, login_url: str, token: str) -> None:
        if self.away:
            self.away -= 1
            raise SalesforceUnavailable("away")
        self.revoked.append((login_url, token))


@pytest.fixture
def company(database: Database) -> Company:
    company = Company(database)
    company.sign_in()
    company.disconnect()
    return company


def row(company: Company) -> Revocation:
    with company.database.read() as session:
        return session.scalars(select(Revocation)).one()


def parts(company: Company, host: LoginHost, vault: TokenVault | None = None) -> Runtime:
    return make_runtime(
        company.database,
        vault=vault or company.vault,
        times=company.times,
        oauth=oauth(revoke=host),
    )


def make_due(company: Company, **values: object) -> None:
    with company.database.write() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(Revocation).values(due_at=past, **values))


def test_the_refresh_token_goes_to_the_host_that_issued_it(company: Company) -> None:
    host = LoginHost()
    revoke(parts(company, host), row(company).id)
    assert host.revoked == [("https://login.salesforce.com", "refresh-Acme-1")]
    settled = row(company)
    assert (settled.state, settled.tokens, settled.due_at) == ("done", None, None)
    with company.database.read() as session:
        assert "grant_revoked" in set(session.scalars(select(AuditRecord.action)))


def test_a_second_job_finds_nothing_to_do(company: Company) -> None:
    host = LoginHost()
    for _ in range(3):
        revoke(parts(company, host), row(company).id)
    assert len(host.revoked) == 1


@pytest.mark.both_databases
def test_an_absent_salesforce_is_tried_again_later_and_later(company: Company) -> None:
    host = LoginHost(away=3)
    pauses = []
    for _ in range(3):
        make_due(company)
        before = datetime.now(UTC)
        revoke(parts(company, host), row(company).id)
        due = row(company).due_at
        assert due is not None
        pauses.append(round((due - before).total_seconds() / 60))
    assert pauses == [1, 2, 4]
    assert row(company).tokens is not None
    make_due(company)
    revoke(parts(company, host), row(company).id)
    assert (row(company).state, row(company).tokens) == ("done", None)


def test_a_row_that_is_not_due_is_left_alone(company: Company) -> None:
    host = LoginHost(away=1)
    revoke(parts(company, host), row(company).id)
    revoke(parts(company, host), row(company).id)
    assert host.revoked == []
    assert row(company).attempts == 1


@pytest.mark.both_databases
def test_after_a_day_it_is_erased_untried(company: Company) -> None:
    host = LoginHost()
    make_due(company, try_until=datetime.now(UTC) - timedelta(seconds=2))
    revoke(parts(company, host), row(company).id)
    assert host.revoked == []
    settled = row(company)
    assert (settled.state, settled.tokens, settled.due_at) == ("given_up", None, None)


def test_the_last_try_is_not_put_off_beyond_the_day(company: Company) -> None:
    end = datetime.now(UTC) + timedelta(seconds=20)
    make_due(company, try_until=end)
    revoke(parts(company, LoginHost(away=1)), row(company).id)
    due = row(company).due_at
    assert due is not None
    assert abs(due - end) < timedelta(seconds=1)


def test_a_missing_key_erases_nothing(company: Company) -> None:
    wrong = TokenVault([Fernet.generate_key().decode()])
    with pytest.raises(NotReady):
        revoke(parts(company, LoginHost(), wrong), row(company).id)
    assert row(company).tokens is not None
    assert row(company).due_at is not None
