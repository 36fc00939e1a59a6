"""A mailbox's history through the rules, from a date: pausable, resumable, behind live mail.

A run is a row; its job takes some pages further and asks to be called again. Each page's Decisions,
entries and the page reached are one commit, so that a crash repeats nothing and leaves nothing out.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from time import monotonic

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import HelpDeskFailed, InvalidInput, NotConnected, NotFound
from keeping_plugin.models import BackfillRun, Connection, ConnectionStatus, change_rows, now
from keeping_plugin.services import audit
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.automation.decisions import backfill_occasion, judge_and_write
from keeping_plugin.services.automation.history import Page, pages
from keeping_plugin.services.automation.policy import read_policy, read_switches
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import BACKFILL_CLAIM, BACKFILL_JOB, BACKFILL_PAGE, PAUSES
from keeping_plugin.types import Agent

RUNNING, PAUSED, DONE, CANCELLED = "running", "paused", "done", "cancelled"
PAGE = 160  # messages: with a Decision and two entries each, under 500 rows a transaction
PAGES_A_JOB = 10
ALL_ALIKE = 2  # times that the host raised for a page, before its messages are told apart


def start(session: Session, agent: Agent, *, mailbox_id: str, since: datetime) -> int:
    """A new run of one of the company's mailboxes (the caller has checked that it is), due at
    once. Raises NotConnected, and InvalidInput while another run of the mailbox is under way."""
    connection = session.scalar(
        select(Connection)
        .where(Connection.company_id == agent.company_id, Connection.current, Connection.confirmed)
        .with_for_update(key_share=True)  # two admins who start at once come one after the other
    )
    if connection is None:
        raise NotConnected("Connect Salesforce first.")
    under_way = session.scalar(
        select(BackfillRun.id).where(
            BackfillRun.company_id == agent.company_id,
            BackfillRun.mailbox_id == mailbox_id,
            BackfillRun.state.in_((RUNNING, PAUSED)),
        )
    )
    if under_way is not None:
        raise InvalidInput("Earlier mail of this mailbox is already being imported.")
    time = now(session)
    run = BackfillRun(
        connection_id=connection.id,
        epoch=connection.epoch,
        company_id=agent.company_id,
        mailbox_id=mailbox_id,
        since=since,
        started_by=agent.id,
        started_at=time,
        due_at=time,
    )
    session.add(run)
    session.flush()
    audit.record_by(
        session, agent, Audited.BACKFILL_STARTED, connection_id=connection.id, detail=str(run.id)
    )
    return run.id


def change(session: Session, agent: Agent, run_id: int, state: str) -> None:
    """Pause, go on with or cancel a run that is not over. What it granted stays. Raises NotFound,
    InvalidInput."""
    run = session.scalars(
        select(BackfillRun)
        .where(BackfillRun.id == run_id, BackfillRun.company_id == agent.company_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if run is None:
        raise NotFound("This import does not exist.")
    if run.state not in (RUNNING, PAUSED):
        raise InvalidInput("This import has ended.")
    time = now(session)
    run.state = state
    run.due_at = time if state == RUNNING else None
    run.finished_at = time if state == CANCELLED else None
    # A job that is still at a page writes nothing more: the claim is not its own any longer.
    run.claim = run.claimed_until = None
    audit.record_by(
        session,
        agent,
        Audited.BACKFILL_CHANGED,
        connection_id=run.connection_id,
        detail=f"{run.id} {state}",
    )


def advance(runtime: Runtime, run_id: int) -> None:
    """Take a run some pages further; the sweep calls again while it is due. Where the host raises,
    it is called again later each time; from the third time on, messages for which alone the host
    raises are left out."""
    runtime = replace(runtime, helpdesk=guarded(runtime.helpdesk, runtime.interrupts))
    run = _claim(runtime, run_id)
    if run is None:
        return
    try:
        _go_on(runtime, run)
    except HelpDeskFailed:
        runtime.end_host_transaction()
        _put_off(runtime, run)


def _go_on(runtime: Runtime, run: BackfillRun) -> None:
    unread: list[str] = []
    history = pages(
        runtime.helpdesk,
        run.company_id,
        run.mailbox_id,
        run.since,
        after=run.after_id,
        limit=PAGE,
        seconds=runtime.times.seconds(BACKFILL_PAGE),
        unread=unread if (run.failures or 0) >= ALL_ALIKE else None,
    )
    began = monotonic()
    for reached, page in enumerate(history, 1):
        runtime.end_host_transaction()
        granted = _write(runtime, run, page, len(unread))
        unread.clear()
        if granted is None:  # paused, cancelled, disconnected or overtaken meanwhile
            return
        if granted:
            runtime.queue.ring([run.connection_id])
        if reached == PAGES_A_JOB or monotonic() - began > runtime.times.seconds(BACKFILL_JOB):
            _release(runtime, run, over=False)
            runtime.queue.enqueue("backfill", run.id)
            return
    runtime.end_host_transaction()
    _release(runtime, run, over=True)


def _claim(runtime: Runtime, run_id: int) -> BackfillRun | None:
    with runtime.database.write() as session:
        time = now(session)
        until = time + runtime.times.span(BACKFILL_CLAIM)
        claimed = (
            update(BackfillRun)
            .where(
                BackfillRun.id == run_id,
                BackfillRun.state == RUNNING,
                or_(BackfillRun.claimed_until.is_(None), BackfillRun.claimed_until < time),
            )
            .values(claim=uuid.uuid4().hex, claimed_until=until, due_at=until)
        )
        return session.get_one(BackfillRun, run_id) if change_rows(session, claimed) else None


def _write(runtime: Runtime, run: BackfillRun, page: Page, unread: int) -> int | None:
    """Judge one page, of which so many messages could not be read, and note it as reached, in one
    commit; the entries it granted, or None when the run may not go on."""
    with runtime.database.read() as session:
        database = session.connection()
        switches = read_switches(database, run.company_id, run.mailbox_id)
        policy = read_policy(
            database,
            runtime.helpdesk,
            page.messages,
            company_id=run.company_id,
            switches=switches,
        )
    runtime.end_host_transaction()
    with runtime.database.write() as session:
        # FOR SHARE: a disconnect is before this page, or after it and cancels what it granted.
        connection = session.scalars(
            select(Connection).where(Connection.id == run.connection_id).with_for_update(read=True)
        ).one()
        current = session.scalars(
            select(BackfillRun)
            .where(BackfillRun.id == run.id, BackfillRun.claim == run.claim)
            .with_for_update(key_share=True)
        ).one_or_none()
        if current is None or current.state != RUNNING:
            return None
        gone = connection.status == ConnectionStatus.DISCONNECTED or not connection.current
        if gone or connection.epoch != run.epoch:
            current.state, current.due_at, current.finished_at = CANCELLED, None, now(session)
            return None
        database = session.connection()
        granted = sum(
            judge_and_write(
                database,
                message,
                policy,
                connection_id=run.connection_id,
                epoch=run.epoch,
                occasion=backfill_occasion(run.id),
            ).entries
            for message in page.messages
        )
        time = now(session)
        current.after_id = page.last_id
        if page.messages:
            current.reached_at = page.messages[-1].sent_at
        current.seen += len(page.messages)
        current.granted += granted
        current.unread = (current.unread or 0) + unread
        current.failures = None
        current.claimed_until = current.due_at = time + runtime.times.span(BACKFILL_CLAIM)
    return granted


def _put_off(runtime: Runtime, run: BackfillRun) -> None:
    with runtime.database.write() as session:
        current = session.scalars(
            select(BackfillRun)
            .where(
                BackfillRun.id == run.id,
                BackfillRun.claim == run.claim,
                BackfillRun.state == RUNNING,
            )
            .with_for_update(key_share=True)
        ).one_or_none()
        if current is None:
            return
        wait = PAUSES[min(current.failures or 0, len(PAUSES) - 1)]
        current.failures = (current.failures or 0) + 1
        current.due_at = now(session) + runtime.times.span(wait)
        current.claim = current.claimed_until = None


def _release(runtime: Runtime, run: BackfillRun, *, over: bool) -> None:
    """Give the run back: over, or due at once."""
    with runtime.database.write() as session:
        time = now(session)
        ended = {"state": DONE, "finished_at": time, "due_at": None}
        session.execute(
            update(BackfillRun)
            .where(
                BackfillRun.id == run.id,
                BackfillRun.claim == run.claim,
                BackfillRun.state == RUNNING,
            )
            .values({**(ended if over else {"due_at": time}), "claim": None, "claimed_until": None})
        )
