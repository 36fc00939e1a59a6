"""The audit trail in words: a title for each action, and what its detail says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from keeping_plugin.wording.actions import SWITCHES
from keeping_plugin.wording.barred import barred_reason
from keeping_plugin.wording.logins import REASONS

TITLES: Mapping[str, str] = {
    "connected": "Connected Salesforce",
    "reconnected": "Reconnected Salesforce",
    "signed_in_to_other_org": "Signed in to a different org (awaiting confirmation)",
    "org_confirmed": "Confirmed the different org",
    "org_refused": "Rejected the different org",
    "connection_lost": "Salesforce ended the connection",
    "connection_barred": "Salesforce began refusing the connection",
    "connection_unbarred": "Salesforce accepts the connection again",
    "disconnected": "Disconnected Salesforce",
    "grant_revoked": "Access revoked at Salesforce",
    "grant_revoke_given_up": "Access could not be revoked at Salesforce",
    "login_refused": "Salesforce login did not complete",
    "denied": "Access denied",
    "schema_refreshed": "Refreshed Salesforce fields",
    "preflight": "Checked the connection",
    "fields_chosen": "Changed the fields agents see",
    "address_fields_chosen": "Changed which address fields find people",
    "automation_changed": "Changed automations",
    "people_changed": "Changed how new people are added",
    "agent_matched": "Changed which Salesforce user an agent is",
    "agents_checked": "Checked all agents against Salesforce users again",
    "skip_list_changed": "Changed the skipped domains",
    "record_created": "Created a record in Salesforce",
    "record_updated": "Changed a record in Salesforce",
    "record_picked": "Chose the record for an address",
    "pick_removed": "Removed the choice for an address",
    "pick_followed": "The record chosen for an address was merged or converted",
    "records_searched": "Searched for records to link",
    "org_searched": "Searched Salesforce",
    "create_changed": "Changed what agents may create",
    "search_switched": "Changed whether agents may search Salesforce",
    "address_field_named": "Chose the field that agents add addresses to",
    "entry_retried": "Retried a failed entry",
    "entry_settled": "Resolved an entry with an unknown outcome",
    "logged_by_hand": "Logged a message by hand",
    "kept_out": "Chose not to log a message or conversation",
    "let_in": "Let a conversation be logged again",
    "held_added": "Added people held for review",
    "held_skipped": "Skipped a domain held for review",
    "backfill_started": "Started importing earlier mail",
    "backfill_changed": "Paused, resumed or cancelled an import",
    "undo_started": "Started an undo",
    "undo_stopped": "Stopped an undo",
    "record_deleted": "Deleted a record in Salesforce (undo)",
    "address_allowed": "Allowed an address to be added again",
    "keys_rotated": "Re-encrypted the stored tokens",
    "person_forgotten": "Erased data about a person",
    "unusual_use": "Unusually many Salesforce requests",
}

# What a denied request asked for, by route.
_ROUTES: Mapping[str, str] = {
    "panel": "the panel of a conversation",
    "pick": "choosing a record",
    "use": "using a duplicate",
    "search": "a search for records",
    "find": "a search in Salesforce",
    "unpick": "removing a choice",
    "address": "adding an address to a record",
    "creating": "what agents may create",
    "create_form": "the fields of a form for new records",
    "finding": "the page about searching Salesforce",
    "create": "adding a person",
    "conversation_log": "a conversation's log",
    "retry_entry": "retrying an entry",
    "log_now": "logging a message by hand",
    "do_not_log": "choosing not to log a message or conversation",
    "log_again": "logging a conversation again",
    "edit_record": "editing a record",
    "edit_field": "editing a field",
    "field": "viewing a field",
    "openapi": "the description of the API",
    "settings": "the Salesforce settings",
    "connect": "connecting Salesforce",
    "connect_status": "the status of a login",
    "confirm": "confirming a different org",
    "disconnect": "disconnecting Salesforce",
    "preflight": "the connection check",
    "schema": "refreshing Salesforce fields",
    "schema_progress": "the status of a refresh",
    "oauth_callback": "the return from a Salesforce login",
    "oauth_done": "the end of a Salesforce login",
    "fields": "the fields agents see",
    "automation": "the automations",
    "automation_brake": "the limits for new people",
    "automation_once": "logging the same mail once",
    "people": "how new people are added",
    "people_values": "the values for new records",
    "automation_skip": "the skipped domains",
    "automation_try": "trying an address",
    "automation_preview": "a preview of the automations",
    "owners": "the owners of records",
    "agent_user": "an agent's Salesforce user",
    "backfill": "a preview of an import",
    "backfill_start": "starting an import",
    "backfill_progress": "the progress of an import",
    "backfill_change": "changing an import",
    "activity": "the Activity tab",
    "repair": "people without an Account",
    "undo": "the undo page",
    "undo_confirm": "undoing what the automations made",
    "undo_run": "the progress of an undo",
    "undo_progress": "the progress of an undo",
    "undo_stop": "stopping an undo",
    "undo_allow": "allowing an address to be added again",
    "held": "the people held for review",
    "audit": "the Audit tab",
}

_WRITES: Mapping[str, str] = {
    "automation": "by an automation",
    "outcome_unclear": "Salesforce did not answer, so it may or may not have been saved",
    "repair": "an Account was attached",
    "repair_taken_back": "an attached Account was taken back",
    "found": "by an earlier save that Salesforce had not answered",
    "duplicate_used": "an existing record was used instead of a duplicate",
}

_RUN_STATES: Mapping[str, str] = {
    "running": "resumed",
    "paused": "paused",
    "cancelled": "cancelled",
    "done": "finished",
}

_DOMAINS: Mapping[str, str] = {
    "remove": "one domain removed",
    "log": "mail of one domain is logged again",
    "unlog": "mail of one domain is no longer logged",
}


def title_of(action: str) -> str:
    """The title of a code; the code itself for one not in the table."""
    return TITLES.get(action, action)


# How whoever reads writes a count.
Count = Callable[[int], str]
ENGLISH: Final[Count] = "{:,}".format


def detail_text(action: str, detail: str, count: Count = ENGLISH) -> str:
    """A row's detail as text; the raw detail if there is no better text."""
    if detail and action in _COUNTED:
        return _COUNTED[action](detail, count) or detail
    say = _DETAILS.get(action)
    return (say(detail) if say is not None and detail else "") or detail


