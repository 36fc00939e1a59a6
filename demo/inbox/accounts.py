"""Who is logged in, and that a form was sent from one of our own pages."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    abort,
    flash,
    g,
    has_request_context,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.security import check_password_hash, generate_password_hash

from demo.inbox.database import db
from demo.inbox.models import Person

P = ParamSpec("P")

bp = Blueprint("accounts", __name__)

# Checked when nobody has the address that was typed, so that the answer takes as long.
_NOBODY = generate_password_hash(secrets.token_hex(8))


def current_person() -> Person | None:
    """Who makes this request, or None when nobody is logged in."""
    if not has_request_context():
        return None
    if "person" not in g:
        person_id = session.get("person")
        g.person = db.session.get(Person, person_id) if person_id else None
    person: Person | None = g.person
    return person


def logged_in(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let only people who are logged in see this page; others log in first."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if current_person() is None:
            back = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("accounts.login", next=back))
        return view(*args, **kwargs)

    return guarded


def require_person() -> Person:
    """The person behind a page that `logged_in` guards."""
    person = current_person()
    if person is None:
        abort(403)
    return person


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("inbox/login.html", email="")
    email = request.form.get("email", "").strip()
    person = db.session.scalar(select(Person).where(Person.email == email.lower()))
    known = person.password if person is not None else _NOBODY
    right = check_password_hash(known, request.form.get("password", ""))
    if person is None or not right:
        flash("Wrong email address or password.", "bad")
        return render_template("inbox/login.html", email=email), 422
    session.clear()
    session["person"] = person.id
    return redirect(_own_page(request.args.get("next")) or url_for("inbox.conversations"))


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("accounts.login"))


def _own_page(target: str | None) -> str | None:
    """The target when it is a page of this inbox and nobody else's."""
    if not target or not target.startswith("/") or "\\" in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or target.startswith("//") else target


def form_token() -> Markup:
    """The hidden field that every form of ours carries."""
    token = session.setdefault("form_token", secrets.token_urlsafe(32))
    return Markup('<input type="hidden" name="form_token" value="{}">').format(token)


@bp.before_request
def check_form_token() -> None:
    """Refuse a write that was not sent from one of our own pages. Each blueprint of ours asks it;
    a mounted plugin brings its own protection."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    expected = session.get("form_token", "")
    sent = request.form.get("form_token", "")
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        abort(400, "This form is from an earlier session. Go back, reload the page and try again.")


def template_names() -> dict[str, Any]:
    """What every page may use."""
    return {"inbox_person": current_person(), "form_token": form_token}
