"""How added people are made, in words: the choices with their effects, and which step found an
Account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice and its effect, in one sentence."""

    title: str
    effect: str


ADD_AS: Final[Mapping[str, Choice]] = {
    "contact": Choice("Contact", "New customers become Contacts, and their mail is logged there."),
    "lead": Choice(
        "Lead",
        "New customers become Leads, with the name of their company. Their mail is logged once "
        "there is a Contact with their address.",
    ),
}

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
        "Everyone for whom no other Account is found, such as people with personal email "
        "addresses, belongs to this one.",
    ),
}

PRIVATE: Final = (
    "A Contact without an Account is private in Salesforce: only its owner, and users who may see "
    "all Contacts, can find it and the mail logged on it."
)

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


NOT_ANSWERED: Final = (
    "Salesforce did not answer, so it is not known whether this person is already there and which "
    "Account they would get."
)
STEP_NOT_ANSWERED: Final = (
    "Salesforce did not answer all of the question; at another time it may be another Account."
)
CHOSEN_GONE: Final = (
    "Salesforce no longer takes the chosen Account: it was deleted, or the connected user cannot "
    "see it. Contacts are added without it."
)
