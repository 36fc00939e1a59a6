"""A whole field description out of a few keys: the flags follow from the type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int",
    "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date",
    "datetime": "xsd:dateTime", "time": "xsd:time", "address": "urn:address",
    "location": "urn:location", "base64": "xsd:base64Binary",
}  # fmt: skip
_LENGTHS = {
    "id": 18, "reference": 18, "email": 80, "phone": 40, "url": 255, "picklist": 255,
    "multipicklist": 4099, "combobox": 255, "string": 255, "textarea": 255, "encryptedstring": 175,
}  # fmt: skip
_NUMBERS = {"double", "currency", "percent"}
_NO = (
    "activateable", "custom", "customSetting", "deepCloneable", "deprecatedAndHidden",
    "feedEnabled", "hasSubtypes", "isInterface", "isSubtype", "layoutable", "mergeable",
    "mruEnabled", "searchable",
)  # fmt: skip
_YES = (
    "compactLayoutable", "createable", "deletable", "queryable", "replicateable", "retrieveable",
    "searchLayoutable", "triggerable", "undeletable", "updateable",
)  # fmt: skip
_NOTHING = (
    "associateEntityType", "associateParentEntity", "defaultImplementation", "extendedBy",
    "extendsInterfaces", "implementedBy", "implementsInterfaces", "listviewable",
    "lookupLayoutable", "networkScopeFieldName",
)  # fmt: skip
_EMPTY = ("actionOverrides", "childRelationships", "namedLayoutInfos", "recordTypeInfos")


def complete_field(given: Mapping[str, Any]) -> dict[str, Any]:
    """A field of a describe result, all 57 keys in the service's order (alphabetical).

    ``name`` and ``type`` must be given; every other key given wins over what is derived.
    Picklist values may be given as plain texts; the first marked ``*`` is the default.
    """
    name, kind = str(given["name"]), str(given["type"])
    length = int(given.get("length", _LENGTHS.get(kind, 0)))
    compound = kind in {"address", "location"}
    long_text = kind == "textarea" and length > 255
    calculated = bool(given.get("calculated"))
    writable = not (compound or calculated or given.get("autoNumber") or kind == "id")
    filterable = not (compound or long_text or kind == "base64")
    references = list(given.get("referenceTo", ()))
    restricted = bool(given.get("restrictedPicklist"))
    derived: dict[str, Any] = {
        "aggregatable": filterable and kind not in {"boolean", "multipicklist"},
        "aiPredictionField": False,
        "autoNumber": False,
        "byteLength": length if kind in {"id", "reference"} else length * 3,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": writable,
        "custom": name.endswith("__c"),
        "defaultValue": False if kind == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": kind == "boolean",
        "dependentPicklist": bool(given.get("controllerName")),
        "deprecatedAndHidden": False,
        "digits": 9 if kind == "int" else 0,
        "displayLocationInDecimal": False,
        "encrypted": kind == "encryptedstring",
        "externalId": False,
        "extraTypeInfo": "plaintextarea" if kind == "textarea" else None,
        "filterable": filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": filterable
        and kind not in {"datetime", "time", "multipicklist", "double", "currency", "percent"},
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": bool(given.get("externalId")),
        "inlineHelpText": None,
        "label": name.removesuffix("__c").replace("_", " "),
        "length": length,
        "mask": None,
        "maskType": None,
        "name": name,
        "nameField": False,
        "namePointing": len(references) > 1,
        "nillable": kind not in {"boolean", "id"},
        "permissionable": writable and bool(given.get("nillable", kind != "boolean")),
        "picklistValues": [],
        "polymorphicForeignKey": len(references) > 1,
        "precision": 18 if kind in _NUMBERS else 0,
        "queryByDistance": kind == "location",
        "referenceTargetField": None,
        "referenceTo": references,
        "relationshipName": None,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": restricted,
        "scale": 2 if kind in _NUMBERS else 0,
        "searchPrefilterable": kind == "reference",
        "soapType": _SOAP.get(kind, "xsd:string"),
        "sortable": filterable and kind != "multipicklist",
        "type": kind,
        "unique": False,
        "updateable": writable,
        "writeRequiresMasterRead": False,
    }
    unknown = set(given) - set(derived)
    if unknown:
        raise ValueError(f"not keys of a field description: {', '.join(sorted(unknown))}")
    field = derived | dict(given)
    field["picklistValues"] = [_entry(value) for value in field["picklistValues"]]
    return field


def _entry(value: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, str):
        text = value.removeprefix("*")
        value = {"value": text, "defaultValue": value.startswith("*")}
    text = str(value["value"])
    plain = {"active": True, "defaultValue": False, "label": text, "validFor": None}
    return plain | dict(value)


def complete_object(
    name: str, label: str, prefix: str, fields: Sequence[Mapping[str, Any]], **flags: Any
) -> dict[str, Any]:
    """A describe result of an object of the service's own; ``flags`` win over what is usual."""
    base = f"/services/data/v66.0/sobjects/{name}"
    body: dict[str, Any] = dict.fromkeys(_NO, False) | dict.fromkeys(_YES, True)
    body |= dict.fromkeys(_NOTHING) | {key: [] for key in _EMPTY}
    body |= {
        "fields": list(fields),
        "keyPrefix": prefix,
        "label": label,
        "labelPlural": f"{label}s",
        "name": name,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {label.lower()}s", "name": "everything"}],
        "urls": {
            "compactLayouts": f"{base}/describe/compactLayouts",
            "rowTemplate": f"{base}/{{ID}}",
            "describe": f"{base}/describe",
            "layouts": f"{base}/describe/layouts",
            "sobject": base,
        },
    }
    unknown = set(flags) - set(body)
    if unknown:
        raise ValueError(f"not keys of a describe result: {', '.join(sorted(unknown))}")
    return dict(sorted((body | flags).items()))
