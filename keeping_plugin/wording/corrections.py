"""Undo: what was chosen, how it ended, and why records are left. People without an Account: where a
proposal comes from, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from keeping_plugin.objects import CONTACT, LEAD, TASK

LEFT: Final[Mapping[str, str]] = {
    "changed": "Someone has changed it since it was created.",
    "converted": "It has been converted since it was created.",
    "disconnected": "Salesforce was disconnected before it was deleted.",
    "gone": "It had already been deleted or merged in Salesforce.",
    "has_records": "Other records in Salesforce refer to it.",
    "no_id": "Its Salesforce id is not known, because Salesforce only reported that it exists.",
    "no_right": "The connected Salesforce user does not have permission to delete it.",
    "not_visible": (
        "The connected Salesforce user cannot see it, or it was deleted permanently in Salesforce."
    ),
    "other_user": (
        "It was created under another Salesforce user than the one who is connected now."
    ),
    "refused": "Salesforce refused to delete it.",
    "stopped": "The undo was stopped before it was deleted.",
    "task_changed": "Someone has changed one of the Tasks logged on it.",
    "too_many_tasks": (
        "More than 199 Tasks are logged on it. Undo the Tasks first, by their domain or hour."
    ),
    "unclear": (
        "Salesforce did not answer, and it could not be determined whether it was deleted. Check "
        "in Salesforce."
    ),
    "unreadable": (
        "The connected Salesforce user cannot read all records that may refer to it, so it cannot "
        "be determined whether there are any."
    ),
}

STATES: Final[Mapping[str, tuple[str, str]]] = {
    "running": ("In progress", "accent"),
    "stopping": ("Stopping", "warn"),
    "done": ("Done", "good"),
    "stopped": ("Stopped", "warn"),
}

RECORDS: Final[Mapping[str, tuple[str, str]]] = {
    row.name: (row.name, f"{row.name}s") for row in (CONTACT, LEAD, TASK)
}


_ENDED: Final[Mapping[str, str]] = {
    "done": "Finished",
    "stopped": "Stopped",
    "disconnected": "Stopped, because Salesforce was disconnected",
}


def ended_text(state: str, reason: str) -> str:
    """How a run ended, without a full stop: when follows."""
    return _ENDED.get(reason) or _ENDED.get(state, "")


_WAITS: Final[Mapping[str, str]] = {
    "outcome_unclear": (
        "Salesforce did not answer the last request. The undo continues once it is known what "
        "was deleted."
    ),
    "rate_limited": (
        "Salesforce is not accepting more requests for now. It continues automatically."
    ),
    "connection_lost": "The connection to Salesforce is lost. It continues once you reconnect.",
    "connection_barred": (
        "Salesforce is refusing the connection for now. It continues automatically."
    ),
}


def waits_sentence(reason: str) -> str:
    """What a run waits for; "" when it does not."""
    if not reason:
        return ""
    return _WAITS.get(reason, "Salesforce is not responding. It continues automatically.")


def left_sentence(reason: str) -> str:
    """Why a record is left; the code itself for one not in the table."""
    return LEFT.get(reason, reason)


STEPS: Final[Mapping[str, str]] = {
    "colleagues": "most Contacts with this email domain have it",
    "website": "its Website is this email domain",
    "chosen": "chosen on the Automation tab",
    "none": "No Account is proposed: none or several fit this email domain.",
}

_REPAIRED: Final[Mapping[str, tuple[str, str]]] = {
    "attach": ("person has an Account now", "people have an Account now"),
    "take_back": ("person has no Account again", "people have no Account again"),
}


def told_sentence(
    what: str, *, done: int, refused: int, left: int, unclear: int, count: Callable[[int], str]
) -> str:
    """What became of the people who were chosen, in one line. `count` is how its reader writes a
    number."""
    parts = [f"{count(done)} {_REPAIRED[what][done != 1]}."]
    if left:
        parts.append(f"{count(left)} left as they are, because something has changed since.")
    if refused:
        parts.append(f"{count(refused)} refused by Salesforce.")
    if unclear:
        parts.append(
            f"For {count(unclear)}, Salesforce did not answer; reload this page in half a minute "
            "to see what was saved."
        )
    return " ".join(parts)
