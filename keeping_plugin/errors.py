"""Every error that leaves a layer of this plugin, sorted by who has to act.

KeepingError
├── ConfigurationError           the developer, at start
├── NotReady                     the operator: a key that opens nothing, Redis out of reach
├── InvalidInput                 the person who typed it
│   ├── CsrfFailed               the person: load the page again
│   └── TooLarge                 the person: send less
├── NotFound                     nobody: not yours and not there are the same answer
├── NotLoggedIn                  the person: log in to the inbox
├── Forbidden                    the person asked for something only others may do
├── DatabaseFailed               the operator: the log says what kind of failure, and where
├── TooBusy                      the machine: ask again in a moment
├── HelpDeskFailed               the operator: the log says which question, and where
├── BeingAdded                   the agent: somebody adds this person just now, or may have
└── SalesforceError
    ├── NotConnected             an admin: connect
    ├── ConnectionLost           an admin: reconnect
    ├── LoginRefused             an admin: the login ended without a grant
    ├── SalesforceUnavailable    the machine: try again later
    │   ├── RowLocked            the machine: this row only
    │   └── ConnectionBarred     a Salesforce admin, or nobody: the grant stands, it is refused now
    ├── RateLimited              the machine: much later
    ├── OutcomeUnclear           the machine: look before sending again
    ├── CallNotStarted           the machine: nothing was sent, mark anew
    ├── BatchRefused             the machine: no row outcomes, send fewer rows
    ├── SchemaStale              the machine, once: describe again
    ├── PermissionDenied         the agent (or a Salesforce admin)
    ├── RecordNotFound           the agent
    └── RecordRejected           the agent: Salesforce's own words
        ├── RecordChanged        the agent: somebody saved it meanwhile
        └── DuplicatesFound      the agent: use one of these, or save anyway
"""

from __future__ import annotations

from dataclasses import dataclass


class KeepingError(Exception):
    """Base of all our errors. `code` is a fixed string, listed in docs/errors.md."""

    code = "error"


class ConfigurationError(KeepingError):
    """A setting is missing or malformed; the message names the key."""

    code = "configuration"


class NotReady(KeepingError):
    """The plugin is mounted but cannot work: the message says what the operator must mend."""

    code = "not_ready"


class InvalidInput(KeepingError):
    """What came in cannot be used; `field` names the input when there is one."""

    code = "invalid_input"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class CsrfFailed(InvalidInput):
    """A write came without the token of its session; nothing was done."""

    code = "csrf"


class TooLarge(InvalidInput):
    """The body of a request is larger than any form of ours can be; nothing of it was read."""

    code = "too_large"

    def __init__(self) -> None:
        super().__init__("That is too much for one request; nothing was changed.")


class NotFound(KeepingError):
    """No such thing for this company."""

    code = "not_found"


class NotLoggedIn(KeepingError):
    """Nobody is logged in to the host."""

    code = "not_logged_in"


class Forbidden(KeepingError):
    """Only an admin, or only an agent with access to this conversation, may do this."""

    code = "forbidden"


class DatabaseFailed(KeepingError):
    """The database did not take or give what a request needed; its own words hold people's data and
    go no further."""

    code = "database"


class TooBusy(KeepingError):
    """Too many wait for Salesforce in this process, or ask too often; nothing was asked. `soon`:
    it may pass within a second, and what was sent can be sent again as it is."""

    code = "crowded"

    def __init__(self, message: str = "", *, soon: bool = False) -> None:
        super().__init__(message)
        self.soon = soon


class HelpDeskFailed(KeepingError):
    """The host's HelpDesk raised outside a request. `question` is the method, `error` the type of
    what it raised, `where` the place; never its text."""

    code = "helpdesk_failed"

    def __init__(self, question: str, *, error: str = "", where: str = "") -> None:
        super().__init__(f"HelpDesk.{question} raised {error or 'an error'} at {where or '?'}.")
        self.question = question
        self.error = error
        self.where = where


class BeingAdded(KeepingError):
    """The claim on an address is taken: somebody is adding this person, or an earlier attempt got
    no answer and cannot be believed to have failed yet. Nothing was sent."""

    code = "being_added"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One entry of a Salesforce error body: `message` verbatim, `fields` by API name."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


class SalesforceError(KeepingError):
    """Base of what the gateway raises. `complaints` are Salesforce's own words, never logged;
    `timed_out` says that no answer came in time."""

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
    """Salesforce said that the grant is dead; an admin must reconnect."""

    code = "connection_lost"


class LoginRefused(SalesforceError):
    """The way to Salesforce's login and back ended without a grant; nothing was stored. `reason` is
    a fixed string of `wording.logins.REASONS`, the message says what to do."""

    code = "login_refused"

    def __init__(self, message: str = "", *, reason: str) -> None:
        super().__init__(message or reason)
        self.reason = reason


class SalesforceUnavailable(SalesforceError):
    """Salesforce did not answer, or said it is away; nothing was written."""

    code = "unavailable"


class RowLocked(SalesforceUnavailable):
    """UNABLE_TO_LOCK_ROW: somebody else holds this record for a moment; nothing was written."""

    code = "row_locked"


class ConnectionBarred(SalesforceUnavailable):
    """Salesforce refuses the login of this connection for now, in words that do not say that the
    grant is dead; nothing was written. Tokens are kept and it is tried again by itself. `reason` is
    a fixed code of `wording.barred`, the message Salesforce's own words."""

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
    """REQUEST_LIMIT_EXCEEDED or 429: `daily` when the day's allowance is used up."""

    code = "rate_limited"

    def __init__(
        self, message: str = "", *, complaints: tuple[Complaint, ...] = (), daily: bool = False
    ) -> None:
        super().__init__(message, complaints=complaints)
        self.daily = daily


class OutcomeUnclear(SalesforceError):
    """A write left, and no complete answer came back: it may or may not have happened."""

    code = "outcome_unclear"


class CallNotStarted(SalesforceError):
    """The call's start time had passed before its first byte; nothing was sent."""

    code = "not_started"


class BatchRefused(SalesforceError):
    """Salesforce refused a collection of several rows as a whole, saying nothing of any row:
    nothing was written, and one poison row may be the reason."""

    code = "batch_refused"


class SchemaStale(SalesforceError):
    """INVALID_FIELD or INVALID_TYPE: the cached describe no longer fits the org.

    `object` and `field` name what is gone when Salesforce's message does.
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
    """Salesforce refused the save; `complaints` say why, naming fields where they can."""

    code = "rejected"


class RecordChanged(RecordRejected):
    """412 on If-Unmodified-Since: somebody saved the record after it was shown."""

    code = "changed"


class DuplicatesFound(RecordRejected):
    """A duplicate rule refused the save. `record_ids` are those it matched, as (object, id);
    `may_save` when the rule lets an acknowledged save through."""

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
