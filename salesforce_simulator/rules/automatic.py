"""Assignment and auto-response rules of Leads and Cases, and the mail they send.

The mail goes nowhere: it is kept for tests to read. Rules have no criteria; the active one of an
object concerns each new record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from salesforce_simulator.errors import refuse
from salesforce_simulator.ids import normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.results import SaveOptions
from salesforce_simulator.store import Record, Store

OBJECTS = frozenset({"Lead", "Case"})


@dataclass(frozen=True, slots=True)
class Notification:
    """A mail that a rule sent: its reason, whom it went to, and the record it is about."""

    reason: str
    address: str
    record_id: str


class AutomaticRules:
    """What the rules do with a new record; everything is kept in the org's settings."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    # -- the administrator -------------------------------------------------------------------------
    def set_assignment(
        self, object_name: str, record_id: str, owner_id: str, *, active: bool
    ) -> None:
        """Keep an assignment rule, a row of AssignmentRule, which the object's active one makes
        inactive."""
        schema = self._catalog.get("AssignmentRule")
        self._catalog.list_built_in("assignment", schema.name)
        if active:
            self.drop_active(object_name)
        row: Record = {
            "Id": record_id,
            "IsDeleted": False,
            "Name": f"{object_name} rule",
            "SobjectType": object_name,
            "Active": active,
        }
        self._store.put(schema, row, None)
        self._store.set_setting("assignment rule", record_id, {"owner_id": owner_id})

    def drop_active(self, object_name: str | None = None) -> None:
        """Make the active rule of an object, or of all, inactive."""
        schema = self._catalog.get("AssignmentRule")
        for row in self._store.scan(schema.name, deleted=False):
            if row["Active"] and object_name in (None, row["SobjectType"]):
                self._store.put(schema, row | {"Active": False}, row)

    def set_response(self, object_name: str, *, active: bool = True) -> None:
        """Answer new records of an object by mail; ValueError for one that has no such rules."""
        if object_name not in OBJECTS:
            raise ValueError(f"{object_name} has no auto-response rules")
        self._store.set_setting("auto-response", object_name, {"active": active})

    def clear(self) -> None:
        """End every rule and forget the mail."""
        self.drop_active()
        self._store.drop_settings("auto-response")
        self._store.drop_settings("notification")

    def sent(self) -> list[dict[str, Any]]:
        """The mail that was sent, oldest first."""
        return list(self._store.settings("notification").values())

    # -- saves -------------------------------------------------------------------------------------
    def assign(self, schema: ObjectSchema, record: Record, options: SaveOptions) -> None:
        """Give a new record to the owner the rule names, which overrules one that was given: the
        active rule, or the one whose id the header has."""
        if schema.name not in OBJECTS:
            return
        wanted = options.assignment_rule
        rules = self._catalog.get("AssignmentRule")
        for row in self._store.scan(rules.name, deleted=False):
            if row["SobjectType"] != schema.name:
                continue
            if row["Id"] == normalised(wanted) if wanted is not None else row["Active"]:
                kept = self._store.settings("assignment rule")[row["Id"]]
                record["OwnerId"] = kept["owner_id"]
                self._tell_owner(record)
                return
        if wanted is not None:
            raise refuse("INVALID_CROSS_REFERENCE_KEY", f"invalid assignment rule: {wanted}")

    def _tell_owner(self, record: Record) -> None:
        found = self._store.get(record["OwnerId"])
        if found is not None and found[1].get("Email"):
            self._send("assignment", found[1]["Email"], record)

    def check(self, schema: ObjectSchema, record: Record) -> None:
        """An auto-response rule needs an address to answer."""
        if self._answers(schema) and schema.name == "Case" and not record.get("SuppliedEmail"):
            message = "Required fields are missing: [SuppliedEmail]"
            raise refuse("REQUIRED_FIELD_MISSING", message, ["SuppliedEmail"])

    def answer(self, schema: ObjectSchema, record: Record) -> None:
        """Mail the person of a new record: the Contact of a Case, whose supplied address counts
        when the Contact has none."""
        if not self._answers(schema):
            return
        found = self._store.get(record["ContactId"]) if record.get("ContactId") else None
        person: Record = found[1] if found is not None else record
        address = person.get("Email") or record.get("SuppliedEmail")
        if address:
            self._send("auto-response", address, record)

    def _answers(self, schema: ObjectSchema) -> bool:
        if schema.name not in OBJECTS:
            return False
        return bool(self._store.settings("auto-response").get(schema.name, {}).get("active"))

    def _send(self, reason: str, address: str, record: Record) -> None:
        number = self._store.next_number("notification")
        sent = Notification(reason, str(address), str(record["Id"]))
        self._store.set_setting("notification", f"{number:09d}", asdict(sent))
