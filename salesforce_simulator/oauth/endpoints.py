"""The token, revoke, userinfo and identity endpoints of a login host."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.oauth.bounds import within_ranges
from salesforce_simulator.oauth.dpop import BadProof
from salesforce_simulator.oauth.identity import id_token
from salesforce_simulator.oauth.store import ALPHABET, Token, digest
from salesforce_simulator.rest.wire import Response
from salesforce_simulator.results import User
from salesforce_simulator.site import Site

SCOPES = frozenset(
    {"api", "refresh_token", "offline_access", "openid", "full", "web", "id", "profile", "email"}
)
HOUR = 3600.0
DAY = 24 * HOUR
NONCE = "simulated-org-nonce"
"""What a DPoP proof has to carry; a real server's changes with time."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a token: the address the request comes from, its DPoP proof, and the URL that
    was asked."""

    address: str = "127.0.0.1"
    proof: str = ""
    url: str = ""


class OAuthError(Exception):
    """A refusal as the token endpoint answers it: an object, not an array."""

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer to send."""
        body = {"error": self.error, "error_description": self.description}
        return Response(self.status, body, self.headers)


def scopes_of(text: str) -> frozenset[str]:
    """The scopes of a space-separated list; ``invalid_scope`` names none."""
    wanted = frozenset(text.split())
    if not wanted <= SCOPES:
        raise OAuthError("invalid_scope", "the requested scope is not allowed")
    return wanted


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    hashed = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


