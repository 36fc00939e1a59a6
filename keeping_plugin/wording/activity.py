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


def retry_all_label(reason: str) -> str:
    """The button that tries every failed entry of one cause again. For an unknown outcome it
    only checks whether the record arrived."""
    return "Check all again" if reason == "outcome_unknown" else "Try all again"
