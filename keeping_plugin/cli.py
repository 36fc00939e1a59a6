"""`flask keeping ...`: what operators run."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from keeping_plugin import failpoints
from keeping_plugin.errors import HelpDeskFailed, KeepingError
from keeping_plugin.jobs import worker as workers
from keeping_plugin.jobs.queue import RedisAway
from keeping_plugin.models import AuditRecord, Connection, Installation, migrate
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.automation.explain import explain_made_up, explain_message
from keeping_plugin.services.connection import barred
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.ledger.holding import tend
from keeping_plugin.services.operations import keys
from keeping_plugin.services.operations.alarm import raise_alarms
from keeping_plugin.services.operations.doctor import duplicate_tasks, examine
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.state import current_runtime
from keeping_plugin.times import HOUR, MINUTE
from keeping_plugin.types import Address, Direction, MessageArrived
from keeping_plugin.wording.terminal import escaped


class _Commands(AppGroup):
    """Commands whose errors are escaped like everything else that they print."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as refusal:
            # What click itself raises quotes nobody but who typed the command.
            if type(refusal) is click.UsageError:
                raise click.UsageError(escaped(refusal.message), refusal.ctx) from refusal
            if type(refusal) is click.ClickException:
                raise click.ClickException(escaped(refusal.message)) from refusal
            raise


keeping = _Commands("keeping", help="Manage the Salesforce integration.")


def _say(line: str, *, err: bool = False) -> None:
    """One line, whatever stands in it; there is no other way to print."""
    click.echo(escaped(line), err=err)


@keeping.group("db")
def database() -> None:
    """The plugin's tables."""


@database.command("upgrade")
def upgrade() -> None:
    """Create or migrate the plugin's tables; safe to run again."""
    engine = current_runtime().database.engine
    migrate.upgrade(engine)
    _say(f"plugin tables at revision {migrate.current(engine)}")
    with current_runtime().database.read() as session:
        if session.scalar(select(Installation.contract)) == 0:
            _say("When no 0.1.0 process is running any more, run `flask keeping db contract`.")


@database.command("contract")
def contract() -> None:
    """Confirm that no 0.1.0 process is running any more, so that data its workers cannot read may
    be written."""
    runtime = _runtime_with_tables()
    with runtime.database.write() as session:
        session.execute(update(Installation).values(contract=1))
    _say(
        "Noted that no 0.1.0 process is running: addresses in forms it could not read are used "
        "from now on."
    )


@database.command("current")
def current() -> None:
    """Print the revision of the plugin's tables; exit 1 when they are out of date."""
    stands, newest = migrate.current(current_runtime().database.engine), migrate.head()
    _say(stands or "none")
    if stands != newest:
        _say(f"The latest revision is {newest}: run `flask keeping db upgrade`.", err=True)
        sys.exit(1)


def _runtime_with_tables() -> Runtime:
    """For commands that read our tables. Raises click.ClickException when these are not the
    newest."""
    runtime = current_runtime()
    if migrate.current(runtime.database.engine) != migrate.head():
        raise click.ClickException(
            "The plugin's tables are missing or out of date: run `flask keeping db upgrade`."
        )
    return runtime


def _ready(runtime: Runtime) -> None:
    """Refuse to start half-broken. Raises click.ClickException with one sentence."""
    try:
        runtime.check_ready()
    except KeepingError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _host_asked() -> Iterator[None]:
    """What the host raises, as one sentence with the place. Raises click.ClickException."""
    try:
        yield
    except HelpDeskFailed as error:
        raise click.ClickException(str(error)) from error


def _jobs_waiting(runtime: Runtime) -> int:
    """How many jobs no worker has taken yet. Raises click.ClickException when Redis does not
    say."""
    length = runtime.queue.length()
    if length is None:
        _ready(runtime)  # knows why
        raise click.ClickException(
            "Redis at KEEPING_REDIS_URL is not responding: start it or correct the URL."
        )
    return length


_WAITS = (1.0, 2.0, 5.0)  # seconds between looks; the last one for ever
_SAY_AGAIN = 12  # looks


