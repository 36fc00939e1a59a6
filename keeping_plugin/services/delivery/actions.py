"""What the automations do in Salesforce: one row an action.

The rest of the delivery asks these rows and knows no action by name. Which fields an action cannot
do without stands in `schema/sending`; who takes it for which message, in `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from keeping_plugin.addresses import address_key
from keeping_plugin.errors import DuplicatesFound, RecordRejected, SalesforceError
from keeping_plugin.mail.company_name import lead_company
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.mail.task import task_text
from keeping_plugin.models import Connection, EntryState, MailboxPolicy, SyncEntry
from keeping_plugin.objects import LEAD, TO_ACCOUNT
from keeping_plugin.services.ledger.outcome import Outcome, done, words
from keeping_plugin.services.people.making import WITHOUT_ACCOUNT
from keeping_plugin.services.people.policy import AddAs, PeopleChoices
from keeping_plugin.time_zones import zone
from keeping_plugin.types import Action, Address, Conversation, Message, Value

PERSON_GONE = frozenset({"INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED"})


# Salesforce did not take the Account of a new Contact: deleted a moment ago, or not for this user
# to see. It is looked for once more, then the Contact is added without one.
ACCOUNT_REFUSED = "account_refused"
# The refusal may be about the chosen Account without naming it. If Salesforce accepts the Contact
# without the Account, it was.
CHOSEN_DOUBTED = "chosen_account_doubted"
ACCOUNT_OPEN = "account_open"  # it shares a domain with more people than could be looked through
_RECORD_ID = re.compile(r"\b(?=[A-Za-z]{0,17}\d)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b", re.ASCII)
_ACCOUNT_GONE = PERSON_GONE | {"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}


def without_account(row: SyncEntry) -> bool:
    """Whether somebody is added without an Account, because Salesforce refused theirs."""
    return row.reason == CHOSEN_DOUBTED or WITHOUT_ACCOUNT in (row.reason, row.note)


def refuses_account(error: SalesforceError, account_id: str) -> bool:
    """Whether a refusal may be about the Account that the record refers to: Salesforce often names
    neither a field nor an id. If it names another record's id, it is about that one."""
    return names_account(error, account_id) or any(
        each.code in _ACCOUNT_GONE and not each.fields and not _RECORD_ID.search(each.message)
        for each in error.complaints
    )


def names_account(error: SalesforceError, account_id: str) -> bool:
    """Whether a refusal says that it is about this Account. In messages ids have 15 characters, or
    18, of which the first 15 are significant."""
    return any(
        each.code in _ACCOUNT_GONE
        and set(each.fields) <= {TO_ACCOUNT}
        and (bool(each.fields) or account_id[:15] in each.message)
        for each in error.complaints
    )


class Look(Enum):
    """How an earlier send of an entry is looked for."""

    ADDRESS = auto()  # it made the person with the entry's address
    MARKER = auto()  # it made a Task whose Subject ends in the entry's marker


@dataclass(frozen=True, slots=True)
class Material:
    """What a record is made from. `address` is the one that is claimed and looked for, `marker`
    what the record is found again by."""

    message: Message
    conversation: Conversation | None
    address: str
    marker: str
    mailbox_names: Collection[str]
    connection: Connection
    choices: PeopleChoices = field(default_factory=PeopleChoices)


@dataclass(frozen=True, slots=True)
class Payload:
    """The fields of a record, but for the person that it is about. `note`: what an admin is to know
    of it, a code of wording.entries.NOTES. `fingerprint`: by what copies of its mail are
    recognized, where one mail is logged once."""

    fields: Mapping[str, Value]
    note: str | None = None
    fingerprint: str | None = None
    object: str = ""  # where it is another than the action's


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """`made` is the reason of an entry whose record was created. `person_field` is the field that
    holds the Contact whom a record needs; an action without one adds that Contact. `read` says what
    a refusal means that means something else for other actions, given the row and the org's key
    field; None: nothing of its own. `marker_kind` keeps its markers from being those of another
    action on the same message."""

    object: str
    made: str
    look: Look
    person_field: str | None
    switched_on: Callable[[MailboxPolicy], bool]
    payload: Callable[[Material], Payload]
    read: Callable[[SyncEntry, SalesforceError, str | None], Outcome | None]
    marker_kind: str = ""

    @property
    def adds_person(self) -> bool:
        """Whether it is about nobody else: it adds the Contact whom other actions need."""
        return self.person_field is None


def _person(material: Material) -> Payload:
    customer = material.message.customer
    if customer is None or address_key(customer.email) != material.address:
        customer = Address(material.address)  # whatever the host says of the customer now
    fields = contact_fields(customer, not_names=material.mailbox_names)
    if material.choices.add_as is not AddAs.LEAD:
        return Payload(fields)
    company = lead_company(customer, material.message)
    return Payload({**fields, "Company": company}, object=LEAD.name)


def _read_person(row: SyncEntry, error: SalesforceError, key_field: str | None) -> Outcome | None:
    if isinstance(error, DuplicatesFound) or (
        isinstance(error, RecordRejected) and "DUPLICATES_DETECTED" in error.codes
    ):
        return done("duplicate_rule", None, words=words(error.complaints))
    return None


def _task(material: Material) -> Payload:
    connection = material.connection
    made = task_text(
        material.message,
        conversation=material.conversation,
        marker=material.marker,
        zone=zone(connection.timezone),
    )
    fields = dict(made.fields)
    if connection.task_status:
        fields["Status"] = connection.task_status
    if connection.activity_key_field:
        fields[connection.activity_key_field] = material.marker
    return Payload(fields, made.note)


def _read_task(row: SyncEntry, error: SalesforceError, key_field: str | None) -> Outcome | None:
    if _already_there(error, key_field):
        return done("logged", None)
    if error.codes & PERSON_GONE and row.reason != "person_gone":
        return Outcome(EntryState.PENDING, "person_gone", 0.0)
    return None


def _already_there(error: SalesforceError, key_field: str | None) -> bool:
    # "duplicate value found: Keeping_Key__c duplicates value on record with id: 00T...": only this
    # field's being taken says that our own Task is there.
    return key_field is not None and any(
        each.code == "DUPLICATE_VALUE"
        and (key_field.lower() in each.message.lower() or key_field in each.fields)
        for each in error.complaints
    )


ACTIONS: Mapping[Action, ActionSpec] = {
    Action.ADD_CONTACT: ActionSpec(
        "Contact",
        made="created",
        look=Look.ADDRESS,
        person_field=None,
        switched_on=lambda policy: policy.add_contacts,
        payload=_person,
        read=_read_person,
    ),
    Action.LOG_TASK: ActionSpec(
        "Task",
        made="logged",
        look=Look.MARKER,
        person_field="WhoId",
        switched_on=lambda policy: policy.log_tasks,
        payload=_task,
        read=_read_task,
    ),
}


def spec_of(row: SyncEntry) -> ActionSpec:
    """What this row is to do."""
    return ACTIONS[Action(row.action)]
