"""Whose a record becomes that an automation makes, and what happens when Salesforce refuses that.

The connecting user owns what nobody else can own: no record fails because of its owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from keeping_plugin.errors import SalesforceError
from keeping_plugin.models import Connection, RefusedOwner, SyncEntry, now, upsert
from keeping_plugin.objects import ACCOUNT, CONTACT, LEAD, TASK, TO_ACCOUNT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.refusals import Advice, advice
from keeping_plugin.services.people import agents
from keeping_plugin.services.people.policy import CompanyPeople, Owner
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import DAY, Times
from keeping_plugin.types import Agent, NewRecord, ObjectSchema
from keeping_plugin.types.records import QUEUE

OWNER_FIELD: Final = "OwnerId"

# Why the connecting user owns a record although somebody else was to: codes of
# wording.entries.NOTES.
REFUSED: Final = "owner_refused"
NO_AGENT: Final = "owner_no_agent"
NO_USER: Final = "owner_no_user"
NO_ACCOUNT: Final = "owner_no_account"
NOT_ALLOWED: Final = "owner_not_allowed"
NOTES: Final = frozenset({REFUSED, NO_AGENT, NO_USER, NO_ACCOUNT, NOT_ALLOWED})

# Refusals that are always the owner's.
_CLEAR: Final = frozenset({"OP_WITH_INVALID_USER_TYPE_EXCEPTION", "TRANSFER_REQUIRES_READ"})
# Refusals that may be the owner's: whether they are, one more try without the owner tells.
_PERHAPS: Final = frozenset(
    {
        "ENTITY_IS_DELETED",
        "FIELD_INTEGRITY_EXCEPTION",
        "INACTIVE_OWNER_OR_USER",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "MALFORMED_ID",
    }
)


@dataclass(frozen=True, slots=True)
class Whose:
    """`owner_id` None: the connecting user's, as Salesforce does by itself. `note`: why it is
    theirs and not the chosen owner's."""

    owner_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose the records of a batch become. `agents` are by message, `users` the ids of users by
    agent, `refused` pairs of owner and object."""

    choices: CompanyPeople
    connecting_user: str
    agents: Mapping[str, Agent | None] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    refused: Collection[tuple[str, str]] = ()
    schemas: Mapping[str, ObjectSchema] = field(default_factory=dict)
    # The owners of Accounts are needed and can be read: those of Contacts, and of these.
    of_accounts: Sequence[str] | None = None

    def of(self, row: SyncEntry, object: str, account_owner: str | None = None) -> Whose:
        """Whose the record of this row becomes."""
        choice = self.choices.of(row.mailbox_id)
        if choice.owner is Owner.CONNECTING_USER:
            return Whose()
        if REFUSED in (row.reason, row.note):
            return Whose(note=REFUSED)
        wanted: str | None
        match choice.owner:
            case Owner.ACCOUNT_OWNER:
                wanted, missing = account_owner, NO_ACCOUNT
            case Owner.AGENT:
                agent = self.agents.get(row.message_id)
                wanted = self.users.get(agent.id) if agent else None
                missing = NO_USER if agent else NO_AGENT
            case _:
                wanted, missing = choice.owner_id, REFUSED
        if not wanted:
            return Whose(note=missing)
        if wanted[:15] == self.connecting_user[:15]:
            return Whose()
        if (wanted[:15], object) in self.refused:
            return Whose(note=REFUSED)
        return Whose(wanted) if self._takes(object, wanted) else Whose(note=NOT_ALLOWED)

    def _takes(self, object: str, owner_id: str) -> bool:
        """Whether the object can have this owner, according to its describe. A queue is chosen for
        Leads only; whether it also accepts Tasks is not looked up."""
        schema = self.schemas.get(object)
        if schema is None:
            return True
        if not _may_be_set(schema):
            return False
        if not owner_id.startswith(QUEUE):
            return True
        return object == LEAD.name and "Group" in schema.fields[OWNER_FIELD].reference_to


def load(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection: Connection,
    choices: CompanyPeople,
    *,
    rows: Collection[SyncEntry],
    writers: Mapping[str, Agent | None],
    schemas: Mapping[str, ObjectSchema],
) -> Owners:
    """What is needed to tell whose the records of these rows become. Asks Salesforce only about
    agents that are not known yet, all in one request. `writers`: the agent of each message."""
    chosen = {row.mailbox_id: choices.of(row.mailbox_id).owner for row in rows}
    if all(owner is Owner.CONNECTING_USER for owner in chosen.values()):
        return Owners(choices, connection.user_id)
    theirs = {
        agent.id: agent
        for row in rows
        if chosen[row.mailbox_id] is Owner.AGENT
        and (agent := writers.get(row.message_id)) is not None
    }
    with runtime.database.read() as session:
        time = now(session)
        known = agents.known(session, connection.id, theirs) if theirs else {}
        refused = frozenset(
            (owner_id[:15], object)
            for owner_id, object in refused_lately(session, connection, time, runtime.times)
        )
    new = [
        agent
        for agent in theirs.values()
        if not agents.is_known(known.get(agent.id), agent, time, runtime.times)
    ]
    if new:
        with runtime.database.write() as session:
            agents.see(session, connection.id, new, runtime.times)
        agents.look_up(runtime, gateway, connection.id, [agent.id for agent in new])
        with runtime.database.read() as session:
            known = agents.known(session, connection.id, theirs)
    users = {
        agent_id: row.user_id
        for agent_id, row in known.items()
        if row.user_id and row.found in agents.OWNS
    }
    of_accounts = None
    if Owner.ACCOUNT_OWNER in chosen.values() and _accounts_tell(schemas):
        of_accounts = sorted(
            {
                account_id
                for mailbox_id, owner in chosen.items()
                if owner is Owner.ACCOUNT_OWNER
                and (account_id := choices.of(mailbox_id).account_id)
            }
        )
    return Owners(choices, connection.user_id, writers, users, refused, schemas, of_accounts)


def _may_be_set(schema: ObjectSchema) -> bool:
    spec = schema.fields.get(OWNER_FIELD)
    return spec is not None and spec.createable


def not_settable(schemas: Mapping[str, ObjectSchema]) -> list[str]:
    """The objects that automations create and whose owner the connected user may not set."""
    names = [row.name for row in (CONTACT, LEAD, TASK) if row.name in schemas]
    return [name for name in names if not _may_be_set(schemas[name])]


def why_not(schemas: Mapping[str, ObjectSchema]) -> Mapping[str, str]:
    """The choices that can apply to no record with the connected user's rights, each with the
    reason."""
    if {CONTACT.name, TASK.name} <= set(not_settable(schemas)):
        reason = "The connected user cannot set the owner of new records (OwnerId)."
        return dict.fromkeys((Owner.CHOSEN_USER, Owner.ACCOUNT_OWNER, Owner.AGENT), reason)
    if schemas and not _accounts_tell(schemas):
        reason = "The connected user cannot read the owner of Accounts (Account.OwnerId)."
        return {Owner.ACCOUNT_OWNER: reason}
    return {}


def _accounts_tell(schemas: Mapping[str, ObjectSchema]) -> bool:
    """Whether a Contact's query can ask for the owner of its Account: a field that the user may not
    read would have the whole query refused."""
    contact, account = schemas.get(CONTACT.name), schemas.get(ACCOUNT.name)
    return (
        contact is not None
        and TO_ACCOUNT in contact.fields
        and account is not None
        and OWNER_FIELD in account.fields
    )


def refuses_owner(record: NewRecord, error: SalesforceError) -> bool:
    """Whether Salesforce refuses this record because of the owner that it names."""
    owner = record.fields.get(OWNER_FIELD)
    if not isinstance(owner, str) or advice(error.complaints) not in (
        Advice.NEVER,
        Advice.SMALLER,
    ):
        return False
    return bool(error.codes & _CLEAR) or any(
        OWNER_FIELD in each.fields or owner[:15] in each.message for each in error.complaints
    )


def may_refuse_owner(record: NewRecord, error: SalesforceError) -> bool:
    """Whether it could be the owner, though Salesforce does not name it."""
    return OWNER_FIELD in record.fields and bool(error.codes & _PERHAPS)


def remember_refused(
    session: Session, connection_id: int, refused: Iterable[tuple[NewRecord, SalesforceError]]
) -> None:
    """Send nothing in the name of these records' owners for a day, so that not every record is sent
    twice."""
    codes = {
        (str(record.fields[OWNER_FIELD])[:18], record.object): next(
            (each.code for each in error.complaints), error.code
        )
        for record, error in refused
    }
    time = now(session) if codes else None
    for (owner_id, object), code in sorted(codes.items()):
        row = {
            "connection_id": connection_id,
            "owner_id": owner_id,
            "object": object,
            "code": code[:128],
            "refused_at": time,
        }
        upsert(session, RefusedOwner, row)


def refused_lately(
    session: Session, connection: Connection, time: datetime, times: Times
) -> list[tuple[str, str]]:
    """The owners that Salesforce refused within a day, each with the object."""
    rows = session.execute(
        select(RefusedOwner.owner_id, RefusedOwner.object).where(
            RefusedOwner.connection_id == connection.id,
            RefusedOwner.refused_at > time - times.span(DAY),
            RefusedOwner.refused_at >= connection.connected_at,  # with the rights of today
        )
    )
    return [(row.owner_id, row.object) for row in rows]


def forget_refused(session: Session, connection_id: int, owner_id: str = "") -> None:
    """Try refused owners again: this one, or all."""
    which = [RefusedOwner.connection_id == connection_id]
    if owner_id:
        which.append(RefusedOwner.owner_id == owner_id)
    session.execute(delete(RefusedOwner).where(*which))


def clear_old(session: Session, times: Times) -> None:
    """Forget refusals that no longer count."""
    session.execute(
        delete(RefusedOwner).where(RefusedOwner.refused_at < now(session) - times.span(2 * DAY))
    )
