"""F10 with real processes: sixteen of them meet an expired token, one asks Salesforce for another.

The org rotates refresh tokens and revokes the whole grant when an old one is used again, so a
second refresh, or a rotated token used before it was stored, would end the connection.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine

from keeping_plugin.config import Config
from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import KeepingError
from keeping_plugin.extension import SystemClock
from keeping_plugin.models import Connection, ConnectionStatus, Database
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.oauth import SalesforceOAuth
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.services.connection import connect as connection
from keeping_plugin.services.connection import grants
from keeping_plugin.services.connection.tokens import ConnectionTokens, HeldTokens
from keeping_plugin.testing import FakeQueue
from keeping_plugin.times import Times
from keeping_plugin.types import OrgFacts, Tokens
from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess
from tests.services.company import ADMIN, Company
from tests.services.runtimes import make_runtime

PROCESSES = 16
TOKEN_PATH = "/services/oauth2/token"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


class House(NamedTuple):
    """What one process of the host needs: its database, its key, its app's registration."""

    database_url: str
    secret_key: str
    connection_id: int
    login_urls: tuple[str, str]
    client_id: str
    client_secret: str


def ask(house: House, together: Barrier, answer: Pipe) -> None:
    """One process: a call with the token that has ended. Sends the access token it ended up with,
    or the name of the error."""
    engine = create_engine(house.database_url)
    config = Config.from_mapping(
        {
            "KEEPING_SECRET_KEYS": house.secret_key,
            "KEEPING_REDIS_URL": "redis://127.0.0.1:1",
            "KEEPING_SALESFORCE_CLIENT_ID": house.client_id,
            "KEEPING_SALESFORCE_CLIENT_SECRET": house.client_secret,
            "KEEPING_SALESFORCE_LOGIN_URLS": house.login_urls,
            "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
        }
    )
    clock, transport = SystemClock(), Transport(allow_loopback=True)
    tokens = ConnectionTokens(
        make_runtime(
            Database(lambda: engine),
            vault=TokenVault(config.secret_keys),
            times=Times(),
            clock=clock,
            queue=FakeQueue(),
            oauth=SalesforceOAuth(config, transport, clock),
        ),
        house.connection_id,
    )
    gateway = Gateway(tokens, transport, version=config.salesforce_api_version)
    together.wait(60)
    try:
        gateway.limits()
        answer.send(tokens.current().access_token)
    except KeepingError as error:
        answer.send(type(error).__name__)


def all_at_once(house: House) -> Counter[Any]:
    """What sixteen processes ended up with."""
    together = _context.Barrier(PROCESSES)
    running = []
    for _ in range(PROCESSES):
        ours, theirs = _context.Pipe(duplex=False)
        process = _context.Process(target=ask, args=(house, together, theirs))
        process.start()
        theirs.close()
        running.append((process, ours))
    told: Counter[Any] = Counter()
    for process, ours in running:
        assert ours.poll(120), "a process never answered"
        told[ours.recv()] += 1
        process.join(30)
        assert process.exitcode == 0
    return told


@pytest.fixture
def company(database: Database) -> Company:
    return Company(database)


@pytest.fixture
def house(company: Company, orgs: OrgProcess) -> House:
    """The company, logged in to an org that rotates refresh tokens."""
    org = orgs.production
    org.control.set(rotate_refresh_tokens=True)
    key = Fernet.generate_key().decode()
    company.vault = TokenVault([key])
    granted = connect(orgs, org)
    tokens = Tokens(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        instance_url=granted.instance_url,
        login_url=org.base_url,
        identity_url=granted.identity_url,
    )
    facts: OrgFacts = Gateway(
        HeldTokens(tokens), Transport(allow_loopback=True), version="66.0"
    ).org_facts()
    connection.sign_in(company.runtime, ADMIN, tokens, facts)
    org.control.reset_log()
    return House(
        company.database.engine.url.render_as_string(hide_password=False),
        key,
        company.row(facts).id,
        (org.base_url, orgs.sandbox.base_url),
        orgs.client_id,
        orgs.client_secret,
    )


def stored(company: Company, house: House) -> Tokens:
    with company.database.read() as session:
        row = session.get(Connection, house.connection_id)
    assert row is not None
    assert row.status == ConnectionStatus.LIVE
    assert row.tokens is not None
    return grants.unseal(company.vault, row.tokens, company_id=row.company_id, org_id=row.org_id)


@pytest.mark.both_databases
def test_sixteen_processes_that_meet_an_expired_token_refresh_once(
    company: Company, house: House, orgs: OrgProcess
) -> None:
    """Twice over: the second time only the rotated token of the first still works."""
    control = orgs.production.control
    seen = [stored(company, house)]
    for _ in range(2):
        control.reset_log()
        control.expire_access_tokens()
        told = all_at_once(house)
        seen.append(stored(company, house))
        assert told == {seen[-1].access_token: PROCESSES}
        calls = Counter((entry["path"], entry["status"]) for entry in control.log())
        assert calls[TOKEN_PATH, 200] == 1
        assert [path for path, _ in calls].count(TOKEN_PATH) == 1
        limits = "/services/data/v66.0/limits"
        assert calls[limits, 200] == PROCESSES
        assert 1 <= calls[limits, 401] <= PROCESSES
    assert len({tokens.refresh_token for tokens in seen}) == 3


@pytest.mark.both_databases
def test_a_refused_refresh_is_asked_once_and_loses_the_connection_for_all(
    company: Company, house: House, orgs: OrgProcess
) -> None:
    control = orgs.production.control
    control.revoke_grants()
    assert all_at_once(house) == {"ConnectionLost": PROCESSES}
    asked = [entry for entry in control.log() if entry["path"] == TOKEN_PATH]
    assert [entry["status"] for entry in asked] == [400]
    with company.database.read() as session:
        row = session.get(Connection, house.connection_id)
    assert row is not None
    assert (row.status, row.lost_reason) == (
        ConnectionStatus.LOST,
        "expired access/refresh token",
    )
