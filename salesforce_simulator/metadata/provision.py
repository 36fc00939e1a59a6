"""The rows every org has: itself, its record types, the statuses of tasks."""

from __future__ import annotations

from salesforce_simulator.ids import MASTER_RECORD_TYPE, from_sequence, normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.store import Record, Store

_CLOSED = frozenset({"completed"})


def provision(
    store: Store, catalog: Catalog, *, org_code: str, name: str, sandbox: bool, stamp: str
) -> str:
    """Create what is missing; the id of the Organization row."""
    system: Record = {
        "IsDeleted": False,
        "CreatedDate": stamp,
        "LastModifiedDate": stamp,
        "SystemModstamp": stamp,
    }
    known = next(iter(store.scan("Organization", deleted=False)), None)
    if known is not None:
        return str(known["Id"])
    organization = catalog.get("Organization")
    organization_id = from_sequence(organization.prefix, org_code, 1)
    row = {
        "Id": organization_id,
        "Name": name,
        "IsSandbox": sandbox,
        "OrganizationType": "Developer Edition",
        "InstanceName": "SIM1",
        "DefaultLocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "TimeZoneSidKey": "GMT",
        "TrialExpirationDate": None,
        "NamespacePrefix": None,
    }
    store.put(organization, system | row, None)
    _record_types(store, catalog, system)
    _task_statuses(store, catalog, org_code, system)
    _lead_statuses(store, catalog, org_code, system)
    return organization_id


def _record_types(store: Store, catalog: Catalog, system: Record) -> None:
    schema = catalog.get("RecordType")
    for object_name in catalog.names():
        for info in catalog.get(object_name).raw.get("recordTypeInfos") or ():
            record_id = normalised(info.get("recordTypeId") or "")
            if record_id is None or record_id == MASTER_RECORD_TYPE or store.get(record_id):
                continue
            developer_name = info.get("developerName") or str(info["name"]).replace(" ", "_")
            row = {
                "Id": record_id,
                "Name": info["name"],
                "DeveloperName": developer_name,
                "SobjectType": object_name,
                "IsActive": bool(info.get("active", True)),
                "IsPersonType": developer_name == "PersonAccount",
            }
            store.put(schema, system | row, None)


def _task_statuses(store: Store, catalog: Catalog, org_code: str, system: Record) -> None:
    schema = catalog.get("TaskStatus")
    status = catalog.get("Task").field("Status")
    entries = status.picklist if status is not None else ()
    for place, entry in enumerate(entries, start=1):
        row = {
            "Id": from_sequence(schema.prefix, org_code, place),
            "MasterLabel": entry["label"],
            "ApiName": entry["value"],
            "SortOrder": place,
            "IsDefault": bool(entry.get("defaultValue")),
            "IsClosed": str(entry["value"]).lower() in _CLOSED,
        }
        store.put(schema, system | row, None)


def _lead_statuses(store: Store, catalog: Catalog, org_code: str, system: Record) -> None:
    """A describe result does not say which statuses are converted ones; their names do."""
    schema = catalog.get("LeadStatus")
    leads = catalog.find("Lead")
    status = leads.field("Status") if leads is not None else None
    entries = status.picklist if status is not None else ()
    for place, entry in enumerate(entries, start=1):
        value = str(entry["value"])
        row = {
            "Id": from_sequence(schema.prefix, org_code, place),
            "MasterLabel": entry.get("label") or value,
            "ApiName": value,
            "SortOrder": place,
            "IsDefault": bool(entry.get("defaultValue")),
            "IsConverted": "convert" in value.lower() and "not convert" not in value.lower(),
        }
        store.put(schema, system | row, None)
