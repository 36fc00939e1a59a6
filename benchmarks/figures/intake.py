"""`intake`: the demo's inbox storing a message with the plugin and without it, workers busy."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks.bench import Bench, Runs, seconds_of
from benchmarks.machine import watched
from benchmarks.postgres import NoPostgres, Postgres
from demo import driving
from demo.headless import Browser
from demo.inbox import intake
from demo.inbox.app import create_app
from demo.inbox.database import db
from demo.inbox.mime.headers import Correspondent
from demo.inbox.models import Mailbox
from demo.inbox.salesforce import salesforce
from demo.ledger import Ledger
from demo.running import Demo
from keeping_plugin import Direction, MessageArrived

MAX_RATIO, MAX_MS = 2.5, 25.0
BOX = "support"
ADMIN = "maya@outdoor.example.com"
LATENCY = 150.0
_numbers = itertools.count()


def _nothing(message: MessageArrived) -> None:
    """The floor: the host alone."""


def measure(bench: Bench) -> None:
    """One message a transaction through the inbox's own models, committed with fsync: with the
    plugin (decision, entries, ring) and without, in turn, while a worker drains a backlog."""
    _on(bench, "SQLite", None)
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing("PostgreSQL", str(error), target="at most 2.5")
        return
    _on(bench, "PostgreSQL", postgres.database("inbox"))


def _on(bench: Bench, name: str, database: str | None) -> None:
    rounds, backlog = bench.size(400, 80), bench.size(3_000, 200)
    with Demo(bench.folder / name, database=database, first_port=9_300) as demo:
        _connect(demo)
        demo.org.production.control.set(latency_ms=LATENCY)
        demo.org.production.control.usage(limit=5_000_000)
        app = create_app(demo.config)
        ledger = Ledger(demo.database_url)
        with app.app_context():
            for _ in range(backlog):
                _store()
            with watched() as load:
                ours, floor = _in_turn(rounds)
            busy = sum(entry.state in ("pending", "sending") for entry in ledger.entries())
            _close()
    ratio = ours.median / floor.median
    case = f"{name}, {rounds} messages, a worker draining {backlog:,} more"
    note = f"{busy:,} entries still owed at the end"
    bench.point(
        case,
        ours.median * 1000,
        "ms a message",
        against=f"the host alone: {floor.median * 1000:.2f} ms",
        ratio=ratio,
        runs=rounds,
        spread=ours.spread,
        target="at most 2.5",
        met=ratio <= MAX_RATIO if busy else None,
        load=load,
        note=note,
    )
    added = (ours.percentile(0.95) - floor.percentile(0.95)) * 1000
    bench.point(
        f"{case}: added at the 95th percentile",
        added,
        "ms",
        against=f"the host alone: {floor.percentile(0.95) * 1000:.1f} ms",
        runs=rounds,
        target="at most 25 ms",
        met=added <= MAX_MS,
        load=load,
    )


def _connect(demo: Demo) -> None:
    with Browser(demo.url) as browser:
        driving.log_in(browser, ADMIN)
        login = demo.org.production.login("admin")
        driving.connect(browser, login.username, login.password)
        driving.await_schema(browser)
        driving.switch_on(browser, BOX)


def _in_turn(rounds: int) -> tuple[Runs, Runs]:
    plugin = salesforce.message_arrived
    ours, floor = [], []
    gc.collect()
    try:
        for _ in range(rounds):
            _plug(plugin)
            ours.append(seconds_of(_store))
            _plug(_nothing)
            floor.append(seconds_of(_store))
    finally:
        _plug(plugin)
    return Runs(ours), Runs(floor)


def _plug(message_arrived: Callable[[MessageArrived], None]) -> None:
    salesforce.message_arrived = message_arrived  # type: ignore[method-assign,assignment]


def _store() -> None:
    """One message that opens a conversation, as a request does it: with a session of its own."""
    number = next(_numbers)
    mailbox = db.session.get_one(Mailbox, BOX)
    customer = Correspondent(f"customer{number % 700}@shop{number % 60}.example", "A Customer")
    draft = intake.Draft(
        id=f"bench.{number}",
        direction=Direction.INBOUND,
        sender=customer,
        customer=customer,
        recipients=[Correspondent(mailbox.address, mailbox.name)],
        sent_at=datetime.now(UTC),
        subject=f"A question, number {number}",
        text="When will it arrive?\n" * 20,
        reference=f"bench.{number}@shop.example",
        headers={"content-type": "text/plain; charset=utf-8"},
    )
    intake.store(mailbox, draft)
    db.session.remove()


def _close() -> None:
    db.session.remove()
    db.engine.dispose()