def _numbers(detail: str) -> dict[str, str]:
    """`name=value` pairs, as several details have them."""
    return dict(re.findall(r"(\w+)=(\w+)", detail))


def _count(number: str, one: str, many: str, count: Count) -> str:
    return f"{count(int(number))} {one if number == '1' else many}" if number.isdecimal() else ""


def _found(detail: str, count: Count) -> str:
    return _count(_numbers(detail).get("found", ""), "record found", "records found", count)


def _switches(detail: str) -> str:
    states = _numbers(detail)
    return ", ".join(
        f"{name} {'on' if states[key] == 'true' else 'off'}"
        for key, name in SWITCHES.items()
        if key in states
    )


def _domains(detail: str, count: Count) -> str:
    what, _, number = detail.partition(" ")
    return _count(number, "domain added", "domains added", count) or _DOMAINS.get(what, "")


def _run(detail: str) -> str:
    number, _, state = detail.partition(" ")
    return f"import {number} {_RUN_STATES.get(state, state)}".rstrip()


def _requests(detail: str, count: Count) -> str:
    numbers = _numbers(detail)
    if "searches" in numbers:
        return _count(numbers["searches"], "search today", "searches today", count)
    requests = _count(numbers.get("requests", ""), "request today", "requests today", count)
    usual = numbers.get("usual", "")
    return f"{requests}, {count(int(usual))} on a usual day" if requests and usual else requests


# The choices of services/people/policy.
_CHOICES: Mapping[str, str] = {
    "add_as": "Contact or Lead",
    "by_colleagues": "Account by colleagues",
    "by_website": "Account by website",
    "account_id": "Account for all others",
    "owner": "owner",
    "owner_id": "chosen owner",
    "defaults": "default values",
    "an_hour": "people an hour",
    "burst": "people of one domain",
    "once_per_mail": "one mail in several mailboxes",
    "company": "as the company again",
}


def _choices(detail: str) -> str:
    return ", ".join(_CHOICES[name] for name in detail.split() if name in _CHOICES)


_CHOSEN_BY: Mapping[str, str] = {
    "entry": "one action",
    "run": "an import",
    "hour": "one hour",
    "domain": "one domain",
}


def _undo(detail: str, count: Count) -> str:
    number, _, rest = detail.partition(" ")
    by, _, chosen = rest.partition(" ")
    records = (
        f"more than {count(10_000)} records"
        if chosen.endswith("+")
        else _count(chosen, "record", "records", count)
    )
    return f"undo {number}: {_CHOSEN_BY.get(by, by)}, {records} chosen" if records else ""


_CREATES: Mapping[str, str] = {
    "allowed=on": "switched on",
    "allowed=off": "switched off",
    "assigned=on": "the org's assignment rules apply",
    "assigned=off": "the org's assignment rules no longer apply",
}


def _creates(detail: str) -> str:
    return ", ".join(_CREATES[one] for one in detail.split() if one in _CREATES)


_COUNTED: Mapping[str, Callable[[str, Count], str]] = {
    "records_searched": _found,
    "org_searched": _found,
    "skip_list_changed": _domains,
    "undo_started": _undo,
    "unusual_use": _requests,
    "keys_rotated": lambda detail, count: _count(detail, "token", "tokens", count),
}
_DETAILS: Mapping[str, Callable[[str], str]] = {
    "automation_changed": _switches,
    "people_changed": _choices,
    "create_changed": _creates,
    "backfill_started": _run,
    "backfill_changed": _run,
    "undo_stopped": lambda detail: f"undo {detail}",
    "record_deleted": lambda detail: f"undo {detail}",
    "logged_by_hand": lambda detail: "the rules refused it" if detail else "",
    "kept_out": lambda detail: f"a {detail}",
    "connection_barred": lambda detail: barred_reason(detail).means,
    "login_refused": lambda detail: REASONS.get(detail, ""),
    "denied": lambda detail: _ROUTES.get(detail, ""),
    "record_created": lambda detail: _WRITES.get(detail, ""),
    "record_updated": lambda detail: _WRITES.get(detail, ""),
}
