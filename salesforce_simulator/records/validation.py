"""Required fields, validation rules and unique values: what a save checks before it stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from salesforce_simulator.errors import ErrorEntry, OrgError, refuse
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.filters import Filter, Predicate
from salesforce_simulator.query.soql import parse_condition
from salesforce_simulator.query.soql.complaints import plainly
from salesforce_simulator.store import Record, Store

ScopeFor = Callable[[str], Scope]


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A rule of an administrator: saves for which ``condition`` is true are refused."""

    object_name: str
    condition: str
    message: str
    error_field: str | None


def compiled(rule: ValidationRule, schema: ObjectSchema, scope: Scope) -> Predicate:
    """The predicate of a rule; OrgError when the condition is no WHERE clause for the object."""

    def no_semi_join(query: object) -> frozenset[str]:
        raise plainly("a validation rule can not hold a semi join")

    return Filter(scope, schema, None, no_semi_join).compile(parse_condition(rule.condition))


class Validation:
    """Checks a record that is about to be stored; ``scope_for`` sees everything."""

    def __init__(self, store: Store, catalog: Catalog, scope_for: ScopeFor) -> None:
        self._store = store
        self._catalog = catalog
        self._scope_for = scope_for
        self._rules = [
            ValidationRule(**kept) for kept in store.settings("validation rule").values()
        ]

    def add(self, rule: ValidationRule) -> None:
        """Keep a rule; OrgError when its condition does not fit the object."""
        schema = self._catalog.get(rule.object_name)
        compiled(rule, schema, self._scope_for(rule.condition))
        number = self._store.next_number("validation rule")
        self._store.set_setting(
            "validation rule",
            f"{number:09d}",
            {
                "object_name": rule.object_name,
                "condition": rule.condition,
                "message": rule.message,
                "error_field": rule.error_field,
            },
        )
        self._rules.append(rule)

    def clear(self) -> None:
        """Forget every rule."""
        self._store.drop_settings("validation rule")
        self._rules.clear()

    def required(self, schema: ObjectSchema, record: Record, changes: Record | None) -> None:
        """REQUIRED_FIELD_MISSING; of an update (``changes``) only what it empties counts."""
        missing = [
            field.name
            for field in schema.fields.values()
            if record.get(field.name) is None
            and (
                field.required
                if changes is None
                else field.name in changes and not field.raw.get("nillable", True)
            )
            and not (field.name == "Name" and record.get("LastName") is not None)
        ]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise refuse("REQUIRED_FIELD_MISSING", message, missing)

    def rules(self, schema: ObjectSchema, record: Record) -> None:
        """FIELD_CUSTOM_VALIDATION_EXCEPTION, one entry for each rule that is broken."""
        broken = []
        for rule in self._rules:
            if rule.object_name == schema.name and compiled(
                rule, schema, self._scope_for(rule.condition)
            )(record):
                fields = (rule.error_field,) if rule.error_field else ()
                broken.append(ErrorEntry("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields))
        if broken:
            raise OrgError(400, broken)

    def unique(self, schema: ObjectSchema, record: Record, sees: Callable[[Record], bool]) -> None:
        """DUPLICATE_VALUE for a unique field whose value another record holds; it is named to
        users who see it."""
        for field in schema.indexed:
            value = record.get(field.name)
            if not field.unique or value is None:
                continue
            ids = self._store.ids_equal(schema.name, field, [value]) - {record["Id"]}
            alive = [r for r in self._store.get_many(ids).values() if not r.get("IsDeleted")]
            if alive:
                seen = sees(alive[0])
                name, other = (field.name, alive[0]["Id"][:15]) if seen else ("<unknown>",) * 2
                message = (
                    f"duplicate value found: {name} duplicates value on record with id: {other}"
                )
                raise refuse("DUPLICATE_VALUE", message)
