"""What an operator asks when something did not sync: is everything in place?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event, insert, select

from keeping_plugin.errors import KeepingError
from keeping_plugin.mail import task
from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    EntryState,
    Installation,
    SyncEntry,
    migrate,
    now,
)
from keeping_plugin.services.operations.helpdesk_check import failures
from keeping_plugin.services.people import preflight as people
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import preflight
from keeping_plugin.services.schema.preflight import Outcome
from keeping_plugin.types import Action, TaskLook
from keeping_plugin.wording.barred import barred_reason, barred_sentence
from keeping_plugin.wording.pauses import pause_of

BUSY_TIMEOUT = 5_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Finding:
    """`good` is None for advice: it works, and would work better otherwise."""

    good: bool | None
    sentence: str


def examine(runtime: Runtime) -> Iterator[Finding]:
    """Everything, one finding at a time; asks Salesforce for each live connection."""
    stands, newest = migrate.current(runtime.database.engine), migrate.head()
    if stands != newest:
        yield Finding(
            False,
            f"The plugin's tables are at revision {stands or 'none'}, the latest is "
            f"{newest}: run `flask keeping db upgrade`.",
        )
        return
    yield Finding(True, f"The plugin's tables are at revision {stands}.")
    with runtime.database.read() as session:
        if session.scalar(select(Installation.contract)) == 0:
            yield Finding(
                None,
                "0.1.0 processes may still be running, so nothing is written that they "
                "cannot read: run `flask keeping db contract` once all of them have stopped.",
            )
    for check in runtime.checks:
        try:
            check()
        except KeepingError as error:
            yield Finding(False, str(error))
        else:
            yield Finding(True, (check.__doc__ or "").strip().splitlines()[0])
    if not runtime.host_known():
        yield Finding(
            None,
            "The address of Salesforce's login callback is taken from the request's Host "
            "header, which anyone can set: set KEEPING_BASE_URL, or Flask's TRUSTED_HOSTS.",
        )
    with runtime.database.read() as session:
        connections = session.scalars(
            select(Connection).where(Connection.current).order_by(Connection.company_id)
        ).all()
    companies = [connection.company_id for connection in connections]
    failed = False
    for company_id in companies or [""]:
        for each in failures(runtime.database, runtime.helpdesk, company_id):
            failed = True
            yield Finding(
                False,
                f"{company_id or 'Your inbox'}: HelpDesk.{each.question} raised {each.error} "
                f"outside a request, as in a worker, at {each.where}. Its messages are "
                "waiting.",
            )
    runtime.host_session().rollback()
    if not failed:
        yield Finding(True, "Your HelpDesk works outside a request, as in a worker.")
        yield from _host(runtime, companies)
    if not connections:
        yield Finding(None, _nobody(runtime))
    for connection in connections:
        yield from _connection(runtime, connection)


def _nobody(runtime: Runtime) -> str:
    with runtime.database.read() as session:
        last = session.scalars(
            select(Connection)
            .where(Connection.disconnected_at.is_not(None))
            .order_by(Connection.disconnected_at.desc())
            .limit(1)
        ).first()
    if last is None:
        return "No company has connected Salesforce yet."
    return (
        "No company is connected to Salesforce; the last to disconnect was "
        f"{last.company_id}, at {last.disconnected_at:%Y-%m-%d %H:%M} UTC."
    )


def _host(runtime: Runtime, company_ids: list[str]) -> Iterator[Finding]:
    """Our rows and the host's messages must commit together, so they must share a database."""
    ours = runtime.database.engine
    asked: set[Engine] = set()

    def note(connection: Any, *_: Any) -> None:
        asked.add(connection.engine)

    session = runtime.host_session()
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for company_id in company_ids or [""]:
            list(runtime.helpdesk.mailboxes(company_id))
        asked.discard(ours)
        elsewhere = {engine.url for engine in asked} - {ours.url}
        # One row of ours in the very transaction in which the host reads its own.
        connection = session.connection(bind_arguments={"bind": ours})
        connection.execute(insert(Installation).values(id=0, installation_id="doctor"))
        if ours.dialect.name == "sqlite":
            yield from _sqlite(connection)
        if not ours.hide_parameters:
            yield Finding(
                None,
                "Database errors contain the statement's parameters, including people's "
                "addresses, and your log keeps them: set SQLALCHEMY_ENGINE_OPTIONS = "
                '{"hide_parameters": True} (SECURITY.md).',
            )
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        session.rollback()
    if elsewhere:
        yield Finding(
            False,
            "Your HelpDesk reads a different database from the one with the plugin's tables: "
            "set KEEPING_BIND_KEY to the bind of your messages, so that both commit together.",
        )
    else:
        yield Finding(True, "The plugin's tables are in the same database as the host's messages.")


