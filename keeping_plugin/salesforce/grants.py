"""What Salesforce's token endpoint says, checked and sorted by who has to act."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from keeping_plugin import salesforce_hosts as hosts
from keeping_plugin.errors import (
    Complaint,
    ConnectionBarred,
    ConnectionLost,
    KeepingError,
    LoginRefused,
    RateLimited,
    SalesforceError,
    SalesforceUnavailable,
)
from keeping_plugin.salesforce.queries.readable import readable
from keeping_plugin.types import Tokens
from keeping_plugin.wording.barred import BARRED
from keeping_plugin.wording.logins import REASONS

_CONFIGURATION = {
    "invalid_client",
    "invalid_client_id",
    "redirect_uri_mismatch",
    "unsupported_grant_type",
    "invalid_request",
    "invalid_scope",
}
_ASKS_FOR_PROOF = {"invalid_dpop_proof", "use_dpop_nonce"}  # RFC 9449
_LATER = {"server_error", "temporarily_unavailable", "unknown_error"}

# All that says that a grant is dead, and with which the tokens are erased (REFERENCE: the errors of
# the token endpoint). Whatever else Salesforce says to a refresh may pass, whatever it may mean.
DEAD_WORDS = frozenset(
    {
        "expired access/refresh token",
        "token validity expired",
        "inactive user",
        "user hasn't approved this consumer",
    }
)
DEAD_ERRORS = frozenset({"inactive_user", "inactive_org"})
_ORG_MAY_COME_BACK = ("lock", "suspend", "maintenance")


def _is_dead(error: str, words: str) -> bool:
    said = " ".join(words.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    if error == "inactive_org":
        return not any(passing in said for passing in _ORG_MAY_COME_BACK)
    return error in DEAD_ERRORS or (error == "invalid_grant" and said.rstrip(".!") in DEAD_WORDS)


def _barred_reason(error: str, words: str) -> str:
    """A code of `wording.barred` for what Salesforce said; "refused" for what we do not know."""
    said = words.lower()
    if "ip restricted" in said or "login hours" in said:
        return "restricted"
    if "temporarily unavailable" in said:
        return "away"
    if _not_installed(error, words):
        return "not_installed"
    if error == "invalid_app_access":
        return "not_approved"
    if error in _ASKS_FOR_PROOF:
        return "dpop"
    if error == "inactive_org":
        return "org_inactive"
    return "configuration" if error in _CONFIGURATION else "refused"


def _words(description: str | None) -> str:
    return str(readable(description)) if isinstance(description, str) else ""


def is_busy(error: str, description: str | None) -> bool:
    """Two refreshes met; Salesforce asks the later one to come back shortly."""
    return error == "invalid_grant" and "already being processed" in (description or "").lower()


def _not_installed(error: str, description: str) -> bool:
    return (
        "must be installed" in description
        or "is not installed in this org" in description
        or error in {"OAUTH_APPROVAL_ERROR_GENERIC", "OAUTH_EC_APP_NOT_FOUND"}
    )


def login_error(error: str, description: str | None, *, at_callback: bool = False) -> KeepingError:
    """The error for a refused login; Salesforce's words stand in its complaint."""
    error, words = _words(error), _words(description)
    complaint = (Complaint(error, words),)
    if error == "rate_limit_exceeded":
        return RateLimited("Too many logins by this user; try again later.", complaints=complaint)
    if error in _LATER:
        return SalesforceUnavailable(complaints=complaint)
    if _not_installed(error, words):
        reason = "not_installed"
    elif error == "access_denied":
        reason = "denied"
    elif error == "invalid_app_access":
        reason = "not_approved"
    elif error == "inactive_org" or "inactive" in error or "inactive" in words:
        reason = "inactive"
    elif error in _CONFIGURATION:
        reason = "configuration"
    elif (barred := _barred_reason(error, words)) in {"restricted", "away", "dpop"}:
        reason = barred
    elif error == "invalid_grant" and not at_callback:
        if "approved" in words:
            reason = "not_approved"
        else:
            # Of the code, or without words; any others are not mended by another login.
            about_code = not words or "code" in words.lower()
            reason = "expired" if about_code else "refused"
    else:
        reason = "refused"
    refused = LoginRefused(REASONS[reason], reason=reason)
    refused.complaints = complaint
    return refused


def knows_more(error: str, description: str | None) -> bool:
    """Whether a login host said more of a code than that it does not know it."""
    refused = login_error(error, description)
    return not isinstance(refused, LoginRefused) or refused.reason != "expired"


