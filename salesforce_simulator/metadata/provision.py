"""The rows every org has: itself, its record types, its statuses and stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from salesforce_simulator.ids import MASTER_RECORD_TYPE, from_sequence, normalised
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.records.derived import closed_case, closed_stage, stage_of
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
        _picklist_rows(store, catalog, org_code, system)
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
    _picklist_rows(store, catalog, org_code, system)
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


def _entries(catalog: Catalog, object_name: str, field_name: str) -> list[Mapping[str, Any]]:
    """The entries of a picklist; none where the org's recording lacks it."""
    schema = catalog.find(object_name)
    field = schema.field(field_name) if schema is not None else None
    return list(field.picklist) if field is not None else []


def _task_status(value: str) -> Record:
    return {"IsClosed": value.lower() in _CLOSED}


def _lead_status(value: str) -> Record:
    """A describe result does not say which statuses are converted ones; their names do."""
    return {"IsConverted": "convert" in value.lower() and "not convert" not in value.lower()}


def _case_status(value: str) -> Record:
    return {"IsClosed": closed_case(value)}


def _stage(value: str) -> Record:
    probability, category = stage_of(value)
    return {
        "IsActive": True,
        "IsClosed": closed_stage(value),
        "IsWon": value.lower() == "closed won",
        "ForecastCategory": category,
        "ForecastCategoryName": category,
        "DefaultProbability": float(probability),
    }


#: object with a row for each entry of a picklist -> that picklist, and what else a row tells.
_ROWS: Mapping[str, tuple[str, str, Callable[[str], Record]]] = {
    "TaskStatus": ("Task", "Status", _task_status),
    "LeadStatus": ("Lead", "Status", _lead_status),
    "CaseStatus": ("Case", "Status", _case_status),
    "OpportunityStage": ("Opportunity", "StageName", _stage),
}


def _picklist_rows(store: Store, catalog: Catalog, org_code: str, system: Record) -> None:
    for name, (owner, field, more) in _ROWS.items():
        if store.count(name):
            continue
        schema = catalog.get(name)
        for place, entry in enumerate(_entries(catalog, owner, field), start=1):
            value = str(entry["value"])
            row = {
                "Id": from_sequence(schema.prefix, org_code, place),
                "MasterLabel": entry.get("label") or value,
                "ApiName": value,
                "SortOrder": place,
                "IsDefault": bool(entry.get("defaultValue")),
                **more(value),
            }
            row = {key: value for key, value in row.items() if schema.field(key) is not None}
            store.put(schema, system | row, None)
