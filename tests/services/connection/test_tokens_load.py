"""D1: tokens are kept, and a company is let go, whatever mail the host stores meanwhile.

On PostgreSQL: the host's inserts hold KEY SHARE on the connection's row through their foreign keys.
SQLite has one writer at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from keeping_plugin.models import BackfillRun, ConnectionStatus, Database, migrate, now
from keeping_plugin.services.connection import grants
from keeping_plugin.services.connection.tokens import ConnectionTokens
from keeping_plugin.types import Tokens
from tests.services.company import ACME, Company
from tests.services.connection.test_tokens import keeping, rotated

HELD = 0.3  # seconds that a transaction of the host stays open
STALE = "access-Acme-1"


@pytest.fixture
def company(postgres_url: str) -> Iterator[Company]:
    engine = create_engine(postgres_url, pool_size=20)
    migrate.upgrade(engine)
    company = Company(Database(lambda: engine))
    company.sign_in()
    yield company
    engine.dispose()


@contextmanager
def mail_arriving(company: Company) -> Iterator[None]:
    """Overlapping transactions, each with a row that refers to the connection. Fails when one of
    them had to wait for a lock of ours."""
    failed: list[DBAPIError] = []
    ended = threading.Event()
    connection_id = company.row().id

    def host(first: float) -> None:
        time.sleep(first)
        while not ended.is_set():
            try:
                with Session(company.database.engine) as session:
                    session.execute(text("SET LOCAL lock_timeout = '500ms'"))
                    session.add(
                        BackfillRun(
                            connection_id=connection_id,
                            company_id="acme",
                            mailbox_id="m",
                            since=now(session),
                            epoch=1,
                            state="done",
                            started_at=now(session),
                            started_by="ada",
                        )
                    )
                    session.flush()
                    time.sleep(HELD)
                    session.commit()
            except DBAPIError as error:
                failed.append(error)

    hosts = [threading.Thread(target=host, args=(HELD * n / 4,)) for n in range(4)]
    for thread in hosts:
        thread.start()
    time.sleep(HELD)
    try:
        yield
    finally:
        ended.set()
        for thread in hosts:
            thread.join()
    assert not failed, "the host waited for us"


@pytest.mark.field_case("D1")
def test_a_rotated_token_is_stored_while_mail_arrives_without_a_pause(company: Company) -> None:
    with mail_arriving(company):
        began = time.monotonic()
        ConnectionTokens(keeping(company, rotated), company.row().id).renew(STALE)
        took = time.monotonic() - began
    assert took < 4, "a lock that it cannot get ends it after 5 s"
    assert (company.row().status, company.row().token_version) == (ConnectionStatus.LIVE, 2)


@pytest.mark.field_case("D1")
def test_a_disconnect_is_done_at_once_while_mail_arrives_without_a_pause(company: Company) -> None:
    with mail_arriving(company):
        began = time.monotonic()
        company.disconnect()
        took = time.monotonic() - began
    assert took < 4, "a lock that it cannot get ends it after 5 s"
    assert company.row().status == ConnectionStatus.DISCONNECTED


@pytest.mark.field_case("D1")
def test_a_rotated_token_is_stored_though_the_database_ends_every_connection(
    company: Company,
) -> None:
    """A restart, or a lock that is held for longer than a statement waits: the token exists
    nowhere else."""

    def refresh(tokens: Tokens) -> Tokens:
        with company.database.engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            connection.execute(text("SELECT 1"))
            failing.extend((1, 2))
        return rotated(tokens)

    # Then two statements more meet a lock.
    failing: list[int] = []

    def refuse(*_: object) -> None:
        if failing:
            failing.pop()
            raise OperationalError("LOCK", {}, Exception("canceling statement due to lock timeout"))

    event.listen(company.database.engine, "before_cursor_execute", refuse)
    ConnectionTokens(keeping(company, refresh), company.row().id).renew(STALE)
    event.remove(company.database.engine, "before_cursor_execute", refuse)
    blob = company.row().tokens
    assert blob is not None
    stored = grants.unseal(company.vault, blob, company_id="acme", org_id=ACME.org_id)
    assert stored.refresh_token == "new refresh"
    assert not failing
