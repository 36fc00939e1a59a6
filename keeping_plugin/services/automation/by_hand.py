"""What agents decide by hand: to log a message now, or to keep it or its conversation out.

Nothing here asks Salesforce: a message that is logged becomes an entry like any other, which a
worker sends. There is one entry for a message, so however often it is asked for, by whomever and
whatever the automation makes of it meanwhile, there is one Task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.errors import InvalidInput, NotConnected, NotFound
from keeping_plugin.mail.clean import one_line
from keeping_plugin.models import (
    Connection,
    Decision,
    EntryState,
    Installation,
    KeptOut,
    SyncEntry,
    change_rows,
    now,
    upsert,
)
from keeping_plugin.ports import HelpDesk
from keeping_plugin.services import audit
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.automation.decisions import by_hand_occasion, judge_and_write
from keeping_plugin.services.automation.history import facts_of
from keeping_plugin.services.automation.policy import read_policy, read_switches
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.events import OWED, Event
from keeping_plugin.services.ledger.locking import connection_first, lock_connection
from keeping_plugin.services.ledger.outcome import KEPT_OUT
from keeping_plugin.services.people.policy import beside_0_1_0
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Action, Agent, MessageArrived
from keeping_plugin.wording.entries import LOGGED_ALREADY, LOGGED_BEFORE, NOT_BY_HAND_YET

_ELSEWHERE = "This message is not part of this conversation."
WHOLE = ""  # as the message of what is said of a whole conversation


@dataclass(frozen=True, slots=True)
class ByHand:
    """What agents may decide by hand, and what is kept out, by message; WHOLE: all later mail."""

    may_log: bool = False
    may_keep_out: bool = False
    kept_out: Mapping[str, KeptOut] = field(default_factory=dict)

    @property
    def whole(self) -> KeptOut | None:
        """Who keeps the conversation out, and since when."""
        return self.kept_out.get(WHOLE)


def by_hand(session: Session, company_id: str, conversation_id: str) -> ByHand:
    """The decisions open for one conversation: one statement. Agents can decide nothing while
    processes of 0.1.0 may run, which would log what is kept out, and can log nothing without a
    connection."""
    mine = (KeptOut.company_id == company_id) & (KeptOut.conversation_id == conversation_id)
    connected = exists().where(Connection.company_id == company_id, Connection.current)
    rows = session.execute(
        select(Installation.contract, connected.label("connected"), KeptOut)
        .select_from(Installation)
        .outerjoin(KeptOut, mine)
        .where(Installation.id == 1)
    ).all()
    allowed = bool(rows) and rows[0].contract != 0
    kept_out = {row.KeptOut.message_id: row.KeptOut for row in rows if row.KeptOut}
    return ByHand(allowed and bool(rows[0].connected), allowed, kept_out)


def log_now(runtime: Runtime, agent: Agent, conversation_id: str, message_id: str) -> int | None:
    """Log a message of this conversation, whatever its mailbox's switch says. Returns the
    connection to be rung, None if nothing is to be done: it is logged, or has failed (*Try again*
    retries it). If the rules refuse it for a reason that agents cannot override, the decision is
    recorded as usual. One that is being sent is not changed.

    Raises NotFound, NotConnected, HelpDeskFailed, and InvalidInput if it is no longer known whether
    the message was logged."""
    helpdesk = guarded(runtime.helpdesk, runtime.interrupts)
    try:
        message = _message(helpdesk, agent.company_id, conversation_id, message_id)
        with runtime.database.read() as session:
            _check_contract(session)
            database = session.connection()
            switches = read_switches(database, agent.company_id, message.mailbox_id)
            policy = read_policy(
                database, helpdesk, [message], company_id=agent.company_id, switches=switches
            )._replace(asked_by=_name(agent))
    finally:
        runtime.end_host_transaction()
    with runtime.database.write() as session:
        connection = connection_first(session, switches.connection_id or 0)
        if connection is None or not connection.current:
            raise NotConnected("Salesforce is not connected.")
        entry = _entry(session, connection, message_id)
        if entry is not None and entry.state in (EntryState.DONE, EntryState.FAILED):
            return None
        _delete(session, agent.company_id, conversation_id, message_id)
        granted = True
        if entry is not None and entry.state in OWED:
            mine = SyncEntry.id == entry.id
            entries.happen(session, Event.ASKED, mine, by_agent=policy.asked_by)
        else:
            database = session.connection()
            judged = judge_and_write(
                database,
                message,
                policy,
                connection_id=connection.id,
                epoch=connection.epoch,
                occasion=by_hand_occasion(database, message),
            )
            granted = judged.verdicts[0].granted
            if granted and not judged.entries:
                raise InvalidInput(LOGGED_BEFORE)
        audit.record_by(
            session,
            agent,
            Audited.LOGGED_BY_HAND,
            connection_id=connection.id,
            record_id=message_id,
            detail="" if granted else "refused",
        )
        return connection.id


def do_not_log(runtime: Runtime, agent: Agent, conversation_id: str, message_id: str) -> None:
    """Keep a message of this conversation out of Salesforce: what waits ends, and what is being
    sent is not sent again. Raises NotFound, and InvalidInput for one that is logged."""
    if not _may_be_one(message_id):
        raise NotFound(_ELSEWHERE)
    with runtime.database.write() as session:
        # Before it is asked what is logged: a batch may be writing that down.
        connection_id = _begin(session, agent)
        known = exists().where(
            Decision.company_id == agent.company_id,
            Decision.conversation_id == conversation_id,
            Decision.message_id == message_id,
        )
        if not session.scalar(select(known)):
            raise NotFound(_ELSEWHERE)
        logged = exists().where(
            SyncEntry.company_id == agent.company_id,
            SyncEntry.conversation_id == conversation_id,
            SyncEntry.message_id == message_id,
            SyncEntry.action == Action.LOG_TASK,
            SyncEntry.state == EntryState.DONE,
        )
        if session.scalar(select(logged)):
            raise InvalidInput(LOGGED_ALREADY)
        of_message = SyncEntry.message_id == message_id
        _keep_out(session, agent, connection_id, conversation_id, message_id, of_message)


def do_not_log_conversation(runtime: Runtime, agent: Agent, conversation_id: str) -> None:
    """Keep a conversation out of Salesforce from now on: what waits ends, and later mail is
    refused, but for messages that agents log one by one."""
    with runtime.database.write() as session:
        _keep_out(session, agent, _begin(session, agent), conversation_id, WHOLE)


def log_conversation_again(runtime: Runtime, agent: Agent, conversation_id: str) -> None:
    """Let the rules decide about later mail of this conversation again."""
    with runtime.database.write() as session:
        gone = _delete(session, agent.company_id, conversation_id, WHOLE)
        if gone:
            audit.record_by(session, agent, Audited.LET_IN, record_id=conversation_id)


def _message(
    helpdesk: HelpDesk, company_id: str, conversation_id: str, message_id: str
) -> MessageArrived:
    known = _may_be_one(message_id)
    for message in facts_of(helpdesk, company_id, [message_id]) if known else ():
        if message.conversation_id == conversation_id:
            return message
    raise NotFound(_ELSEWHERE)


def _may_be_one(message_id: str) -> bool:
    """Whether a database could hold this id: JSON can spell a NUL and half a surrogate pair."""
    return 0 < len(message_id) <= 255 and not re.search("[\x00\ud800-\udfff]", message_id)


def _check_contract(session: Session) -> None:
    if beside_0_1_0(session):
        raise InvalidInput(NOT_BY_HAND_YET)


def _entry(session: Session, connection: Connection, message_id: str) -> SyncEntry | None:
    return session.scalar(
        select(SyncEntry).where(
            SyncEntry.connection_id == connection.id,
            SyncEntry.message_id == message_id,
            SyncEntry.action == Action.LOG_TASK,
        )
    )


def _begin(session: Session, agent: Agent) -> int | None:
    """Lock the company's connection, if there is one, before something is kept out."""
    _check_contract(session)
    mine = Connection.company_id == agent.company_id, Connection.current
    connection_id = session.scalar(select(Connection.id).where(*mine))
    if connection_id is not None:
        lock_connection(session, connection_id)
    return connection_id


