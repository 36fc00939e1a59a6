"""T3: the state of a login is taken once, in time, and only by whoever set it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Database, OAuthAttempt
from keeping_plugin.services.connection.attempts import LoginAttempts


@pytest.fixture
def attempts(database: Database) -> LoginAttempts:
    return LoginAttempts(
        database=database,
        vault=TokenVault([Fernet.generate_key().decode()]),
        company_id="acme",
        agent_id="ada",
        client_id="client",
        issuers=("https://login.salesforce.com", "https://test.salesforce.com"),
        session_secret="secret of the session",
    )


def test_what_was_kept_comes_back_once(attempts: LoginAttempts) -> None:
    attempts.set("state", "verifier", 600)
    assert attempts.take("state") == "verifier"
    assert attempts.take("state") is None


@pytest.mark.both_databases
def test_of_eight_callbacks_with_one_state_one_gets_it(attempts: LoginAttempts) -> None:
    attempts.set("state", "verifier", 600)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: attempts.take("state"), range(8)))
    assert sorted(filter(None, taken)) == ["verifier"]


@pytest.mark.parametrize(
    "foreign",
    [
        {"company_id": "bravo"},
        {"agent_id": "gus"},
        {"session_secret": "another browser"},
        {"session_secret": ""},
        {"client_id": "another registration"},
        {"issuers": ("https://login.salesforce.com", "https://evil.my.salesforce.com")},
    ],
)
def test_nobody_else_finds_it_and_it_stays(
    attempts: LoginAttempts, foreign: dict[str, Any]
) -> None:
    attempts.set("state", "verifier", 600)
    assert replace(attempts, **foreign).take("state") is None
    assert attempts.take("state") == "verifier"


@pytest.mark.parametrize("state", ["", "other", "state ", "STATE"])
def test_another_state_finds_nothing(attempts: LoginAttempts, state: str) -> None:
    attempts.set("state", "verifier", 600)
    assert attempts.take(state) is None


@pytest.mark.both_databases
def test_after_its_time_it_is_gone(attempts: LoginAttempts) -> None:
    attempts.set("state", "verifier", 600)
    expire(attempts)
    assert attempts.take("state") is None


def test_expired_attempts_are_swept_away_by_the_next_login(attempts: LoginAttempts) -> None:
    attempts.set("old", "verifier", 600)
    expire(attempts)
    attempts.set("new", "verifier", 600)
    with attempts.database.read() as session:
        assert len(session.scalars(select(OAuthAttempt)).all()) == 1


def test_the_database_holds_neither_state_nor_verifier(attempts: LoginAttempts) -> None:
    attempts.set("the state", "the verifier", 600)
    with attempts.database.read() as session:
        row = session.scalars(select(OAuthAttempt)).one()
    assert "the state" not in row.key
    assert b"the verifier" not in row.data


def expire(attempts: LoginAttempts) -> None:
    with attempts.database.write() as session:
        session.execute(
            update(OAuthAttempt).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
