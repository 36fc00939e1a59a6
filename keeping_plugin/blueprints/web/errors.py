"""Our errors become HTTP here, once: as a page, a fragment or JSON."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from flask import Blueprint, Response, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from keeping_plugin.blueprints.web import guards
from keeping_plugin.blueprints.web.rendering import Wanted, answer, wanted
from keeping_plugin.blueprints.web.typed import typed
from keeping_plugin.errors import (
    BeingAdded,
    ConnectionBarred,
    ConnectionLost,
    DatabaseFailed,
    DuplicatesFound,
    Forbidden,
    HelpDeskFailed,
    InvalidInput,
    KeepingError,
    LoginRefused,
    NotConnected,
    NotFound,
    NotLoggedIn,
    NotReady,
    OutcomeUnclear,
    PermissionDenied,
    RecordChanged,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
    SchemaStale,
    TooBusy,
    TooLarge,
)
from keeping_plugin.wording.errors import (
    DATABASE_FAILED,
    error_sentence,
    error_title,
    send_again_sentence,
)
from keeping_plugin.wording.salesforce_errors import explained

log = logging.getLogger("keeping_plugin.web")

# The first that fits: particular before general.
_STATUS: tuple[tuple[type[KeepingError], int], ...] = (
    (TooLarge, 413),
    (InvalidInput, 400),
    (NotFound, 404),
    (NotLoggedIn, 401),
    (Forbidden, 403),
    (NotReady, 503),
    (DatabaseFailed, 500),
    (HelpDeskFailed, 500),
    (TooBusy, 503),
    (BeingAdded, 409),
    (NotConnected, 409),
    (ConnectionLost, 503),
    (ConnectionBarred, 503),
    (LoginRefused, 400),
    (OutcomeUnclear, 504),
    (SchemaStale, 409),
    (PermissionDenied, 403),
    (RecordNotFound, 404),
    (RecordChanged, 409),
    (DuplicatesFound, 409),
    (RecordRejected, 422),
    (SalesforceError, 503),
)


def register(bp: Blueprint) -> None:
    """Let the blueprint answer for every KeepingError that its views raise."""
    bp.register_error_handler(KeepingError, on_error)
    bp.register_error_handler(SQLAlchemyError, on_database_error)
    # A body of unknown length that turned out too large while it was read.
    bp.register_error_handler(RequestEntityTooLarge, lambda _: on_error(TooLarge()))


def status_of(error: KeepingError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def error_json(error: Exception) -> dict[str, Any]:
    """An error as the JSON API tells it; Salesforce's words verbatim."""
    body: dict[str, Any] = {
        "code": getattr(error, "code", "error"),
        "message": error_sentence(error),
        "complaints": [],
    }
    if isinstance(error, SalesforceError):
        body["complaints"] = [
            {
                "code": complaint.code,
                "message": complaint.message,
                "fields": list(complaint.fields),
                "meaning": row.sentence if row else None,
                "mender": row.who_fixes.value if row else None,
            }
            for complaint, row in explained(error.complaints)
        ]
    if isinstance(error, InvalidInput) and error.field:
        body["field"] = error.field
    return body


def _way_back(error: KeepingError) -> str:
    """The settings for whoever came from there and may go there, else ""."""
    beside_a_conversation = "conversation_id" in (request.view_args or {})
    if beside_a_conversation or isinstance(error, Forbidden | NotLoggedIn):
        return ""
    return url_for(".settings")


def on_database_error(error: SQLAlchemyError) -> Response:
    """Told by its type and place. Its text holds parameters, and PostgreSQL's own details hold
    whole rows, addresses among them: Flask would log both."""
    log.error(
        "database_failed",
        extra={
            "error": type(error).__name__,
            "endpoint": request.endpoint,
            "where": "".join(traceback.format_tb(error.__traceback__)),
        },
    )
    guards.end_host_transaction()
    return on_error(DatabaseFailed(DATABASE_FAILED))


def on_error(error: KeepingError) -> Response:
    """One answer for whatever a view let through."""
    status = status_of(error)
    # Codes and routes, never texts: those may hold people's data.
    log.info("refused", extra={"code": error.code, "status": status, "endpoint": request.endpoint})
    if isinstance(error, Forbidden | NotFound):
        guards.denied()
    complaints = explained(error.complaints) if isinstance(error, SalesforceError) else []
    again = typed(error)
    response = answer(
        "keeping/error_body.html",
        {"error": error_json(error)},
        status=status,
        page="keeping/error.html",
        title=error_title(error),
        sentence=error_sentence(error, with_form=again is not None),
        error=error,
        complaints=complaints,
        back=_way_back(error),
        typed=again,
        send_again=send_again_sentence(error.code),
    )
    if wanted() is Wanted.FRAGMENT and (again is not None or isinstance(error, TooLarge)):
        response.headers["X-Keeping-Refused"] = error.code  # keeping.js leaves the form in place
    if isinstance(error, TooBusy):
        response.headers["Retry-After"] = "2"
    return response
