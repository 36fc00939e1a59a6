"""Deleting, restoring and merging: the recycle bin, cascades, and children of a new parent.

What goes together carries the id of the record that was deleted, in ``WITH``, and comes back with
it. A merge moves children, and restoring the loser does not move them back.
"""

from __future__ import annotations

from collections.abc import Iterator

from salesforce_simulator.errors import access_denied, no_such_record, refuse
from salesforce_simulator.ids import normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.sharing.access import Access
from salesforce_simulator.store import Record, Store

WITH = "~deleted with"
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
        self.bin(user, schema, record, str(record["Id"]))
        return str(record["Id"])

    def bin(
        self,
        user: User,
        schema: ObjectSchema,
        record: Record,
        root: str,
        *,
        master: str | None = None,
    ) -> None:
        """Put a record that the rules let go into the bin, with ``root``."""
        for companion in self._saves.companions:
            companion.leaving(user, schema, record, root)
        record = (self._store.get(record["Id"]) or ("", record))[1]
        if record.get("IsDeleted"):
            return  # a companion has put it there
        stamp = self._saves.stamp()
        gone = record | {
            "IsDeleted": True,
            WITH: root,
            "LastModifiedDate": stamp,
            "LastModifiedById": user.id,
            "SystemModstamp": stamp,
        }
        if master is not None:
            gone["MasterRecordId"] = master
        else:
            self._let_go(user, schema, record, root)
        self._store.put(schema, gone, record)
        for companion in self._saves.companions:
            companion.left(user, schema, gone)

    def _let_go(self, user: User, schema: ObjectSchema, record: Record, root: str) -> None:
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
                self.bin(user, child, now[1], root)
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

    # -- the bin -----------------------------------------------------------------------------------
    def undelete(self, user: User, record_id: str) -> list[str]:
        """Take a record out of the bin with everything that was deleted with it; their ids.

        References that other records lost by the deletion stay lost.
        """
        full = normalised(record_id)
        found = self._store.get(full) if full is not None else None
        if found is None:
            raise no_such_record()
        name, record = found
        if not record.get("IsDeleted"):
            raise refuse("UNDELETE_FAILED", "Entity is not in the recycle bin")
        schema = self._catalog.get(name)
        if not self._rights.on_object(user, schema).delete:
            raise access_denied(403)
        self._rights.check(user, schema, record, Access.DELETE)
        root = record.get(WITH)
        other = self._store.get(root) if root else None
        if other is not None and {name, other[0]} == {"EmailMessage", "Task"}:
            return self.undelete(user, str(root))  # an email and its Task come back together
        with_it = [(schema, record)]
        if root == record["Id"]:
            with_it += [
                (child, row)
                for child, row in self._binned()
                if row.get(WITH) == root and row["Id"] != root
            ]
        restored = []
        for child, row in with_it:
            now = self._store.get(row["Id"])
            if now is not None and now[1].get("IsDeleted"):
                back = {k: v for k, v in now[1].items() if k not in (WITH, "MasterRecordId")}
                back |= {"IsDeleted": False, "SystemModstamp": self._saves.stamp()}
                self._store.put(child, back, now[1])
                restored.append((child, back))
        together = frozenset(str(back["Id"]) for _, back in restored)
        for child, back in restored:
            for companion in self._saves.companions:
                companion.restored(user, child, back, together)
        return [str(back["Id"]) for _, back in restored]

    def empty_bin(self, before: str) -> int:
        """Forget what was deleted before a moment, as after 15 days; how many records."""
        old = [
            (schema, row)
            for schema, row in self._binned()
            if str(row.get("SystemModstamp")) < before
        ]
        for schema, row in old:
            self._store.drop(schema, row)
        return len(old)

    def _binned(self) -> list[tuple[ObjectSchema, Record]]:
        schemas = [self._catalog.get(name) for name in self._catalog.names()]
        return [
            (schema, row)
            for schema in schemas
            for row in self._store.scan(schema.name, deleted=True)
            if row.get("IsDeleted")
        ]

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
        self.bin(user, schema, loser, loser["Id"], master=master["Id"])
        for companion in self._saves.companions:
            companion.moved(user, loser["Id"], master["Id"])
        stamp = self._saves.stamp()
        changed = master | {
            "LastModifiedDate": stamp,
            "LastModifiedById": user.id,
            "SystemModstamp": stamp,
        }
        self._store.put(schema, changed, master)
