"""A company's connection to Salesforce: who is it, and what a finished login makes of it.

One row is one company with one org. Signing in to the same org finds the row again; another org
waits, not current and with its grant sealed, until an admin has seen its name and said so.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from keeping_plugin.errors import NotFound, NotReady
from keeping_plugin.models import Connection, ConnectionStatus, Database, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import barred, grants, idle, leftovers
from keeping_plugin.services.connection.disconnect import end_connection, leave_for_other_org
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.time_zones import NAME_LENGTH
from keeping_plugin.times import DAY, Times
from keeping_plugin.types import Agent, OrgFacts, Tokens


class SignedIn(StrEnum):
    """What a finished login turned out to be."""

    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    OTHER_ORG = "other_org"


def current(session: Session, company_id: str) -> Connection | None:
    """The company's connection, live or lost."""
    return session.scalar(
        select(Connection).where(Connection.company_id == company_id, Connection.current)
    )


def latest(session: Session, company_id: str) -> Connection | None:
    """The current connection, else the one that was disconnected last."""
    return session.scalars(
        select(Connection)
        .where(Connection.company_id == company_id, Connection.confirmed)
        .order_by(Connection.current.desc(), Connection.connected_at.desc(), Connection.id.desc())
        .limit(1)
    ).first()


def unconfirmed(session: Session, company_id: str) -> Connection | None:
    """A login to another org that no admin has confirmed yet."""
    return session.scalar(
        select(Connection).where(
            Connection.company_id == company_id,
            ~Connection.confirmed,
            Connection.tokens.is_not(None),
        )
    )


def sign_in(runtime: Runtime, agent: Agent, tokens: Tokens, facts: OrgFacts) -> SignedIn:
    """Keep a fresh grant for the agent's company, and have the org described.

    Earlier grants that it replaces are given back. Nothing of another org is touched before
    `confirm_org`.
    """
    try:
        outcome, row_id, revocations = _sign_in(runtime, agent, tokens, facts)
    except IntegrityError:
        # Two admins of one company came back at once: the second finds the first's row.
        outcome, row_id, revocations = _sign_in(runtime, agent, tokens, facts)
    _after(runtime, row_id, revocations, live=outcome is not SignedIn.OTHER_ORG)
    return outcome


def _sign_in(
    runtime: Runtime, agent: Agent, tokens: Tokens, facts: OrgFacts
) -> tuple[SignedIn, int, list[int]]:
    with runtime.database.write() as session:
        at = now(session)
        rows = _rows(session, agent.company_id)
        before = latest(session, agent.company_id)
        row = next((row for row in rows if row.org_id == facts.org_id), None)
        revocations = [
            grants.give_back(session, other, at=at, times=runtime.times)
            for other in rows
            if (other is row and not _same_grant(runtime, row, tokens)) or not other.current
        ]
        if row is None:
            row = Connection(
                company_id=agent.company_id, org_id=facts.org_id, current=False, token_version=0
            )
            session.add(row)
        _fill(row, agent, tokens, facts, at=at)
        row.tokens = grants.seal(
            runtime.vault, tokens, company_id=agent.company_id, org_id=facts.org_id
        )
        row.token_version += 1
        if before is None:
            outcome, audited = SignedIn.CONNECTED, Audited.CONNECTED
        elif before is row:
            outcome, audited = SignedIn.RECONNECTED, Audited.RECONNECTED
        else:
            outcome, audited = SignedIn.OTHER_ORG, Audited.OTHER_ORG
        other_org = outcome is SignedIn.OTHER_ORG
        row.confirmed = row.current = not other_org
        row.status = ConnectionStatus.DISCONNECTED if other_org else ConnectionStatus.LIVE
        session.flush()
        if not other_org:
            describe.start_load(session, row.id, at=at)
        audit.record_by(session, agent, audited, at=at, connection_id=row.id)
        return outcome, row.id, [found for found in revocations if found]


def _same_grant(runtime: Runtime, row: Connection, tokens: Tokens) -> bool:
    # An org may answer a second login with the refresh token of the first: revoking the one
    # would end the other.
    if row.tokens is None:
        return False
    try:
        held = grants.unseal(
            runtime.vault, row.tokens, company_id=row.company_id, org_id=row.org_id
        )
    except NotReady:
        return False
    return held.refresh_token == tokens.refresh_token


def _rows(session: Session, company_id: str) -> list[Connection]:
    return list(
        session.scalars(
            select(Connection)
            .where(Connection.company_id == company_id)
            .order_by(Connection.id)
            .with_for_update(key_share=True)
        )
    )


