"""Why a connection pauses, in plain words: the codes of `keeping_connection.pause_reason`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keeping_plugin.errors import Complaint
from keeping_plugin.wording.salesforce_errors import ErrorSentence, explained

PAUSES: Mapping[str, str] = {
    "budget": "the automations' share of the API allowance is used up",
    "rate_limited": "Salesforce is not accepting more requests for now",
    "unavailable": "Salesforce did not answer",
    "connection_barred": "Salesforce is refusing the connection for now",
    "outcome_unclear": "Salesforce did not answer",
    "permission_denied": "the connected Salesforce user does not have the permissions needed",
    "read_refused": "the connected Salesforce user cannot look people up",
    "org_closed": "the Salesforce org accepts nothing from this inbox for now",
    "helpdesk_failed": (
        "this inbox could not provide its messages (its operator can find out why with `flask "
        "keeping doctor`)"
    ),
    "not_ready": (
        "this inbox is not ready (its operator can find out why with `flask keeping doctor`)"
    ),
}

# These last until someone fixes the cause.
LASTING = frozenset({"permission_denied", "read_refused", "org_closed", "helpdesk_failed"})


@dataclass(frozen=True, slots=True)
class Pause:
    """Why mail is not logged for now; `complaints` are Salesforce's error messages, if any."""

    reason: str
    sentence: str
    complaints: tuple[tuple[Complaint, ErrorSentence | None], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "reason": self.reason,
            "message": self.sentence,
            "complaints": [complaint.message for complaint, _ in self.complaints],
        }


def pause_of(reason: str, words: Any) -> Pause | None:
    """A pause worth showing; None for those that end within moments."""
    if reason not in LASTING:
        return None
    sentence = (
        f"Logging is paused because {PAUSES[reason]}. Nothing is lost: it resumes "
        "automatically once this is fixed."
    )
    return Pause(reason, sentence, words_of(words))


def words_of(words: Any) -> tuple[tuple[Complaint, ErrorSentence | None], ...]:
    """Salesforce's stored error messages ([[code, message, fields]]), each with its explanation."""
    return tuple(
        explained(Complaint(code, text, tuple(names)) for code, text, names in words or ())
    )
