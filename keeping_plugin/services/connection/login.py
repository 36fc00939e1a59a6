"""The way to Salesforce's login and back, for one admin in one browser session."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from keeping_plugin.errors import KeepingError, LoginRefused
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import connect as connection
from keeping_plugin.services.connection.attempts import LoginAttempts
from keeping_plugin.services.connection.connect import Connecting, SignedIn
from keeping_plugin.types import Agent, OrgFacts, Tokens

log = logging.getLogger(__name__)


class OAuth(Protocol):
    """Salesforce's login hosts, as `salesforce.oauth.SalesforceOAuth` talks to them."""

    def authorize_url(self, redirect_uri: str, store: LoginAttempts) -> str:
        """Where the browser goes to log in; what the callback needs waits in the store."""

    def exchange(self, arguments: Mapping[str, str], store: LoginAttempts) -> Tokens:
        """The grant for a callback's arguments. Raises InvalidInput, LoginRefused,
        SalesforceUnavailable, RateLimited, NotReady."""

    def revoke(self, login_url: str, token: str) -> None:
        """End a grant. Raises SalesforceUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a login needs. `org_facts` asks the org itself, with a grant not stored yet; `issuers`
    are the login hosts, production and sandbox."""

    connecting: Connecting
    oauth: OAuth
    org_facts: Callable[[Tokens], OrgFacts]
    client_id: str
    issuers: tuple[str, ...]


def begin(parts: Login, agent: Agent, *, session_secret: str, redirect_uri: str) -> str:
    """The address of Salesforce's login page for this agent. Raises nothing of Salesforce's: the
    browser goes there, not we."""
    return parts.oauth.authorize_url(redirect_uri, _attempts(parts, agent, session_secret))


def finish(
    parts: Login, agent: Agent, arguments: Mapping[str, str], *, session_secret: str
) -> SignedIn:
    """Turn a callback into a connection. Raises InvalidInput when it belongs to no open login of
    this session, agent and company; LoginRefused, PermissionDenied, SalesforceUnavailable,
    RateLimited and NotReady as Salesforce answered. Nothing is stored then, and a grant that was
    already given goes back."""
    try:
        tokens = parts.oauth.exchange(arguments, _attempts(parts, agent, session_secret))
    except LoginRefused as error:
        _note(parts, agent, error)
        raise
    try:
        facts = parts.org_facts(tokens)
        if not _same_login(tokens, facts):
            raise LoginRefused(
                "Salesforce answered for another org or user than the one that logged in; nothing "
                "was connected. Start again.",
                reason="untrusted",
            )
        return connection.sign_in(parts.connecting, agent, tokens, facts)
    except KeepingError:
        _give_up(parts, tokens)
        raise


def _attempts(parts: Login, agent: Agent, session_secret: str) -> LoginAttempts:
    return LoginAttempts(
        database=parts.connecting.database,
        vault=parts.connecting.vault,
        company_id=agent.company_id,
        agent_id=agent.id,
        client_id=parts.client_id,
        issuers=parts.issuers,
        session_secret=session_secret,
    )


def _same_login(tokens: Tokens, facts: OrgFacts) -> bool:
    """The identity URL, signed by Salesforce, names the org and user that the org itself names.
    Ids are compared by their first 15 characters, which alone are significant."""
    org_id, _, user_id = tokens.identity_url.rpartition("/id/")[2].partition("/")
    return (org_id[:15], user_id[:15]) == (facts.org_id[:15], facts.user_id[:15])


def _note(parts: Login, agent: Agent, error: LoginRefused) -> None:
    with parts.connecting.database.write() as session:
        audit.record(
            session,
            Audited.LOGIN_REFUSED,
            company_id=agent.company_id,
            agent_id=agent.id,
            detail=error.reason,
        )


def _give_up(parts: Login, tokens: Tokens) -> None:
    try:
        parts.oauth.revoke(tokens.login_url, tokens.refresh_token or tokens.access_token)
    except KeepingError as error:
        # The grant was never stored, so nobody can use it; Salesforce lists it until it ends.
        log.warning("login.grant_left", extra={"code": error.code})
