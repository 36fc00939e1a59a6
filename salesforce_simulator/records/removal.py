"""Deleting and merging: the recycle bin, cascades, and children that find a new parent."""

from __future__ import annotations

from collections.abc import Iterator

from salesforce_simulator.errors import access_denied, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.sharing.access import Access
from salesforce_simulator.store import Record, Store

_MERGEABLE = frozenset({"Account", "Contact", "Lead", "Case"})


class Removal:
    """Delete and merge for one org."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights, saves: Saves) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights
        self._saves = saves

    def delete(self, user: User, schema: ObjectSchema, record_id: str) -> str:
        """Put a record into the recycle bin, with the children that go along."""
        record = self._saves.reachable(user, schema, record_id, Access.DELETE)
        if not schema.allows("deletable"):
            message = f"entity type {schema.name} does not support delete"
            raise refuse("INVALID_TYPE_FOR_OPERATION", message)
        if not self._rights.on_object(user, schema).delete:
            raise access_denied(403)
        if schema.name == "Contact" and record.get("IsPersonAccount"):
            message = "The contact of a person account is deleted through its account"
            raise refuse("DELETE_FAILED", message)
        self._bin(user, schema, record)
        return str(record["Id"])

    def _bin(
        self, user: User, schema: ObjectSchema, record: Record, master: str | None = None
    ) -> None:
        stamp = self._saves.stamp()
        gone = record | {
            "IsDeleted": True,
            "LastModifiedDate": stamp,
            "LastModifiedById": user.id,
            "SystemModstamp": stamp,
        }
        if master is not None:
            gone["MasterRecordId"] = master
        else:
            self._let_go(user, schema, record)
        self._store.put(schema, gone, record)

    def _let_go(self, user: User, schema: ObjectSchema, record: Record) -> None:
        """Children on a cascade go to the bin as well, others lose the reference."""
        children = list(self._children(schema, record["Id"]))
        for child, _, cascade, restricted, row in children:
            if restricted and not cascade:
                title = record.get(schema.title_field or "Id") or record["Id"]
                kind = child.raw.get("labelPlural") or child.name
                message = (
                    f"Your attempt to delete {title} could not be completed because it is "
                    f"associated with the following {kind}: "
                    f"{row.get(child.title_field or 'Id') or row['Id']}"
                )
                raise refuse("DELETE_FAILED", message)
        for child, field, cascade, _, row in children:
            now = self._store.get(row["Id"])
            if now is None or now[1].get("IsDeleted"):
                continue
            if cascade or (child.name == "Contact" and row.get("IsPersonAccount")):
                self._bin(user, child, now[1])
            else:
                self._store.put(child, now[1] | {field.name: None}, now[1])

    def _children(
        self, schema: ObjectSchema, record_id: str
    ) -> Iterator[tuple[ObjectSchema, FieldSchema, bool, bool, Record]]:
        """(object, reference, cascade, restricted, row) of everything that points at a record."""
        flags = {
            (entry["childSObject"], entry["field"]): entry
            for entry in schema.raw.get("childRelationships") or ()
        }
        for name in self._catalog.names():
            child = self._catalog.get(name)
            for field in child.indexed:
                if field.type != "reference" or schema.name not in field.references:
                    continue
                entry = flags.get((child.name, field.name), {})
                ids = self._store.ids_equal(child.name, field, [record_id])
                for row in self._store.get_many(sorted(ids)).values():
                    if not row.get("IsDeleted"):
                        cascade = bool(entry.get("cascadeDelete"))
                        yield child, field, cascade, bool(entry.get("restrictedDelete")), row

    def merge(self, user: User, schema: ObjectSchema, master_id: str, loser_id: str) -> None:
        """Children move to the master; the loser goes to the bin and names its master."""
        if schema.name not in _MERGEABLE:
            message = f"entity type {schema.name} does not support merge"
            raise refuse("INVALID_TYPE_FOR_OPERATION", message)
        rights = self._rights.on_object(user, schema)
        if not (rights.edit and rights.delete):
            raise access_denied(403)
        master = self._saves.reachable(user, schema, master_id, Access.EDIT)
        loser = self._saves.reachable(user, schema, loser_id, Access.DELETE)
        if master["Id"] == loser["Id"]:
            raise refuse("INVALID_ID_FIELD", "a record can not be merged with itself")
        for child, field, _, _, row in list(self._children(schema, loser["Id"])):
            now = self._store.get(row["Id"])
            if now is not None:
                self._saves.put_row(child, now[1] | {field.name: master["Id"]}, now[1])
        self._bin(user, schema, loser, master["Id"])
        stamp = self._saves.stamp()
        changed = master | {
            "LastModifiedDate": stamp,
            "LastModifiedById": user.id,
            "SystemModstamp": stamp,
        }
        self._store.put(schema, changed, master)
