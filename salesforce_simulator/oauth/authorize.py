"""The browser's side of OAuth: log in, use another domain, approve or deny."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, session
from werkzeug.wrappers import Response as BaseResponse

from salesforce_simulator.faults.http_exchange import raw_target
from salesforce_simulator.oauth.endpoints import OAuthError, scopes_of
from salesforce_simulator.results import User
from salesforce_simulator.site import Site

SCOPE_WORDS = {
    "api": "Manage user data via APIs",
    "web": "Manage user data via web browsers",
    "full": "Full access",
    "refresh_token": "Perform requests at any time",
    "offline_access": "Perform requests at any time",
    "openid": "Access unique user identifiers",
    "id": "Access the identity URL service",
    "profile": "Access your name and picture",
    "email": "Access your email address",
}
WRONG_LOGIN = (
    "Please check your username and password. If you still can't log in, contact your "
    "Salesforce administrator."
)
OUTSIDE_BOUNDS = "You can't log in at this time or from this address. Contact your administrator."


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """An authorize request that passed its checks."""

    redirect_uri: str
    scope: str
    state: str | None
    challenge: str | None
    nonce: str | None
    prompts: frozenset[str]
    login_hint: str

    def back(self, **answer: str) -> BaseResponse:
        """To the callback with this answer. It does not say which host answers."""
        if self.state is not None:
            answer["state"] = self.state
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return redirect(self.redirect_uri + joint + urlencode(answer), 302)

    def refused(self, error: OAuthError) -> BaseResponse:
        """To the callback with a refusal."""
        return self.back(error=error.error, error_description=error.description)


def read_authorization(site: Site, query: dict[str, str]) -> Authorization:
    """Check client and redirect address; OAuthError means that nobody may be sent back."""
    if query.get("client_id") != site.app.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    redirect_uri = query.get("redirect_uri", "")
    if redirect_uri not in site.app.redirect_uris:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    return Authorization(
        redirect_uri=redirect_uri,
        scope=query.get("scope", "").strip() or "api refresh_token",
        state=query.get("state"),
        challenge=query.get("code_challenge"),
        nonce=query.get("nonce"),
        prompts=frozenset(query.get("prompt", "").split()),
        login_hint=query.get("login_hint", ""),
    )


def check_request(site: Site, wanted: Authorization, query: dict[str, str]) -> None:
    """What is wrong with the rest of the request goes back to the callback."""
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response type not supported")
    scopes_of(wanted.scope)
    if wanted.challenge is None and site.settings.require_pkce:
        raise OAuthError("invalid_request", "missing required code challenge")
    # A challenge is a SHA-256 hash by documentation; clients such as jsforce name no method.
    if wanted.challenge is not None and query.get("code_challenge_method", "S256") != "S256":
        raise OAuthError("invalid_request", "invalid code challenge method: S256 is required")


def authorize_blueprint(site: Site) -> Blueprint:
    """``/services/oauth2/authorize`` and the pages it leads through."""
    pages = Blueprint("authorize", __name__)

    def page(name: str, status: int = 200, **values: object) -> Response:
        session.setdefault("csrf", secrets.token_hex(16))
        html = render_template(f"org/{name}.html", csrf=session["csrf"], **values)
        return Response(html, status, mimetype="text/html")

    def failure(error: OAuthError) -> Response:
        return page("oauth_error", 400, error=error)

    def user_here() -> User | None:
        user_id = session.get("user_id")
        try:
            user = None if user_id is None else site.org.user(user_id)
        except KeyError:
            return None
        return user if user is not None and user.active else None

    def this_request() -> str:
        return hashlib.sha256(request.query_string).hexdigest()

    def same_form() -> bool:
        return hmac.compare_digest(request.form.get("csrf", ""), session.get("csrf", "-"))

    @pages.get("/services/oauth2/authorize")
    def authorize() -> BaseResponse:
        query = request.args.to_dict()
        try:
            wanted = read_authorization(site, query)
        except OAuthError as error:
            return failure(error)
        try:
            check_request(site, wanted, query)
        except OAuthError as error:
            return wanted.refused(error)
        user = user_here()
        asked_again = "login" in wanted.prompts and session.get("fresh") != this_request()
        if user is None or asked_again:
            return page("login", username=wanted.login_hint, problem=None)
        if site.settings.app_policy == "must_be_installed" and (
            "approve_uninstalled_apps" not in user.permissions
        ):
            return _not_installed(wanted)
        approved = site.tokens.approved(user.id, site.app.client_id, wanted.scope)
        if approved and "consent" not in wanted.prompts:
            return with_code(wanted, user)
        words = [SCOPE_WORDS[name] for name in SCOPE_WORDS if name in wanted.scope.split()]
        return page("approve", user=user, words=list(dict.fromkeys(words)))

    def _not_installed(wanted: Authorization) -> BaseResponse:
        if site.settings.app_refusal == "callback":
            return wanted.refused(OAuthError("invalid_client", "app must be installed into org"))
        message = "An error occurred while trying to approve this app. Contact your administrator."
        return failure(OAuthError("OAUTH_APPROVAL_ERROR_GENERIC", message))

    def with_code(wanted: Authorization, user: User) -> BaseResponse:
        code = site.tokens.add_code(
            user_id=user.id,
            client_id=site.app.client_id,
            redirect_uri=wanted.redirect_uri,
            scope=wanted.scope,
            challenge=wanted.challenge,
            nonce=wanted.nonce,
            now=site.clock.now(),
        )
        session.pop("fresh", None)
        return wanted.back(code=code)

    @pages.post("/services/oauth2/authorize")
    def answer() -> BaseResponse:
        query = request.args.to_dict()
        try:
            wanted = read_authorization(site, query)
        except OAuthError as error:
            return failure(error)
        action = request.form.get("action")
        if action == "login":
            return log_in(wanted)
        user = user_here()
        if user is None or not same_form():
            return page("login", 403, username=wanted.login_hint, problem="Please log in again.")
        if action == "approve":
            return with_code(wanted, user)
        if action == "deny":
            return wanted.refused(OAuthError("access_denied", "end-user denied authorization"))
        session.clear()
        return page("login", username="", problem=None)

    def log_in(wanted: Authorization) -> BaseResponse:
        username = request.form.get("username", "").strip()
        user = site.org.user_by_username(username)
        password = None if user is None else site.tokens.password(user.id)
        given = request.form.get("pw", "")
        if user is None or password is None or given != password or not user.active:
            return page("login", username=username, problem=WRONG_LOGIN)
        bounds = site.org.login_bounds.of(user.id)
        if bounds.refusal(site.clock.now(), request.remote_addr or "") is not None:
            return page("login", username=username, problem=OUTSIDE_BOUNDS)
        session["user_id"] = user.id
        session["fresh"] = this_request()
        return redirect(raw_target(request.environ), 303)

    @pages.get("/custom-domain")
    def custom_domain() -> Response:
        return page("custom_domain", domain="", problem=None)

    @pages.post("/custom-domain")
    def use_custom_domain() -> BaseResponse:
        domain = request.form.get("domain", "").strip().lower()
        target = site_named(site, domain)
        if target is None:
            problem = "We can't find that domain. Check the spelling and try again."
            return page("custom_domain", 404, domain=domain, problem=problem)
        query = request.query_string.decode("ascii", "ignore")
        return redirect(f"{target.base_url}/services/oauth2/authorize?{query}", 303)

    return pages


def domain_of(site: Site) -> str:
    """The My Domain name under which the other login page knows this org."""
    return "demo" if site.kind == "production" else "demo--test.sandbox"


def site_named(site: Site, domain: str) -> Site | None:
    """The org with this My Domain name, host or base URL."""
    for candidate in (site, site.peer):
        if candidate is None:
            continue
        host = urlsplit(candidate.base_url).netloc
        names = {domain_of(candidate), f"{domain_of(candidate)}.my.salesforce.com", host}
        if domain in names or domain.rstrip("/") == candidate.base_url:
            return candidate
    return None
