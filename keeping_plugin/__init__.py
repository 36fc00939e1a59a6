"""Salesforce beside every conversation: a Flask plugin for shared inboxes.

A host needs the names below and nothing else; see docs/guide.md.
"""

from keeping_plugin.errors import ConfigurationError, KeepingError
from keeping_plugin.extension import KeepingSalesforce, current_salesforce
from keeping_plugin.models.migrate import host_include_name
from keeping_plugin.ports import HelpDesk
from keeping_plugin.types import (
    Address,
    Agent,
    Conversation,
    Direction,
    Mailbox,
    Message,
    MessageArrived,
    OpenedBy,
)

__version__ = "0.1.0"

__all__ = [
    "Address",
    "Agent",
    "ConfigurationError",
    "Conversation",
    "Direction",
    "HelpDesk",
    "KeepingError",
    "KeepingSalesforce",
    "Mailbox",
    "Message",
    "MessageArrived",
    "OpenedBy",
    "current_salesforce",
    "host_include_name",
]