class LoginRate:
    """Logins per user within the last hour of the org's clock."""

    def __init__(self, clock: OrgClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logins: dict[str, deque[float]] = {}

    def check(self, user_id: str, *, most: int) -> None:
        """Count a login; refused above ``most`` an hour."""
        now = self._clock.now().timestamp()
        with self._lock:
            logins = self._logins.setdefault(user_id, deque())
            # A clock that was put back leaves logins of its future, which do not count.
            logins = deque(moment for moment in logins if now - HOUR <= moment <= now)
            self._logins[user_id] = logins
            if len(logins) >= most:
                raise OAuthError("rate_limit_exceeded", "login rate exceeded")
            logins.append(now)


class TokenEndpoint:
    """Answers ``/services/oauth2/token`` and ``/revoke`` of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rate = LoginRate(site.clock)
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    # -- the client ------------------------------------------------------------------------------
    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        client_id, client_secret = form.get("client_id"), form.get("client_secret")
        basic = authorization.lower().startswith("basic ")
        if basic:
            try:
                text = base64.b64decode(authorization[6:], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise OAuthError(
                    "invalid_client", "invalid client credentials", status=401
                ) from error
            client_id, _, client_secret = text.partition(":")
        app = self._site.app
        if not client_id:
            raise OAuthError("invalid_request", "must specify client_id")
        if client_id != app.client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(client_secret or "", app.client_secret):
            raise OAuthError(
                "invalid_client", "invalid client credentials", status=401 if basic else 400
            )

    # -- token -----------------------------------------------------------------------------------
    def token(self, form: Mapping[str, str], authorization: str, caller: Caller) -> Response:
        """``POST token``: a code or a refresh token for an access token."""
        try:
            grant_type = form.get("grant_type", "")
            if grant_type not in ("authorization_code", "refresh_token"):
                raise OAuthError("unsupported_grant_type", "grant type not supported")
            self._check_client(form, authorization)
            self._check_caller(caller)
            key = self._key_of(caller)
            if grant_type == "authorization_code":
                body = self._by_code(form, caller)
            else:
                body = self._by_refresh_token(form, caller)
            if key is not None:
                self._site.tokens.bind(body["access_token"], key)
            return Response(200, body)
        except OAuthError as error:
            return error.response()

    def _check_caller(self, caller: Caller) -> None:
        """The app's allowlist of addresses, before the grant is looked at."""
        settings = self._site.settings
        if settings.token_addresses:
            if not within_ranges(settings.token_addresses, caller.address):
                raise OAuthError("invalid_grant", "ip restricted")

    def _key_of(self, caller: Caller) -> str | None:
        """The thumbprint of the key that the new token is tied to. Without a proof it is tied to
        none, and no call can use it."""
        settings = self._site.settings
        if not settings.dpop:
            return None
        proof = None
        if caller.proof:
            try:
                proof = self._site.proofs.check(caller.proof, method="POST", url=caller.url)
            except BadProof as error:
                message = f"the DPoP proof is not accepted: {error}"
                raise OAuthError("invalid_dpop_proof", message) from error
        if settings.dpop_nonce and (proof is None or proof.nonce != NONCE):
            message = "Authorization server requires nonce in DPoP proof"
            raise OAuthError("use_dpop_nonce", message, headers={"DPoP-Nonce": NONCE})
        return None if proof is None else proof.thumbprint

    def _user(self, user_id: str, grant_type: str, caller: Caller) -> User:
        try:
            user: User | None = self._site.org.user(user_id)
        except KeyError:
            user = None
        ordered = self._site.faults.for_grant(grant_type, user)
        if ordered is not None:
            raise OAuthError(ordered.options["error"], ordered.options["error_description"])
        if user is None or not user.active:
            raise OAuthError("invalid_grant", "inactive user")
        if self._site.settings.app_policy == "admin_approved":
            message = "user is not admin approved to access this app"
            raise OAuthError("invalid_app_access", message)
        bounds = self._site.org.login_bounds.of(user_id)
        outside = bounds.refusal(self._site.clock.now(), caller.address)
        if outside is not None:
            raise OAuthError("invalid_grant", outside)
        self._rate.check(user_id, most=self._site.settings.logins_per_hour)
        return user

    def _by_code(self, form: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        site, text = self._site, form.get("code", "")
        if not text:
            raise OAuthError("invalid_request", "must specify code")
        code = site.tokens.use_code(text)
        if code is None:
            raise OAuthError("invalid_grant", "invalid authorization code")
        age = site.clock.now().timestamp() - code.issued_at
        if code.used or age > site.settings.code_seconds:
            raise OAuthError("invalid_grant", "expired authorization code")
        if form.get("redirect_uri") != code.redirect_uri:
            message = "redirect_uri must match configuration"
            raise OAuthError("redirect_uri_mismatch", message)
        if code.challenge is not None:
            verifier = form.get("code_verifier", "")
            if not hmac.compare_digest(challenge_of(verifier), code.challenge):
                raise OAuthError("invalid_grant", "invalid code verifier")
        user = self._user(code.user_id, "authorization_code", caller)
        with site.tokens.exclusive():
            chain = site.tokens.add_chain(
                user_id=user.id, client_id=code.client_id, scope=code.scope, now=site.clock.now()
            )
            wanted = {"refresh_token", "offline_access", "full"} & set(code.scope.split())
            refresh = self._new_token(chain, "refresh") if wanted else None
            access = self._new_token(chain, "access")
            if site.settings.tokens_per_user:
                site.tokens.end_surplus(user.id, code.client_id, site.settings.tokens_per_user)
        return self._body(user, code.scope, access, refresh, nonce=code.nonce)

    def _by_refresh_token(self, form: Mapping[str, str], caller: Caller) -> dict[str, Any]:
        text = form.get("refresh_token", "")
        if not text:
            raise OAuthError("invalid_request", "must specify refresh_token")
        key = digest(text)
        with self._lock:
            if key in self._under_way:
                raise OAuthError("invalid_grant", "token request is already being processed")
            self._under_way.add(key)
        try:
            time.sleep(self._site.settings.token_request_ms / 1000)
            return self._refreshed(text, caller)
        finally:
            with self._lock:
                self._under_way.discard(key)

    def _refreshed(self, text: str, caller: Caller) -> dict[str, Any]:
        site = self._site
        token = site.tokens.find(text)
        if token is None or token.kind != "refresh":
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if token.ended == "rotated":
            # An old token used again is taken for theft: nothing made from its chain works on.
            site.tokens.end_chain(token.chain_id, "reused")
        user = self._user(token.user_id, "refresh_token", caller)
        if token.ended is not None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        idle, now = site.settings.refresh_idle_days, site.clock.now()
        if idle and now.timestamp() - token.used_at > idle * DAY:
            site.tokens.end_chain(token.chain_id, "idle")
            raise OAuthError("invalid_grant", "token validity expired")
        site.tokens.touch(token, now)
        refresh = None
        with site.tokens.exclusive():
            if site.settings.rotate_refresh_tokens:
                site.tokens.end_token(token, "rotated")
                refresh = self._new_token(token.chain_id, "refresh")
            access = self._new_token(token.chain_id, "access")
        return self._body(user, token.scope, access, refresh)

    def _new_token(self, chain: int, kind: str) -> str:
        random = "".join(secrets.choice(ALPHABET) for _ in range(84))
        now = self._site.clock.now()
        if kind == "refresh":
            text = f"5Aep861.{random}"
            self._site.tokens.add_token(chain, "refresh", text, now)
        else:
            text = f"{self._site.organization_id[:15]}!AQ{random}"
            self._site.tokens.add_token(chain, "access", text, now)
        return text

    def _body(
        self,
        user: User,
        scope: str,
        access: str,
        refresh: str | None,
        *,
        nonce: str | None = None,
    ) -> dict[str, Any]:
        """The token answer. There is no ``expires_in``: a session slides."""
        site = self._site
        identity = site.identity_url(user.id)
        issued_at = str(int(site.clock.now().timestamp() * 1000))
        signed = hmac.new(
            site.app.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256
        ).digest()
        body: dict[str, Any] = {"access_token": access}
        if refresh is not None:
            body["refresh_token"] = refresh
        body["signature"] = base64.b64encode(signed).decode()
        body["scope"] = scope
        if "openid" in scope.split():
            body["id_token"] = id_token(site, user, nonce=nonce)
        return {
            **body,
            "instance_url": site.instance_url,
            "id": identity,
            "token_type": "DPoP" if site.settings.dpop else "Bearer",
            "issued_at": issued_at,
        }

    # -- revoke ----------------------------------------------------------------------------------
    def revoke(self, text: str) -> Response:
        """``POST revoke``: 200 without a body; a token of the other host is a 404.

        A refresh token takes its access tokens along; an access token goes alone.
        """
        token = self._site.tokens.find(text)
        if token is None and self._known_to_peer(text):
            return Response(404)
        if token is None:
            return OAuthError(
                "unsupported_token_type", "this token type is not supported"
            ).response()
        if token.ended is not None:
            return OAuthError(
                "invalid_token", "invalid token: already revoked or expired"
            ).response()
        self._end(token)
        return Response(200)

    def _known_to_peer(self, text: str) -> bool:
        peer = self._site.peer
        return peer is not None and peer.tokens.find(text) is not None

    def _end(self, token: Token) -> None:
        if token.kind == "refresh":
            self._site.tokens.end_chain(token.chain_id, "revoked")
        else:
            self._site.tokens.end_token(token, "revoked")
