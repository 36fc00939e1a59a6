"""Who has access to a record, worked out from the org's defaults, owners, roles and queues.

An org shares everything until ``share`` is called, as it did before there was sharing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from salesforce_simulator.metadata.schema import FieldSchema
from salesforce_simulator.results import User
from salesforce_simulator.sharing.access import CONTROLLED, DEFAULTS, Access, checked_defaults
from salesforce_simulator.store import Record, Store

_ACCOUNT = FieldSchema({"name": "AccountId", "type": "reference"})
#: Rows that may be seen and changed as the record they belong to.
_PARTS = {
    "OpportunityContactRole": "OpportunityId",
    "TaskRelation": "TaskId",
    "EmailMessageRelation": "EmailMessageId",
    "ContentDocumentLink": "LinkedEntityId",
}
#: Files -> the field that holds the id of their document.
_FILES = {"ContentVersion": "ContentDocumentId", "ContentDocument": "Id"}
_DOCUMENT = FieldSchema({"name": "ContentDocumentId", "type": "reference"})
#: A user who owns one of these may read its Account.
_CHILDREN_OF_ACCOUNTS = ("Contact", "Case", "Opportunity")


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: the objects whose records it may own, and its members' user ids."""

    id: str
    name: str
    objects: tuple[str, ...]
    members: tuple[str, ...]


