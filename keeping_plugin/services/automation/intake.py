"""A message arrives: judged and written in the host's own transaction, rung after its commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from keeping_plugin.models import Decision
from keeping_plugin.services.automation.after_commit import ring_after_commit
from keeping_plugin.services.automation.decisions import judge_and_write
from keeping_plugin.services.automation.policy import read_policy, read_switches
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Address, Agent, Direction, MessageArrived

_ID_LENGTH = 255

# By this a session that sends reads to a follower tells a write (SQLAlchemy's own recipe asks for
# UPDATE and DELETE; inserts it knows by a flush, of which we have none). All of the intake runs on
# this one connection: switches read a second late would grant or refuse what an admin has changed.
_WRITES = update(Decision)


def message_arrived(runtime: Runtime, session: Session, message: MessageArrived) -> int | None:
    """Judge the message and write what that calls for through the host's session, never
    committing it. Returns the connection that is rung once the host commits, None when nothing new
    is owed.

    Of a company that is not connected nothing is written. A message delivered again raises nothing
    and doubles nothing. Raises TypeError for wrong types and ValueError for ids outside 1 to 255
    characters or with NUL, and lets database errors surface; nothing that is *in* a message raises.
    """
    check(message)
    # Without KEEPING_BIND_KEY the choice is the host's session's, which may be bound to a
    # connection of its own.
    bound = runtime.config.bind_key is not None
    arguments = {"bind": runtime.database.engine} if bound else {"clause": _WRITES}
    database = session.connection(bind_arguments=arguments)
    switches = read_switches(database, message.company_id, message.mailbox_id, message.message_id)
    if switches.connection_id is None:
        return None
    policy = read_policy(
        database, runtime.helpdesk, [message], company_id=message.company_id, switches=switches
    )
    judged = judge_and_write(
        database,
        message,
        policy,
        connection_id=switches.connection_id,
        epoch=switches.epoch,
        judged_before=switches.judged_before,
    )
    if not judged.entries:
        return None
    ring_after_commit(session, runtime.queue.ring, switches.connection_id)
    return switches.connection_id


def check(message: MessageArrived) -> None:
    """Raises TypeError and ValueError for what only a mistake in the host's code can be."""
    _typed("message", message, MessageArrived)
    for name in ("company_id", "mailbox_id", "conversation_id", "message_id"):
        _check_id(name, getattr(message, name))
    _typed("direction", message.direction, Direction)
    _typed("opens_conversation", message.opens_conversation, bool)
    for name in ("customer", "sender"):
        _check_address(name, getattr(message, name))
    _typed("recipients", message.recipients, Sequence)
    for recipient in message.recipients:
        _check_address("recipients", recipient)
    _typed("sent_at", message.sent_at, datetime)
    if message.sent_at.tzinfo is None:
        raise ValueError("sent_at must be an aware datetime")
    if message.author is not None:
        _typed("author", message.author, Agent)
    _typed("rfc_message_id", message.rfc_message_id, str)
    _typed("headers", message.headers, Mapping)
    for name, value in message.headers.items():
        _typed("headers", name, str)
        _typed("headers", value, str)


def _typed(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")


def _check_id(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type(value).__name__}")
    if not 1 <= len(value) <= _ID_LENGTH or "\0" in value:
        raise ValueError(f"{name} must have 1 to {_ID_LENGTH} characters and no NUL")


def _check_address(name: str, value: object) -> None:
    if value is None and name != "recipients":
        return
    if not isinstance(value, Address):
        raise TypeError(f"{name} must be Address, not {type(value).__name__}")
    _typed(f"{name}.email", value.email, str)
    _typed(f"{name}.name", value.name, str)
