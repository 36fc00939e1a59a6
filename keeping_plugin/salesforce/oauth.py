"""OAuth with Salesforce: log in, refresh, revoke. The only module that knows Authlib.

The web server flow with PKCE (S256). The callback does not say which login host issued its code,
so the code is tried at production first and, when that host does not know it, at the sandbox host;
the host that took it is kept with the tokens and alone refreshes and revokes them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Auth
from authlib.integrations.requests_client.oauth2_session import OAuth2ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from keeping_plugin.config import Config
from keeping_plugin.errors import (
    InvalidInput,
    LoginRefused,
    SalesforceUnavailable,
)
from keeping_plugin.ports import Clock, LoginStore
from keeping_plugin.salesforce import grants
from keeping_plugin.salesforce.queries.readable import readable
from keeping_plugin.salesforce.wire.answer_sizes import MAX_BYTES
from keeping_plugin.salesforce.wire.transport import NoAnswer, Transport
from keeping_plugin.types import Tokens

SCOPES = "api refresh_token openid"
STATE_SECONDS = 600
_NO_USABLE_ANSWER = "Salesforce's login host gave no usable answer."
_TOKEN = "/services/oauth2/token"  # noqa: S105 - a path
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY_WAITS = (0.2, 0.5, 1.0, 2.0)  # "token request is already being processed"


class _Refused(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """What a login host refused, in whatever words: Authlib's own takes no word outside ASCII and
    none in quotation marks for one, and the refusal would be lost with it."""

    def __init__(self, *, error: object, description: object = None) -> None:
        super().__init__(error=error)
        self.description = description if isinstance(description, str) else ""


class _Client(OAuth2Client):  # type: ignore[misc]  # Authlib ships no types
    """Authlib's client over our own session instead of one it makes."""

    client_auth_class = OAuth2ClientAuth
    token_auth_class = OAuth2Auth
    oauth_error_class = _Refused


class _Redirected(ValueError):
    """The login host sends us to another; ends as no usable answer where that may not be."""

    def __init__(self, location: str) -> None:
        super().__init__("redirected")
        self.location = location


def _not_redirected(response: Any) -> Any:
    if response.status_code in _REDIRECTS:
        raise _Redirected(response.headers.get("Location", ""))
    return response


