"""One URL, three answers: a page, the fragment that keeping.js swaps in, or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask import Response, jsonify, make_response, render_template, request

FRAGMENT_HEADERS = ("X-Keeping-Fragment", "HX-Request")


class Wanted(StrEnum):
    PAGE = "page"
    FRAGMENT = "fragment"
    JSON = "json"


def wanted() -> Wanted:
    """What this request asks for."""
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return Wanted.JSON
    if any(request.headers.get(name) for name in FRAGMENT_HEADERS):
        return Wanted.FRAGMENT
    return Wanted.PAGE


def fragment(template: str, **context: Any) -> Response:
    """A region of a page by itself, for keeping.js to swap in."""
    response = make_response(render_template(template, **context))
    response.headers["X-Keeping-Fragment"] = "1"
    return response


def answer(
    template: str,
    json: Mapping[str, Any],
    *,
    status: int = 200,
    page: str = "keeping/panel/page.html",
    **context: Any,
) -> Response:
    """Render the fragment `template` alone, or within `page`, which includes it as `fragment`; or
    answer `json`."""
    kind = wanted()
    if kind is Wanted.JSON:
        response = jsonify(dict(json))
    elif kind is Wanted.FRAGMENT:
        response = fragment(template, **context, as_page=False)
    else:
        response = make_response(render_template(page, fragment=template, **context, as_page=True))
    if getattr(context.get("error"), "soon", False):
        response.headers["X-Keeping-Retry"] = "1"  # keeping.js sends the form again by itself
    response.status_code = status
    response.vary.update(("Accept", *FRAGMENT_HEADERS))
    return response
