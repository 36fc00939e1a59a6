"""Restriction rules: rows that a condition hides from everybody but those who see all."""

from __future__ import annotations

from collections.abc import Callable

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.filters import Predicate
from salesforce_simulator.records.validation import ScopeFor, ValidationRule, compiled
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

#: The standard objects that have such rules; custom ones do, too.
OBJECTS = frozenset({"Task", "Event", "Contract", "Quote"})


class Restrictions:
    """The rules of one org, at most one for each object, kept in its settings.

    ``wide`` tells a user's *View All* and *Modify All* on an object.
    """

    def __init__(
        self,
        store: Store,
        find: Callable[[str], ObjectSchema],
        scope_for: ScopeFor,
        wide: Callable[[User, str], tuple[bool, bool]],
    ) -> None:
        self._store = store
        self._find = find
        self._scope_for = scope_for
        self._wide = wide
        self._conditions: dict[str, str] = {
            name: kept["condition"] for name, kept in store.settings("restriction rule").items()
        }

    @property
    def any(self) -> bool:
        """Whether there is a rule at all."""
        return bool(self._conditions)

    def set(self, object_name: str, condition: str | None) -> None:
        """Show only rows for which a SOQL condition holds; None ends the rule. ValueError for an
        object without such rules, OrgError for a condition that does not fit it."""
        schema = self._find(object_name)
        if schema.name not in OBJECTS and not schema.name.endswith("__c"):
            raise ValueError(f"{schema.name} has no restriction rules")
        kept = {name: text for name, text in self._conditions.items() if name != schema.name}
        if condition is not None:
            self._predicate(schema, condition)
            kept[schema.name] = condition
        self._store.drop_settings("restriction rule")
        for name, text in kept.items():
            self._store.set_setting("restriction rule", name, {"condition": text})
        self._conditions = kept

    def hides(self, user: User, schema: ObjectSchema, record: Record) -> bool:
        """Whether a rule hides a row from a user."""
        condition = self._conditions.get(schema.name)
        if condition is None or {"view_all_data", "modify_all_data"} & user.permissions:
            return False
        if True in self._wide(user, schema.name):
            return False
        return not self._predicate(schema, condition)(record)

    def _predicate(self, schema: ObjectSchema, condition: str) -> Predicate:
        rule = ValidationRule(schema.name, condition, "", None)
        return compiled(rule, schema, self._scope_for(condition))
