"""Every error of this plugin, with who has to act.

KeepingError
├── ConfigurationError           the developer, at start-up
├── NotReady                     the operator: no key decrypts the tokens, or Redis is unreachable
├── InvalidInput                 the person who entered it
│   ├── CsrfFailed               the person: reload the page
│   └── TooLarge                 the person: send less
├── NotFound                     no one: it does not exist, or it belongs to another company
├── NotLoggedIn                  the person: log in to the inbox
├── Forbidden                    the person: ask an admin, or an agent who has access
├── DatabaseFailed               the operator: the log has the type of failure and the place
├── TooBusy                      the caller: try again in a moment
├── HelpDeskFailed               the operator: the log has the method and the place
├── BeingAdded                   the agent: check again in a moment
└── SalesforceError
    ├── NotConnected             an admin: connect
    ├── ConnectionLost           an admin: reconnect
    ├── LoginRefused             an admin: fix the cause, then log in again
    ├── SalesforceUnavailable    the plugin: retry later
    │   ├── RowLocked            the plugin: retry this row
    │   └── ConnectionBarred     a Salesforce admin, or no one: the grant is kept and retried
    ├── RateLimited              the plugin: retry much later
    ├── OutcomeUnclear           the plugin: check in Salesforce before sending again
    ├── CallNotStarted           the plugin: nothing was sent; mark and send again
    ├── BatchRefused             the plugin: retry in smaller batches
    ├── SchemaStale              the plugin: describe again, once
    ├── PermissionDenied         the agent, or a Salesforce admin
    ├── RecordNotFound           the agent
    └── RecordRejected           the agent: Salesforce's error message says why
        ├── RecordChanged        the agent: someone else saved it in the meantime
        └── DuplicatesFound      the agent: use one of these, or save anyway
"""

from __future__ import annotations

from dataclasses import dataclass


class KeepingError(Exception):
    """Base class of the plugin's errors. `code` is a fixed string, listed in docs/errors.md."""

    code = "error"


class ConfigurationError(KeepingError):
    """A setting is missing or malformed; the message names the key."""

    code = "configuration"


class NotReady(KeepingError):
    """The plugin is mounted but cannot work; the message says what the operator has to fix."""

    code = "not_ready"


class InvalidInput(KeepingError):
    """The input is not valid; `field` names it, if there is one."""

    code = "invalid_input"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class CsrfFailed(InvalidInput):
    """A write came without its session's CSRF token; nothing was done."""

    code = "csrf"


class TooLarge(InvalidInput):
    """The request body is larger than any form of the plugin; it was not read."""

    code = "too_large"

    def __init__(self) -> None:
        super().__init__("That is too much for one request; nothing was changed.")


class NotFound(KeepingError):
    """This company has no such object."""

    code = "not_found"


class NotLoggedIn(KeepingError):
    """No one is logged in to the host."""

    code = "not_logged_in"


class Forbidden(KeepingError):
    """Only an admin, or an agent with access to this conversation, may do this."""

    code = "forbidden"


class DatabaseFailed(KeepingError):
    """A database read or write failed during a request. The database's own message may contain
    personal data, so it is neither shown nor logged."""

    code = "database"


class TooBusy(KeepingError):
    """Too many requests of this process are waiting for Salesforce, or a rate limit was exceeded;
    Salesforce was not called. `soon`: a retry within a second may succeed."""

    code = "crowded"

    def __init__(self, message: str = "", *, soon: bool = False) -> None:
        super().__init__(message)
        self.soon = soon


class HelpDeskFailed(KeepingError):
    """The host's HelpDesk raised an error outside a request. `question` is the method, `error` the
    exception type and `where` the place; the exception's text is left out."""

    code = "helpdesk_failed"

    def __init__(self, question: str, *, error: str = "", where: str = "") -> None:
        super().__init__(f"HelpDesk.{question} raised {error or 'an error'} at {where or '?'}.")
        self.question = question
        self.error = error
        self.where = where


class BeingAdded(KeepingError):
    """Someone is adding this person right now, or an earlier attempt got no answer and may still
    have succeeded. The claim on the address is taken; nothing was sent."""

    code = "being_added"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One item of a Salesforce error body: `message` verbatim, `fields` by API name."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


