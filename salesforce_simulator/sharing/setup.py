"""What an administrator sets up about sharing: the defaults, roles, queues and their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.sharing.access import DEFAULTS
from salesforce_simulator.store import Record, Store

#: object -> the field of Organization that shows its default.
ORGANIZATION_FIELDS = {
    name: f"Default{name}Access" for name in ("Account", "Contact", "Lead", "Opportunity", "Case")
}


class SharingSetup:
    """The administrator's side of sharing for one org."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights, saves: Saves) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights
        self._saves = saves

    def use(self, defaults: Mapping[str, str] | None) -> None:
        """Restrict rows by these organization-wide defaults, and by the factory's for objects left
        out; None shares every row with everybody. ValueError for what sharing does not know.

        Organization shows them from then on.
        """
        with self._store.transaction():
            self._rights.sharing.share(defaults)
            self._catalog.list_built_in("sharing", "UserRecordAccess", "UserPermissionAccess")
            self._show_on_organization()
            self._rights.touch()

    def defaults(self) -> dict[str, str]:
        """The defaults in force; empty while every row is shared."""
        return dict(self._rights.sharing.defaults)

    def _show_on_organization(self) -> None:
        schema = self._catalog.get("Organization")
        for object_name, name in ORGANIZATION_FIELDS.items():
            if schema.field(name) is None:
                field = {
                    "name": name,
                    "label": f"Default {object_name} Access",
                    "type": "picklist",
                    "length": 40,
                    "picklistValues": list(DEFAULTS[object_name]),
                    "createable": False,
                    "updateable": False,
                }
                self._catalog.add_field("Organization", field)
        shown = self.defaults()
        schema = self._catalog.get("Organization")
        for row in self._store.scan("Organization", deleted=False):
            values = {name: shown.get(of) for of, name in ORGANIZATION_FIELDS.items()}
            self._store.put(schema, row | values, row)

    def add_role(self, name: str, parent: str | None = None) -> None:
        """A role below another, or at the top; ValueError when that is unknown."""
        with self._store.transaction():
            self._rights.sharing.set_role(name, parent)

    def give_role(self, user: User, role: str) -> None:
        """Put a user into a role; ValueError when there is none of that name."""
        with self._store.transaction():
            self._rights.sharing.give_role(user.id, role)

    def add_queue(self, name: str, objects: Sequence[str], members: Sequence[User] = ()) -> str:
        """A queue that may own records of these objects; its id. ValueError for an object whose
        owner cannot be a queue."""
        for object_name in objects:
            owner = self._catalog.get(object_name).field("OwnerId")
            if owner is None or "Group" not in owner.references:
                raise ValueError(f"{object_name} cannot be owned by a queue")
        with self._store.transaction():
            self._catalog.list_built_in("queues", "Group", "GroupMember", "QueueSobject")
            developer_name = name.replace(" ", "_")
            group = {"Name": name, "DeveloperName": developer_name, "Type": "Queue"}
            queue_id = self._put("Group", group)
            for object_name in objects:
                canonical = self._catalog.get(object_name).name
                self._put("QueueSobject", {"QueueId": queue_id, "SobjectType": canonical})
            for member in members:
                self._put("GroupMember", {"GroupId": queue_id, "UserOrGroupId": member.id})
            canonical_names = [self._catalog.get(object_name).name for object_name in objects]
            ids = [member.id for member in members]
            self._rights.sharing.set_queue(queue_id, name, canonical_names, ids)
            self._rights.touch()
        return queue_id

    def _put(self, object_name: str, values: Mapping[str, Any]) -> str:
        schema = self._catalog.get(object_name)
        record: Record = {"Id": self._saves.new_id(schema), "IsDeleted": False, **values}
        self._store.put(schema, record, None)
        return str(record["Id"])
