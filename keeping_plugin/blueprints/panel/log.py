"""Why not? What the automations did with each message of a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, redirect, url_for

from keeping_plugin.blueprints.panel.conversation import ConversationContext, load_conversation
from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.form_input import sent
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.services.admin.conversation_log import (
    LoggedMessage,
    conversation_log,
    entry_of,
    face_of,
)
from keeping_plugin.services.automation import by_hand
from keeping_plugin.services.ledger.retry import try_again
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, Conversation
from keeping_plugin.wording.entries import STATE_TAGS, occasion_text


def log(conversation_id: str) -> Response:
    """Each message: logged, waiting, failed or refused, with the reasons."""
    place = load_conversation(conversation_id)
    shown = log_context(place)
    kept_out = shown["by_hand"].whole
    body: dict[str, Any] = {
        "messages": [message.as_json() for message in shown["messages"]],
        "kept_out": {"by": kept_out.agent, "at": kept_out.at.isoformat()} if kept_out else None,
    }
    in_place = wanted() is Wanted.FRAGMENT
    template = "keeping/panel/log_face.html" if in_place else "keeping/panel/log.html"
    return answer(template, body, title="What was logged", place=place, **shown, log_open=True)


def log_context(place: ConversationContext) -> dict[str, Any]:
    """What the log's templates show of a conversation."""
    with current_runtime().database.read() as session:
        company_id, conversation_id = place.agent.company_id, place.conversation.id
        decided = by_hand.by_hand(session, company_id, conversation_id)
        messages = conversation_log(session, company_id, conversation_id, decided)
    return {
        "messages": messages,
        "by_hand": decided,
        "log_face": face_of(messages),
        "copies": _copies(place.agent, messages),
        "tags": STATE_TAGS,
        "occasion_text": occasion_text,
    }


def _copies(
    agent: Agent, messages: Sequence[LoggedMessage]
) -> Mapping[str, tuple[str, Conversation]]:
    """The mailboxes' names and the conversations in which copies of these messages were logged, as
    far as this agent may see them."""
    found = [line.copy for message in messages for line in message.lines if line.copy]
    if not found:
        return {}
    helpdesk = current_runtime().helpdesk
    names = {box.id: box.name for box in helpdesk.mailboxes(agent.company_id)}
    seen = {}
    for copy in dict.fromkeys(found):
        conversation = helpdesk.conversation(agent.company_id, copy.conversation_id)
        if conversation is not None and helpdesk.may_view(agent, conversation):
            name = names.get(copy.mailbox_id, copy.mailbox_id)
            seen[copy.conversation_id] = (name, conversation)
    guards.end_host_transaction()
    return seen


def retry(conversation_id: str, entry_id: int) -> Any:
    """Make a failed entry of this conversation due again."""
    place, runtime = _decides(conversation_id)
    with runtime.database.write() as session:
        entry_of(session, place.agent.company_id, conversation_id, entry_id)
        connection_id = try_again(session, place.agent, entry_id)
    runtime.queue.ring([connection_id])
    return _shown(conversation_id)


def log_now(conversation_id: str) -> Any:
    """Log one message by hand, also where the automation is off."""
    place, runtime = _decides(conversation_id)
    message_id = str(sent().get("message", ""))
    connection_id = by_hand.log_now(runtime, place.agent, conversation_id, message_id)
    if connection_id is not None:
        runtime.queue.ring([connection_id])
    return _shown(conversation_id)


def do_not_log(conversation_id: str) -> Any:
    """Keep one message out of Salesforce; without a message, the whole conversation."""
    place, runtime = _decides(conversation_id)
    message_id = str(sent().get("message", ""))
    if message_id:
        by_hand.do_not_log(runtime, place.agent, conversation_id, message_id)
    else:
        by_hand.do_not_log_conversation(runtime, place.agent, conversation_id)
    return _shown(conversation_id)


def log_again(conversation_id: str) -> Any:
    """Let the rules decide about this conversation's later mail again."""
    place, runtime = _decides(conversation_id)
    by_hand.log_conversation_again(runtime, place.agent, conversation_id)
    return _shown(conversation_id)


def _decides(conversation_id: str) -> tuple[ConversationContext, Runtime]:
    place = load_conversation(conversation_id)
    runtime = current_runtime()
    runtime.rate.hit(place.agent.company_id, place.agent.id)
    return place, runtime


def _shown(conversation_id: str) -> Any:
    if wanted() is Wanted.JSON:
        return log(conversation_id)
    return redirect(url_for(".conversation_log", conversation_id=conversation_id), 303)
