"""Labels of the automations' outcomes on the Activity tab and in its chart."""

from __future__ import annotations

from collections.abc import Mapping

OUTCOMES: Mapping[str, str] = {
    "created": "Contacts created",
    "logged": "Tasks logged",
    "refused": "Refused by the rules",
    "waiting": "Waiting for a Contact",
    "failed": "Failed",
    "on_its_way": "In progress",
    "nothing_to_add": "Nothing to add",
    "held": "Held for review",
    "not_sent": "Not sent",
    "undone": "Undone",
}

# An admin's buttons on an entry, and what the next page says.
PRESSED: Mapping[str, str] = {
    "again": "Trying again. Reload this page to see the result.",
    "there": "Marked as already in Salesforce. Nothing will be sent.",
    "send": "Sending again. Reload this page to see the result.",
    "all": "Trying all of them again. Reload this page to see the results.",
}


# An admin's buttons on what is held for review, and what the next page says.
REVIEWED: Mapping[str, str] = {
    "all": "They are being added. Activity shows the result.",
    "add": "They are being added. Activity shows the result.",
    "skip": "The domain is now skipped. Nothing from it is held any more.",
}


# What the limits for new people would make of one more now.
LIMITS: Mapping[str, str] = {
    "under_review": "This person is held for review already.",
    "would_hold": "The limits for new people would hold this person for review now.",
    "would_pass": "The limits for new people would let this person pass now.",
}


def retry_all_label(reason: str) -> str:
    """The button that tries every failed entry of one cause again. For an unknown outcome it
    only checks whether the record arrived."""
    return "Check all again" if reason == "outcome_unknown" else "Try all again"