class SalesforceOAuth:
    """The connected app's dealings with Salesforce's login hosts."""

    def __init__(self, config: Config, transport: Transport, clock: Clock) -> None:
        self._config = config
        self._transport = transport
        self._clock = clock

    def authorize_url(self, redirect_uri: str, store: LoginStore) -> str:
        """Where to send the admin's browser; state and verifier wait in the store.

        The login page offers *Use Custom Domain*, which is how a sandbox is reached from it.
        `prompt` makes Salesforce ask who logs in, even where a browser is logged in already: the
        connection inherits this user's rights.
        """
        verifier = generate_token(64)
        url, state = self._client().create_authorization_url(
            self._config.salesforce_login_urls[0] + "/services/oauth2/authorize",
            code_verifier=verifier,
            redirect_uri=redirect_uri,
            scope=SCOPES,
            prompt="login consent",
        )
        waiting = {"verifier": verifier, "redirect_uri": redirect_uri}
        store.set(state, json.dumps(waiting), STATE_SECONDS)
        return str(url)

    def exchange(self, arguments: Mapping[str, str], store: LoginStore) -> Tokens:
        """The tokens for a callback's arguments. Raises InvalidInput (no state, or one that is
        old, used or foreign), LoginRefused, SalesforceUnavailable, RateLimited."""
        state = arguments.get("state", "")
        kept = store.take(state) if 0 < len(state) <= 255 else None
        if kept is None:
            raise InvalidInput("This login has expired: start again.", field="state")
        if "error" in arguments:
            raise grants.login_error(
                arguments["error"], arguments.get("error_description", ""), at_callback=True
            )
        code = arguments.get("code", "")
        if not 0 < len(code) <= 4096:
            raise InvalidInput("The callback has no code: start again.", field="code")
        waiting = json.loads(kept)
        token, login_url = self._redeem(
            grant_type="authorization_code",
            code=code,
            code_verifier=waiting["verifier"],
            redirect_uri=waiting["redirect_uri"],
        )
        return grants.fresh_tokens(
            token,
            login_url=login_url,
            client_secret=self._config.salesforce_client_secret,
            allow_loopback=self._config.salesforce_allow_loopback,
        )

    def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for a grant whose access token has ended; store them before using them, for
        an old refresh token used again ends the whole grant. Call it under the refresh lease.

        Raises ConnectionLost (Salesforce said that the grant is dead), ConnectionBarred (it refused
        in any other words), RateLimited, SalesforceUnavailable.
        """
        if tokens.refresh_token is None:
            raise grants.no_refresh_token()
        for wait in (*_BUSY_WAITS, None):
            try:
                token = self._post(
                    tokens.login_url,
                    grant_type="refresh_token",
                    refresh_token=tokens.refresh_token,
                )
            except OAuth2Error as error:
                if not grants.is_busy(error.error, error.description) or wait is None:
                    raise grants.refresh_error(error.error, error.description) from error
                self._clock.sleep(wait)
            else:
                return grants.renewed_tokens(
                    token,
                    tokens,
                    client_secret=self._config.salesforce_client_secret,
                    allow_loopback=self._config.salesforce_allow_loopback,
                )
        raise AssertionError("unreachable")

    def revoke(self, login_url: str, token: str) -> None:
        """End a grant at the host that issued it; a refresh token takes its access tokens along.
        A token that is gone already is revoked enough. Raises SalesforceUnavailable."""
        with self._transport.call(max_bytes=MAX_BYTES["revoke"]):
            try:
                response = self._client().revoke_token(
                    login_url + "/services/oauth2/revoke", token=token
                )
            except NoAnswer as error:
                raise SalesforceUnavailable(
                    "Salesforce did not answer the revocation.", timed_out=error.timed_out
                ) from error
        if response.status_code == 200 or grants.is_revoked_already(response):
            return
        raise SalesforceUnavailable(f"Salesforce refused the revocation ({response.status_code}).")

    def _redeem(self, **grant: str) -> tuple[Mapping[str, Any], str]:
        """The token answer and the login host that gave it."""
        refused: OAuth2Error | None = None
        for login_url in self._config.salesforce_login_urls:
            try:
                return self._post(login_url, **grant), login_url
            except OAuth2Error as error:
                # The production host's word counts unless the sandbox host says more than
                # "not mine".
                if refused is None or grants.knows_more(error.error, error.description):
                    refused = error
                if error.error != "invalid_grant":
                    break
        if refused is None:
            raise LoginRefused("No login host is configured.", reason="configuration")
        raise grants.login_error(refused.error, refused.description) from refused

    def _post(self, login_url: str, **grant: str) -> Mapping[str, Any]:
        """One request to a token endpoint. Raises OAuth2Error as Salesforce worded it."""
        with self._transport.call(max_bytes=MAX_BYTES["token"]):
            try:
                token = self._fetch(login_url + _TOKEN, grant)
            except NoAnswer as error:
                raise SalesforceUnavailable(
                    "Salesforce's login host did not answer.", timed_out=error.timed_out
                ) from error
            except OAuth2Error as error:
                if not isinstance(error.error, str):
                    raise SalesforceUnavailable(_NO_USABLE_ANSWER) from error
                raise
            except (ValueError, TypeError, ArithmeticError, RecursionError, OSError) as error:
                # A page instead of JSON, an answer of 5xx, or `expires_in` that is no number.
                raise SalesforceUnavailable(_NO_USABLE_ANSWER) from error
        return readable(token)  # type: ignore[no-any-return]

    def _fetch(self, url: str, grant: Mapping[str, str]) -> Mapping[str, Any]:
        """The token answer of this address. An org that allows logins at its own host only may
        answer 302 to it (docs/decisions/0008): that host is asked once, if it is Salesforce's."""
        client = self._client()
        client.register_compliance_hook("access_token_response", _not_redirected)
        try:
            token: Mapping[str, Any] = client.fetch_token(url, **grant)
        except _Redirected as redirect:
            elsewhere = grants.token_address(
                redirect.location, allow_loopback=self._config.salesforce_allow_loopback
            )
            if elsewhere is None or elsewhere == url:
                raise ValueError("redirected to where no token may go") from redirect
            token = client.fetch_token(elsewhere, **grant)
        return token

    def _client(self) -> Any:
        return _Client(
            session=self._transport,
            client_id=self._config.salesforce_client_id,
            client_secret=self._config.salesforce_client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - a method's name
            revocation_endpoint_auth_method="none",
            code_challenge_method="S256",
        )