def _fill(row: Connection, agent: Agent, tokens: Tokens, facts: OrgFacts, *, at: datetime) -> None:
    row.org_name = facts.name
    row.is_sandbox = facts.is_sandbox
    row.instance_url = tokens.instance_url
    row.login_url = tokens.login_url
    row.identity_url = tokens.identity_url
    row.user_id = facts.user_id
    row.username = facts.username
    row.api_version = facts.api_version or None
    row.address_asked_at = None
    row.timezone = facts.timezone[:NAME_LENGTH] or None
    row.scope = tokens.scope[:255]
    row.connected_at = at
    row.connected_by = agent.id
    row.lost_at = None
    row.lost_reason = ""
    # What the old grant's troubles taught says nothing of the new one.
    row.end_pause()
    barred.clear(row)
    idle.begin(row)
    row.timeouts = row.outages = 0
    row.preflight = None


def confirm_org(runtime: Runtime, agent: Agent, *, connection_id: int) -> None:
    """Let the org of an unconfirmed login, which the agent has seen, take the place of the one
    before: what that one was still owed is cancelled, its picks and its schema are dropped. Raises
    NotFound when that login does not wait for a word, though another may."""
    with runtime.database.write() as session:
        at = now(session)
        rows = _rows(session, agent.company_id)
        chosen = _awaiting_a_word(session, agent, connection_id)
        revocations = [
            leave_for_other_org(session, row, agent_id=agent.id, at=at, times=runtime.times)
            for row in rows
            if row is not chosen
        ]
        session.flush()  # the old row lets go of `current` before the new one takes it
        chosen.confirmed = chosen.current = True
        chosen.status = ConnectionStatus.LIVE
        describe.start_load(session, chosen.id, at=at)
        audit.record_by(session, agent, Audited.ORG_CONFIRMED, at=at, connection_id=chosen.id)
    _after(runtime, chosen.id, [found for found in revocations if found], live=True)
    leftovers.settle(runtime.database, seconds=leftovers.REQUEST)


def refuse_org(runtime: Runtime, agent: Agent, *, connection_id: int) -> None:
    """Give the grant of an unconfirmed login back; the connection before stays as it was. Raises
    NotFound when that login does not wait for a word."""
    with runtime.database.write() as session:
        at = now(session)
        _rows(session, agent.company_id)
        refused = _awaiting_a_word(session, agent, connection_id)
        revocation = grants.give_back(session, refused, at=at, times=runtime.times)
        audit.record_by(session, agent, Audited.ORG_REFUSED, at=at, connection_id=refused.id)
    _after(runtime, refused.id, [revocation], live=False)


def _awaiting_a_word(session: Session, agent: Agent, connection_id: int) -> Connection:
    found = unconfirmed(session, agent.company_id)
    if found is None or found.id != connection_id:
        raise NotFound("That login is no longer awaiting confirmation.")
    return found


def forget_unconfirmed(database: Database, times: Times) -> None:
    """Give back the grants of logins to another org that nobody confirmed within a day; the sweep
    rings for their revocation."""
    with database.write() as session:
        at = now(session)
        rows = session.scalars(
            select(Connection).where(
                ~Connection.confirmed,
                Connection.tokens.is_not(None),
                Connection.connected_at < at - times.span(DAY),
            )
        )
        for row in rows:
            grants.give_back(session, row, at=at, times=times)


def disconnect(runtime: Runtime, agent: Agent) -> None:
    """Stop everything for the company in one short transaction, have the grant revoked, and settle
    what is left of the rows; the sweep goes on with what takes longer. Raises NotFound when there
    is nothing to disconnect."""
    with runtime.database.write() as session:
        at = now(session)
        rows = _rows(session, agent.company_id)
        found = next((row for row in rows if row.current), None)
        if found is None:
            raise NotFound("Salesforce is not connected.")
        revocations = [
            end_connection(session, found, agent_id=agent.id, at=at, times=runtime.times)
        ]
        revocations += [
            grants.give_back(session, row, at=at, times=runtime.times)
            for row in rows
            if row is not found
        ]
    _after(runtime, found.id, [row for row in revocations if row], live=False)
    leftovers.settle(runtime.database, seconds=leftovers.REQUEST)


def _after(runtime: Runtime, connection_id: int, revocations: list[int], *, live: bool) -> None:
    for revocation_id in revocations:
        runtime.queue.enqueue("revoke", revocation_id)
    if live:
        runtime.queue.enqueue("describe", connection_id)
        runtime.queue.ring([connection_id])
