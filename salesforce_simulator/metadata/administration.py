"""The org's metadata side: users, descriptions, rights and the rules of its administrator."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import not_found
from salesforce_simulator.ids import normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.currencies import use_currencies
from salesforce_simulator.metadata.described import (
    describe_global,
    picklist_values,
    visible_describe,
)
from salesforce_simulator.metadata.provision import provision
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.metadata.user_setup import UserSetup
from salesforce_simulator.oauth.bounds import LoginBounds
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.run import Queries
from salesforce_simulator.records.duplicates import DuplicateRule, Duplicates
from salesforce_simulator.records.places import place_fields
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.records.validation import Validation, ValidationRule
from salesforce_simulator.results import ALL_PERMISSIONS, FieldRights, ObjectRights, User
from salesforce_simulator.rules.automatic import OBJECTS, AutomaticRules
from salesforce_simulator.rules.triggers import Triggers
from salesforce_simulator.sharing.restrictions import Restrictions
from salesforce_simulator.sharing.setup import SharingSetup
from salesforce_simulator.store import Record, Store


class Administration:
    """Everything about an org but its records; ``Org`` adds those."""

    def __init__(
        self,
        *,
        database: Path | str,
        clock: OrgClock,
        name: str,
        sandbox: bool,
        describe_dir: Path | None,
        activity_key_field: str | None,
        person_accounts: bool,
    ) -> None:
        self.clock = clock
        self._store = Store(database)
        self._catalog = Catalog(
            self._store,
            describe_dir=describe_dir,
            activity_key_field=activity_key_field,
            person_accounts=person_accounts,
        )
        self.missing_objects: tuple[str, ...] = self._catalog.missing
        """Objects the describe folder lacks, taken from the package's own set."""
        self._rights = Rights(self._store, clock)
        org_code = _org_code(name, sandbox=sandbox)
        engine = User(
            id="", username="", email="", first_name=None, last_name="", active=True,
            permissions=ALL_PERMISSIONS,
        )  # fmt: skip
        metadata = Queries(self._store, self._catalog, self._rights, clock)

        def scope_for(text: str) -> Scope:
            return metadata.scope(engine, text, all_rows=False, api_version="66.0")

        self._validation = Validation(self._store, self._catalog, scope_for)
        self.restrictions = Restrictions(
            self._store, self._catalog.get, scope_for, self._rights.wide
        )
        """Rules that hide rows whatever sharing shows."""
        self._rights.restrictions = self.restrictions
        self._duplicates = Duplicates(self._store, self._catalog, self._rights)
        self._saves = Saves(
            store=self._store,
            catalog=self._catalog,
            rights=self._rights,
            clock=clock,
            validation=self._validation,
            duplicates=self._duplicates,
            org_code=org_code,
        )
        self.automatic = AutomaticRules(self._store, self._catalog)
        """Assignment and auto-response rules, and the mail they sent."""
        self.user_setup = UserSetup(self._store, self._catalog, self._rights, self._saves)
        """Zone, locale, language, currency and licence of users."""
        self.triggers = Triggers(self._store)
        """What saves cost, and what refuses whole chunks of them."""
        self.login_bounds = LoginBounds(self._store)
        """When and from where each user may log in."""
        self.sharing = SharingSetup(self._store, self._catalog, self._rights, self._saves)
        """Organization-wide defaults, roles and queues."""
        with self._store.transaction():
            self.organization_id = provision(
                self._store,
                self._catalog,
                org_code=org_code,
                name=name,
                sandbox=sandbox,
                stamp=self._saves.stamp(),
            )
            if not self._store.settings("metadata changed"):
                self._rights.touch()

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    # -- users -----------------------------------------------------------------------------------
    def users(self) -> list[User]:
        """Every user, active or not, oldest first."""
        return [self._rights.user_of(row) for row in self._store.scan("User", deleted=False)]

    def user(self, user_id: str) -> User:
        """The user with this 15- or 18-character id; KeyError if there is none."""
        full = normalised(user_id)
        found = self._store.get(full) if full is not None else None
        if found is None or found[0] != "User":
            raise KeyError(user_id)
        return self._rights.user_of(found[1])

    def user_by_username(self, username: str) -> User | None:
        """The user who logs in with ``username`` (case does not matter)."""
        wanted = username.lower()
        return next((user for user in self.users() if user.username.lower() == wanted), None)

    def add_user(
        self,
        *,
        username: str,
        email: str,
        last_name: str,
        first_name: str | None = None,
        active: bool = True,
        permissions: frozenset[str] | None = None,
    ) -> User:
        """Add a user with rights on everything; ``permissions`` None means all of them.

        ValueError when the username is taken.
        """
        schema = self._catalog.get("User")
        with self._store.transaction():
            if self.user_by_username(username) is not None:
                raise ValueError(f"there is a user {username} already")
            stamp = self._saves.stamp()
            record_id = self._saves.new_id(schema)
            record: Record = {f.name: f.default_value() for f in schema.by_default}
            record |= {
                "Id": record_id,
                "IsDeleted": False,
                "Username": username,
                "Email": email,
                "FirstName": first_name,
                "LastName": last_name,
                "Name": f"{first_name} {last_name}" if first_name else last_name,
                "Alias": last_name[:8].lower(),
                "CommunityNickname": username.partition("@")[0][:40],
                "IsActive": active,
                "UserType": "Standard",
                "ProfileId": self.user_setup.first_profile(),
                "CreatedDate": stamp,
                "CreatedById": record_id,
                "LastModifiedDate": stamp,
                "LastModifiedById": record_id,
                "SystemModstamp": stamp,
            }
            self._store.put(schema, record, None)
            if permissions is not None:
                self._rights.set_permissions(record_id, permissions)
        return self.user(record_id)

    def set_user_active(self, user_id: str, active: bool) -> User:
        """Activate or deactivate a user; KeyError if there is none."""
        user = self.user(user_id)
        with self._store.transaction():
            found = self._store.get(user.id)
            assert found is not None
            changed = found[1] | {"IsActive": active, "SystemModstamp": self._saves.stamp()}
            self._store.put(self._catalog.get("User"), changed, found[1])
        return self.user(user.id)

    # -- metadata --------------------------------------------------------------------------------
    def _object(self, user: User, object_name: str) -> ObjectSchema:
        schema = self._catalog.get(object_name)
        if not self._rights.on_object(user, schema).read:
            raise not_found()
        return schema

    def object_names(self, user: User) -> list[str]:
        """Canonical names of the objects the user may read, sorted."""
        schemas = [self._catalog.get(name) for name in self._catalog.names()]
        return [s.name for s in schemas if self._rights.on_object(user, s).read]

    def canonical_name(self, user: User, object_name: str) -> str:
        """The object's name in canonical case; OrgError 404 when unknown or invisible."""
        return self._object(user, object_name).name

    def createable_fields(self, object_name: str) -> set[str]:
        """The fields that a create may set, as recorded or, of a trimmed recording, assumed."""
        fields = self._catalog.get(object_name).fields.values()
        return {field.name for field in fields if field.createable}

    def describe(self, user: User, object_name: str) -> dict[str, Any]:
        """The describe result without what the user cannot read; OrgError 404 when invisible."""
        return visible_describe(self._rights, user, self._object(user, object_name))

    def describe_global(self, user: User) -> dict[str, Any]:
        """``{"encoding", "maxBatchSize", "sobjects": [...]}``."""
        schemas = [self._catalog.get(name) for name in self.object_names(user)]
        return describe_global(self._rights, user, schemas)

    def metadata_changed_at(self, user: User) -> datetime:
        """When metadata or rights that affect this user last changed (one instant for all)."""
        return self._rights.changed_at(user)

    def picklist_values(self, user: User, object_name: str, record_type_id: str) -> dict[str, Any]:
        """The ``picklist-values`` answer of the UI API: ``{"picklistFieldValues": {...}}``."""
        schema = self._object(user, object_name)
        types = self._catalog.record_types
        return picklist_values(self._rights, types, user, schema, record_type_id)

    # -- the administrator of the org --------------------------------------------------------------
    def add_field(self, object_name: str, field: Mapping[str, Any]) -> None:
        """Add a field by its describe dict; ``name`` and ``type`` suffice, the rest is derived."""
        with self._store.transaction():
            self._catalog.add_field(object_name, field)
            self._rights.touch()

    def use_currencies(
        self, codes: Sequence[str], rates: Mapping[str, float] | None = None
    ) -> None:
        """Have several currencies, the first of which is the corporate one and everybody's own:
        CurrencyIsoCode appears on every object that holds records of users."""
        with self._store.transaction():
            use_currencies(self._store, self._catalog, self._saves, codes, rates or {})
            self._rights.touch()

    def use_addresses(self, *, japan: bool, international: bool) -> None:
        """What email fields take (see ``records.inputs.AddressRules``); at first both."""
        kept = {"japan": japan, "international": international}
        self._store.set_setting("address rules", "all", kept)

    def use_places(self, places: Mapping[str, Sequence[str]], names: Mapping[str, str]) -> None:
        """Have state and country picklists: states by country, as codes, and what they are
        called."""
        for name in ("Account", "Contact", "Lead"):
            for field in place_fields(self._catalog.get(name), places, names):
                self.add_field(name, field)

    def remove_field(self, object_name: str, field_name: str) -> None:
        """Delete a field and its values; KeyError if there is none."""
        with self._store.transaction():
            schema = self._catalog.get(object_name)
            field = schema.field(field_name)
            self._catalog.remove_field(object_name, field_name)
            changed = self._catalog.get(object_name)
            assert field is not None
            for record in list(self._store.scan(schema.name, deleted=True)):
                if field.name in record:
                    kept = {k: v for k, v in record.items() if k != field.name}
                    self._store.put(changed, kept, record)
            self._rights.touch()

    def set_object_rights(self, user: User, object_name: str, rights: ObjectRights) -> None:
        """Replace a user's rights on an object."""
        self._rights.set_object(user, self._catalog.get(object_name), rights)

    def set_field_rights(
        self, user: User, object_name: str, field_name: str, rights: FieldRights
    ) -> None:
        """Replace a user's field-level security on one field; KeyError if there is none."""
        schema = self._catalog.get(object_name)
        field = schema.field(field_name)
        if field is None:
            raise KeyError(f"{schema.name} has no field {field_name}")
        self._rights.set_field(user, schema, field, rights)

    def add_validation_rule(
        self,
        object_name: str,
        condition: str,
        message: str,
        *,
        error_field: str | None = None,
    ) -> None:
        """Refuse saves for which ``condition``, written as a SOQL WHERE clause, is true."""
        name = self._catalog.get(object_name).name
        self._validation.add(ValidationRule(name, condition, message, error_field))

    def add_duplicate_rule(
        self,
        object_name: str,
        name: str,
        *,
        action: Literal["block", "alert"],
        match_on: Sequence[str],
        match_object: str | None = None,
        message: str = "Use one of these records?",
    ) -> None:
        """Refuse saves that equal another record in every field of ``match_on``.

        ``match_object`` compares with another object (a new Contact against Leads).
        """
        own = self._catalog.get(object_name).name
        target = self._catalog.get(match_object).name if match_object is not None else own
        self._duplicates.add(DuplicateRule(own, name, action, tuple(match_on), target, message))

    def set_assignment_rule(
        self, object_name: str, owner_id: str | None, *, active: bool = True
    ) -> str | None:
        """New Leads or Cases get this user or queue as their owner; None ends the active rule.

        The id of the rule. One that is not active only runs when it is named.
        """
        name = self._catalog.get(object_name).name
        if name not in OBJECTS:
            raise ValueError(f"{name} has no assignment rules")
        with self._store.transaction():
            if owner_id is None:
                self.automatic.drop_active(name)
                return None
            queue = self._rights.sharing.queue(owner_id)
            owner = self.user(owner_id).id if queue is None else queue.id
            rule_id = self._saves.new_id(self._catalog.get("AssignmentRule"))
            self.automatic.set_assignment(name, rule_id, owner, active=active)
            return rule_id

    def clear_rules(self) -> None:
        """Remove every rule and every trigger; assignment rules stay as inactive ones."""
        self.triggers.clear()
        self._validation.clear()
        self._duplicates.clear()
        with self._store.transaction():
            self.automatic.clear()


def _org_code(name: str, *, sandbox: bool) -> str:
    """Four characters that tell the ids of one org from those of another."""
    digest = hashlib.sha256(f"{name}|{sandbox}".encode()).digest()
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return "".join(alphabet[byte % 62] for byte in digest[:4])
