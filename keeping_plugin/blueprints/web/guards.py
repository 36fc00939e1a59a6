"""Who may come in: every write with its session's token and of a sensible size, settings for
admins only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flask import Blueprint, g, has_request_context, request

from keeping_plugin.errors import Forbidden, NotLoggedIn, TooLarge
from keeping_plugin.forms import csrf
from keeping_plugin.services import audit
from keeping_plugin.services.limits import ConcurrencyLimit, RateLimiter
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, Conversation

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The largest honest body: a long text area of 131,072 characters, each twelve bytes in a form.
MAX_BYTES = 2 * 1024 * 1024
# A row's number in an address, as every database takes it; a larger one names no page.
ROW_ID = "int(max=9223372036854775807)"


def register(bp: Blueprint) -> None:
    """Refuse bodies that are too large and writes without a token, and give the blueprint's
    templates `keeping_csrf_field()` and `keeping_csrf_token()`."""
    bp.before_request(_limit_body)
    bp.before_request(_check_token)
    bp.context_processor(_tokens)


def _limit_body() -> None:
    if request.method in _SAFE:
        return
    # A smaller limit of the host's own stands; a form may be as large as any other body of ours.
    limit = min(request.max_content_length or MAX_BYTES, MAX_BYTES)
    request.max_content_length = request.max_form_memory_size = limit + 1
    length = request.content_length
    if length is None:
        # Chunked: Werkzeug cuts such a body at its limit without a word, and half a form is none.
        length = len(request.get_data())
    if length > limit:
        raise TooLarge


def _check_token() -> None:
    if request.method not in _SAFE:
        csrf.check()


def _tokens() -> dict[str, object]:
    return {"keeping_csrf_field": csrf.hidden_field, "keeping_csrf_token": csrf.token}


def agent() -> Agent:
    """Who makes this request. Raises NotLoggedIn."""
    found = current_runtime().helpdesk.current_agent()
    if found is None:
        raise NotLoggedIn("Log in to your inbox first, then open this page again.")
    g.keeping_agent = found
    return found


def admin() -> Agent:
    """The admin who makes this request; ends the host's transaction. Raises NotLoggedIn,
    Forbidden."""
    found = agent()
    if not found.is_admin:
        raise Forbidden(
            "Only admins can connect, configure or disconnect Salesforce. Ask an admin of "
            "your inbox to do it, or to make you an admin."
        )
    end_host_transaction()
    return found


@contextmanager
def hold_slot(concurrency: ConcurrencyLimit, rate: RateLimiter) -> Iterator[None]:
    """The last gate before Salesforce. A service takes its turn itself before it begins; a request
    that comes here without one takes a slot and counts towards its agent's rate now, so that no
    route can forget it. Jobs and commands pass. Raises TooBusy."""
    if not has_request_context() or concurrency.held:
        yield
        return
    with concurrency.slot():
        if (agent := g.get("keeping_agent")) is not None:
            rate.hit(agent.company_id, agent.id)
        yield


def end_host_transaction() -> None:
    """Give the host's database connection back before anything takes long; what was read from it
    are values by now. `close()` would detach the host's current user."""
    current_runtime().end_host_transaction()


def visible(agent: Agent, conversation_ids: Iterable[str]) -> dict[str, Conversation]:
    """Those of these conversations that exist and that this agent may see."""
    helpdesk = current_runtime().helpdesk
    found = {}
    for conversation_id in dict.fromkeys(conversation_ids):
        conversation = helpdesk.conversation(agent.company_id, conversation_id)
        if conversation is not None and helpdesk.may_view(agent, conversation):
            found[conversation_id] = conversation
    end_host_transaction()
    return found


def denied() -> None:
    """Record that somebody asked for what they may not touch, or for what is not there; from
    outside the two look the same."""
    found = current_runtime().helpdesk.current_agent()
    end_host_transaction()
    if found is None:
        return
    route = (request.endpoint or "").rpartition(".")[2]
    with current_runtime().database.write() as session:
        audit.denied(session, found, route=route, changing=request.method not in _SAFE)
