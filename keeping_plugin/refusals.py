"""What to do about a refusal of Salesforce: one table of its codes, one of its words.

The code alone does not say it: a trigger, a flow or a validation rule only wraps what it met, so a
lock or a limit is recognised wherever in the words it stands, in any of the entries. Words that
quote what we sent are not searched: a customer's own text decides nothing.

docs/errors.md shows both tables; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from keeping_plugin.errors import Complaint


class Advice(StrEnum):
    """What becomes of what was refused."""

    AGAIN = "again"  # it may have been written all the same: look, then send again
    SMALLER = "smaller"  # the same rows ten at a time, then alone; final only when alone
    WAIT = "wait"  # the same again, later and later; a person's after a day
    PAUSE = "pause"  # nothing of this connection can pass: it pauses, the rows stay as they are
    NEVER = "never"  # not until somebody changes something


_AGAIN, _SMALLER, _WAIT, _PAUSE, _NEVER = Advice

# A code that is not here is SMALLER: nobody knows yet that it can never pass.
CODES: Final[Mapping[str, Advice]] = {
    "UNKNOWN_EXCEPTION": _AGAIN,
    "INTERNAL_ERROR": _AGAIN,
    # A trigger or a flow that fails for one row, or runs into a limit, fails for all that travel
    # with it.
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _SMALLER,
    "CANNOT_EXECUTE_FLOW_TRIGGER": _SMALLER,
    "EXCEEDED_ID_LIMIT": _SMALLER,
    "EXCEEDED_MAX_SIZE_REQUEST": _SMALLER,
    "JSON_PARSER_ERROR": _SMALLER,
    "LIMIT_EXCEEDED": _SMALLER,
    "OPERATION_TOO_LARGE": _SMALLER,
    "QUERY_TOO_COMPLICATED": _SMALLER,
    "REQUEST_ENTITY_TOO_LARGE": _SMALLER,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": _WAIT,
    "BATCH_PROCESSING_HALTED": _WAIT,
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": _WAIT,
    "INVALID_QUERY_LOCATOR": _WAIT,
    "INVALID_READ_ONLY_USER_DML": _WAIT,
    "INVALID_SESSION_ID": _WAIT,
    "PLATFORM_EVENT_PUBLISHING_UNAVAILABLE": _WAIT,
    "PLATFORM_EVENT_PUBLISH_FAILED": _WAIT,
    "PROCESSING_HALTED": _WAIT,
    "QUERY_TIMEOUT": _WAIT,
    "REQUEST_LIMIT_EXCEEDED": _WAIT,
    "REQUEST_RUNNING_TOO_LONG": _WAIT,
    "SERVER_UNAVAILABLE": _WAIT,
    "TEMPORARY_QUERY_MORE_FAILURE": _WAIT,
    "TOO_MANY_APEX_REQUESTS": _WAIT,
    "TXN_SECURITY_METERING_ERROR": _WAIT,
    "UNABLE_TO_LOCK_ROW": _WAIT,
    "API_CURRENTLY_DISABLED": _PAUSE,
    "API_DISABLED_FOR_ORG": _PAUSE,
    "FUNCTIONALITY_NOT_ENABLED": _PAUSE,
    "GONE": _PAUSE,
    "LOGIN_DURING_RESTRICTED_DOMAIN": _PAUSE,
    "LOGIN_DURING_RESTRICTED_TIME": _PAUSE,
    "ORG_LOCKED": _PAUSE,
    "STORAGE_LIMIT_EXCEEDED": _PAUSE,
    "UNSUPPORTED_API_VERSION": _PAUSE,
    "CANNOT_UPDATE_CONVERTED_LEAD": _NEVER,
    "DELETE_FAILED": _NEVER,
    "DUPLICATES_DETECTED": _NEVER,
    "DUPLICATE_VALUE": _NEVER,
    "ENTITY_IS_ARCHIVED": _NEVER,
    "ENTITY_IS_DELETED": _NEVER,
    "ENTITY_IS_LOCKED": _NEVER,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": _NEVER,
    "FIELD_FILTER_VALIDATION_EXCEPTION": _NEVER,
    "FIELD_INTEGRITY_EXCEPTION": _NEVER,
    "FILE_EXTENSION_NOT_ALLOWED": _NEVER,
    "INACTIVE_OWNER_OR_USER": _NEVER,
    "INSUFFICIENT_ACCESS": _NEVER,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": _NEVER,
    "INSUFFICIENT_ACCESS_OR_READONLY": _NEVER,
    "INVALID_CROSS_REFERENCE_KEY": _NEVER,
    "INVALID_EMAIL_ADDRESS": _NEVER,
    "INVALID_FIELD": _NEVER,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _NEVER,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": _NEVER,
    "INVALID_TYPE": _NEVER,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": _NEVER,
    "MALFORMED_ID": _NEVER,
    "MIXED_DML_OPERATION": _NEVER,
    "NOT_FOUND": _NEVER,
    "NUMBER_OUTSIDE_VALID_RANGE": _NEVER,
    "RECORD_IN_USE_BY_WORKFLOW": _NEVER,
    "REQUIRED_FIELD_MISSING": _NEVER,
    "STRING_TOO_LONG": _NEVER,
    "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET": _NEVER,
    "TRANSFER_REQUIRES_READ": _NEVER,
    "TXN_SECURITY_APEX_ERROR": _NEVER,
    "TXN_SECURITY_NO_ACCESS": _NEVER,
}

# Words, without regard to case; "…" stands for a few of them, 101 for any number.
WORDS: Final[Sequence[tuple[str, Advice]]] = (
    ("TotalRequests Limit exceeded", _PAUSE),
    ("Org is in maintenance", _PAUSE),
    ("first error: STORAGE_LIMIT_EXCEEDED", _PAUSE),
    ("UNABLE_TO_LOCK_ROW", _WAIT),
    ("unable to obtain exclusive access", _WAIT),
    ("currently being modified by another user", _WAIT),
    ("Access Declined", _WAIT),
    ("ConcurrentPerOrgApex", _WAIT),
    ("ConcurrentPerOrgLongTxn", _WAIT),
    ("ConcurrentRequests", _WAIT),
    ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", _WAIT),
    ("REQUEST_LIMIT_EXCEEDED", _WAIT),
    ("REQUEST_RUNNING_TOO_LONG", _WAIT),
    ("SERVER_UNAVAILABLE", _WAIT),
    ("TOO_MANY_APEX_REQUESTS", _WAIT),
    ("TXN_SECURITY_METERING_ERROR", _WAIT),
    ("System.LimitException", _SMALLER),
    ("CPU time limit exceeded", _SMALLER),
    ("heap size too large", _SMALLER),
    ("LIMIT_EXCEEDED", _SMALLER),
    ("Maximum stack depth reached", _SMALLER),
    ("Number of iterations exceeded", _SMALLER),
    ("OPERATION_TOO_LARGE", _SMALLER),
    ("Too many …: 101", _SMALLER),
    ("Too many batch retries", _SMALLER),
)

# Their words quote the value that was sent.
QUOTING: Final = frozenset(
    {
        "DUPLICATE_VALUE",
        "DUPLICATES_DETECTED",
        "INVALID_EMAIL_ADDRESS",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "JSON_PARSER_ERROR",
        "MALFORMED_ID",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "STRING_TOO_LONG",
        "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
    }
)

_SEARCHED = 20_000  # characters of one entry's words


def _pattern(words: str) -> str:
    text = re.escape(words).replace("…", r"[\w ]{1,40}").replace("101", r"\d+")
    return rf"(?<!\w){text}(?!\w)"  # "FIELD_LIMIT_EXCEEDED" would be a code of its own


_SAYS: Final = tuple(
    (
        re.compile(
            "|".join(_pattern(words) for words, said in WORDS if said is each), re.IGNORECASE
        ),
        each,
    )
    for each in (_PAUSE, _WAIT, _SMALLER)
)
_LOCKED = re.compile(
    r"\bUNABLE_TO_LOCK_ROW\b|unable to obtain exclusive access"
    r"|currently being modified by another user",
    re.IGNORECASE,
)


def advice(complaints: Sequence[Complaint]) -> Advice:
    """What to do about a refusal that says this; of several answers the one that lets most pass."""
    told = {CODES.get(each.code, _SMALLER) for each in complaints} or {_SMALLER}
    for text in _texts(complaints):
        told |= {said for pattern, said in _SAYS if pattern.search(text)}
    return next(each for each in (_PAUSE, _WAIT, _SMALLER, _AGAIN, _NEVER) if each in told)


def is_locked(complaints: Sequence[Complaint]) -> bool:
    """Somebody else held a record for a moment, whoever says so."""
    return any(each.code == "UNABLE_TO_LOCK_ROW" for each in complaints) or any(
        _LOCKED.search(text) for text in _texts(complaints)
    )


def _texts(complaints: Sequence[Complaint]) -> list[str]:
    return [each.message[:_SEARCHED] for each in complaints if each.code not in QUOTING]
