"""What people call the automations' actions, their records and their switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keeping_plugin.objects import CONTACT, TASK
from keeping_plugin.types import Action

# Pages find an action again by its title, so no two are alike.
TITLES: Final[Mapping[Action, str]] = {
    Action.ADD_CONTACT: "Add as Contact",
    Action.LOG_TASK: "Log as Task",
}

# What an action makes of a message, as a tag in the previews.
RECORDS: Final[Mapping[Action, str]] = {
    Action.ADD_CONTACT: CONTACT.name,
    Action.LOG_TASK: TASK.name,
}

# The switches in the audit trail, by their columns in keeping_mailbox_policy.
SWITCHES: Final[Mapping[str, str]] = {
    "add_contacts": "adding Contacts",
    "log_tasks": "logging Tasks",
}