class SalesforceError(KeepingError):
    """Base class of the gateway's errors. `complaints` are Salesforce's own error messages, never
    logged; `timed_out` says that no answer came in time."""

    code = "salesforce"

    def __init__(
        self,
        message: str = "",
        *,
        complaints: tuple[Complaint, ...] = (),
        timed_out: bool = False,
    ) -> None:
        super().__init__(message or (complaints[0].message if complaints else self.code))
        self.complaints = complaints
        self.timed_out = timed_out

    @property
    def codes(self) -> frozenset[str]:
        """Salesforce's errorCode or statusCode strings."""
        return frozenset(complaint.code for complaint in self.complaints)


class NotConnected(SalesforceError):
    """The company has no connection, or it was disconnected."""

    code = "not_connected"


class ConnectionLost(SalesforceError):
    """Salesforce reported that the grant is no longer valid; an admin must reconnect."""

    code = "connection_lost"


class LoginRefused(SalesforceError):
    """A login at Salesforce did not complete; nothing was stored. `reason` is a fixed string of
    `wording.logins.REASONS`, and the message says what to do."""

    code = "login_refused"

    def __init__(self, message: str = "", *, reason: str) -> None:
        super().__init__(message or reason)
        self.reason = reason


class SalesforceUnavailable(SalesforceError):
    """Salesforce did not answer or reported that it is unavailable; nothing was written."""

    code = "unavailable"


class RowLocked(SalesforceUnavailable):
    """UNABLE_TO_LOCK_ROW: another transaction has locked this record; nothing was written."""

    code = "row_locked"


class ConnectionBarred(SalesforceUnavailable):
    """Salesforce is refusing this connection's login for a reason that may be temporary; nothing
    was written. The tokens are kept and the login is retried automatically. `reason` is a fixed
    code of `wording.barred`; the message is Salesforce's own."""

    code = "connection_barred"

    def __init__(
        self,
        message: str = "",
        *,
        complaints: tuple[Complaint, ...] = (),
        reason: str = "refused",
    ) -> None:
        super().__init__(message, complaints=complaints)
        self.reason = reason


class RateLimited(SalesforceError):
    """REQUEST_LIMIT_EXCEEDED or 429; `daily` if the daily API allowance is used up."""

    code = "rate_limited"

    def __init__(
        self, message: str = "", *, complaints: tuple[Complaint, ...] = (), daily: bool = False
    ) -> None:
        super().__init__(message, complaints=complaints)
        self.daily = daily


class OutcomeUnclear(SalesforceError):
    """A write was sent and no complete answer came back: it may or may not have been saved."""

    code = "outcome_unclear"


class CallNotStarted(SalesforceError):
    """The latest start time of the call passed before its first byte; nothing was sent."""

    code = "not_started"


class BatchRefused(SalesforceError):
    """Salesforce refused a collection as a whole, without an outcome for any row: nothing was
    written, and a single row may be the cause."""

    code = "batch_refused"


class SchemaStale(SalesforceError):
    """INVALID_FIELD or INVALID_TYPE: the cached describe no longer matches the org.

    `object` and `field` name what is gone, if Salesforce's message does.
    """

    code = "schema_stale"

    def __init__(
        self,
        message: str = "",
        *,
        complaints: tuple[Complaint, ...] = (),
        object: str = "",
        field: str = "",
    ) -> None:
        super().__init__(message, complaints=complaints)
        self.object = object
        self.field = field


class PermissionDenied(SalesforceError):
    """The Salesforce user behind the connection may not do this."""

    code = "permission_denied"


class RecordNotFound(SalesforceError):
    """The record does not exist, was deleted, or is invisible to the user."""

    code = "record_not_found"


class RecordRejected(SalesforceError):
    """Salesforce refused the save; `complaints` say why and name the fields where possible."""

    code = "rejected"


class RecordChanged(RecordRejected):
    """412 on If-Unmodified-Since: someone saved the record after it was shown."""

    code = "changed"


class DuplicatesFound(RecordRejected):
    """A duplicate rule refused the save. `record_ids` are the matches as (object, id); `may_save`
    says whether the rule allows saving anyway."""

    code = "duplicates"

    def __init__(
        self,
        message: str = "",
        *,
        complaints: tuple[Complaint, ...] = (),
        record_ids: tuple[tuple[str, str], ...] = (),
        may_save: bool = False,
    ) -> None:
        super().__init__(message, complaints=complaints)
        self.record_ids = record_ids
        self.may_save = may_save


# About the connection or the moment, not the request: any other request would fail too.
OF_THE_CONNECTION = (NotConnected, ConnectionLost, ConnectionBarred)
NOT_OF_THE_QUESTION = (*OF_THE_CONNECTION, RateLimited, CallNotStarted)
