"""How added people are made, in words: the choices with their effects, which step found an Account,
and what is known of each agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Choice(NamedTuple):
    """A choice and its effect, in one sentence."""

    title: str
    effect: str


ADD_AS: Final[Mapping[str, Choice]] = {
    "contact": Choice(
        "As a Contact", "New customers become Contacts, and their mail is logged there."
    ),
    "lead": Choice(
        "As a Lead",
        "New customers become Leads, with the name of their company. Their mail is logged once "
        "there is a Contact with their address.",
    ),
}

# Until `flask keeping db contract`.
NO_LEADS_YET: Final = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running and would add Contacts."
)
NO_LIMITS_YET: Final = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running and would hold nobody."
)
NOT_ONCE_YET: Final = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running and would log the same mail again."
)
NOT_OWNED_YET: Final = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running. What they add belongs to the connected user."
)
NO_VALUES_YET: Final = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running. They leave these values out, and fail where your org requires one."
)
NO_ADDRESS_FIELDS_YET: Final = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running. They find people by Email only and would add these people again."
)

STEPS: Final[Mapping[str, Choice]] = {
    "by_colleagues": Choice(
        "Their colleagues’ Account",
        "The Account of most Contacts with the same email domain: at least two, more than half.",
    ),
    "by_website": Choice(
        "The Account with their website",
        "The one Account whose Website is their email domain.",
    ),
    "account_id": Choice(
        "A chosen Account",
        "Used when no other Account is found, for example for people with personal email "
        "addresses.",
    ),
}

PRIVATE: Final = (
    "A Contact without an Account is private in Salesforce: only its owner, and users who may see "
    "all Contacts, can find it and the mail logged on it."
)

# What it means that Accounts cannot be looked for or set.
NO_ACCOUNTS: Final = "New Contacts get no Account until that is changed in Salesforce."

# By the step that found the Account (services/people/accounts.Step).
_FOUND_BY: Final[Mapping[str, str]] = {
    "colleagues": "most Contacts with this email domain belong to it",
    "website": "its Website is this email domain",
    "chosen": "it is the chosen Account",
}


def prediction(add_as: str, there: str, step: str, account: str) -> str:
    """What would become of somebody: `there` is the object of the record that has the address
    already, "" for none; `account` the name of the Account that `step` found, "" for none."""
    if there:
        return f"A {there} has this address already, so nobody is added."
    if add_as == "lead":
        # A Lead belongs to no Account; the chosen one is for everybody else, so no company's name.
        if account and step != "chosen":
            return f"A Lead of the company {account} would be added: {_FOUND_BY[step]}."
        return "A Lead would be added. Its company comes from the message or the address."
    if account:
        return f"A Contact would be added to the Account {account}: {_FOUND_BY[step]}."
    return "A Contact would be added. No Account was found, so it would be private."


# Address fields beside Email, by the codes of services/people/address_fields: why one cannot find
# anybody, and what an admin should know before ticking one.
FIELD_PROBLEMS: Final[Mapping[str, str]] = {
    "gone": "Not used: it was deleted, or the connected user cannot see it.",
    "retyped": "Not used: it no longer holds email addresses.",
    "encrypted": "Not used: it is encrypted, so Salesforce cannot filter by it.",
    "unfilterable": "Not used: Salesforce cannot filter by it.",
}
FIELD_WARNINGS: Final[Mapping[str, str]] = {
    "formula": (
        "Formula: Salesforce calculates it for every record, which is slow in a large org."
    ),
    "encrypted": "Encrypted: the search may be case-sensitive.",
    "unindexed": (
        "Not indexed: Salesforce reads every record, which is slow in a large org. To index it, "
        "make it an External ID in Salesforce."
    ),
}

UNDONE: Final = (
    "An undo deleted this person from Salesforce, so they are not added again. An admin can "
    "allow it under Activity › Undo."
)
UNDECIDED: Final = (
    "Several Contacts have it in another field, none as Email: mail waits until an agent chooses "
    "one in the panel."
)
NOT_KNOWN: Final = (
    "It is not known who is already in Salesforce or which Account new people would get."
)
STEP_NOT_ANSWERED: Final = (
    "Salesforce answered only in part, so it may be a different Account next time."
)
CHOSEN_GONE: Final = (
    "Salesforce no longer takes the chosen Account: it was deleted, or the connected user cannot "
    "see it. Contacts are added without it."
)

# By the codes of services/people/policy.Owner.
OWNERS: Final[Mapping[str, Choice]] = {
    "connecting_user": Choice(
        "The connected user", "Every record belongs to the Salesforce user of the connection."
    ),
    "chosen_user": Choice(
        "One user",
        "Every record belongs to the user you choose. If you choose a queue for Leads, it owns "
        "the Leads, and Contacts and Tasks belong to the connected user.",
    ),
    "account_owner": Choice(
        "The owner of the Account",
        "A person and their Tasks belong to whoever owns their Account in Salesforce.",
    ),
    "agent": Choice(
        "The agent",
        "A record belongs to the agent who wrote the message, or else to the agent assigned to "
        "its conversation.",
    ),
}


NOBODY_NAMED: Final[Mapping[bool, str]] = {
    False: "No active user of your Salesforce org has this name.",
    True: "No active user and no queue for Leads in your Salesforce org has this name.",
}


def owner_sentence(owner: str, name: str, *, account: bool) -> str:
    """Who would own somebody who is added: `owner` is the choice, `name` the chosen user's;
    `account`: one was found for them."""
    if owner == "chosen_user":
        return f"{name} would own it."
    if owner == "agent":
        return "The agent who wrote, or else the one assigned to the conversation, would own it."
    if owner == "account_owner" and account:
        return "The owner of that Account would own it."
    return "The connected user would own it."


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