class Sharing:
    """``wide`` tells a user's *View All* and *Modify All* on an object."""

    def __init__(self, store: Store, wide: Callable[[User, str], tuple[bool, bool]]) -> None:
        self._store = store
        self._wide = wide
        kept = store.settings("sharing").get("defaults")
        self._defaults: dict[str, str] | None = kept or None
        self._parents: dict[str, str | None] = {
            name: role["parent"] for name, role in store.settings("role").items()
        }
        self._role_of = {user: kept["role"] for user, kept in store.settings("user role").items()}
        self._queues = {
            queue_id: Queue(queue_id, kept["name"], tuple(kept["objects"]), tuple(kept["members"]))
            for queue_id, kept in store.settings("queue").items()
        }

    # -- the administrator -------------------------------------------------------------------------
    @property
    def on(self) -> bool:
        """Whether the org restricts rows at all."""
        return self._defaults is not None

    @property
    def defaults(self) -> Mapping[str, str]:
        """The organization-wide defaults by object; empty while everything is shared."""
        return self._defaults or {}

    def share(self, defaults: Mapping[str, str] | None) -> None:
        """Use these defaults, and the factory's for objects left out; None shares everything."""
        chosen = None if defaults is None else checked_defaults(dict(defaults))
        self._store.set_setting("sharing", "defaults", chosen or {})
        self._defaults = chosen

    def set_role(self, name: str, parent: str | None) -> None:
        """Add a role below ``parent``; ValueError when that is unknown or lies below the role."""
        above = parent
        while above is not None:
            if above not in self._parents:
                raise ValueError(f"there is no role {above!r}")
            if above == name:
                raise ValueError(f"{parent!r} lies below {name!r}")
            above = self._parents[above]
        self._parents[name] = parent
        self._store.set_setting("role", name, {"parent": parent})

    def give_role(self, user_id: str, role: str) -> None:
        """Put a user into a role; ValueError when there is none of that name."""
        if role not in self._parents:
            raise ValueError(f"there is no role {role!r}")
        self._role_of[user_id] = role
        self._store.set_setting("user role", user_id, {"role": role})

    def set_queue(
        self, queue_id: str, name: str, objects: Sequence[str], members: Sequence[str]
    ) -> Queue:
        """Add a queue, or replace the one with this id."""
        queue = Queue(queue_id, name, tuple(objects), tuple(members))
        kept = {"name": name, "objects": list(objects), "members": list(members)}
        self._store.set_setting("queue", queue_id, kept)
        self._queues[queue_id] = queue
        return queue

    def queue(self, queue_id: str) -> Queue | None:
        """The queue with this id, if it is one."""
        return self._queues.get(queue_id)

    # -- access ------------------------------------------------------------------------------------
    def access(self, user: User, name: str, record: Record) -> Access:
        """What the user may do with a record, as far as sharing is concerned."""
        if self._defaults is None or "modify_all_data" in user.permissions:
            return Access.FULL
        view, modify = self._wide(user, name)
        if modify:
            return Access.FULL
        found = self._given(user, name, record)
        if view or "view_all_data" in user.permissions:
            found |= Access.READ
        return found

    def _given(self, user: User, name: str, record: Record) -> Access:
        """Without *View All* and *Modify All*."""
        if name in {"Task", "Event"}:
            return self._activity(user, record)
        if name == "EmailMessage":
            return self._mail(user, record)
        if name in _FILES:
            return self._file(user, record, record.get(_FILES[name]))
        if name in _PARTS:
            return self._through(user, record.get(_PARTS[name]))
        if name not in DEFAULTS:
            return Access.FULL
        if name == "Contact":
            return self._contact(user, record)
        found = self._by_owner(user, record) | self._default(name)
        if name == "Account" and not found and self._owns_child(user, record):
            found = Access.READ
        return found

    def _default(self, name: str) -> Access:
        assert self._defaults is not None
        return DEFAULTS[name][self._defaults[name]]

    def _contact(self, user: User, record: Record) -> Access:
        """A Contact without an Account belongs to its owner alone, whatever the default."""
        account = record.get("AccountId")
        if account is None:
            return Access.FULL if record.get("OwnerId") == user.id else Access.NONE
        if self.defaults["Contact"] == CONTROLLED or record.get("IsPersonAccount"):
            return self._through(user, account)
        return self._by_owner(user, record) | self._default("Contact")

    def _through(self, user: User, record_id: str | None) -> Access:
        """The access to another record; none when it is empty or gone."""
        found = self._store.get(record_id) if record_id else None
        return Access.NONE if found is None else self.access(user, *found)

    def _by_owner(self, user: User, record: Record) -> Access:
        owner = record.get("OwnerId")
        if owner is None or owner == user.id or self._commands(user.id, owner):
            return Access.FULL
        queue = self._queues.get(owner)
        members = () if queue is None else queue.members
        return Access.FULL if user.id in members else Access.NONE

    def _commands(self, user_id: str, other_id: str) -> bool:
        """Whether a user's role stands above the other's."""
        own, role = self._role_of.get(user_id), self._role_of.get(other_id)
        while own is not None and role is not None:
            role = self._parents[role]
            if role == own:
                return True
        return False

    def _owns_child(self, user: User, account: Record) -> bool:
        for name in _CHILDREN_OF_ACCOUNTS:
            if name == "Contact" and self.defaults["Contact"] == CONTROLLED:
                continue
            ids = self._store.ids_equal(name, _ACCOUNT, [account["Id"]])
            for child in self._store.get_many(ids).values():
                if not child.get("IsDeleted") and self._by_owner(user, child):
                    return True
        return False

    def _activity(self, user: User, record: Record) -> Access:
        """Private: whoever reads one of its records may read it. Controlled by parent: the same
        right on each of them. The assignee may do everything either way."""
        own = self._by_owner(user, record)
        around = [record[name] for name in ("WhoId", "WhatId") if record.get(name)]
        if record.get("OwnerId") == user.id or not around:
            return own
        rights = [self._through(user, record_id) for record_id in around]
        if self.defaults["Task"] == CONTROLLED:
            shared = rights[0]
            for right in rights[1:]:
                shared &= right
            return shared
        read = any(right & Access.READ for right in rights)
        return own | (Access.READ if read else Access.NONE)

    def _file(self, user: User, record: Record, document: str | None) -> Access:
        """A file is read by whoever reads a record it is linked to, and is its owner's."""
        own = self._by_owner(user, record)
        if own or document is None:
            return own
        ids = self._store.ids_equal("ContentDocumentLink", _DOCUMENT, [document])
        links = [row for row in self._store.get_many(ids).values() if not row.get("IsDeleted")]
        shared = any(self._linked(user, row.get("LinkedEntityId")) for row in links)
        return Access.READ if shared else Access.NONE

    def _linked(self, user: User, record_id: str | None) -> bool:
        """A file that is linked to a user is shared with that one alone."""
        if str(record_id).startswith("005"):
            return record_id == user.id
        return bool(self._through(user, record_id))

    def _mail(self, user: User, record: Record) -> Access:
        """Mail of a Case as the Case, other mail as its Task; always by who made it."""
        if record.get("CreatedById") == user.id:
            return Access.FULL
        return self._through(user, record.get("ParentId") or record.get("ActivityId"))
