"""Salesforce's error codes in plain words: what it means, who can mend it, whether trying again
helps. Codes that are not here stay as they came: a guess would be worse than Salesforce's words."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from keeping_plugin.errors import Complaint


class WhoFixes(StrEnum):
    """Who can do something about it."""

    AGENT = "you"
    ADMIN = "an admin of your inbox"
    SALESFORCE_ADMIN = "your Salesforce admin"
    NOBODY = "nobody; it passes by itself"


class RetryAdvice(StrEnum):
    """Whether trying the same once more helps."""

    NO = "Trying again as it is will not help."
    LATER = "Trying again in a moment usually helps."
    MUCH_LATER = "Trying again helps only hours from now."
    ONCE_FIXED = "Try again once that is done."


class ErrorSentence(NamedTuple):
    """One row of the table."""

    code: str
    means: str
    who_fixes: WhoFixes
    again: RetryAdvice

    @property
    def sentence(self) -> str:
        """The whole of it, as the panel says it."""
        return f"{self.means} {self.again}"


_A, _K, _S, _N = WhoFixes.AGENT, WhoFixes.ADMIN, WhoFixes.SALESFORCE_ADMIN, WhoFixes.NOBODY

SENTENCES: tuple[ErrorSentence, ...] = (
    ErrorSentence(
        "REQUIRED_FIELD_MISSING",
        "Salesforce does not save this record without a value in the field it names: fill it in.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "INVALID_EMAIL_ADDRESS",
        "Salesforce does not take this e-mail address: correct it.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "STRING_TOO_LONG",
        "The text is longer than the field: shorten it.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "NUMBER_OUTSIDE_VALID_RANGE",
        "The number is too large or too small for the field: choose another.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "The list allows only its own values, and this record's type may have fewer of them: "
        "choose one from the list.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "A validation rule of your Salesforce org does not allow this: the words above are your "
        "Salesforce admin's and say what it asks for.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "FIELD_INTEGRITY_EXCEPTION",
        "The values do not fit each other, such as a state that is not in the country: change "
        "one of them.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        "The record chosen here is not one that this field accepts: choose another.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "DUPLICATE_VALUE",
        "The field must be different on every record, and another one has this value already.",
        _A,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "DUPLICATES_DETECTED",
        "A duplicate rule of your Salesforce org found records that look like this one: use one of "
        "them, or save anyway where the rule allows it.",
        _A,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "INVALID_CROSS_REFERENCE_KEY",
        "The record chosen here no longer exists, or the connected user cannot see it: choose "
        "another.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "MALFORMED_ID",
        "The record chosen here is of a kind that this field does not take: choose another.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "ENTITY_IS_DELETED",
        "The record was deleted in Salesforce. Whoever deleted it can restore it from the recycle "
        "bin.",
        _S,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "NOT_FOUND",
        "The record was deleted, or the connected user may no longer see it.",
        _S,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "The Lead was converted, and converted Leads cannot be edited: edit the Contact that came "
        "of it.",
        _A,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "The connected Salesforce user may not write this field: its field-level security has to "
        "allow it.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "INVALID_FIELD",
        "The field no longer exists in Salesforce or is hidden from the connected user; the list "
        "of fields is being read again.",
        _S,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "INVALID_TYPE",
        "The connected Salesforce user can no longer see this kind of record.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "The connected Salesforce user may see this record but not change it.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "The connected Salesforce user may not use the record that this one refers to.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "A program in your Salesforce org (an Apex trigger) stopped the save: the words above are "
        "its own.",
        _S,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "A flow in your Salesforce org stopped the save.",
        _S,
        RetryAdvice.NO,
    ),
    ErrorSentence(
        "INACTIVE_OWNER_OR_USER",
        "The person chosen as owner is no longer active in Salesforce: choose another.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "ENTITY_IS_LOCKED",
        "The record is locked, usually while an approval is under way.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "UNABLE_TO_LOCK_ROW",
        "Somebody or something else is saving this record at this moment.",
        _N,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "STORAGE_LIMIT_EXCEEDED",
        "Your Salesforce org has no room left for more records.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "REQUEST_LIMIT_EXCEEDED",
        "Your Salesforce org has used up the requests it may receive from all its integrations.",
        _S,
        RetryAdvice.MUCH_LATER,
    ),
    ErrorSentence(
        "API_DISABLED_FOR_ORG",
        "Your Salesforce org, or the connected user, may not be used by other programs: the "
        "permission “API Enabled” is missing.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "API_CURRENTLY_DISABLED",
        "The connected Salesforce user may not be used by other programs: the permission “API "
        "Enabled” is missing.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "INVALID_SESSION_ID",
        "Salesforce ended the connection: it has to be connected again in the settings.",
        _K,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "QUERY_TIMEOUT",
        "Salesforce took too long to look this up.",
        _N,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "SERVER_UNAVAILABLE",
        "Salesforce is away, for maintenance or because of a fault.",
        _N,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "Salesforce is being maintained and can only be read for now.",
        _N,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "REQUEST_RUNNING_TOO_LONG",
        "Your Salesforce org was too busy to save this in time.",
        _N,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "ORG_LOCKED",
        "Your Salesforce org is locked: Salesforce's support can say why.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "FUNCTIONALITY_NOT_ENABLED",
        "Something that is needed here is switched off in your Salesforce org.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "LOGIN_DURING_RESTRICTED_TIME",
        "The connected Salesforce user may not be used at this time of day.",
        _S,
        RetryAdvice.MUCH_LATER,
    ),
    ErrorSentence(
        "LOGIN_DURING_RESTRICTED_DOMAIN",
        "The connected Salesforce user may not be used from the address of this inbox.",
        _S,
        RetryAdvice.ONCE_FIXED,
    ),
    ErrorSentence(
        "UNKNOWN_EXCEPTION",
        "Something went wrong inside Salesforce; the number in its words is for Salesforce's "
        "support.",
        _S,
        RetryAdvice.LATER,
    ),
    ErrorSentence(
        "JSON_PARSER_ERROR",
        "Salesforce could not read one of the values: look at dates and numbers.",
        _A,
        RetryAdvice.ONCE_FIXED,
    ),
)

_BY_CODE = {row.code: row for row in SENTENCES}


def sentence_for(code: str) -> ErrorSentence | None:
    """The row of a code; None for one we do not know."""
    return _BY_CODE.get(code)


def explained(complaints: Iterable[Complaint]) -> list[tuple[Complaint, ErrorSentence | None]]:
    """Each complaint with its row."""
    return [(complaint, sentence_for(complaint.code)) for complaint in complaints]
