"""Person accounts: one person as an Account and the Contact that belongs to it.

The Contact is created and deleted through the Account, names are written on the Account; the rest
may be written on either and shows on both.
"""

from __future__ import annotations

from typing import Protocol

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.store import Record, Store

_NAMES = ("FirstName", "LastName", "Salutation")


class _Rows(Protocol):
    """What this module needs from the saves."""

    def new_id(self, schema: ObjectSchema) -> str:
        """The next id of an object."""

    def put_row(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        """Store a record that follows from another."""


def _bad_names(schema: ObjectSchema, names: list[str]) -> OrgError:
    message = f"{schema.name}: bad field names on insert/update call: {', '.join(names)}"
    return refuse("INVALID_FIELD_FOR_INSERT_UPDATE", message, names)


class People:
    """The rules of person accounts; without effect in an org that has none."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def _applies(self, schema: ObjectSchema) -> bool:
        return self._catalog.has_person_accounts and schema.name in {"Account", "Contact"}

    def pairs(self) -> dict[str, str]:
        """Account field to Contact field, for what shows on both."""
        account, contact = self._catalog.get("Account"), self._catalog.get("Contact")
        found = {name: name for name in (*_NAMES, "Phone", "Fax", "Description")}
        for field in account.fields.values():
            if field.name.startswith("Person") and not field.computed:
                found[field.name] = field.name.removeprefix("Person")
        return {
            ours: theirs
            for ours, theirs in found.items()
            if account.field(ours) is not None and contact.field(theirs) is not None
        }

    def check_create(self, schema: ObjectSchema, changes: Record) -> None:
        """A person has no account name of its own; a business has no personal fields."""
        if not self._applies(schema) or schema.name != "Account":
            return
        given = [name for name, value in changes.items() if value is not None]
        if changes.get("LastName") is not None:
            if "Name" in given:
                raise _bad_names(schema, ["Name"])
            return
        personal = [n for n in given if n in _NAMES or n.startswith("Person")]
        if personal and "Name" in given:
            raise _bad_names(schema, personal)
        if "Name" not in given:
            missing = ["LastName"] if personal else ["Name"]
            message = f"Required fields are missing: [{missing[0]}]"
            raise refuse("REQUIRED_FIELD_MISSING", message, missing)

    def check_update(self, schema: ObjectSchema, before: Record, changes: Record) -> None:
        """Names of people are written on the account, and it stays what it is."""
        if not self._applies(schema):
            return
        person = bool(before.get("IsPersonAccount"))
        if schema.name == "Contact" and person:
            bad = [name for name in (*_NAMES, "AccountId") if name in changes]
        elif schema.name == "Account" and person:
            bad = [name for name in ("Name", "ParentId") if name in changes]
            if "LastName" in changes and changes["LastName"] is None:
                message = "Required fields are missing: [LastName]"
                raise refuse("REQUIRED_FIELD_MISSING", message, ["LastName"])
        else:
            bad = [
                name
                for name in changes
                if schema.name == "Account"
                and changes[name] is not None
                and (name in _NAMES or name.startswith("Person"))
            ]
        if bad:
            raise _bad_names(schema, bad)

    def prepare(self, schema: ObjectSchema, record: Record) -> None:
        """Mark a new account as a person or a business."""
        if not self._applies(schema) or schema.name != "Account":
            return
        record["IsPersonAccount"] = record.get("LastName") is not None
        if record["IsPersonAccount"] and record.get("RecordTypeId") is None:
            for info in schema.raw.get("recordTypeInfos") or ():
                if info.get("developerName") == "PersonAccount" and info.get("available"):
                    record["RecordTypeId"] = info["recordTypeId"]

    def follow(
        self, schema: ObjectSchema, record: Record, before: Record | None, rows: _Rows
    ) -> None:
        """Show on the other half what was written on one."""
        if not self._applies(schema) or not record.get("IsPersonAccount"):
            return
        if schema.name == "Account":
            self._show_on_contact(schema, record, rows)
        elif before is not None and record.get("AccountId"):
            found = self._store.get(record["AccountId"])
            if found is not None:
                values = {ours: record.get(theirs) for ours, theirs in self.pairs().items()}
                rows.put_row(self._catalog.get("Account"), found[1] | values, found[1])

    def _show_on_contact(self, schema: ObjectSchema, record: Record, rows: _Rows) -> None:
        contacts = self._catalog.get("Contact")
        values = {theirs: record.get(ours) for ours, theirs in self.pairs().items()}
        known = record.get("PersonContactId")
        before = self._store.get(known) if known else None
        copied = ("OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate",
                  "LastModifiedById", "SystemModstamp")  # fmt: skip
        if before is not None:
            contact = dict(before[1])
        else:
            contact = {field.name: field.default_value() for field in contacts.by_default}
            contact |= {name: record.get(name) for name in copied}
            contact |= {
                "Id": rows.new_id(contacts),
                "IsDeleted": False,
                "IsPersonAccount": True,
                "AccountId": record["Id"],
            }
        contact |= values | {name: record.get(name) for name in copied[3:]}
        rows.put_row(contacts, contact, before[1] if before is not None else None)
        if before is None:
            linked = record | {"PersonContactId": contact["Id"]}
            self._store.put(schema, linked, record)
