"""``tabs`` and ``theme``: the objects with a tab, their colour and their icon."""

from __future__ import annotations

from typing import Any

from salesforce_simulator.rest.wire import Request, Response

#: The colours of the Lightning Design System's object icons.
COLOURS = {
    "Account": "5867E8",
    "Contact": "9602C7",
    "Lead": "FF538A",
    "Opportunity": "FF5D2D",
    "Case": "FF538A",
    "Task": "3BA755",
}


def _themed(request: Request) -> list[dict[str, Any]]:
    entries = request.site.org.describe_global(request.session.user)["sobjects"]
    return [entry for entry in entries if entry["name"] in COLOURS]


def object_look(request: Request, object_name: str) -> dict[str, Any]:
    """The colours and icons of an object of ``COLOURS``."""
    icon = {
        "contentType": "image/svg+xml",
        "height": 0,
        "theme": "theme4",
        "url": f"{request.site.instance_url}/static/icon.svg",
        "width": 0,
    }
    colour = {"color": COLOURS[object_name], "context": "primary", "theme": "theme4"}
    return {"colors": [colour], "icons": [icon]}


def tabs(request: Request) -> Response:
    """``GET tabs``: a tab for each object that has one, Tasks excepted."""
    found = []
    for entry in _themed(request):
        name, look = entry["name"], object_look(request, entry["name"])
        if name != "Task":
            found.append(
                {
                    **look,
                    "custom": False,
                    "iconUrl": look["icons"][0]["url"],
                    "label": entry.get("labelPlural") or name,
                    "miniIconUrl": look["icons"][0]["url"],
                    "name": f"standard-{name}",
                    "sobjectName": name,
                    "url": f"{request.site.instance_url}/lightning/o/{name}/list",
                }
            )
    return Response(200, found)


def theme(request: Request) -> Response:
    """``GET theme``."""
    items = [{"name": e["name"], **object_look(request, e["name"])} for e in _themed(request)]
    return Response(200, {"themeItems": items})
