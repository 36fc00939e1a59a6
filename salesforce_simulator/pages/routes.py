"""The org's own pages, so that *Open in Salesforce* leads somewhere: home, lists, records, search.

They show what a chosen user sees, the administrator at first, and change nothing.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from salesforce_simulator.control.org_verbs import system_user
from salesforce_simulator.errors import OrgError
from salesforce_simulator.pages.records import OrgPages
from salesforce_simulator.results import User
from salesforce_simulator.site import Site

ID = re.compile(r"^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$")
PAGE = 25


def pages_blueprint(site: Site) -> Blueprint:
    """Home, lists, record pages and search of one site."""
    pages = Blueprint("pages", __name__)
    cookie = f"{site.cookie}_viewer"

    def viewer() -> User:
        try:
            return site.org.user(request.cookies.get(cookie, ""))
        except KeyError:
            return system_user(site)

    def here() -> OrgPages:
        return OrgPages(site, viewer())

    def page(name: str, **values: object) -> Response:
        people = {"viewer": viewer(), "viewers": site.org.users()}
        html = render_template(f"org/{name}.html", tabs=here().tabs(), **people, **values)
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
        org = here()
        return page("home", cards=org.cards(), recent=org.recent_tasks())

    @pages.get("/viewer")
    def choose() -> BaseResponse:
        """See the pages as another user, from where one was."""
        user = site.org.user_by_username(request.args.get("user", ""))
        if user is None:
            abort(404)
        path = request.args.get("path", "/")
        inside = path.startswith("/") and not path.startswith(("//", "/\\"))
        answer = redirect(path if inside else "/", 302)
        answer.set_cookie(cookie, user.id, httponly=True, samesite="Lax")
        return answer

    @pages.get("/lightning/o/<object_name>")
    @pages.get("/lightning/o/<object_name>/list")
    def records(object_name: str) -> Response:
        number = max(1, request.args.get("page", 1, type=int))
        try:
            found = here().listing(object_name, offset=(number - 1) * PAGE, limit=PAGE)
        except OrgError:
            abort(404)
        return page("list", found=found, number=number, more=number * PAGE < found.total)

    @pages.get("/lightning/r/<object_name>/<record_id>/view")
    def record(object_name: str, record_id: str) -> Response:
        if ID.match(record_id) is None:
            abort(404)
        try:
            shown = here().record(object_name, record_id)
        except OrgError:
            abort(404)
        return page("record", shown=shown)

    @pages.get("/lightning/r/<record_id>/view")
    @pages.get("/<record_id>")
    def by_id(record_id: str) -> BaseResponse:
        object_name = here().object_of(record_id) if ID.match(record_id) else None
        if object_name is None:
            abort(404)
        return redirect(f"/lightning/r/{object_name}/{record_id}/view", 302)

    @pages.get("/search")
    def search() -> Response:
        text = request.args.get("q", "").strip()[:200]
        return page("search", text=text, groups=here().search(text) if text else [])

    return pages
