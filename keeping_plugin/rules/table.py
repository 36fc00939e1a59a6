"""The rules of the two automations, in the order in which an admin would check them.

This table is all there is: the intake, the settings page, `flask keeping explain`, the panel's
"why not?" and docs/rules.md read it. Whether the person is in Salesforce already is asked by the
delivery, not here: it is a question for Salesforce, and these are about the message.

Each check answers "may it go on, as far as this question goes?". A missing customer or an invalid
address is refused once for that, and not again by checks that cannot know more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from keeping_plugin.addresses import salesforce_forms
from keeping_plugin.rules.decision import Check, Rule
from keeping_plugin.rules.facts import Facts
from keeping_plugin.types import Action

CONNECTED = Check(
    "not_connected",
    lambda facts: facts.connected,
    "Salesforce is connected (a lost connection counts: work waits until it is reconnected).",
    "Salesforce is not connected.",
)
HAS_CUSTOMER = Check(
    "no_customer",
    lambda facts: facts.customer != "",
    "The message has a customer: its sender, or the person it was sent to.",
    "The message has no customer, so there is no one to look up.",
)
VALID_ADDRESS = Check(
    "invalid_address",
    lambda facts: facts.address != "" or facts.customer == "",
    "The customer's address is a valid email address.",
    "The customer's address is not a valid email address.",
)
FITS_SALESFORCE = Check(
    "address_too_long",
    lambda facts: facts.address == "" or bool(salesforce_forms(facts.address)),
    "The customer's address fits into the Email field (at most 80 characters).",
    "The customer's address is too long for the Email field (at most 80 characters).",
)
EXTERNAL = Check(
    "internal_address",
    lambda facts: not facts.internal,
    "The customer's address is not one of your own people, aliases or domains.",
    "The customer's address is one of your own people, aliases or domains.",
)

RULES: tuple[Rule, ...] = (
    Rule(
        Action.ADD_CONTACT,
        on="A customer opens a new conversation",
        require=(
            CONNECTED,
            Check(
                "auto_add_off",
                lambda facts: facts.add_contacts,
                "Auto-add is switched on for the mailbox that received the conversation.",
                "Auto-add is switched off for the mailbox that received the conversation.",
            ),
            Check(
                "not_inbound",
                lambda facts: facts.inbound,
                "The message came in from the customer.",
                "The message was sent by your team; only a customer's own message adds a person.",
            ),
            Check(
                "not_opening",
                lambda facts: facts.opens_conversation,
                "The message is the first of its conversation.",
                "The conversation already existed; only its first message adds a person.",
            ),
            HAS_CUSTOMER,
            VALID_ADDRESS,
            FITS_SALESFORCE,
            EXTERNAL,
            Check(
                "skipped_domain",
                lambda facts: not facts.skipped,
                "The customer's domain is not on the list of skipped domains.",
                "The customer's domain, or a parent domain, is on the list of skipped domains.",
            ),
            Check(
                "auto_submitted",
                lambda facts: not facts.auto_submitted,
                "A person wrote it: it is not an automatic reply or notification.",
                "A program sent it: it is marked as an automatic reply or a notification.",
            ),
            Check(
                "delivery_report",
                lambda facts: not facts.delivery_report,
                "It is not a bounce, a delivery report or a read receipt.",
                "It is a bounce, a delivery report or a read receipt.",
            ),
            Check(
                "mailing_list",
                lambda facts: not facts.mailing_list,
                "It did not come through a mailing list or a bulk mailing.",
                "It came through a mailing list or a bulk mailing.",
            ),
            Check(
                "calendar_reply",
                lambda facts: not facts.calendar_reply,
                "It is not a calendar reply to an invitation.",
                "It is a calendar reply to an invitation.",
            ),
            Check(
                "no_reply_sender",
                lambda facts: not facts.no_reply,
                "The customer's address is read by someone: it is not a no-reply address.",
                "The customer's address is one that nobody reads, such as no-reply or "
                "mailer-daemon.",
            ),
        ),
    ),
    Rule(
        Action.LOG_TASK,
        on="A message is received or sent",
        require=(
            CONNECTED,
            Check(
                "logging_off",
                lambda facts: facts.log_tasks or facts.asked_by != "",
                "Logging as Salesforce Tasks is switched on for the mailbox, or an agent logs this "
                "message by hand.",
                "Logging as Salesforce Tasks is switched off for the mailbox.",
            ),
            Check(
                "kept_out",
                lambda facts: facts.kept_out_by == "" or facts.asked_by != "",
                "No agent chose not to log this message or its conversation, or one now logs it "
                "by hand.",
                "An agent chose not to log this message or its conversation.",
            ),
            HAS_CUSTOMER,
            VALID_ADDRESS,
            FITS_SALESFORCE,
            EXTERNAL,
            Check(
                "unlogged_domain",
                lambda facts: not facts.unlogged,
                "Logging is not skipped for the customer's domain.",
                "Logging is skipped for the customer's domain or a parent domain.",
            ),
        ),
    ),
)


def version_of(rules: Iterable[Rule]) -> str:
    """Names a rule set: it changes with every code, action and fact, so nobody has to remember."""
    shape = [[rule.action, [check.code for check in rule.require]] for rule in rules]
    text = json.dumps([shape, Facts._fields])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


RULES_VERSION = version_of(RULES)

# Refusals that an agent overrides by logging a message by hand.
BY_HAND: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.action is Action.LOG_TASK)
GIVES_WAY = frozenset({"logging_off", "kept_out"})

# A code means the same in every rule.
CHECKS: dict[str, Check] = {check.code: check for rule in RULES for check in rule.require}
