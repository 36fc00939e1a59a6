"""Compact layouts: the system's own for each object, since none are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import refuse
from salesforce_simulator.rest.interface.columns import chosen_fields
from salesforce_simulator.rest.wire import Request, Response

MAX_OBJECTS = 100
_LABEL, _NAME = "System Default", "SYSTEM"


def layout_item(
    field: Mapping[str, Any], place: int, *, new: bool = False, update: bool = False
) -> dict[str, Any]:
    """A field as layouts show it, with its description."""
    component = {
        "components": [],
        "details": dict(field),
        "displayLines": 1,
        "tabOrder": place,
        "type": "Field",
        "value": field["name"],
    }
    required = bool(
        field.get("createable") and not field.get("nillable") and not field.get("defaultedOnCreate")
    )
    return {
        "editableForNew": new,
        "editableForUpdate": update,
        "label": field.get("label") or field["name"],
        "layoutComponents": [component],
        "placeholder": False,
        "required": required and (new or update),
    }


def _compact(described: Mapping[str, Any]) -> dict[str, Any]:
    items = [layout_item(field, n) for n, field in enumerate(chosen_fields(described), start=1)]
    return {
        "actions": [],
        "fieldItems": items,
        "id": None,
        "imageItems": None,
        "label": _LABEL,
        "name": _NAME,
        "objectType": described["name"],
    }


def of_an_object(request: Request) -> Response:
    """``GET sobjects/{Object}/describe/compactLayouts``."""
    described = request.site.org.describe(request.session.user, request.segments()[1])
    base = f"{request.base}/sobjects/{described['name']}/describe/compactLayouts"
    mappings = [
        {
            "available": bool(info.get("available")),
            "compactLayoutId": None,
            "compactLayoutName": _NAME,
            "recordTypeId": info.get("recordTypeId"),
            "recordTypeName": info.get("name"),
            "urls": {"compactLayout": f"{base}/{info.get('recordTypeId')}"},
        }
        for info in described.get("recordTypeInfos") or ()
    ]
    return Response(
        200,
        {
            "compactLayouts": [_compact(described)],
            "defaultCompactLayoutId": None,
            "recordTypeCompactLayoutMappings": mappings,
            "urls": {"primary": f"{base}/primary"},
        },
    )


def of_several_objects(request: Request) -> Response:
    """``GET compactLayouts?q=Account,Contact``."""
    names = [name.strip() for name in request.query.get("q", "").split(",") if name.strip()]
    if not 1 <= len(names) <= MAX_OBJECTS:
        raise refuse("INVALID_QUERY_PARAMETER", f"q names 1 to {MAX_OBJECTS} objects", None)
    org, user = request.site.org, request.session.user
    described = [org.describe(user, name) for name in names]
    return Response(200, {body["name"]: _compact(body) for body in described})
