"""What an administrator sets on a user: zone, locale, language, currency and licence."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import ObjectRights, User
from salesforce_simulator.store import Record, Store

#: argument of ``change`` -> field of User.
_FIELDS = {
    "timezone": "TimeZoneSidKey",
    "locale": "LocaleSidKey",
    "language": "LanguageLocaleKey",
    "currency": "DefaultCurrencyIsoCode",
    "federation_id": "FederationIdentifier",
    "user_type": "UserType",
}
USER_TYPES = frozenset(
    {"Standard", "PowerPartner", "CspLitePortal", "PowerCustomerSuccess", "CsnOnly", "Guest",
     "AutomatedProcess"}
)  # fmt: skip
_FEDERATION = "FederationIdentifier"
#: Feature licences: each a box on the user, which gives no rights here.
FEATURES = {
    "marketing_user": "UserPermissionsMarketingUser",
    "knowledge_user": "UserPermissionsKnowledgeUser",
    "support_user": "UserPermissionsSupportUser",
}
#: licence key -> (its name, the profile that goes with it, objects it lacks).
_CRM = ("Lead", "Opportunity", "OpportunityContactRole", "Case")
LICENSES = {
    "SFDC": ("Salesforce", "Standard User", ()),
    "AUL": ("Salesforce Platform", "Standard Platform User", _CRM),
}


class UserSetup:
    """Changes users of one org."""

    def __init__(self, store: Store, catalog: Catalog, rights: Rights, saves: Saves) -> None:
        self._store = store
        self._catalog = catalog
        self._rights = rights
        self._saves = saves

    def first_profile(self) -> str | None:
        """The profile of a new user; None in an org whose recorded users have none."""
        known = self._catalog.get("User").field("ProfileId") is not None
        return self._profile("SFDC") if known else None

    def change(self, user: User, **given: str | bool) -> User:
        """Set ``timezone``, ``locale``, ``language``, ``currency`` (in an org with several),
        ``federation_id``, ``user_type``, ``license`` (a key of ``LICENSES``) or one of
        ``FEATURES``; ValueError for anything else."""
        unknown = sorted(set(given) - set(_FIELDS) - set(FEATURES) - {"license"})
        if unknown:
            raise ValueError(f"a user has no {', '.join(unknown)}")
        if "timezone" in given:
            ZoneInfo(str(given["timezone"]))
        if given.get("user_type", "Standard") not in USER_TYPES:
            raise ValueError(f"user types are {', '.join(sorted(USER_TYPES))}")
        with self._store.transaction():
            if "federation_id" in given and self._catalog.get("User").field(_FEDERATION) is None:
                labels = {"label": "SAML Federation ID", "length": 512}
                self._catalog.add_field("User", {"name": _FEDERATION, "type": "string", **labels})
            license_key = given.pop("license", None)
            values: Record = {
                (_FIELDS | FEATURES)[name]: bool(value) if name in FEATURES else value
                for name, value in given.items()
            }
            if license_key is not None:
                license_key = str(license_key)
                values["ProfileId"] = self._profile(license_key)
                self._catalog.list_built_in("licenses", "Profile", "UserLicense")
            schema = self._catalog.get("User")
            for name in values:
                if schema.field(name) is None:
                    raise ValueError(f"this org's users have no {name}")
            found = self._store.get(user.id)
            assert found is not None
            changed = found[1] | values | {"SystemModstamp": self._saves.stamp()}
            self._store.put(schema, changed, found[1])
            if license_key is not None:
                self._take_objects(user, license_key)
            self._rights.touch(user.id)
            return self._rights.user_of(changed)

    def _take_objects(self, user: User, license_key: str) -> None:
        none = ObjectRights(create=False, read=False, edit=False, delete=False)
        lacking = LICENSES[license_key][2]
        for name in _CRM:
            schema = self._catalog.find(name)
            if schema is not None:
                self._rights.set_object(user, schema, none if name in lacking else ObjectRights())

    def _profile(self, license_key: str) -> str:
        """The profile of a licence, made when it is needed first."""
        if license_key not in LICENSES:
            raise ValueError(f"licences are {', '.join(LICENSES)}, not {license_key!r}")
        if self._catalog.get("User").field("ProfileId") is None:
            reference = {"type": "reference", "referenceTo": ["Profile"]}
            field = {"name": "ProfileId", "label": "Profile ID", "relationshipName": "Profile"}
            self._catalog.add_field("User", {**field, **reference})
        name, profile, _ = LICENSES[license_key]
        owned = self._row("UserLicense", {"Name": name, "LicenseDefinitionKey": license_key})
        return self._row("Profile", {"Name": profile, "UserLicenseId": owned})

    def _row(self, object_name: str, values: dict[str, Any]) -> str:
        """The id of the row of that name, made when there is none."""
        for known in self._store.scan(object_name, deleted=False):
            if known["Name"] == values["Name"]:
                return str(known["Id"])
        schema = self._catalog.get(object_name)
        record: Record = {"Id": self._saves.new_id(schema), "IsDeleted": False, **values}
        self._store.put(schema, record, None)
        return str(record["Id"])
