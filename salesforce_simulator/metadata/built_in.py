"""Objects that every org has and that no describe folder records: made from a few keys each.

They can be queried in every org. They are listed once an org uses what they belong to, so that an
org without it looks as it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from salesforce_simulator.metadata.describing import complete_field
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.sharing.access import ACCESS_FLAGS

Fields = tuple[Mapping[str, Any], ...]


def _flags(*names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        yield {"name": name, "type": "boolean", "filterable": False, "sortable": False}


def _reference(name: str, *targets: str) -> dict[str, Any]:
    relationship = name.removesuffix("Id")
    return {
        "name": name, "type": "reference", "referenceTo": list(targets),
        "relationshipName": relationship,
    }  # fmt: skip


_ID = {"name": "Id", "type": "id"}
PERMISSION_FLAGS = {
    "PermissionsApiEnabled": "api_enabled",
    "PermissionsViewSetup": "view_setup",
    "PermissionsViewAllData": "view_all_data",
    "PermissionsModifyAllData": "modify_all_data",
    "PermissionsConvertLeads": "convert_leads",
    "PermissionsCreateAuditFields": "create_audit_fields",
    "PermissionsCanUpdateEmailMessage": "update_email_messages",
    "PermissionsQueryAllFiles": "query_all_files",
}
"""Fields of UserPermissionAccess, and the user permission each shows."""
TASK_FLAGS = {"PermissionsActivitiesAccess": "read", "PermissionsEditTask": "edit"}
"""The same for what the simulator keeps as rights on Task."""

#: name -> (key prefix, fields)
_OBJECTS: dict[str, tuple[str | None, Fields]] = {
    "UserRecordAccess": (
        None,
        (
            _ID,
            _reference("UserId", "User"),
            {"name": "RecordId", "type": "reference"},
            *_flags(*ACCESS_FLAGS),
            {
                "name": "MaxAccessLevel",
                "type": "picklist",
                "filterable": False,
                "sortable": False,
                "picklistValues": ["None", "Read", "Edit", "Delete", "Transfer", "All"],
            },
        ),
    ),
    "UserPermissionAccess": (None, (_ID, *_flags(*PERMISSION_FLAGS, *TASK_FLAGS))),
    "Group": (
        "00G",
        (
            _ID,
            {"name": "Name", "type": "string", "length": 40, "nameField": True},
            {"name": "DeveloperName", "type": "string", "length": 80},
            {"name": "Type", "type": "picklist", "length": 40},
        ),
    ),
    "GroupMember": (
        "011",
        (_ID, _reference("GroupId", "Group"), _reference("UserOrGroupId", "Group", "User")),
    ),
    "QueueSobject": (
        "03g",
        (
            _ID,
            _reference("QueueId", "Group"),
            {"name": "SobjectType", "type": "picklist", "length": 40},
        ),
    ),
    "LeadStatus": (
        "01T",
        (
            _ID,
            {"name": "MasterLabel", "type": "string", "length": 255},
            {"name": "ApiName", "type": "string", "length": 255},
            {"name": "SortOrder", "type": "int"},
            {"name": "IsDefault", "type": "boolean"},
            {"name": "IsConverted", "type": "boolean"},
        ),
    ),
    "CaseStatus": (
        "01W",
        (
            _ID,
            {"name": "MasterLabel", "type": "string", "length": 255},
            {"name": "ApiName", "type": "string", "length": 255},
            {"name": "SortOrder", "type": "int"},
            {"name": "IsDefault", "type": "boolean"},
            {"name": "IsClosed", "type": "boolean"},
        ),
    ),
    "OpportunityStage": (
        "01V",
        (
            _ID,
            {"name": "MasterLabel", "type": "string", "length": 255},
            {"name": "ApiName", "type": "string", "length": 255},
            {"name": "IsActive", "type": "boolean"},
            {"name": "SortOrder", "type": "int"},
            {"name": "IsClosed", "type": "boolean"},
            {"name": "IsWon", "type": "boolean"},
            {"name": "ForecastCategory", "type": "picklist", "length": 40},
            {"name": "ForecastCategoryName", "type": "picklist", "length": 40},
            {"name": "DefaultProbability", "type": "percent", "precision": 3, "scale": 0},
        ),
    ),
    "Profile": (
        "00e",
        (
            _ID,
            {"name": "Name", "type": "string", "length": 255, "nameField": True},
            _reference("UserLicenseId", "UserLicense"),
        ),
    ),
    "UserLicense": (
        "100",
        (
            _ID,
            {"name": "Name", "type": "string", "length": 255, "nameField": True},
            {"name": "LicenseDefinitionKey", "type": "string", "length": 40},
        ),
    ),
    "CurrencyType": (
        "01L",
        (
            _ID,
            {"name": "IsoCode", "type": "picklist", "length": 3},
            {"name": "ConversionRate", "type": "double", "scale": 6},
            {"name": "DecimalPlaces", "type": "int"},
            {"name": "IsActive", "type": "boolean"},
            {"name": "IsCorporate", "type": "boolean"},
        ),
    ),
    "AssignmentRule": (
        "01Q",
        (
            _ID,
            {"name": "Name", "type": "string", "length": 120, "nameField": True},
            {"name": "SobjectType", "type": "picklist", "length": 40},
            {"name": "Active", "type": "boolean"},
        ),
    ),
}
COMPUTED = frozenset({"UserRecordAccess", "UserPermissionAccess"})
"""Objects without stored rows: each query works them out."""
OPTIONAL = frozenset({"CurrencyType"})
"""Objects that an org which does not list them does not have."""
_READ_ONLY = {"createable": False, "updateable": False}


@cache
def built_in(name: str) -> ObjectSchema | None:
    """The object of that name in any case, if it is one of these."""
    found = next((known for known in _OBJECTS if known.lower() == name.lower()), None)
    if found is None:
        return None
    prefix, fields = _OBJECTS[found]
    described = [complete_field({**field, **_READ_ONLY}) for field in fields]
    flags = {"createable": False, "updateable": False, "deletable": False, "searchable": False}
    body = {
        "name": found, "label": found, "labelPlural": found, "keyPrefix": prefix, "custom": False,
        "queryable": True, "retrieveable": found not in COMPUTED, "recordTypeInfos": [],
        "childRelationships": [], "fields": described, **flags,
    }  # fmt: skip
    return ObjectSchema(body)


def by_prefix(prefix: str) -> ObjectSchema | None:
    """The one of these whose ids start so."""
    name = next((name for name, (own, _) in _OBJECTS.items() if own == prefix), None)
    return None if name is None else built_in(name)
