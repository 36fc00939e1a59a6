"""The inbox as a Flask application."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from demo.inbox import accounts, incoming, pages, queries, settings, shown
from demo.inbox.database import Base, db, set_up_sqlite
from demo.inbox.helpdesk import InboxHelpDesk
from demo.inbox.mime.message import LARGEST
from demo.inbox.salesforce import salesforce
from demo.inbox.seeding.people import CONFIG_FILE

_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The inbox with this configuration, or with that of the file which INBOX_CONFIG names (the
    demo's own, unless it is set)."""
    app = Flask(__name__)
    app.config.update(
        SESSION_COOKIE_NAME="inbox_session",
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=LARGEST + 1_000_000,
        MAX_FORM_MEMORY_SIZE=2_000_000,
        # Addresses and subjects stay out of the log when a statement fails.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
    )
    app.config.update(_configured() if config is None else config)

    db.init_app(app)
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        with app.app_context():
            set_up_sqlite(db.engine)
    salesforce.init_app(app, helpdesk=InboxHelpDesk(), db=db)

    for blueprint in (accounts.bp, pages.bp, settings.bp, incoming.bp):
        app.register_blueprint(blueprint)
    for name, filter_ in shown.FILTERS.items():
        app.add_template_filter(filter_, name)
    app.add_template_global(shown.initials, "initials_of")
    app.context_processor(accounts.template_names)
    app.context_processor(_sidebar)
    app.register_error_handler(HTTPException, _error_page)
    app.after_request(_with_headers)
    return app


def create_tables() -> None:
    """Make the inbox's own tables where they are missing; the plugin migrates its own."""
    Base.metadata.create_all(db.engine)


def _configured() -> dict[str, Any]:
    path = Path(os.environ.get("INBOX_CONFIG", CONFIG_FILE))
    try:
        configured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SystemExit(
            f"There is no {path}: start the demo first, or name a file in INBOX_CONFIG."
        ) from error
    return configured


def _sidebar() -> dict[str, Any]:
    person = accounts.current_person()
    if person is None:
        return {"inbox_mailboxes": (), "inbox_awaiting": {}}
    return {
        "inbox_mailboxes": queries.mailboxes(person.company_id),
        "inbox_awaiting": queries.awaiting_reply(person.company_id),
    }


def _error_page(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    return render_template("inbox/error.html", error=error), error.code or 500


def _with_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
