"""Page layouts: one an object, of all the fields its user sees, since none are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import not_found
from salesforce_simulator.ids import from_sequence
from salesforce_simulator.metadata.record_types import info_of
from salesforce_simulator.metadata.schema import SYSTEM_FIELDS, ObjectSchema
from salesforce_simulator.rest.interface.compact_layouts import layout_item
from salesforce_simulator.rest.wire import Request, Response

_PREFIX = "00h"
_COLUMNS = 2
#: Layouts of a name of their own, by object. Users have one for a user's own details.
_NAMED = {"User": ("UserAlt",)}


def _described(request: Request) -> dict[str, Any]:
    return request.site.org.describe(request.session.user, request.segments()[1])


def _layout_id(request: Request, object_name: str) -> str:
    place = request.site.org.object_names(request.session.user).index(object_name) + 1
    return from_sequence(_PREFIX, request.site.organization_id[3:7], place)


def _section(described: Mapping[str, Any], *, edit: bool) -> dict[str, Any]:
    fields = [
        field
        for field in described["fields"]
        if field["name"] not in SYSTEM_FIELDS
        and (not edit or field.get("createable") or field.get("updateable"))
    ]
    items = [
        layout_item(
            field, place, new=bool(field.get("createable")), update=bool(field.get("updateable"))
        )
        for place, field in enumerate(fields, start=1)
    ]
    rows = [items[start : start + _COLUMNS] for start in range(0, len(items), _COLUMNS)]
    return {
        "collapsed": False,
        "columns": _COLUMNS,
        "heading": f"{described.get('label') or described['name']} Information",
        "layoutRows": [{"layoutItems": row, "numItems": len(row)} for row in rows],
        "layoutSectionId": None,
        "parentLayoutId": None,
        "rows": len(rows),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": True,
    }


def _related_lists(request: Request, described: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = set(request.site.org.object_names(request.session.user))
    return [
        {
            "accessLevelRequiredForCreate": None,
            "buttons": [],
            "columns": [],
            "custom": str(child["childSObject"]).endswith("__c"),
            "field": child["field"],
            "label": child["relationshipName"],
            "limitRows": 6,
            "name": child["relationshipName"],
            "sobject": child["childSObject"],
            "sort": [],
        }
        for child in described.get("childRelationships") or ()
        if child.get("relationshipName") and child["childSObject"] in names
    ]


def _layout(request: Request, described: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "buttonLayoutSection": {"detailButtons": []},
        "detailLayoutSections": [_section(described, edit=False)],
        "editLayoutSections": [_section(described, edit=True)],
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": _layout_id(request, described["name"]),
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": {"quickActionListItems": []},
        "relatedContent": None,
        "relatedLists": _related_lists(request, described),
        "saveOptions": [],
    }


def _layouts(request: Request, described: Mapping[str, Any], *, named: bool) -> Response:
    """The answer for an object; null for its layouts when it has several record types."""
    infos = described.get("recordTypeInfos") or []
    several = sum(not info.get("master") for info in infos) > 1 and not named
    layout = _layout(request, described)
    mappings = [
        {
            "available": bool(info.get("available")),
            "defaultRecordTypeMapping": bool(info.get("defaultRecordTypeMapping")),
            "layoutId": layout["id"],
            "name": info.get("name"),
            "picklistsForRecordType": None,
            "recordTypeId": info.get("recordTypeId"),
            "urls": {
                "layout": f"{request.base}/sobjects/{described['name']}/describe/layouts/"
                f"{info.get('recordTypeId')}"
            },
        }
        for info in infos
    ]
    body = {
        "layouts": None if several else [layout],
        "recordTypeMappings": mappings,
        "recordTypeSelectorRequired": [several],
    }
    return Response(200, body)


def layouts(request: Request) -> Response:
    """``GET sobjects/{Object}/describe/layouts``."""
    return _layouts(request, _described(request), named=False)


def layout_of_record_type(request: Request) -> Response:
    """``GET sobjects/{Object}/describe/layouts/{recordTypeId}``."""
    described = _described(request)
    if info_of(ObjectSchema(described), request.segments()[4]) is None:
        raise not_found()
    return Response(200, _layout(request, described))


def named_layout(request: Request) -> Response:
    """``GET sobjects/{Object}/describe/namedLayouts/{name}``."""
    described = _described(request)
    if request.segments()[4] not in _NAMED.get(described["name"], ()):
        raise not_found()
    return _layouts(request, described, named=True)


def approval_layouts(request: Request) -> Response:
    """``GET sobjects/{Object}/describe/approvalLayouts``: there are no approval processes."""
    _described(request)
    return Response(200, {"approvalLayouts": []})
