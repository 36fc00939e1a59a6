"""Quick actions: the standard ones that create a record below another, described and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.errors import not_found
from salesforce_simulator.rest.interface.compact_layouts import layout_item
from salesforce_simulator.rest.interface.tabs import COLOURS, object_look
from salesforce_simulator.rest.wire import Request, Response

#: name -> (label, object it creates, fields of the new record)
_ACTIONS = {
    "NewTask": ("New Task", "Task", ("Subject", "ActivityDate", "Status", "WhoId", "WhatId")),
    "LogACall": ("Log a Call", "Task", ("Subject", "Description", "WhoId", "WhatId")),
    "NewContact": ("New Contact", "Contact", ("FirstName", "LastName", "Email", "Phone", "Title")),
    "NewCase": ("New Case", "Case", ("ContactId", "Status", "Subject", "Description")),
    "NewLead": ("New Lead", "Lead", ("FirstName", "LastName", "Email", "Company")),
    "NewOpportunity": (
        "New Opportunity", "Opportunity", ("Name", "CloseDate", "StageName", "Amount"),
    ),
}  # fmt: skip
#: object -> what is offered on its records
_OFFERED = {
    "Account": ("NewTask", "LogACall", "NewContact", "NewCase", "NewOpportunity"),
    "Contact": ("NewTask", "LogACall", "NewCase"),
    "Lead": ("NewTask", "LogACall"),
    "Opportunity": ("NewTask", "LogACall"),
    "Case": ("NewTask", "LogACall"),
}
_NOTHING = (
    "accessLevelRequired", "canvasApplicationId", "canvasApplicationName", "defaultValues",
    "flowDevName", "flowRecordIdVar", "height", "lightningComponentBundleId",
    "lightningComponentBundleName", "lightningComponentQualifiedName", "mobileExtensionDisplayMode",
    "mobileExtensionId", "targetParentField", "targetRecordTypeId", "visualforcePageName",
    "visualforcePageUrl", "width",
)  # fmt: skip


def _context(request: Request) -> str:
    return request.site.org.canonical_name(request.session.user, request.segments()[1])


def _offered(request: Request, context: str) -> list[str]:
    """The actions of an object whose new records the user may create."""
    org, user = request.site.org, request.session.user
    entries = org.describe_global(user)["sobjects"]
    createable = {entry["name"] for entry in entries if entry.get("createable")}
    return [name for name in _OFFERED.get(context, ()) if _ACTIONS[name][1] in createable]


def _entry(request: Request, context: str, name: str) -> dict[str, Any]:
    path = f"{request.base}/sobjects/{context}/quickActions/{name}"
    return {
        "actionEnumOrId": name,
        "label": _ACTIONS[name][0],
        "name": name,
        "type": "LogACall" if name == "LogACall" else "Create",
        "urls": {"quickAction": path, "describe": f"{path}/describe"},
    }


def quick_actions(request: Request) -> Response:
    """``GET sobjects/{Object}/quickActions``."""
    context = _context(request)
    return Response(200, [_entry(request, context, n) for n in _offered(request, context)])


def quick_action(request: Request) -> Response:
    """``GET sobjects/{Object}/quickActions/{name}``, and the same with ``/describe``."""
    context, wanted = _context(request), request.segments()[3].lower()
    name = next((n for n in _offered(request, context) if n.lower() == wanted), None)
    if name is None:
        raise not_found()
    _, target, fields = _ACTIONS[name]
    look = object_look(request, target) if target in COLOURS else {"colors": [], "icons": []}
    icon = look["icons"][0]["url"] if look["icons"] else None
    described = request.site.org.describe(request.session.user, target)
    body = {
        **dict.fromkeys(_NOTHING),
        **_entry(request, context, name),
        **look,
        "contextSobjectType": context,
        "iconName": None,
        "iconUrl": icon,
        "layout": _layout(described, fields),
        "miniIconUrl": icon,
        "showQuickActionLcHeader": False,
        "showQuickActionVfHeader": False,
        "targetSobjectType": target,
    }
    return Response(200, dict(sorted(body.items())))


def _layout(described: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    fields = [field for field in described["fields"] if field["name"] in names]
    items = [layout_item(field, n, new=True) for n, field in enumerate(fields, start=1)]
    return {
        "collapsed": False,
        "columns": 1,
        "heading": None,
        "layoutRows": [{"layoutItems": [item], "numItems": 1} for item in items],
        "layoutSectionId": None,
        "parentLayoutId": None,
        "rows": len(items),
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": False,
        "useHeading": False,
    }