def _await_surroundings() -> Runtime:
    """Return once the database and Redis respond. Raises click.ClickException for what waiting does
    not fix: outdated tables, a wrong Redis password, a key that decrypts no token.

    A machine that boots starts its services in any order, and a supervisor gives up on one that
    ends five times at once.
    """
    runtime = current_runtime()
    for looks in itertools.count():
        try:
            _runtime_with_tables()
            runtime.check_ready()
        except RedisAway as away:
            sentence = str(away)
        except OperationalError as away:
            kind = type(away.orig or away).__name__
            sentence = f"The database is not responding ({kind}): start it or correct its URL."
        except KeepingError as error:
            raise click.ClickException(str(error)) from error
        else:
            if looks:
                _say(
                    "What the worker was waiting for is available again; it is starting.", err=True
                )
            return runtime
        if looks % _SAY_AGAIN == 0:
            _say(f"{sentence} The worker is waiting for it.", err=True)
        runtime.clock.sleep(runtime.times.seconds(_WAITS[min(looks, len(_WAITS) - 1)]))
    raise AssertionError("unreachable")


@keeping.command("worker")
@click.option("-n", "--number", type=click.IntRange(1, 64), default=1, show_default=True)
def worker(number: int) -> None:
    """Run the worker until SIGTERM; it waits while the database or Redis is unavailable. Run it
    under a supervisor (docs/guide.md, Operating)."""
    runtime = _await_surroundings()
    if current_app.testing and "KEEPING_FAILPOINT" in os.environ:
        failpoints.arm_from(os.environ["KEEPING_FAILPOINT"])
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    runtime.observe_clock()  # so that every process forked below notices a jump

    last = watched = float("-inf")

    def sweep_once() -> None:
        nonlocal last, watched
        sweep(runtime)
        if runtime.clock.monotonic() - watched >= runtime.times.seconds(MINUTE):
            watched = runtime.clock.monotonic()
            raise_alarms(runtime.database)
            tend(runtime.database)
        if runtime.clock.monotonic() - last >= runtime.times.seconds(HOUR):
            last = runtime.clock.monotonic()
            _run_retention(runtime)

    if number == 1:
        sys.exit(workers.run_pair(app, runtime, sweep_once))
    sys.exit(workers.supervise(app, runtime, sweep_once, pairs=number))


def _run_retention(runtime: Runtime) -> None:
    run_retention(runtime.database, runtime.times, keep_days=runtime.config.keep_days)


@keeping.command("tick")
def tick() -> None:
    """Sweep once, for cron; exit 1 when Redis does not respond, so that no job could be queued."""
    runtime = _runtime_with_tables()
    sweep(runtime)
    raise_alarms(runtime.database)
    tend(runtime.database)
    _run_retention(runtime)
    _jobs_waiting(runtime)


