"""Who may do what: users, object rights and field-level security, kept in the org's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import access_denied, no_such_record
from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.results import ALL_PERMISSIONS, FieldRights, ObjectRights, User
from salesforce_simulator.sharing.access import Access
from salesforce_simulator.sharing.model import Sharing
from salesforce_simulator.store import Record, Store
from salesforce_simulator.values import parse_datetime, show_datetime

_EVERYTHING = ObjectRights()
_FULL = FieldRights()
AUDIT_FIELDS = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})
_ALWAYS_VISIBLE = frozenset({"id", "isdeleted", "createddate", "createdbyid", "lastmodifieddate",
                             "lastmodifiedbyid", "systemmodstamp"})  # fmt: skip


class RowFilter(Protocol):
    """Restriction rules, as rights need them."""

    @property
    def any(self) -> bool:
        """Whether there is a rule at all."""

    def hides(self, user: User, schema: ObjectSchema, record: Record) -> bool:
        """Whether a rule hides a row from a user."""


class Rights:
    """Rights of each user; a user starts with every right, and rights are taken away."""

    def __init__(self, store: Store, clock: OrgClock) -> None:
        self._store = store
        self._clock = clock
        self._objects: dict[tuple[str, str], ObjectRights] = {}
        self._fields: dict[tuple[str, str, str], FieldRights] = {}
        self._permissions: dict[str, frozenset[str]] = {}
        self._changed: dict[str, datetime] = {}
        self.sharing = Sharing(store, self.wide)
        #: Set once the org can read conditions.
        self.restrictions: RowFilter | None = None
        #: Whether audit fields may be set at all: the switch of the org.
        self.audit_fields = "audit_fields" in store.settings("feature")
        for kept in store.settings("object rights").values():
            self._objects[kept["user"], kept["object"]] = ObjectRights(**kept["rights"])
        for kept in store.settings("field rights").values():
            key = (kept["user"], kept["object"], kept["field"])
            self._fields[key] = FieldRights(**kept["rights"])
        for user_id, kept in store.settings("permissions").items():
            self._permissions[user_id] = frozenset(kept)
        for user_id, kept in store.settings("metadata changed").items():
            moment = parse_datetime(kept["at"])
            if moment is not None:
                self._changed[user_id] = moment

    # -- what changed when -------------------------------------------------------------------------
    def changed_at(self, user: User) -> datetime:
        """When metadata or rights last changed for this user."""
        everyone = self._changed.get("")
        own = self._changed.get(user.id, everyone)
        if own is None or everyone is None:
            return own or everyone or self._clock.now()
        return max(own, everyone)

    def touch(self, user_id: str = "") -> None:
        """Note a change for one user, or for everyone.

        Describe results are dated to the second: a change within the second of the last one is
        dated a second later, so that no reader takes the new state for the old.
        """
        last = max(
            (at for who, at in self._changed.items() if not user_id or who in {user_id, ""}),
            default=None,
        )
        moment = self._clock.now().replace(microsecond=0)
        if last is not None and moment <= last:
            moment = datetime.fromtimestamp(last.timestamp() + 1, tz=last.tzinfo)
        self._changed[user_id] = moment
        self._store.set_setting("metadata changed", user_id, {"at": show_datetime(moment)})

    # -- users -------------------------------------------------------------------------------------
    def user_of(self, record: Mapping[str, Any]) -> User:
        """The user that a stored ``User`` record describes."""
        return User(
            id=record["Id"],
            username=record.get("Username") or "",
            email=record.get("Email") or "",
            first_name=record.get("FirstName"),
            last_name=record.get("LastName") or "",
            active=bool(record.get("IsActive")),
            timezone=record.get("TimeZoneSidKey") or "GMT",
            locale=record.get("LocaleSidKey") or "en_US",
            language=record.get("LanguageLocaleKey") or "en_US",
            currency=record.get("DefaultCurrencyIsoCode"),
            permissions=self._permissions.get(record["Id"], ALL_PERMISSIONS),
        )

    def set_permissions(self, user_id: str, permissions: frozenset[str]) -> None:
        """Replace a user's permissions; ValueError for one the org does not know."""
        unknown = permissions - ALL_PERMISSIONS
        if unknown:
            raise ValueError(f"unknown permissions: {', '.join(sorted(unknown))}")
        self._permissions[user_id] = permissions
        self._store.set_setting("permissions", user_id, sorted(permissions))
        self.touch(user_id)

    # -- objects and fields ------------------------------------------------------------------------
    def on_object(self, user: User, schema: ObjectSchema) -> ObjectRights:
        """The user's rights on an object."""
        return self._objects.get((user.id, schema.name), _EVERYTHING)

    def wide(self, user: User, object_name: str) -> tuple[bool, bool]:
        """A user's *View All* and *Modify All* on an object."""
        rights = self._objects.get((user.id, object_name), _EVERYTHING)
        return rights.view_all, rights.modify_all

    # -- rows --------------------------------------------------------------------------------------
    @property
    def hides_rows(self) -> bool:
        """Whether the org hides rows from anybody at all."""
        return self.sharing.on or (self.restrictions is not None and self.restrictions.any)

    def shares(self, user: User, schema: ObjectSchema, record: Record) -> bool:
        """Whether sharing shows the user a record, restriction rules aside."""
        sharing = self.sharing
        return not sharing.on or bool(sharing.access(user, schema.name, record) & Access.READ)

    def sees(self, user: User, schema: ObjectSchema, record: Record) -> bool:
        """Whether sharing shows the user a record and no restriction rule hides it."""
        if not self.shares(user, schema, record):
            return False
        return self.restrictions is None or not self.restrictions.hides(user, schema, record)

    def allowed(self, user: User, schema: ObjectSchema, record: Record) -> Access:
        """What object rights and sharing together let the user do with a record."""
        rights = self.on_object(user, schema)
        if not rights.read:
            return Access.NONE
        found = self.sharing.access(user, schema.name, record)
        if not rights.edit:
            found &= Access.READ | Access.DELETE
        if not rights.delete:
            found &= Access.READ | Access.EDIT | Access.TRANSFER
        return found

    def check(self, user: User, schema: ObjectSchema, record: Record, needed: Access) -> None:
        """Refuse a record that is hidden (404, as if there were none) or that sharing does not let
        the user change so (400)."""
        if self.hides_rows:
            if not self.sees(user, schema, record):
                raise no_such_record()
            if needed & self.sharing.access(user, schema.name, record) != needed:
                raise access_denied()

    # -- fields ------------------------------------------------------------------------------------
    def on_field(self, user: User, schema: ObjectSchema, field: FieldSchema) -> FieldRights:
        """The user's rights on a field; system fields are always readable."""
        return self._fields.get((user.id, schema.name, field.name), _FULL)

    def may_read(self, user: User, schema: ObjectSchema, field: FieldSchema) -> bool:
        """Whether the user may see the field."""
        return self.on_field(user, schema, field).readable

    def may_create(self, user: User, field: FieldSchema) -> bool:
        """Whether the field may be set on create, as far as its kind goes: audit fields only with
        the org's switch and the permission *Set Audit Fields upon Record Creation*."""
        if field.name in AUDIT_FIELDS and self.audit_fields:
            return "create_audit_fields" in user.permissions
        return field.createable

    def visible(self, user: User, schema: ObjectSchema, name: str) -> FieldSchema | None:
        """The field of that name if it exists and the user may read it."""
        field = schema.field(name)
        if field is None or not self.may_read(user, schema, field):
            return None
        return field

    def set_object(self, user: User, schema: ObjectSchema, rights: ObjectRights) -> None:
        """Replace a user's rights on an object."""
        self._objects[user.id, schema.name] = rights
        kept = {"user": user.id, "object": schema.name, "rights": asdict(rights)}
        self._store.set_setting("object rights", f"{user.id}.{schema.name}", kept)
        self.touch(user.id)

    def set_field(
        self, user: User, schema: ObjectSchema, field: FieldSchema, rights: FieldRights
    ) -> None:
        """Replace a user's field-level security; a field that is not readable is not editable."""
        if field.name.lower() in _ALWAYS_VISIBLE and not rights.readable:
            raise ValueError(f"{schema.name}.{field.name} can not be hidden")
        if not rights.readable:
            rights = FieldRights(readable=False, editable=False)
        self._fields[user.id, schema.name, field.name] = rights
        kept = {
            "user": user.id, "object": schema.name, "field": field.name, "rights": asdict(rights),
        }  # fmt: skip
        name = f"{user.id}.{schema.name}.{field.name}"
        self._store.set_setting("field rights", name, kept)
        self.touch(user.id)
