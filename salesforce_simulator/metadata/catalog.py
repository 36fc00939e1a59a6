"""The org's metadata: which objects there are, where their descriptions come from, what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from salesforce_simulator import describe as own
from salesforce_simulator.errors import not_found
from salesforce_simulator.files.described import OPTIONS as FILE_OPTIONS
from salesforce_simulator.files.described import files_feature
from salesforce_simulator.mail.described import mail_feature, shared_activities_feature
from salesforce_simulator.metadata import built_in
from salesforce_simulator.metadata.describing import complete_field
from salesforce_simulator.metadata.features import Feature, add_feature
from salesforce_simulator.metadata.record_types import RecordTypes
from salesforce_simulator.metadata.recordings import recorded
from salesforce_simulator.metadata.schema import ObjectSchema, key_prefixes
from salesforce_simulator.store import Store

#: Features that an org has once it has been told to: what each adds to the describes, and the
#: options it knows.
FEATURES: Mapping[str, tuple[Callable[[Mapping[str, Any]], Feature], frozenset[str]]] = {
    "mail": (mail_feature, frozenset({"enhanced", "junction_lists"})),
    "shared_activities": (shared_activities_feature, frozenset()),
    "files": (files_feature, FILE_OPTIONS),
    "audit_fields": (lambda _: Feature(), frozenset()),
}


class Catalog:
    """Object schemas by lower-case name; added and removed fields are kept in the store."""

    def __init__(
        self,
        store: Store,
        *,
        describe_dir: Path | None,
        activity_key_field: str | None,
        person_accounts: bool,
    ) -> None:
        self._store = store
        described = recorded(describe_dir) if describe_dir is not None else {}
        account = described.get("Account", {})
        people = person_accounts or any(
            field["name"] == "IsPersonAccount" for field in account.get("fields", ())
        )
        self.missing = tuple(name for name in own.names() if name not in described)
        if describe_dir is None:
            self.missing = ()
        taken = [name for name in own.names() if name not in described]
        for name in taken:
            described[name] = own.load(name, person_accounts=people)
        #: What record types offer is recorded nowhere, so only the package's own restrict values.
        self.record_types = RecordTypes({name: own.record_type_values(name) for name in taken})
        for name in self.missing:
            _complete_references(described, name)
        if activity_key_field is not None:
            for name in ("Task", "Event"):
                if name in described:
                    described[name]["fields"].append(_activity_key(activity_key_field))
        #: The options of each feature that is on.
        self.features: dict[str, dict[str, Any]] = store.settings("feature")
        self._own: dict[str, dict[str, Any]] = {
            name: own.load(name, person_accounts=people) for name in own.names()
        }
        for name, options in self.features.items():
            self._describe_feature(described, name, options)
        for change in store.settings("field").values():
            _apply(described, change)
        self._prefixes = key_prefixes(described)
        self._schemas = {name.lower(): self._schema(body) for name, body in described.items()}
        self.has_person_accounts = self._schemas["account"].field("IsPersonAccount") is not None

    def _schema(self, body: Mapping[str, Any]) -> ObjectSchema:
        name = str(body["name"])
        return ObjectSchema(body, self._own.get(name), self._prefixes.get(name))

    def names(self) -> list[str]:
        """Canonical object names, sorted; built-in ones once the org uses them."""
        listed = {name for names in self._store.settings("listed").values() for name in names}
        return sorted(listed.union(schema.name for schema in self._schemas.values()))

    def list_built_in(self, feature: str, *names: str) -> None:
        """Have these built-in objects listed from now on, as belonging to a feature of the org."""
        self._store.set_setting("listed", feature, list(names))

    def find(self, name: str) -> ObjectSchema | None:
        """The object of that name in any case."""
        found = self._schemas.get(name.lower()) or built_in.built_in(name.lower())
        if found is not None and found.name in built_in.OPTIONAL:
            return found if found.name in self.names() else None
        return found

    def get(self, name: str) -> ObjectSchema:
        """As ``find``; OrgError 404 when there is none."""
        schema = self.find(name)
        if schema is None:
            raise not_found()
        return schema

    def by_prefix(self, prefix: str) -> ObjectSchema | None:
        """The object whose ids start so."""
        found = next((s for s in self._schemas.values() if s.prefix == prefix), None)
        return found or built_in.by_prefix(prefix)

    def add_feature(self, name: str, options: Mapping[str, Any]) -> None:
        """Have a feature from now on, or change its options; ValueError for unknown ones."""
        if name not in FEATURES:
            raise ValueError(f"no feature {name!r}; there are {', '.join(sorted(FEATURES))}")
        unknown = set(options) - FEATURES[name][1]
        if unknown:
            raise ValueError(f"{name} has no options {', '.join(sorted(unknown))}")
        with self._store.transaction():
            self._store.set_setting("feature", name, options)
            described = {schema.name: dict(schema.raw) for schema in self._schemas.values()}
            for changed in self._describe_feature(described, name, options):
                schema = self._schema(described[changed])
                self._store.reindex(schema)
                self._schemas[changed.lower()] = schema
        self.features[name] = dict(options)

    def _describe_feature(
        self, described: dict[str, dict[str, Any]], name: str, options: Mapping[str, Any]
    ) -> set[str]:
        feature = FEATURES[name][0](options)
        for body in feature.objects:
            self._own[str(body["name"])] = dict(body)
        return add_feature(described, feature)

    def add_field(self, object_name: str, field: Mapping[str, Any]) -> None:
        """Add a field, or replace the one of its name."""
        self._change({"object": self.get(object_name).name, "add": complete_field(field)})

    def remove_field(self, object_name: str, field_name: str) -> None:
        """Remove a field; KeyError when there is none."""
        schema = self.get(object_name)
        field = schema.field(field_name)
        if field is None:
            raise KeyError(f"{schema.name} has no field {field_name}")
        self._change({"object": schema.name, "remove": field.name})

    def _change(self, change: Mapping[str, Any]) -> None:
        with self._store.transaction():
            number = self._store.next_number("field change")
            self._store.set_setting("field", f"{number:09d}", change)
            schema_name = change["object"]
            described = {schema_name: dict(self.get(schema_name).raw)}
            _apply(described, change)
            schema = self._schema(described[schema_name])
            self._store.reindex(schema)
            self._schemas[schema.name.lower()] = schema


def _complete_references(described: dict[str, dict[str, Any]], child: str) -> None:
    """Give one of our own objects the references that recorded parents say it has."""
    fields = described[child]["fields"]
    for parent, body in described.items():
        for entry in body.get("childRelationships") or ():
            reference = entry.get("field")
            if (
                not entry.get("relationshipName")
                or entry["childSObject"] != child
                or any(field["name"] == reference for field in fields)
            ):
                continue
            custom = reference.endswith("__c")
            name = f"{reference[:-1]}r" if custom else reference.removesuffix("Id")
            given = {"name": reference, "type": "reference", "relationshipName": name}
            fields.append(complete_field({**given, "referenceTo": [parent]}))


def _apply(described: dict[str, dict[str, Any]], change: Mapping[str, Any]) -> None:
    body = described.get(change["object"])
    if body is None:
        return
    added = change.get("add")
    gone = added["name"] if added else change["remove"]
    body["fields"] = [f for f in body["fields"] if f["name"].lower() != gone.lower()]
    if added:
        body["fields"].append(added)


def _activity_key(name: str) -> dict[str, Any]:
    return complete_field(
        {
            "name": name,
            "type": "string",
            "length": 80,
            "externalId": True,
            "unique": True,
            "caseSensitive": True,
            "label": name.removesuffix("__c").replace("_", " "),
        }
    )
