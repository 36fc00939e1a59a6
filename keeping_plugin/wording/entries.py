"""Why an entry stands where it stands, in plain words: its reason codes in one table."""

from __future__ import annotations

from collections.abc import Mapping

ENTRY_SENTENCES: Mapping[str, str] = {
    # done
    "created": "A new Contact was created.",
    "exists": "Somebody with this address was in Salesforce already; nothing was added.",
    "logged": "It stands in the Contact's activity timeline.",
    "duplicate_rule": "A duplicate rule of your Salesforce org refused it, so nothing was added.",
    "confirmed": "A person looked and found it in Salesforce.",
    # on its way
    "contact_first": "It follows as soon as the Contact has been added.",
    "address_busy": "This person is being added just now; it goes on in a moment.",
    "message_missing": (
        "The inbox does not show the message at the moment; it is asked again for ten minutes."
    ),
    "outcome_unclear": "Salesforce did not answer; whether it arrived is being looked up.",
    "key_field_gone": (
        "The field that Salesforce admins added for these Tasks is gone; it is sent without it."
    ),
    "internal_error": (
        "Something went wrong inside Salesforce. It is looked up there, then tried again by itself."
    ),
    "unavailable": "Salesforce could not take it just now; it is tried again by itself.",
    "row_locked": "Somebody else is saving the record at this moment; it is tried again by itself.",
    "rate_limited": "Your Salesforce org takes no more requests for now; it is tried again later.",
    "budget": "Automations pause until your Salesforce org has room for more requests.",
    "read_refused": (
        "Salesforce does not let the connected user look people up; it goes on by itself once that "
        "is mended there."
    ),
    "org_closed": (
        "Your Salesforce org takes nothing from this inbox for now; it goes on by itself."
    ),
    "helpdesk_failed": (
        "This inbox could not give the message; whoever runs it finds the reason in its log and "
        "with `flask keeping doctor`."
    ),
    "connection_lost": "The connection to Salesforce is lost; it goes on once an admin reconnects.",
    "connection_barred": "Salesforce refuses the connection for now; it goes on by itself.",
    # waiting
    "no_contact": (
        "No Contact has this address yet. It is logged as soon as there is one, within 14 days."
    ),
    # failed
    "rejected": "Salesforce refused it.",
    "duplicates": "A duplicate rule of your Salesforce org refused it.",
    "permission_denied": "The connected Salesforce user may not do this.",
    "schema_stale": "Salesforce no longer has a field that is needed.",
    "record_not_found": "The record is no longer in Salesforce.",
    "person_gone": "The Contact was deleted or merged while it was being logged.",
    "no_outcome": "Salesforce gave no usable answer, several times.",
    "outcome_unknown": (
        "Salesforce did not answer, and whether it arrived could not be found out. Look there "
        "before you try again."
    ),
    # cancelled
    "address_encrypted": (
        "Your Salesforce org keeps e-mail addresses encrypted, so nobody can tell in time whether "
        "this customer is there already. Add them by hand in the panel."
    ),
    "disconnected": "Salesforce was disconnected before it was sent.",
    "other_org": "Another Salesforce org was connected before it was sent.",
    "switched_off": "The automation was switched off for the mailbox before it was sent.",
    "message_deleted": "The message was deleted before it was sent.",
    "mailbox_deleted": "The mailbox was deleted before it was sent.",
    "nobody_to_find": (
        "A mail server or another program sent it, and no Contact has its address. It was not "
        "logged."
    ),
    "mailbox_moved": "The message was moved to another mailbox before it was sent.",
    "customer_changed": (
        "The message names another customer by now, for whom the rules do not call for this."
    ),
}

# What an entry's `note` says beside its reason.
NOTES: Mapping[str, str] = {
    "text_too_slow": (
        "Its text took too long to read, so the Task holds only its beginning and a link to the "
        "conversation."
    ),
}

# Where the state tells more than the reason, or there is no reason yet.
_BY_STATE: Mapping[tuple[str, str], str] = {
    ("pending", ""): "It is on its way.",
    ("sending", ""): "It is being sent.",
    ("pending", "person_gone"): "The Contact was deleted or merged; another one is looked for.",
    **{
        ("failed", reason): "Salesforce refused it for a day, for something that usually passes."
        for reason in ("internal_error", "unavailable", "row_locked", "rate_limited")
    },
    ("cancelled", "no_contact"): "No Contact with this address appeared within 14 days.",
}


def entry_sentence(reason: str, state: str = "") -> str:
    """The sentence of a reason code in a state; the code itself for one not in the table."""
    return _BY_STATE.get((state, reason)) or ENTRY_SENTENCES.get(reason, reason)
