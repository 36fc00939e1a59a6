"""The headers that every answer of ours carries: not framed, not kept, not sniffed, not told on."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from keeping_plugin.forms import csrf
from keeping_plugin.state import current_runtime

_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self' https:{loopback}; "
    "frame-ancestors {ancestors}"
)


def register(bp: Blueprint) -> None:
    """Let the blueprint's answers carry them."""
    bp.after_request(_with_headers)


def _with_headers(response: Response) -> Response:
    headers = response.headers
    if "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = _policy()
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", _referrer_policy())
    if request.endpoint is None or not request.endpoint.endswith(".static"):
        headers["Cache-Control"] = "no-store"
    headers.add("Vary", "Cookie")
    return response


def _policy() -> str:
    config = current_runtime().config
    # Chromium applies form-action to the redirect that follows a post, too: Connect goes on to
    # Salesforce's login host, and from there to the org's own.
    loopback = " http:" if config.salesforce_allow_loopback else ""
    return _POLICY.format(ancestors=config.frame_ancestors, loopback=loopback)


def _referrer_policy() -> str:
    # Flask-WTF refuses secure posts without a Referer; same-origin never shows one to others.
    strict = csrf.host_protects() and current_app.config.get("WTF_CSRF_SSL_STRICT", True)
    return "same-origin" if strict else "no-referrer"
