"""What an agent reads in the panel about its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Trouble(NamedTuple):
    """Why there is neither a match nor the certainty that there is none. `tone` is plain, warn or
    bad."""

    title: str
    text: str
    tone: str


class AddressWay(NamedTuple):
    """The button that begins it, the question before something is overwritten, the button that
    answers it, and how a refusal begins."""

    button: str
    question: str
    answer: str
    refused: str


_SAID = ""  # replaced by the error's own sentence

TROUBLES: Mapping[str, Trouble] = {
    "not_connected": Trouble(
        "Salesforce is not connected",
        "An admin of your inbox can connect it in Settings → Integrations → Salesforce.",
        "plain",
    ),
    "connection_lost": Trouble(
        "Connection lost",
        "Salesforce ended the connection, so no records can be shown. An admin has to reconnect it "
        "in Settings → Integrations → Salesforce. Mail that arrives meanwhile is logged "
        "afterwards.",
        "bad",
    ),
    "connection_barred": Trouble("Salesforce is refusing the connection for now", _SAID, "warn"),
    "unavailable": Trouble(
        "Salesforce is not responding",
        "It is not known right now whether this person is in Salesforce.",
        "warn",
    ),
    "known": Trouble("Waiting for Salesforce", "It has not answered yet.", "plain"),
    "limited": Trouble(
        "Salesforce is not accepting more requests",
        "Your org’s API allowance is used up for now; it is restored within a day. A Salesforce "
        "admin can see what uses it.",
        "warn",
    ),
    "crowded": Trouble("Waiting for Salesforce", _SAID, "warn"),
    "no_permission": Trouble(
        "No permission in Salesforce",
        "The connected Salesforce user cannot see Contacts or Leads, or their email addresses. A "
        "Salesforce admin can allow it.",
        "warn",
    ),
    "not_ready": Trouble(
        "Salesforce is not ready",
        "Something has to be fixed on the server first; the operator of your inbox can see what.",
        "bad",
    ),
    "describing": Trouble(
        "Reading your Salesforce fields",
        "Objects and fields are being read for the first time. This takes a few seconds.",
        "plain",
    ),
    "no_customer": Trouble(
        "No customer", "This conversation has no customer with an email address.", "plain"
    ),
}

# The panel's keys and what each does, in the order of its list. A key presses the element that
# carries it in `data-k-key`.
KEYS: Mapping[str, str] = {
    "e": "Edit all fields of the person, or of the record you are in",
    "/": "Search Salesforce, if an admin allows it",
    "r": "Ask Salesforce again",
    "?": "Show or hide this list",
    "Esc": "Close the open editor, or return to where you were before the panel",
}

# Why mail is not logged on the record that was chosen, by the panel's state.
NOT_LOGGED: Mapping[str, str] = {
    "lead": "Mail is logged on Contacts only, so not on this Lead.",
}

# The two ways to put the conversation's address onto a chosen record.
ADDRESS_WAYS: Mapping[str, AddressWay] = {
    "add": AddressWay(
        "Add the address",
        "This field already has a value",
        "Overwrite it",
        "The address cannot be added",
    ),
    "replace": AddressWay(
        "Replace the address",
        "Replace the address of this record?",
        "Replace the address",
        "The address cannot be replaced",
    ),
}

NOTICES: Mapping[str, str] = {
    "address_saved": "The address was saved in Salesforce.",
    "address_there": "The record already has this address.",
    "added": "Added to Salesforce.",
    "exists": (
        "Already in Salesforce: someone else added this person first. No duplicate was created."
    ),
}

PERSON_CHANGED = (
    "This conversation now shows a different person. Nothing was saved. Check who this is for, "
    "then save again."
)

COMPANY_SOURCES: Mapping[str, str] = {
    "account": "The Account of people with this email domain suggests the company",
    "signature": "The signature in the customer's last message suggests the company",
    "address": "The customer's address suggests the company",
}


def trouble(state: str, *, said: str, is_admin: bool) -> Trouble | None:
    """What a panel in this state says, given the sentence of its error; None when the panel shows
    what it found."""
    found = TROUBLES.get(state)
    if found is None or found.text:
        return found
    if state != "connection_barred":
        return found._replace(text=said)
    where = (
        "The settings say who can change this, and where."
        if is_admin
        else "An admin of your inbox can find out more in Settings → Integrations → Salesforce."
    )
    return found._replace(
        text=f"{said} It will be retried automatically, and mail that arrives meanwhile is logged "
        f"afterwards. {where}"
    )