def _sqlite(connection: Any) -> Iterator[Finding]:
    wal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    timeout = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    full = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if wal != "wal" or timeout < BUSY_TIMEOUT or full < 2:
        yield Finding(
            None,
            "SQLite works best with journal_mode=WAL, synchronous=FULL and "
            "busy_timeout=5000: docs/guide.md has the lines.",
        )


def _connection(runtime: Runtime, connection: Connection) -> Iterator[Finding]:
    name = f"{connection.company_id}: {connection.org_name or connection.org_id}"
    if connection.status == ConnectionStatus.LOST:
        yield Finding(
            False,
            f"{name}: the connection has been lost since {connection.lost_at:%Y-%m-%d %H:%M} "
            "UTC; an admin of that company has to reconnect it in Settings → Integrations → "
            "Salesforce.",
        )
        return
    if connection.is_barred:
        reason = barred_reason(connection.barred_reason)
        yield Finding(
            False,
            f"{name}: Salesforce has been refusing the connection since "
            f"{connection.barred_since:%Y-%m-%d %H:%M} UTC. "
            f"{barred_sentence(connection.barred_reason, connection.barred_words)} "
            f"{reason.where} The next attempt is at "
            f"{connection.barred_until:%Y-%m-%d %H:%M:%S} UTC; `flask keeping resume` tries "
            "now.",
        )
        return
    yield _renewal(runtime, connection, name)
    newest = runtime.config.salesforce_api_version
    if connection.api_version is not None and connection.api_version != newest:
        yield Finding(
            True,
            f"{name}: version {connection.api_version} of Salesforce's API is used, the "
            f"newest that the org and this inbox ({newest}) both support.",
        )
    pause = pause_of(connection.pause_reason, connection.pause_words)
    if pause is not None:
        told = " ".join(f"Salesforce says: {each.message}" for each, _ in pause.complaints)
        yield Finding(False, " ".join(filter(None, (f"{name}: {pause.sentence}", told))))
    elif connection.pause_reason:
        yield Finding(
            None,
            f"{name}: paused ({connection.pause_reason}) until "
            f"{connection.paused_until:%Y-%m-%d %H:%M:%S} UTC.",
        )
    try:
        found = preflight.run(runtime, connection.id, more=people.lines(runtime))
    except KeepingError as error:
        yield Finding(False, f"{name}: {error}")
        return
    for line in found.lines:
        good = {Outcome.PASSED: True, Outcome.FAILED: False}.get(line.outcome)
        yield Finding(good, " ".join(filter(None, (f"{name}: {line.finding}", line.mend))))


def _renewal(runtime: Runtime, connection: Connection, name: str) -> Finding:
    """Salesforce may end a login that was not renewed for 30 days."""
    with runtime.database.read() as session:
        late = now(session) - timedelta(days=8)
    renewed = connection.refreshed_at
    if (renewed or connection.connected_at) > late:
        when = (
            f"was last renewed {renewed:%Y-%m-%d %H:%M} UTC"
            if renewed
            else "has not been renewed yet"
        )
        return Finding(True, f"{name}: the login {when}.")
    return Finding(
        None,
        f"{name}: the login has not been renewed for more than a week, and Salesforce may "
        "end a login that is idle for 30 days. Check that a worker is running; if "
        "Salesforce refused, the worker's log says why at `login_not_renewed`.",
    )


def duplicate_tasks(runtime: Runtime, *, days: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Company, message and Task ids of each message of the last days that was logged more than
    once: what an outage during a send can lead to, in an org without the unique key field. Raises
    what `find` raises."""
    with runtime.database.read() as session:
        installation = session.scalars(select(Installation.installation_id)).one()
        since = now(session) - timedelta(days=days)
        connections = session.scalars(select(Connection).where(Connection.is_live)).all()
    for connection in connections:
        with runtime.database.read() as session:
            message_ids = session.scalars(
                select(SyncEntry.message_id).where(
                    SyncEntry.connection_id == connection.id,
                    SyncEntry.action == Action.LOG_TASK,
                    SyncEntry.state == EntryState.DONE,
                    SyncEntry.settled_at >= since,
                )
            ).all()
        markers = {
            task.marker(installation, connection.company_id, each): each for each in message_ids
        }
        if not markers:
            continue
        look = TaskLook(frozenset(markers), connection.user_id, since - timedelta(days=1))
        found = runtime.gateways(connection.id).find((), tasks=look)
        for marker, task_ids in sorted(found.tasks.items()):
            if len(task_ids) > 1:
                yield connection.company_id, markers[marker], task_ids
