"""Salesforce's error codes in plain words: what they mean, who can fix it, whether trying again
helps. Codes that are not here stay as they came: a guess would be worse than Salesforce's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from keeping_plugin.errors import Complaint


class WhoFixes(StrEnum):
    """Who can do something about it."""

    AGENT = "you"
    ADMIN = "an admin of your inbox"
    SALESFORCE_ADMIN = "your Salesforce admin"
    NOBODY = "nobody: it is temporary"


class RetryAdvice(StrEnum):
    """Whether trying the same once more helps."""

    NO = "Trying again unchanged will not help."
    LATER = "Try again in a moment."
    MUCH_LATER = "Try again in a few hours."
    ONCE_FIXED = "Try again once that is done."


class ErrorSentence(NamedTuple):
    """One row of the table."""

    code: str
    means: str
    who_fixes: WhoFixes
    again: RetryAdvice

    @property
    def sentence(self) -> str:
        """What it means and whether trying again helps, as the JSON API says it."""
        return f"{self.means} {self.again}"

    def advice(self, situation: str = "by_hand") -> str:
        """The whole of it, as pages say it. `situation`: `by_hand` for what somebody just saved,
        `failed` for what an automation gave up, `retried` for what it tries again by itself."""
        if situation != "by_hand" and self.who_fixes is WhoFixes.AGENT:
            return f"{self.means} {_NO_OTHER_VALUE}"
        who = _WHO.get(self.who_fixes, "")
        if situation == "retried":
            return f"{self.means} {who or _RETRIED}"
        return " ".join(filter(None, (self.means, who, self.again)))


_NO_OTHER_VALUE = (
    "An automation has no other value to send: add the record manually, or change the rule in "
    "Salesforce."
)
_RETRIED = "No action needed: it will be retried."
_WHO: Mapping[WhoFixes, str] = {
    WhoFixes.ADMIN: "An admin of your inbox can fix this.",
    WhoFixes.SALESFORCE_ADMIN: "Your Salesforce admin can fix this.",
}


# By who can fix it and whether trying again helps.
_TABLE: Mapping[tuple[WhoFixes, RetryAdvice], Mapping[str, str]] = {
    (WhoFixes.AGENT, RetryAdvice.NO): {
        "DUPLICATE_VALUE": "The field must be unique, and another record already has this value.",
        "DUPLICATES_DETECTED": (
            "A duplicate rule in your Salesforce org found similar records: use one of them, or "
            "save anyway if the rule allows it."
        ),
        "CANNOT_UPDATE_CONVERTED_LEAD": (
            "This Lead was converted and can no longer be edited: edit its Contact instead."
        ),
    },
    (WhoFixes.AGENT, RetryAdvice.ONCE_FIXED): {
        "REQUIRED_FIELD_MISSING": "Salesforce requires a value in the field it names: fill it in.",
        "INVALID_EMAIL_ADDRESS": "Salesforce does not accept this email address: correct it.",
        "STRING_TOO_LONG": "The text is too long for the field: shorten it.",
        "NUMBER_OUTSIDE_VALID_RANGE": (
            "The number is too large or too small for the field: change it."
        ),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (
            "Only values from the list are allowed, and this record type may offer fewer of them: "
            "choose one from the list."
        ),
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": (
            "A validation rule in your Salesforce org does not allow this. The message above was "
            "written by your Salesforce admin and says what is needed."
        ),
        "FIELD_INTEGRITY_EXCEPTION": (
            "Some values contradict each other, such as a state that is not in the country: "
            "change one of them."
        ),
        "FIELD_FILTER_VALIDATION_EXCEPTION": (
            "This field does not accept the chosen record: choose another."
        ),
        "INVALID_CROSS_REFERENCE_KEY": (
            "The chosen record no longer exists, or the connected user cannot see it: choose "
            "another."
        ),
        "MALFORMED_ID": "This field does not accept that type of record: choose another.",
        "INACTIVE_OWNER_OR_USER": (
            "The chosen owner is no longer active in Salesforce: choose another."
        ),
        "JSON_PARSER_ERROR": (
            "Salesforce could not read one of the values: check dates and numbers."
        ),
    },
    (WhoFixes.ADMIN, RetryAdvice.ONCE_FIXED): {
        "INVALID_SESSION_ID": "Salesforce ended the connection: reconnect it in the settings.",
    },
    (WhoFixes.SALESFORCE_ADMIN, RetryAdvice.NO): {
        "ENTITY_IS_DELETED": (
            "The record was deleted in Salesforce. It may be possible to restore it from the "
            "Recycle Bin."
        ),
        "NOT_FOUND": "The record was deleted, or the connected user can no longer see it.",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (
            "An Apex trigger in your Salesforce org stopped the save; the message above comes "
            "from it."
        ),
        "CANNOT_EXECUTE_FLOW_TRIGGER": "A flow in your Salesforce org stopped the save.",
    },
    (WhoFixes.SALESFORCE_ADMIN, RetryAdvice.LATER): {
        "INVALID_FIELD": (
            "The field no longer exists in Salesforce or is hidden from the connected user; the "
            "list of fields is being refreshed."
        ),
        "UNKNOWN_EXCEPTION": (
            "Something went wrong inside Salesforce; give the number in its message to Salesforce "
            "Support."
        ),
    },
    (WhoFixes.SALESFORCE_ADMIN, RetryAdvice.MUCH_LATER): {
        "REQUEST_LIMIT_EXCEEDED": (
            "Your Salesforce org has used up the API requests allowed for all its integrations."
        ),
        "LOGIN_DURING_RESTRICTED_TIME": (
            "The connected Salesforce user is not allowed to log in at this time of day."
        ),
    },
    (WhoFixes.SALESFORCE_ADMIN, RetryAdvice.ONCE_FIXED): {
        "INVALID_FIELD_FOR_INSERT_UPDATE": (
            "The connected Salesforce user cannot edit this field: its field-level security has "
            "to allow it."
        ),
        "INVALID_TYPE": "The connected Salesforce user can no longer see records of this type.",
        "INSUFFICIENT_ACCESS_OR_READONLY": (
            "The connected Salesforce user can see this record but not edit it."
        ),
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (
            "The connected Salesforce user does not have access to a record that this one refers "
            "to."
        ),
        "ENTITY_IS_LOCKED": "The record is locked, usually because it is being approved.",
        "STORAGE_LIMIT_EXCEEDED": "Your Salesforce org has no storage left for more records.",
        "API_DISABLED_FOR_ORG": (
            "API access is switched off for your Salesforce org or the connected user: the “API "
            "Enabled” permission is missing."
        ),
        "API_CURRENTLY_DISABLED": (
            "API access is switched off for the connected Salesforce user: the “API Enabled” "
            "permission is missing."
        ),
        "ORG_LOCKED": "Your Salesforce org is locked: Salesforce Support can say why.",
        "FUNCTIONALITY_NOT_ENABLED": (
            "A feature that is needed here is switched off in your Salesforce org."
        ),
        "LOGIN_DURING_RESTRICTED_DOMAIN": (
            "The connected Salesforce user is not allowed to log in from this inbox's IP address."
        ),
    },
    (WhoFixes.NOBODY, RetryAdvice.LATER): {
        "UNABLE_TO_LOCK_ROW": "Someone or something else is saving this record right now.",
        "QUERY_TIMEOUT": "Salesforce took too long to look this up.",
        "SERVER_UNAVAILABLE": "Salesforce is unavailable, because of maintenance or a fault.",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": (
            "Salesforce is under maintenance and read-only for now."
        ),
        "REQUEST_RUNNING_TOO_LONG": "Your Salesforce org was too busy to save this in time.",
    },
}

SENTENCES: tuple[ErrorSentence, ...] = tuple(
    ErrorSentence(code, means, who, again)
    for (who, again), rows in _TABLE.items()
    for code, means in rows.items()
)

_BY_CODE = {row.code: row for row in SENTENCES}


def sentence_for(code: str) -> ErrorSentence | None:
    """The row of a code; None for one we do not know."""
    return _BY_CODE.get(code)


def explained(complaints: Iterable[Complaint]) -> list[tuple[Complaint, ErrorSentence | None]]:
    """Each complaint with its row."""
    return [(complaint, sentence_for(complaint.code)) for complaint in complaints]
