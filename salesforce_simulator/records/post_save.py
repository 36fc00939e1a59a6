"""What follows from a stored record: contact roles, and values that other records show."""

from __future__ import annotations

from collections.abc import Callable

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

CreateRow = Callable[[User, str, Record], str]


class AfterSave:
    """``create_row`` creates a record that follows from another."""

    def __init__(self, store: Store, catalog: Catalog, create_row: CreateRow) -> None:
        self._store = store
        self._catalog = catalog
        self._create_row = create_row

    def follow(
        self, user: User, schema: ObjectSchema, record: Record, before: Record | None
    ) -> None:
        """Create and change what depends on the record."""
        if schema.name == "Opportunity" and before is None and record.get("ContactId"):
            if self._catalog.find("OpportunityContactRole") is not None:
                role = {
                    "OpportunityId": record["Id"],
                    "ContactId": record["ContactId"],
                    "IsPrimary": True,
                }
                self._create_row(user, "OpportunityContactRole", role)
        elif schema.name == "OpportunityContactRole" and record.get("IsPrimary"):
            self._make_primary(schema, record)
        elif schema.name == "Contact" and before is not None:
            self._show_on_cases(record, before)

    def _make_primary(self, schema: ObjectSchema, record: Record) -> None:
        """One role of an opportunity is primary, and the opportunity shows its contact."""
        opportunities = self._catalog.get("Opportunity")
        reference = schema.field("OpportunityId")
        if reference is None:
            return
        ids = self._store.ids_equal(schema.name, reference, [record["OpportunityId"]])
        for other in self._store.get_many(ids - {record["Id"]}).values():
            if other.get("IsPrimary") and not other.get("IsDeleted"):
                self._store.put(schema, other | {"IsPrimary": False}, other)
        found = self._store.get(record["OpportunityId"])
        if found is not None and opportunities.field("ContactId") is not None:
            changed = found[1] | {"ContactId": record["ContactId"]}
            self._store.put(opportunities, changed, found[1])

    def _show_on_cases(self, record: Record, before: Record) -> None:
        shown = {"ContactEmail": "Email", "ContactPhone": "Phone"}
        changed = {k: record.get(v) for k, v in shown.items() if record.get(v) != before.get(v)}
        cases = self._catalog.find("Case")
        reference = cases.field("ContactId") if cases is not None else None
        if not changed or cases is None or reference is None:
            return
        ids = self._store.ids_equal(cases.name, reference, [record["Id"]])
        for case in self._store.get_many(ids).values():
            known = {k: v for k, v in changed.items() if cases.field(k) is not None}
            self._store.put(cases, case | known, case)
