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
from keeping_plugin.wording.barred import barred_sentence
from keeping_plugin.wording.salesforce_errors import explained

log = logging.getLogger("keeping_plugin.web")

# The first that fits: particular before general.
_STATUS: tuple[tuple[type[KeepingError], int, str], ...] = (
    (TooLarge, 413, "Too large"),
    (InvalidInput, 400, "That does not work"),
    (NotFound, 404, "Not found"),
    (NotLoggedIn, 401, "Log in first"),
    (Forbidden, 403, "Not allowed"),
    (NotReady, 503, "Not ready"),
    (DatabaseFailed, 500, "Something went wrong"),
    (HelpDeskFailed, 500, "Something went wrong"),
    (TooBusy, 503, "Busy just now"),
    (BeingAdded, 409, "Being added just now"),
    (NotConnected, 409, "Salesforce is not connected"),
    (ConnectionLost, 503, "Connection lost"),
    (ConnectionBarred, 503, "Salesforce refuses the connection for now"),
    (LoginRefused, 400, "The login to Salesforce ended without a connection"),
    (OutcomeUnclear, 504, "Salesforce did not answer"),
    (SchemaStale, 409, "Salesforce has changed"),
    (PermissionDenied, 403, "No permission in Salesforce"),
    (RecordNotFound, 404, "Not in Salesforce"),
    (RecordChanged, 409, "Somebody else saved it meanwhile"),
    (DuplicatesFound, 409, "Salesforce found duplicates"),
    (RecordRejected, 422, "Salesforce refused it"),
    (SalesforceError, 503, "Salesforce does not answer"),
)

_SENTENCES = {
    "not_connected": "Salesforce is not connected. An admin can connect it in the settings.",
    "connection_lost": (
        "Salesforce ended the connection. An admin has to reconnect it in Settings → Integrations "
        "→ Salesforce."
    ),
    "unavailable": "Salesforce does not answer just now; nothing was changed. Try again.",
    "rate_limited": "Salesforce takes no more requests just now; nothing was changed.",
    "outcome_unclear": "Salesforce did not answer, so nobody knows yet whether it was saved.",
    "not_started": "Salesforce was not asked in time; nothing was changed. Try again.",
    "schema_stale": "Salesforce no longer has what was asked for; its fields are read afresh.",
    "permission_denied": "The connected Salesforce user may not do this.",
    "record_not_found": "The record is not in Salesforce any more, or out of sight.",
    "changed": "Somebody else saved this record meanwhile. Look at it again.",
}


def register(bp: Blueprint) -> None:
    """Let the blueprint answer for every KeepingError that its views raise."""
    bp.register_error_handler(KeepingError, on_error)
    bp.register_error_handler(SQLAlchemyError, on_database_error)
    # A body of unknown length that turned out too large while it was read.
    bp.register_error_handler(RequestEntityTooLarge, lambda _: on_error(TooLarge()))


def status_of(error: KeepingError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status, _ in _STATUS if isinstance(error, kind)), 500)


def sentence_of(error: Exception) -> str:
    """What a person reads: our own sentence, or for Salesforce's errors one of the table."""
    if isinstance(error, ConnectionBarred):
        return barred_sentence(error.reason, str(error))
    if isinstance(error, SalesforceError):
        return _SENTENCES.get(error.code, "Salesforce refused it.")
    return str(error)


def error_json(error: Exception) -> dict[str, Any]:
    """An error as the JSON API tells it; Salesforce's words verbatim."""
    body: dict[str, Any] = {
        "code": getattr(error, "code", "error"),
        "message": sentence_of(error),
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
    return on_error(
        DatabaseFailed(
            "The inbox's own database failed in the middle of this. See what was saved before you "
            "try again."
        )
    )


def on_error(error: KeepingError) -> Response:
    """One answer for whatever a view let through."""
    status = status_of(error)
    title = next((title for kind, _, title in _STATUS if isinstance(error, kind)), "An error")
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
        title=title,
        sentence=sentence_of(error),
        error=error,
        complaints=complaints,
        code=error.code,
        back=_way_back(error),
        typed=again,
    )
    if wanted() is Wanted.FRAGMENT and (again is not None or isinstance(error, TooLarge)):
        response.headers["X-Keeping-Refused"] = error.code  # keeping.js leaves the form in place
    if isinstance(error, TooBusy):
        response.headers["Retry-After"] = "2"
    return response
