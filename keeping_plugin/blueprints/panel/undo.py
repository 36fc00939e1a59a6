"""Undo after a save: what the fields held before, in a ticket that travels with the page.

The ticket is signed, so that values which no form could take (a record that this agent never
searched for) can be restored and no others, and bound to the agent and the conversation. It leads
back through an ordinary save: what somebody else has saved since is shown, not overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from keeping_plugin.blueprints.panel.conversation import ConversationContext
from keeping_plugin.errors import InvalidInput
from keeping_plugin.forms.record import RecordForm
from keeping_plugin.services.panel.edit import Target
from keeping_plugin.types import Value

# Longer than a card stands on a page that somebody works with.
_SECONDS = 8 * 3_600


class Undo(NamedTuple):
    """The form behind *Undo*."""

    url: str
    ticket: str


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="keeping.undo")


def _subject(place: ConversationContext, target: Target) -> list[Any]:
    agent, record = place.agent, target.record
    return [agent.company_id, agent.id, place.conversation.id, target.link.connection_id, record.id]


def undo_of(
    place: ConversationContext,
    target: Target,
    form: RecordForm,
    before: Mapping[str, Value],
    now: Mapping[str, Value],
    *,
    url: str,
) -> Undo | None:
    """The way back to `before` from what these fields hold `now`; None when nothing was changed,
    or where nobody can tell what they hold."""
    back = {}
    for name, value in before.items():
        made = form.control(name)
        if made is None or name not in now:
            return None
        back[name] = [value, made.mark(now[name])]
    if not back:
        return None
    return Undo(url, _tickets().dumps([_subject(place, target), back]))


def fill_in(place: ConversationContext, target: Target, form: RecordForm, ticket: str) -> None:
    """Put into the form what its fields held before. Raises InvalidInput for a ticket that is too
    old or that belongs to another record or agent."""
    try:
        subject, back = _tickets().loads(ticket, max_age=_SECONDS)
    except BadSignature as error:
        raise InvalidInput("This can no longer be undone. Edit the field instead.") from error
    if subject != _subject(place, target):
        raise InvalidInput("This can no longer be undone. Edit the field instead.")
    for name, (value, mark) in back.items():
        made = form.control(name)
        if made is not None:
            made.data, made.was, made.changed = value, mark, True
