"""Settings: the company's mailboxes and people, and what it is connected with."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from demo.inbox import queries
from demo.inbox.accounts import check_form_token, logged_in, require_person
from demo.inbox.database import db
from demo.inbox.models import Person

bp = Blueprint("settings", __name__, url_prefix="/settings")
bp.before_request(check_form_token)


@bp.get("/")
def index() -> ResponseReturnValue:
    return redirect(url_for(".mailboxes"))


@bp.get("/mailboxes")
@logged_in
def mailboxes() -> ResponseReturnValue:
    return render_template(
        "inbox/settings_mailboxes.html", boxes=queries.mailboxes(require_person().company_id)
    )


@bp.get("/people")
@logged_in
def people() -> ResponseReturnValue:
    company_id = require_person().company_id
    found = db.session.scalars(
        select(Person).where(Person.company_id == company_id).order_by(Person.name)
    ).all()
    return render_template("inbox/settings_people.html", people=found)


@bp.get("/integrations")
@logged_in
def integrations() -> ResponseReturnValue:
    return render_template("inbox/settings_integrations.html")
