"""Who is calling: the session behind a bearer token, or the service's reason to refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.oauth.dpop import BadProof
from salesforce_simulator.oauth.store import Token, fingerprint
from salesforce_simulator.results import User

if TYPE_CHECKING:
    from salesforce_simulator.site import Site

SCHEMES = ("bearer", "oauth", "dpop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A live access token, the user it speaks for, and the name the request log gives it."""

    user: User
    token: Token
    fingerprint: str

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that were approved."""
        return frozenset(self.token.scope.split())


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; INVALID_AUTH_HEADER when missing or malformed."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() not in SCHEMES or not token.strip():
        raise refuse("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", None, status=401)
    return token.strip()


def invalid_session() -> OrgError:
    """401: the token is unknown here, expired or revoked, or its user no longer active."""
    return refuse("INVALID_SESSION_ID", "Session expired or invalid", None, status=401)


def find_session(site: Site, text: str) -> Session | None:
    """The live session of an access token; None when there is none. Using it keeps it alive."""
    token = site.tokens.find(text)
    if token is None or token.kind != "access" or token.ended is not None:
        return None
    now = site.clock.now()
    if now.timestamp() - token.used_at > site.settings.session_seconds:
        site.tokens.end_token(token, "expired")
        return None
    try:
        user = site.org.user(token.user_id)
    except KeyError:
        return None
    if not user.active:
        return None
    site.tokens.touch(token, now)
    return Session(user=user, token=token, fingerprint=fingerprint(text))


@dataclass(frozen=True, slots=True)
class Call:
    """What a DPoP proof is about, and the proof itself."""

    method: str
    url: str
    proof: str


def proves(site: Site, session: Session, text: str, call: Call) -> bool:
    """Whether a call proves that it holds the key which its access token is tied to."""
    try:
        proof = site.proofs.check(call.proof, method=call.method, url=call.url, token=text)
    except BadProof:
        return False
    return proof.thumbprint == site.tokens.bound_to(session.token)


def api_session(site: Site, headers: Mapping[str, str], call: Call) -> Session:
    """The session of a REST call: live, with scope ``api``, of a user with API access."""
    text = bearer(headers)
    session = find_session(site, text)
    bound = headers.get("authorization", "").strip().lower().startswith("dpop ")
    if session is None or bound != site.settings.dpop:
        raise invalid_session()
    if bound and not proves(site, session, text, call):
        raise invalid_session()
    if not session.scopes & {"api", "full"}:
        message = "This session is not valid for use with the REST API"
        raise refuse("INVALID_SESSION_ID", message, None, status=401)
    if not site.settings.api_enabled:
        message = "The REST API is not enabled for this Organization."
        raise refuse("API_DISABLED_FOR_ORG", message, None, status=403)
    if "api_enabled" not in session.user.permissions:
        message = "API is disabled for this User"
        raise refuse("API_CURRENTLY_DISABLED", message, None, status=403)
    return session
