"""The way to Salesforce's login and back, for one admin in one browser session."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from keeping_plugin.errors import KeepingError, LoginRefused
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import connect
from keeping_plugin.services.connection.attempts import LoginAttempts
from keeping_plugin.services.connection.connect import SignedIn
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Agent, OrgFacts, Tokens

log = logging.getLogger(__name__)


def begin(runtime: Runtime, agent: Agent, *, session_secret: str, redirect_uri: str) -> str:
    """The address of Salesforce's login page for this agent. Raises nothing of Salesforce's: the
    browser goes there, not we."""
    return runtime.oauth.authorize_url(redirect_uri, _attempts(runtime, agent, session_secret))


def finish(
    runtime: Runtime, agent: Agent, arguments: Mapping[str, str], *, session_secret: str
) -> SignedIn:
    """Turn a callback into a connection. Raises InvalidInput when it belongs to no open login of
    this session, agent and company; LoginRefused, PermissionDenied, SalesforceUnavailable,
    RateLimited and NotReady as Salesforce answered. Nothing is stored then, and a grant that was
    already given goes back."""
    try:
        tokens = runtime.oauth.exchange(arguments, _attempts(runtime, agent, session_secret))
    except LoginRefused as error:
        _note(runtime, agent, error)
        raise
    try:
        facts = runtime.org_facts(tokens)
        if not _same_login(tokens, facts):
            raise LoginRefused(
                "Salesforce answered for a different org or user from the one that logged "
                "in; nothing was connected. Start again.",
                reason="untrusted",
            )
        return connect.sign_in(runtime, agent, tokens, facts)
    except KeepingError:
        _give_up(runtime, tokens)
        raise


def _attempts(runtime: Runtime, agent: Agent, session_secret: str) -> LoginAttempts:
    return LoginAttempts(
        database=runtime.database,
        vault=runtime.vault,
        company_id=agent.company_id,
        agent_id=agent.id,
        client_id=runtime.config.salesforce_client_id,
        issuers=runtime.config.salesforce_login_urls,
        session_secret=session_secret,
    )


def _same_login(tokens: Tokens, facts: OrgFacts) -> bool:
    """The identity URL, signed by Salesforce, names the org and user that the org itself names.
    Ids are compared by their first 15 characters, which alone are significant."""
    org_id, _, user_id = tokens.identity_url.rpartition("/id/")[2].partition("/")
    return (org_id[:15], user_id[:15]) == (facts.org_id[:15], facts.user_id[:15])


def _note(runtime: Runtime, agent: Agent, error: LoginRefused) -> None:
    with runtime.database.write() as session:
        audit.record_by(session, agent, Audited.LOGIN_REFUSED, detail=error.reason)


def _give_up(runtime: Runtime, tokens: Tokens) -> None:
    try:
        runtime.oauth.revoke(tokens.login_url, tokens.refresh_token or tokens.access_token)
    except KeepingError as error:
        # The grant was never stored, so nobody can use it; Salesforce lists it until it ends.
        log.warning("login.grant_left", extra={"code": error.code})
