"""`ledger`: claim and settle a batch with a million finished rows behind it, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from flask.cli import FlaskGroup

from benchmarks import host
from benchmarks.bench import Bench, side_by_side
from benchmarks.machine import watched
from benchmarks.postgres import NoPostgres, Postgres
from keeping_plugin.models import EntryState
from keeping_plugin.services.ledger.batch import claim
from keeping_plugin.services.ledger.lease import release_lease, take_lease
from keeping_plugin.services.ledger.outcome import Outcome
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.services.runtime import Runtime

ORG = "00D000000000001AAA"
MESSAGES = 200  # a full batch, of two actions each
MAX_RATIO = 1.5

_CONNECTION = """INSERT INTO keeping_connection (id, company_id, org_id, current, status, epoch,
    org_name, is_sandbox, instance_url, login_url, identity_url, user_id, username, scope,
    token_version, connected_at, connected_by, confirmed, lost_reason, pause_reason, timeouts,
    outages)
    VALUES (1, 'acme', :org, true, 'live', 1, '', false, 'https://acme.my.salesforce.com',
    'https://login.salesforce.com', '', '005000000000001AAA', '', '', 1, now(), 'admin', true, '',
    '', 0, 0)"""
_ROWS = """INSERT INTO keeping_sync_entry (connection_id, company_id, mailbox_id, conversation_id,
    message_id, action, lane, epoch, address, created_at, state, reason, due_at, settled_at,
    attempts, retries, looks, candidates)
    SELECT 1, 'acme', 'box', 'c' || number, CAST(:name AS text) || number, action, 'a-live', 1,
    'customer' || number % 3000 || '@shop.example', now() - interval '1 hour',
    CAST(:state AS text), CAST(:reason AS text),
    CASE WHEN CAST(:state AS text) = 'pending' THEN now() - interval '1 minute' END,
    CASE WHEN CAST(:state AS text) = 'done' THEN now() - interval '1 hour' END, 0, 0, 0, 0
    FROM generate_series(1, CAST(:count AS integer)) AS number,
    unnest(ARRAY['add_contact', 'log_task']) AS action"""
_DONE = Outcome(EntryState.DONE, "logged", record_id="00T000000000001AAA")


class _Ledger:
    """One database with our tables and a live connection."""

    def __init__(self, url: str) -> None:
        config: Mapping[str, Any] = {
            "SQLALCHEMY_DATABASE_URI": url,
            "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": "redis://127.0.0.1:1/0",
            "KEEPING_SALESFORCE_CLIENT_ID": "nobody",
            "KEEPING_SALESFORCE_CLIENT_SECRET": "nothing",
        }
        self.app: Flask = host.create_app(config)
        commands = FlaskGroup(create_app=lambda: self.app, add_default_commands=False)
        done = self.app.test_cli_runner().invoke(commands, ["keeping", "db", "upgrade"])
        if done.exit_code:
            raise RuntimeError(f"the tables were not made: {done.output}")
        self.engine = sa.create_engine(url)
        self.execute(_CONNECTION, org=ORG)

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.app.extensions["keeping"]
        return runtime

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def add(self, name: str, count: int, state: str) -> None:
        """`count` messages with both actions."""
        reason = "logged" if state == "done" else ""
        self.execute(_ROWS, name=name, count=count, state=state, reason=reason)

    def claim_and_settle(self) -> None:
        """As a drain does, with nothing between. Raises RuntimeError unless it was whole."""
        runtime = self.runtime
        with self.app.app_context():
            with runtime.database.write() as session:
                lease = take_lease(runtime, session, org_id=ORG, connection_id=1)
            if lease is None:
                raise RuntimeError("the lease was taken")
            batch = claim(runtime, lease, 1)
            if batch is None or len(batch.rows) != 2 * MESSAGES:
                raise RuntimeError("the batch was not claimed whole")
            with runtime.database.write() as session:
                settle(session, batch, dict.fromkeys(batch.row_ids, _DONE), times=runtime.times)
            with runtime.database.write() as session:
                release_lease(session, lease)

    def forget(self) -> None:
        """What the last round left, so that the empty ledger is empty."""
        self.execute("DELETE FROM keeping_sync_entry WHERE message_id LIKE 'round%'")


def measure(bench: Bench) -> None:
    """Two databases of one server, in turn; rows are made in SQL."""
    finished = bench.size(1_000_000, 100_000)
    case = f"{2 * MESSAGES} rows claimed and settled, {finished:,} finished rows behind them"
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing(case, str(error))
        return
    empty, full = (_Ledger(postgres.database(name)) for name in ("empty", "full"))
    for ledger in (empty, full):
        bench.clean_up.callback(ledger.engine.dispose)
    full.add("old", finished // 2, "done")
    with full.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE keeping_sync_entry"))
    rounds = bench.size(40, 8)

    def prepare() -> None:
        for ledger in (empty, full):
            ledger.forget()
            ledger.add("round", MESSAGES, "pending")

    works = {"prepare": prepare, "empty": empty.claim_and_settle, "full": full.claim_and_settle}
    with watched() as load:
        took = side_by_side(works, rounds=rounds)
    ratio = took["full"].median / took["empty"].median
    bench.point(
        case,
        took["full"].median * 1000,
        "ms",
        against=f"with an empty ledger: {took['empty'].median * 1000:.1f} ms",
        ratio=ratio,
        runs=rounds,
        spread=took["full"].spread,
        target="at most 1.5",
        met=ratio <= MAX_RATIO,
        load=load,
    )
