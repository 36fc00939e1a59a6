"""Duplicate rules: records that equal another in every field of a rule.

Matching is exact (without regard to case), as the service's exact matching method is; its fuzzy
methods are not modelled. A rule with action *alert* lets the save through when it is acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from salesforce_simulator.errors import OrgError, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import stored_value
from salesforce_simulator.results import SaveOptions, User
from salesforce_simulator.store import Record, Store, index_key

Action = Literal["block", "alert"]


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """``object_name`` is what is saved, ``match_object`` what it is compared with."""

    object_name: str
    name: str
    action: Action
    match_on: Sequence[str]
    match_object: str
    message: str


class Duplicates:
    """The org's active duplicate rules."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights
        self._rules = [DuplicateRule(**kept) for kept in store.settings("duplicate rule").values()]

    def add(self, rule: DuplicateRule) -> None:
        """Keep a rule; ValueError for a field that one of its objects lacks."""
        for object_name in (rule.object_name, rule.match_object):
            schema = self._catalog.get(object_name)
            for name in rule.match_on:
                if schema.field(name) is None:
                    raise ValueError(f"{schema.name} has no field {name}")
        if not rule.match_on:
            raise ValueError("a duplicate rule compares at least one field")
        number = self._store.next_number("duplicate rule")
        self._store.set_setting("duplicate rule", f"{number:09d}", asdict(rule))
        self._rules.append(rule)

    def clear(self) -> None:
        """Forget every rule."""
        self._store.drop_settings("duplicate rule")
        self._rules.clear()

    def check(self, user: User, schema: ObjectSchema, record: Record, options: SaveOptions) -> None:
        """DUPLICATES_DETECTED by the first rule that matches and is not acknowledged."""
        for rule in self._rules:
            if rule.object_name != schema.name:
                continue
            if rule.action == "alert" and options.allow_duplicates:
                continue
            matches = self._matches(rule, schema, record)
            if options.as_current_user:
                target = self._catalog.get(rule.match_object)
                matches = [row for row in matches if self._rights.sees(user, target, row)]
            if matches:
                raise self._refusal(user, rule, matches, options)

    def _matches(self, rule: DuplicateRule, schema: ObjectSchema, record: Record) -> list[Record]:
        target = self._catalog.get(rule.match_object)
        pairs = []
        for name in rule.match_on:
            own, other = schema.field(name), target.field(name)
            if own is None or other is None or record.get(own.name) is None:
                return []
            pairs.append((other, index_key(other, record[own.name])))
        narrow = next(((f, value) for f, value in pairs if f.indexed), None)
        if narrow is not None:
            ids = self._store.ids_equal(target.name, narrow[0], [narrow[1]])
            candidates = list(self._store.get_many(sorted(ids)).values())
        else:
            candidates = list(self._store.scan(target.name, deleted=False))
        return [
            found
            for found in sorted(candidates, key=lambda r: str(r["Id"]))
            if not found.get("IsDeleted")
            and not found.get("IsConverted")
            and found["Id"] != record["Id"]
            and all(
                found.get(f.name) is not None and index_key(f, found[f.name]) == value
                for f, value in pairs
            )
        ]

    def _refusal(
        self, user: User, rule: DuplicateRule, matches: list[Record], options: SaveOptions
    ) -> OrgError:
        target = self._catalog.get(rule.match_object)
        result = {
            "allowSave": rule.action == "alert",
            "duplicateRule": rule.name,
            "duplicateRuleEntityType": rule.object_name,
            "errorMessage": rule.message,
            "matchResults": [
                {
                    "entityType": target.name,
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": [
                        {
                            "additionalInformation": [],
                            "fieldDiffs": [],
                            "matchConfidence": 100.0,
                            "record": self._shown(user, target, found, options),
                        }
                        for found in matches
                    ],
                    "rule": f"{rule.name}_matching",
                    "size": len(matches),
                    "success": True,
                }
            ],
        }
        extra = {"duplicateResut": result}  # the service's own spelling
        return refuse("DUPLICATES_DETECTED", rule.message, None, extra=extra)

    def _shown(
        self, user: User, schema: ObjectSchema, record: Record, options: SaveOptions
    ) -> dict[str, Any]:
        url = f"/services/data/v66.0/sobjects/{schema.name}/{record['Id']}"
        shown: dict[str, Any] = {
            "attributes": {"type": schema.name, "url": url},
            "Id": record["Id"],
        }
        if options.include_record_details:
            for field in schema.fields.values():
                if field.name != "Id" and self._rights.may_read(user, schema, field):
                    shown[field.name] = stored_value(record, schema, field)
        return shown
