"""The named tests that the rule table is made of: pure, total, one question each.

Each answers "may it go on, as far as this question goes?". A missing customer or an invalid
address is refused once for that, and not again by checks that cannot know more.
"""

from __future__ import annotations

from keeping_plugin.addresses import salesforce_forms
from keeping_plugin.rules.facts import Facts


def salesforce_is_connected(facts: Facts) -> bool:
    return facts.connected


def auto_add_is_on(facts: Facts) -> bool:
    return facts.add_contacts


def logging_is_on_or_asked_for(facts: Facts) -> bool:
    return facts.log_tasks or facts.asked_by != ""


def no_agent_keeps_it_out(facts: Facts) -> bool:
    return facts.kept_out_by == "" or facts.asked_by != ""


def customer_wrote_it(facts: Facts) -> bool:
    return facts.inbound


def opens_its_conversation(facts: Facts) -> bool:
    return facts.opens_conversation


def names_a_customer(facts: Facts) -> bool:
    return facts.customer != ""


def address_is_valid(facts: Facts) -> bool:
    return facts.address != "" or facts.customer == ""


def address_fits_salesforce(facts: Facts) -> bool:
    return facts.address == "" or bool(salesforce_forms(facts.address))


def customer_is_external(facts: Facts) -> bool:
    return not facts.internal


def domain_is_not_skipped(facts: Facts) -> bool:
    return not facts.skipped


def domain_may_be_logged(facts: Facts) -> bool:
    return not facts.unlogged


def nothing_was_auto_submitted(facts: Facts) -> bool:
    return not facts.auto_submitted


def is_no_delivery_report(facts: Facts) -> bool:
    return not facts.delivery_report


def is_not_from_a_list(facts: Facts) -> bool:
    return not facts.mailing_list


def is_no_calendar_reply(facts: Facts) -> bool:
    return not facts.calendar_reply


def somebody_reads_replies(facts: Facts) -> bool:
    return not facts.no_reply
