"""Entries of the ledger in plain words: their states and the reasons for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# State, or held: a label, and its tone (good, accent, warn, bad or none).
STATE_TAGS: Mapping[str, tuple[str, str]] = {
    "done": ("Done", "good"),
    "pending": ("In progress", "accent"),
    "sending": ("In progress", "accent"),
    "held": ("Held", "warn"),
    "waiting": ("Waiting", "warn"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Not sent", ""),
    "refused": ("Refused", ""),
}

# How the panel counts a conversation's messages: the states, what it calls them, and the tone, in
# this order.
COUNTED: Sequence[tuple[frozenset[str], str, str]] = (
    (frozenset({"done"}), "logged", ""),
    (frozenset({"pending", "sending"}), "in progress", ""),
    (frozenset({"waiting"}), "waiting", "warn"),
    (frozenset({"failed"}), "failed", "bad"),
    (frozenset({"refused", "cancelled"}), "not logged", ""),
)

ENTRY_SENTENCES: Mapping[str, str] = {
    # done
    "created": "A new Contact was created.",
    "exists": "This address was already in Salesforce, so nothing was added.",
    "logged": "Logged on the Contact's timeline.",
    "duplicate_rule": "A duplicate rule in your Salesforce org blocked it, so nothing was added.",
    "logged_elsewhere": "The same mail was already logged from another mailbox.",
    "confirmed": "Someone checked and found it in Salesforce.",
    "undone": "An admin undid this: the record was deleted from Salesforce.",
    # in progress
    "held": (
        "Held for review, because more new people wrote than your company’s limits let through. "
        "An admin decides on the Activity tab."
    ),
    "contact_first": "Will be logged as soon as the Contact has been added.",
    "copy_first": (
        "The same mail is being logged from another mailbox, or was sent from there with an "
        "unknown outcome. It is logged from here only if it was not logged there."
    ),
    "address_busy": "This person is being added right now; it will be retried in a moment.",
    "account_refused": "Salesforce did not accept the Account; looking for the right one again.",
    "without_account": "Salesforce did not accept the Account; this person is added without one.",
    "chosen_account_doubted": (
        "Salesforce may have refused the Account, so this person is added without one."
    ),
    "account_open": (
        "This person’s domain has very many Contacts or Accounts; their Account is still being "
        "looked for."
    ),
    "message_missing": (
        "The inbox cannot provide the message right now; it will be retried for ten minutes."
    ),
    "outcome_unclear": "Salesforce did not answer; checking whether it arrived.",
    "owner_refused": (
        "Salesforce did not accept the chosen owner; it will be sent without one, so that the "
        "connected user owns it."
    ),
    "key_field_gone": (
        "The field your Salesforce admin added for these Tasks is gone; the Task will be "
        "sent without it."
    ),
    "internal_error": (
        "Something went wrong inside Salesforce. It will be checked there, then retried "
        "automatically."
    ),
    "unavailable": "Salesforce could not accept it; it will be retried automatically.",
    "row_locked": "Someone else is saving this record; it will be retried automatically.",
    "rate_limited": (
        "Your Salesforce org is not accepting more requests for now; it will be retried later."
    ),
    "budget": "Automations are paused until your Salesforce org can take more requests.",
    "read_refused": (
        "The connected Salesforce user cannot look people up; this continues automatically "
        "once that is fixed in Salesforce."
    ),
    "org_closed": (
        "Your Salesforce org accepts nothing from this inbox for now; this continues automatically."
    ),
    "helpdesk_failed": (
        "This inbox could not provide the message; its operator can find the reason in the "
        "log and with `flask keeping doctor`."
    ),
    "connection_lost": (
        "The connection to Salesforce is lost; this continues once an admin reconnects."
    ),
    "connection_barred": (
        "Salesforce is refusing the connection for now; this continues automatically."
    ),
    # waiting
    "several_contacts": (
        "Several Contacts have this address in another field, none as Email. It will be logged "
        "once an agent chooses one in the panel."
    ),
    "no_contact": (
        "No Contact has this address yet. It will be logged if one appears within 14 days."
    ),
    # failed
    "rejected": "Salesforce refused it.",
    "duplicates": "A duplicate rule in your Salesforce org blocked it.",
    "permission_denied": "The connected Salesforce user does not have permission to do this.",
    "schema_stale": "A field or a value no longer exists in Salesforce.",
    "record_not_found": "The record is no longer in Salesforce.",
    "person_gone": "The Contact was deleted or merged while it was being logged.",
    "no_outcome": "Salesforce returned no usable answer, several times in a row.",
    "outcome_unknown": (
        "Salesforce did not answer, and it could not be determined whether it arrived. Check "
        "in Salesforce before you try again."
    ),
    # cancelled
    "address_encrypted": (
        "Your Salesforce org encrypts email addresses, so there is no reliable way to check "
        "whether this customer already exists. Add them manually in the panel."
    ),
    "disconnected": "Salesforce was disconnected before it was sent.",
    "other_org": "A different Salesforce org was connected before it was sent.",
    "domain_skipped": "An admin skipped this domain while the person was held for review.",
    "not_reviewed": "It was held for review, and nobody reviewed it in time.",
    "switched_off": "The automation was switched off for the mailbox before it was sent.",
    "message_deleted": "The message was deleted before it was sent.",
    "mailbox_deleted": "The mailbox was deleted before it was sent.",
    "nobody_to_find": (
        "It was sent by a mail server or another program, and no Contact has its address, so "
        "it was not logged."
    ),
    "undone_before": (
        "An undo deleted the person with this address from Salesforce, so they are not added "
        "again. An admin can allow it under Activity › Undo."
    ),
    "kept_out": "An agent chose not to log it.",
    "mailbox_moved": "The message was moved to another mailbox before it was sent.",
    "customer_changed": (
        "The conversation's customer has changed, and the rules refuse the new one."
    ),
}

# What an entry's `note` says beside its reason.
LEAD_CREATED = "A new Lead was created."

NOTES: Mapping[str, str] = {
    "text_too_slow": (
        "The text took too long to process, so the Task has only its beginning and a link to "
        "the conversation."
    ),
    "owner_refused": (
        "The connected user owns the record, because Salesforce did not accept the chosen owner: "
        "they are inactive, or not allowed to own such records."
    ),
    "owner_no_agent": (
        "The connected user owns the record, because no agent wrote the message or was assigned "
        "to its conversation."
    ),
    "owner_no_user": (
        "The connected user owns the record, because the agent has no matching Salesforce user."
    ),
    "owner_no_account": (
        "The connected user owns the record, because it belongs to no Account with an active owner."
    ),
    "owner_not_allowed": (
        "The connected user owns the record, because they cannot give such records to the chosen "
        "owner."
    ),
    "without_account": (
        "Salesforce did not take the Account, which may have been deleted or hidden from the "
        "connected user, so this Contact was added without one."
    ),
    "chosen_account_gone": (
        "Salesforce does not take the Account chosen on the Automation tab, so this Contact was "
        "added without one."
    ),
    "account_unanswered": (
        "Salesforce did not say in time which Account this person belongs to, so this Contact was "
        "added without one."
    ),
}

# What answers an agent who decides by hand.
LOGGED_BEFORE = (
    "This message was handled earlier, and its outcome is no longer stored. Check in Salesforce "
    "whether it was logged."
)
LOGGED_ALREADY = (
    "This message is already logged. An admin can undo that on the Activity tab of the Salesforce "
    "settings."
)
NOT_BY_HAND_YET = (
    "Until an operator has run `flask keeping db contract`, processes of version 0.1.0 may still "
    "be running and would ignore what agents decide by hand."
)
# Of a message that was sent before an agent chose not to log it.
TOO_LATE = "{agent} chose not to log this, but it had already been sent. An admin can undo it."
BY_HAND = "By hand: {agent}."

# Where the state tells more than the reason, or there is no reason yet.
_BY_STATE: Mapping[tuple[str, str], str] = {
    ("pending", ""): "In progress.",
    ("sending", ""): "Being sent.",
    ("pending", "person_gone"): "The Contact was deleted or merged; looking for another one.",
    **{
        (
            "failed",
            reason,
        ): "Salesforce refused it for a whole day, for a reason that is usually temporary."
        for reason in ("internal_error", "unavailable", "row_locked", "rate_limited")
    },
    ("cancelled", "no_contact"): "No Contact with this address appeared within 14 days.",
}


def entry_sentence(reason: str, state: str = "") -> str:
    """The sentence of a reason code in a state; the code itself for one not in the table."""
    return _BY_STATE.get((state, reason)) or ENTRY_SENTENCES.get(reason, reason)


def occasion_text(occasion: str) -> str:
    """Why the rules looked at a message when it was not because it arrived; "" when it was."""
    if occasion.startswith("backfill:"):
        return "imported"
    if occasion.startswith("agent:"):
        return "decided by hand"
    return "" if occasion == "live" else "checked again for a different customer"
