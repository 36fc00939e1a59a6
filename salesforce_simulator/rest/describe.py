"""What an org is made of: resources, describe results, limits, picklists of record types."""

from __future__ import annotations

import hashlib
from typing import Any

from salesforce_simulator.errors import refuse
from salesforce_simulator.json_text import dumps
from salesforce_simulator.rest.interface.recent import recent_items
from salesforce_simulator.rest.records import header_date, http_date
from salesforce_simulator.rest.wire import Request, Response

_MEGABYTE = 1024**2
RESOURCES = (
    "compactLayouts",
    "composite",
    "limits",
    "parameterizedSearch",
    "query",
    "queryAll",
    "recent",
    "search",
    "sobjects",
    "tabs",
    "theme",
    "ui-api",
)


def resources(request: Request) -> Response:
    """``GET vXX.X``: what can be asked for, and the caller's identity URL."""
    paths = {name: f"{request.base}/{name}" for name in RESOURCES}
    return Response(200, {**paths, "identity": request.site.identity_url(request.session.user.id)})


def _unless_unchanged(request: Request, body: dict[str, Any]) -> Response:
    """The describe result with its validators, or 304.

    ``Last-Modified`` is one instant for all objects: the last change of metadata or rights that
    affects the user. A 200 therefore does not mean that this object changed.
    """
    changed = request.site.org.metadata_changed_at(request.session.user).replace(microsecond=0)
    tag = hashlib.sha256(dumps(body)).hexdigest()[:8]
    headers = {"ETag": f'"{tag}"', "Last-Modified": http_date(changed)}
    since = header_date(request.headers.get("if-modified-since"))
    if since is not None and changed <= since:
        return Response(304, None, headers)
    return Response(200, body, headers)


#: Objects whose recordings name neither list views nor approval layouts.
_WITHOUT_LISTS = frozenset({"Task", "Event", "OpportunityContactRole"})


def _with_urls(request: Request, entry: dict[str, Any], pages: str | None = None) -> dict[str, Any]:
    """A description with the paths below this version; ``pages`` is the host of its pages."""
    base = f"{request.base}/sobjects/{entry['name']}"
    urls = {"compactLayouts": f"{base}/describe/compactLayouts", "rowTemplate": f"{base}/{{ID}}"}
    if entry["name"] not in _WITHOUT_LISTS:
        urls["approvalLayouts"] = f"{base}/describe/approvalLayouts"
        urls["listviews"] = f"{base}/listviews"
    if pages is not None:
        urls["uiDetailTemplate"] = f"{pages}/{{ID}}"
        urls["uiEditTemplate"] = f"{pages}/{{ID}}/e"
        urls["uiNewRecord"] = f"{pages}/{entry.get('keyPrefix')}/e"
    urls["describe"] = f"{base}/describe"
    urls["quickActions"] = f"{base}/quickActions"
    urls["layouts"] = f"{base}/describe/layouts"
    return {**entry, "urls": {**urls, "sobject": base}}


def describe(request: Request) -> Response:
    """``GET sobjects/{Object}/describe``."""
    body = request.site.org.describe(request.session.user, request.segments()[1])
    pages = request.site.instance_url
    return _unless_unchanged(request, _with_urls(request, body, pages))


def describe_global(request: Request) -> Response:
    """``GET sobjects``."""
    body = request.site.org.describe_global(request.session.user)
    entries = [_with_urls(request, entry) for entry in body["sobjects"]]
    return _unless_unchanged(request, {**body, "sobjects": entries})


def basics(request: Request) -> Response:
    """``GET sobjects/{Object}``: the entry of the global describe and the recent items."""
    user, org = request.session.user, request.site.org
    name = org.canonical_name(user, request.segments()[1])
    entries = org.describe_global(user)["sobjects"]
    entry = next(entry for entry in entries if entry["name"] == name)
    items = recent_items(request, name)
    return Response(200, {"objectDescribe": _with_urls(request, entry), "recentItems": items})


def limits(request: Request) -> Response:
    """``GET limits``: the daily API requests, and storage where it is limited; other limits are not
    kept and not shown."""
    if "view_setup" not in request.session.user.permissions:
        message = (
            "You do not have the level of access necessary to perform the operation you requested."
        )
        raise refuse("INSUFFICIENT_ACCESS", message, None, status=403)
    usage = request.site.usage
    remaining = max(0, usage.limit - usage.used())
    shown = {"DailyApiRequests": {"Max": usage.limit, "Remaining": remaining}}
    for kind, (most, used) in request.site.org.storage().items():
        left = max(0, most - used) // _MEGABYTE
        shown[f"{kind.title()}StorageMB"] = {"Max": most // _MEGABYTE, "Remaining": left}
    return Response(200, shown)


def picklist_values(request: Request) -> Response:
    """``GET ui-api/object-info/{Object}/picklist-values/{recordTypeId}``."""
    _, _, object_name, _, record_type_id = request.segments()
    org, user = request.site.org, request.session.user
    body = org.picklist_values(user, object_name, record_type_id)
    for shown in body["picklistFieldValues"].values():
        shown["url"] = f"{request.base}/{shown['url']}"
    return Response(200, body)
