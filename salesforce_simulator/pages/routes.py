"""The org's own pages, so that *Open in Salesforce* leads somewhere: home, lists, records, search.

They show what the administrator sees and change nothing.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from salesforce_simulator.errors import OrgError
from salesforce_simulator.pages.records import OrgPages
from salesforce_simulator.site import Site

ID = re.compile(r"^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$")
PAGE = 25


def pages_blueprint(site: Site) -> Blueprint:
    """Home, lists, record pages and search of one site."""
    pages = Blueprint("pages", __name__)
    org = OrgPages(site)

    def page(name: str, **values: object) -> Response:
        html = render_template(f"org/{name}.html", tabs=org.tabs(), **values)
        response = Response(html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @pages.app_errorhandler(404)
    def missing(_: Exception) -> tuple[Response, int]:
        return page("missing"), 404

    @pages.get("/")
    def home() -> Response:
        return page("home", cards=org.cards(), recent=org.recent_tasks())

    @pages.get("/lightning/o/<object_name>")
    @pages.get("/lightning/o/<object_name>/list")
    def records(object_name: str) -> Response:
        number = max(1, request.args.get("page", 1, type=int))
        try:
            found = org.listing(object_name, offset=(number - 1) * PAGE, limit=PAGE)
        except OrgError:
            abort(404)
        return page("list", found=found, number=number, more=number * PAGE < found.total)

    @pages.get("/lightning/r/<object_name>/<record_id>/view")
    def record(object_name: str, record_id: str) -> Response:
        if ID.match(record_id) is None:
            abort(404)
        try:
            shown = org.record(object_name, record_id)
        except OrgError:
            abort(404)
        return page("record", shown=shown)

    @pages.get("/lightning/r/<record_id>/view")
    @pages.get("/<record_id>")
    def by_id(record_id: str) -> BaseResponse:
        object_name = org.object_of(record_id) if ID.match(record_id) else None
        if object_name is None:
            abort(404)
        return redirect(f"/lightning/r/{object_name}/{record_id}/view", 302)

    @pages.get("/search")
    def search() -> Response:
        text = request.args.get("q", "").strip()[:200]
        return page("search", text=text, groups=org.search(text) if text else [])

    return pages