def refresh_error(error: str, description: str | None) -> SalesforceError:
    """The error for a refused refresh: ConnectionLost only for the words of a dead grant."""
    error, words = _words(error), _words(description)
    complaint = (Complaint(error, words),)
    if is_busy(error, words) or error in _LATER:
        return SalesforceUnavailable(complaints=complaint)
    if error == "rate_limit_exceeded":
        return RateLimited(complaints=complaint)
    if _is_dead(error, words):
        return ConnectionLost(words or error, complaints=complaint)
    return ConnectionBarred(
        words or error, complaints=complaint, reason=_barred_reason(error, words)
    )


def token_address(location: str, *, allow_loopback: bool) -> str | None:
    """The token endpoint that a redirect names; None unless it is one, of a Salesforce host."""
    origin, slash, path = location.partition("/services/")
    if slash + path != "/services/oauth2/token":
        return None
    return location if hosts.origin_allowed(origin, allow_loopback=allow_loopback) else None


def no_refresh_token() -> SalesforceError:
    return ConnectionLost(REASONS["no_refresh_token"])


def is_revoked_already(response: Any) -> bool:
    """400 with `invalid_token` or `unsupported_token_type`: unknown, or revoked before."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return False
    return (
        response.status_code == 400
        and isinstance(body, dict)
        and body.get("error") in {"invalid_token", "unsupported_token_type"}
    )


def _text(token: Mapping[str, Any], key: str) -> str:
    value = token.get(key)
    return value if isinstance(value, str) else ""


def signature_holds(token: Mapping[str, Any], client_secret: str) -> bool:
    """base64(HMAC-SHA256(client_secret, id + issued_at)), REFERENCE of the token response."""
    signed = (_text(token, "id") + _text(token, "issued_at")).encode()
    made = hmac.new(client_secret.encode(), signed, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(made), _text(token, "signature").encode())


def _is_bearer(token: Mapping[str, Any]) -> bool:
    """Salesforce refuses a token of another type, such as DPoP (RFC 9449), in every call that sends
    it as Bearer. A response without a type is an older Bearer response."""
    return (_text(token, "token_type") or "Bearer").lower() == "bearer"


def fresh_tokens(
    token: Mapping[str, Any], *, login_url: str, client_secret: str, allow_loopback: bool
) -> Tokens:
    """The tokens of a login, once nothing in the answer points elsewhere. Raises LoginRefused."""
    made = Tokens(
        access_token=_text(token, "access_token"),
        refresh_token=_text(token, "refresh_token") or None,
        instance_url=_text(token, "instance_url").removesuffix("/"),
        login_url=login_url,
        identity_url=_text(token, "id"),
        scope=_text(token, "scope"),
    )
    if (
        not made.access_token
        or not signature_holds(token, client_secret)
        or not hosts.origin_allowed(made.instance_url, allow_loopback=allow_loopback)
        or hosts.identity(made.identity_url, allow_loopback=allow_loopback) is None
    ):
        raise LoginRefused(REASONS["untrusted"], reason="untrusted")
    if not _is_bearer(token):
        raise LoginRefused(REASONS["dpop"], reason="dpop")
    granted = set(made.scope.split())
    if made.refresh_token is None or (granted and not granted & {"api", "full"}):
        raise LoginRefused(REASONS["no_refresh_token"], reason="no_refresh_token")
    return made


def renewed_tokens(
    token: Mapping[str, Any], old: Tokens, *, client_secret: str, allow_loopback: bool
) -> Tokens:
    """The tokens after a refresh: the answer carries a refresh token only where Salesforce rotates
    them. Raises ConnectionBarred when the answer is another org's or user's, points elsewhere, or
    is no Bearer token: that tells nothing of the grant."""
    access_token = _text(token, "access_token")
    instance_url = _text(token, "instance_url").removesuffix("/") or old.instance_url
    identity_url = _text(token, "id") or old.identity_url
    if not access_token:
        raise SalesforceUnavailable("Salesforce's login host gave no usable answer.")
    was = hosts.identity(old.identity_url, allow_loopback=allow_loopback)
    now = hosts.identity(identity_url, allow_loopback=allow_loopback)
    # Ids may come with 15 characters or 18, of which the first 15 count.
    same = was is not None and now is not None and [i[:15] for i in was] == [i[:15] for i in now]
    signed = "signature" not in token or signature_holds(token, client_secret)
    if not (same and signed and hosts.origin_allowed(instance_url, allow_loopback=allow_loopback)):
        raise ConnectionBarred(
            "The response to a token refresh could not be verified as coming from Salesforce.",
            reason="untrusted",
        )
    if not _is_bearer(token):
        raise ConnectionBarred(BARRED["dpop"].means, reason="dpop")
    return Tokens(
        access_token=access_token,
        refresh_token=_text(token, "refresh_token") or old.refresh_token,
        instance_url=instance_url,
        login_url=old.login_url,
        identity_url=identity_url,
        scope=_text(token, "scope") or old.scope,
    )
