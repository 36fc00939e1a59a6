"""What people read when something fails: a heading and a sentence for each error code."""

from __future__ import annotations

from collections.abc import Mapping

from keeping_plugin.errors import (
    ConnectionBarred,
    KeepingError,
    LoginRefused,
    NotReady,
    PermissionDenied,
    SalesforceError,
)
from keeping_plugin.wording.barred import barred_sentence

TITLES: Mapping[str, str] = {
    "too_large": "Too large",
    "invalid_input": "That did not work",
    "csrf": "That did not work",
    "not_found": "Not found",
    "not_logged_in": "Log in first",
    "forbidden": "Not allowed",
    "not_ready": "Not ready",
    "database": "Something went wrong",
    "helpdesk_failed": "Something went wrong",
    "crowded": "Busy right now",
    "being_added": "Already being added",
    "not_connected": "Salesforce is not connected",
    "connection_lost": "Connection lost",
    "connection_barred": "Salesforce is refusing the connection for now",
    "login_refused": "The Salesforce login did not complete",
    "outcome_unclear": "Salesforce did not answer",
    "schema_stale": "Salesforce has changed",
    "permission_denied": "No permission in Salesforce",
    "record_not_found": "Not in Salesforce",
    "changed": "Changed by someone else",
    "duplicates": "Salesforce found duplicates",
    "rejected": "Salesforce refused it",
    "salesforce": "Salesforce is not responding",
    "unavailable": "Salesforce is not responding",
    "row_locked": "Record in use",
    "rate_limited": "Request limit reached",
    "not_started": "Salesforce is not responding",
    "batch_refused": "Salesforce refused it",
}

# For Salesforce's errors, whose own text is Salesforce's: those of the plugin say it themselves.
SENTENCES: Mapping[str, str] = {
    "not_connected": "Salesforce is not connected. An admin can connect it in the settings.",
    "connection_lost": (
        "Salesforce ended the connection. An admin has to reconnect it in Settings → Integrations "
        "→ Salesforce."
    ),
    "unavailable": "Salesforce is not responding; nothing was changed. Try again.",
    "row_locked": "Someone else is saving this record; nothing was changed. Try again.",
    "rate_limited": "Salesforce is not accepting more requests for now; nothing was changed.",
    "outcome_unclear": "Salesforce did not answer, so it is not known yet whether this was saved.",
    "not_started": "Salesforce could not be called in time; nothing was changed. Try again.",
    "schema_stale": "A field or object no longer exists in Salesforce. The fields are being "
    "refreshed.",
    "permission_denied": "The connected Salesforce user does not have permission to do this.",
    "record_not_found": "The record is no longer in Salesforce, or the connected user cannot see "
    "it.",
    "changed": "Someone else saved this record in the meantime. Check it before you save again.",
}

DATABASE_FAILED = (
    "The inbox's own database failed during this request. Check what was saved before you try "
    "again."
)

# Where a form is offered again with what was typed.
_WITH_FORM: Mapping[str, str] = {
    "csrf": "This page was from an earlier session. Nothing was changed.",
}
_SEND_AGAIN: Mapping[str, str] = {
    "not_logged_in": "Log in in another tab, then send it from here.",
}

# Reasons of a refused login about which Salesforce's own words say more.
_IN_ITS_WORDS = frozenset({"restricted", "away", "refused", "not_accepted"})


def error_title(error: KeepingError) -> str:
    """The heading above an error."""
    return TITLES.get(error.code, "An error")


def error_sentence(error: Exception, *, with_form: bool = False) -> str:
    """What a person reads: our own sentence, or for Salesforce's errors one of the table.
    `with_form`: what was typed is shown below it, ready to be sent again."""
    if with_form and getattr(error, "code", "") in _WITH_FORM:
        return _WITH_FORM[getattr(error, "code", "")]
    if isinstance(error, ConnectionBarred):
        return barred_sentence(error.reason, str(error))
    if isinstance(error, SalesforceError):
        return SENTENCES.get(error.code, "Salesforce refused it.")
    return str(error)


def send_again_sentence(code: str) -> str:
    """How to go on with a form that is offered again."""
    return _SEND_AGAIN.get(code, "Check it and send it again.")


def login_advice(error: KeepingError) -> str:
    """What an admin does about a login that did not complete; "" where the error says it."""
    if isinstance(error, LoginRefused) and error.reason in _IN_ITS_WORDS:
        said = " ".join(filter(None, (each.message for each in error.complaints)))
        return f"Salesforce says: “{said}”." if said else ""
    if isinstance(error, LoginRefused | NotReady):
        return ""
    if isinstance(error, PermissionDenied):
        return (
            "Ask a Salesforce admin to give this user the “API Enabled” permission, or sign in as "
            "another user."
        )
    return "Try again in a few minutes."