@keeping.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt every stored secret with the first key of KEEPING_SECRET_KEYS; afterwards the other
    keys can be removed."""
    runtime = _runtime_with_tables()
    try:
        count = keys.rotate(runtime.database, runtime.vault)
    except KeepingError as error:
        raise click.ClickException(str(error)) from error
    _say(f"{count} stored secrets are encrypted with the first key.")


@keeping.command("resume")
def resume() -> None:
    """Queue everything that is due again, including what was queued seconds ago: for use after
    Redis was emptied or restored. Connections that Salesforce refused are retried at once."""
    runtime = _runtime_with_tables()
    barred.try_now(runtime.database)
    with runtime.database.read() as session:
        live = session.scalars(select(Connection.id).where(Connection.current)).all()
    for connection_id in live:
        runtime.queue.clear_ring(connection_id)
    sweep(runtime)
    _say(f"{_jobs_waiting(runtime)} jobs are waiting for a worker.")


@keeping.command("explain")
@click.argument("message_id", required=False)
@click.option("--company", required=True, help="ID of the company.")
@click.option("--mailbox", help="Mailbox ID of an example message.")
@click.option("--customer", help="Customer's address of an example message.")
@click.option("--outbound", is_flag=True, help="Example message: sent by an agent.")
@click.option("--reply", is_flag=True, help="Example message: not the first of its conversation.")
@click.option(
    "--header", multiple=True, metavar="NAME:VALUE", help="Example message: a mail header."
)
def explain(
    message_id: str | None,
    company: str,
    mailbox: str | None,
    customer: str | None,
    outbound: bool,
    reply: bool,
    header: tuple[str, ...],
) -> None:
    """Print every rule, its facts and its verdict for a message, or for an example message given
    with --mailbox and --customer."""
    if message_id is not None and (mailbox or customer or outbound or reply or header):
        raise click.UsageError(
            "A message id cannot be combined with the options for an example message."
        )
    headers = dict(_header(line) for line in header)
    runtime = _runtime_with_tables()
    helpdesk = guarded(runtime.helpdesk)
    with _host_asked(), runtime.database.read() as session:
        if message_id is not None:
            lines = explain_message(session, helpdesk, company, message_id)
            if not lines:
                raise click.ClickException("This company has no message with this id.")
        elif mailbox and customer:
            known = [each.id for each in helpdesk.mailboxes(company)]
            if mailbox not in known:
                its = f"it has {', '.join(known)}" if known else "it has none"
                raise click.UsageError(f"This company has no mailbox {mailbox!r}; {its}.")
            address = Address(customer)
            made_up = MessageArrived(
                company_id=company,
                mailbox_id=mailbox,
                conversation_id="-",
                message_id="-",
                direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
                opens_conversation=not reply,
                customer=address,
                sender=address,
                recipients=(),
                sent_at=runtime.clock.now(),
                headers=headers,
            )
            lines = explain_made_up(session, helpdesk, made_up)
        else:
            raise click.UsageError("Give a message id, or --mailbox and --customer.")
    for line in lines:
        _say(line)


def _header(line: str) -> tuple[str, str]:
    """Name, in lower case, and value. Raises click.UsageError."""
    name, colon, value = line.partition(":")
    if not (colon and name.strip()):
        raise click.UsageError(f"--header takes NAME:VALUE, not {line!r}.")
    return name.strip().lower(), value.strip()


@keeping.command("audit")
@click.option("--company", help="Only records of this company.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on (UTC).")
def audit_trail(company: str | None, since: datetime | None) -> None:
    """Export the audit trail, oldest first, one JSON object per line."""
    query = select(AuditRecord).order_by(AuditRecord.id)
    if company:
        query = query.where(AuditRecord.company_id == company)
    if since:
        query = query.where(AuditRecord.at >= since.replace(tzinfo=UTC))
    columns = [column.key for column in AuditRecord.__table__.columns]
    with _runtime_with_tables().database.read() as session:
        for row in session.scalars(query.execution_options(yield_per=500)):
            values = {name: getattr(row, name) for name in columns}
            # JSON escapes every control character but the last.
            _say(json.dumps({**values, "at": row.at.isoformat()}).replace("\x7f", "\\u007f"))


@keeping.command("doctor")
@click.option(
    "--audit",
    "audit_days",
    is_flag=False,
    flag_value=30,
    type=click.IntRange(1, 3_660),
    metavar="[DAYS]",
    help="Also list messages of the last DAYS days (30) that are logged on more than one Task.",
)
def doctor(audit_days: int | None) -> None:
    """Check tables, Redis, keys, the host's database and every connection; exit 1 when something
    needs fixing."""
    runtime = current_runtime()
    bad = False
    for finding in examine(runtime):
        mark = {True: "ok    ", False: "FAIL  ", None: "advice"}[finding.good]
        _say(f"{mark}  {finding.sentence}")
        bad |= finding.good is False
    if audit_days is not None:
        _runtime_with_tables()
        try:
            found = False
            for company, message_id, task_ids in duplicate_tasks(runtime, days=audit_days):
                _say(f"FAIL    {company}: message {message_id} is on {', '.join(task_ids)}")
                found = bad = True
            if not found:
                _say(
                    f"ok      Audit of the last {audit_days} days, every live connection: no "
                    "message is on more than one Task."
                )
        except KeepingError as error:
            raise click.ClickException(f"The audit could not be completed: {error}") from error
    sys.exit(1 if bad else 0)