def _keep_out(
    session: Session,
    agent: Agent,
    connection_id: int | None,
    conversation_id: str,
    message_id: str,
    *which: ColumnElement[bool],
) -> None:
    company_id = agent.company_id
    time = now(session)
    row = {
        "company_id": company_id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "agent": _name(agent),
        "at": time,
    }
    upsert(session, KeptOut, row)
    entries.happen(
        session,
        Event.ABANDONED,
        SyncEntry.company_id == company_id,
        SyncEntry.conversation_id == conversation_id,
        SyncEntry.action == Action.LOG_TASK,
        *which,
        reason=KEPT_OUT,
        settled_at=time,
        by_agent=_name(agent),
    )
    audit.record_by(
        session,
        agent,
        Audited.KEPT_OUT,
        connection_id=connection_id,
        record_id=message_id or conversation_id,
        detail="message" if message_id else "conversation",
    )


def _delete(session: Session, company_id: str, conversation_id: str, message_id: str) -> int:
    mine = delete(KeptOut).where(
        KeptOut.company_id == company_id,
        KeptOut.conversation_id == conversation_id,
        KeptOut.message_id == message_id,
    )
    return change_rows(session, mine)


def _name(agent: Agent) -> str:
    return one_line(agent.name, 255) or one_line(agent.id, 255)
