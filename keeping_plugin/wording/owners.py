"""Owners of records in words: the choices of an admin, and what is known of each agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class OwnerText(NamedTuple):
    """What a choice is called, and what it does."""

    title: str
    effect: str


# By the codes of services/people/policy.Owner.
OWNERS: Mapping[str, OwnerText] = {
    "connecting_user": OwnerText(
        "The connected user", "Every record belongs to the Salesforce user of the connection."
    ),
    "chosen_user": OwnerText("One user", "Every record belongs to the user you choose."),
    "account_owner": OwnerText(
        "The owner of the Account",
        "A person and their Tasks belong to whoever owns their Account in Salesforce.",
    ),
    "agent": OwnerText(
        "The agent",
        "A record belongs to the agent who wrote the message, or to whom its conversation is "
        "assigned.",
    ),
}


class MatchText(NamedTuple):
    """A label, its tone, and what an admin is to know."""

    label: str
    tone: str
    sentence: str


# By the codes of services/people/agents.Match.
MATCHES: Mapping[str, MatchText] = {
    "": MatchText(
        "Not checked", "", "Salesforce has not been asked yet, or would not say. Try Check again."
    ),
    "matched": MatchText("Matched", "good", ""),
    "several": MatchText(
        "Several users", "warn", "Several active users have this address. Choose the right one."
    ),
    "none": MatchText(
        "No user",
        "warn",
        "No active user has this address as their email address, username or Federation ID.",
    ),
    "no_address": MatchText("No address", "warn", "The inbox provides no valid address."),
    "chosen": MatchText("Set by an admin", "good", ""),
    "inactive": MatchText("Inactive user", "bad", "The user that an admin set is not active."),
    "nobody": MatchText("Not a user", "", "Set by an admin."),
}
