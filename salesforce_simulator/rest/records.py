"""One record at a time: create, read, update, delete, and the same by external id."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from salesforce_simulator.errors import OrgError, no_such_column, not_found, refuse
from salesforce_simulator.oauth.bounds import within_hours
from salesforce_simulator.rest.transactions import run_triggers
from salesforce_simulator.rest.wire import Request, Response
from salesforce_simulator.results import SaveOptions

ID = re.compile(r"^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$")


def http_date(moment: datetime) -> str:
    """A date as the service writes it: the day is not padded."""
    return f"{moment:%a}, {moment.day} {moment:%b %Y %H:%M:%S} GMT"


def header_date(value: str | None) -> datetime | None:
    """The moment a conditional header names; one that cannot be read is ignored."""
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_CONDITIONS = ("If-Unmodified-Since", "If-Modified-Since")


def _check_dates(request: Request) -> None:
    """Refuse a save whose conditional headers cannot be read; a DELETE ignores them."""
    for name in _CONDITIONS:
        value = request.headers.get(name.lower())
        if value is not None and header_date(value) is None:
            raise refuse("INVALID_INPUT", f"The header {name} holds no date: {value}", None)


def save_options(request: Request) -> SaveOptions:
    """What the headers of a save ask for."""
    _check_dates(request)
    header = request.headers.get("sforce-duplicate-rule-header", "")
    pairs = (part.partition("=") for part in header.replace(",", ";").split(";"))
    wanted = {name.strip().lower(): value.strip().lower() == "true" for name, _, value in pairs}
    assign = request.headers.get("sforce-auto-assign", "").strip() or "true"
    return SaveOptions(
        allow_duplicates=wanted.get("allowsave", False),
        include_record_details=wanted.get("includerecorddetails", False),
        as_current_user=wanted.get("runascurrentuser", False),
        auto_assign=assign.lower() != "false",
        assignment_rule=None if assign.lower() in ("true", "false") else assign,
        unmodified_since=header_date(request.headers.get("if-unmodified-since")),
    )


def save_new(
    request: Request, object_name: str, fields: Mapping[str, Any], options: SaveOptions
) -> str:
    """Create one record, unless a row fault is ordered for it; its id."""
    _strike(request, "create", object_name, None, fields)
    return request.site.org.create(request.session.user, object_name, fields, options)


def save_change(
    request: Request,
    object_name: str,
    record_id: str,
    fields: Mapping[str, Any],
    options: SaveOptions,
) -> str:
    """Change one record, unless a row fault is ordered for it; its id."""
    _strike(request, "update", object_name, record_id, fields)
    return request.site.org.update(request.session.user, object_name, record_id, fields, options)


def save_by_key(
    request: Request,
    object_name: str,
    key: tuple[str, str],
    fields: Mapping[str, Any],
    options: SaveOptions,
) -> tuple[str, bool]:
    """Upsert one record, unless a row fault is ordered for it: (id, created)."""
    _strike(request, "upsert", object_name, None, {key[0]: key[1], **fields})
    update_only = request.flag("updateOnly")
    return request.site.org.upsert(
        request.session.user, object_name, *key, fields, options, update_only=update_only
    )


def remove(request: Request, object_name: str, record_id: str) -> str:
    """Delete one record, unless a row fault is ordered for it; its id."""
    _strike(request, "delete", object_name, record_id, {})
    return request.site.org.delete(request.session.user, object_name, record_id)


def _strike(
    request: Request,
    operation: str,
    object_name: str,
    record_id: str | None,
    fields: Mapping[str, Any],
) -> None:
    request.cost.rows += 1
    if within_hours(request.site.settings.read_only, request.site.clock.now()):
        raise _read_only(request.version)
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)
    body = request.body
    records = body.get("records") if isinstance(body, Mapping) else None
    refusal = request.site.faults.for_row(
        request.session.user,
        operation,
        object_name,
        record_id,
        text,
        together=len(records) if isinstance(records, list) else 1,
    )
    if refusal is not None:
        raise refusal


def _read_only(version: str) -> OrgError:
    """Reads go on while an instance is maintained; older versions have another code for it."""
    code = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
    if float(version) < 32:
        code = "INVALID_READ_ONLY_USER_DML"
    return refuse(code, "Records can't be created, changed or deleted during maintenance")


def created(request: Request, object_name: str, record_id: str, **more: Any) -> Response:
    """201 with the ``Location`` of what was created."""
    name = request.site.org.canonical_name(request.session.user, object_name)
    location = f"{request.base}/sobjects/{name}/{record_id}"
    body = {"id": record_id, "success": True, "errors": [], **more}
    return Response(201, body, {"Location": location})


def create(request: Request) -> Response:
    """``POST sobjects/{Object}``."""
    object_name = request.segments()[1]
    fields = request.mapping()
    run_triggers(request, object_name, "create")
    return created(
        request, object_name, save_new(request, object_name, fields, save_options(request))
    )


def wanted_fields(request: Request) -> list[str] | None:
    """The ``fields`` parameter; None asks for all."""
    raw = request.query.get("fields")
    return None if not raw else [name.strip() for name in raw.split(",") if name.strip()]


def _named_record(request: Request) -> tuple[str, str]:
    """Object and id of a path; what is no id is taken for the name of an external id field."""
    _, object_name, record_id = request.segments()
    name = request.site.org.canonical_name(request.session.user, object_name)
    if ID.match(record_id) is None:
        message = f"Provided external ID field does not exist or is not accessible: {record_id}"
        raise not_found(message)
    return name, record_id


def read(request: Request) -> Response:
    """``GET sobjects/{Object}/{id}``."""
    object_name, record_id = _named_record(request)
    org, user = request.site.org, request.session.user
    record = org.read(
        user, object_name, record_id, wanted_fields(request), api_version=request.version
    )
    return _conditional(request, object_name, record)


def file_content(request: Request) -> Response:
    """``GET sobjects/ContentVersion/{id}/VersionData``: the file itself."""
    record_id = request.segments()[2]
    content = request.site.org.file_content(request.session.user, record_id)
    return Response(200, content, {"Content-Type": "application/octetstream"})


def read_by_key(request: Request) -> Response:
    """``GET sobjects/{Object}/{Field}/{value}``."""
    _, object_name, key, value = request.segments()
    record = request.site.org.read_by_key(
        request.session.user,
        object_name,
        key,
        value,
        wanted_fields(request),
        api_version=request.version,
    )
    return _conditional(request, object_name, record)


def _id_of(record: Mapping[str, Any]) -> str:
    return str(record["attributes"]["url"]).rpartition("/")[2]


def _stamp(request: Request, object_name: str, record_id: str) -> datetime | None:
    """When the record last changed; None for objects that do not say."""
    try:
        found = request.site.org.read(
            request.session.user, object_name, record_id, ["SystemModstamp"]
        )
    except OrgError:
        return None
    text = found.get("SystemModstamp")
    return None if text is None else datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S.%f%z")


def _conditional(request: Request, object_name: str, record: dict[str, Any]) -> Response:
    request.cost.rows += 1
    record_id = _id_of(record)
    stamp = _stamp(request, object_name, record_id)
    if stamp is None:
        return Response(200, record)
    headers = {"Last-Modified": http_date(stamp)}
    if record["attributes"]["type"] == "Account":
        headers["ETag"] = etag_of(record_id, stamp)
        if request.headers.get("if-none-match", "").replace("--gzip", "") == headers["ETag"]:
            return Response(304, None, headers)
    since = header_date(request.headers.get("if-modified-since"))
    if since is not None and stamp.replace(microsecond=0) <= since:
        return Response(304, None, headers)
    return Response(200, record, headers)


def etag_of(record_id: str, stamp: datetime) -> str:
    """The entity tag of an Account row."""
    return f'"{hashlib.sha256(f"{record_id}{stamp.isoformat()}".encode()).hexdigest()[:8]}"'


def _check_match(request: Request, object_name: str, record_id: str) -> None:
    wanted = request.headers.get("if-match")
    if wanted is None or object_name.lower() != "account":
        return
    stamp = _stamp(request, object_name, record_id)
    if stamp is None or etag_of(record_id, stamp) != wanted.replace("--gzip", ""):
        message = "The entity has been modified since the given tag"
        raise refuse("PRECONDITION_FAILED", message, None, status=412)


def update(request: Request) -> Response:
    """``PATCH sobjects/{Object}/{id}``."""
    object_name, record_id = _named_record(request)
    fields = request.mapping()
    _refuse_other_id(fields, record_id, object_name)
    _check_match(request, object_name, record_id)
    run_triggers(request, object_name, "update")
    save_change(request, object_name, record_id, fields, save_options(request))
    return Response(204)


def _refuse_other_id(fields: Mapping[str, Any], record_id: str, object_name: str) -> None:
    for name, value in fields.items():
        if name.lower() == "id":
            message = (
                "The Id field should not be specified in the sobject data."
                if str(value)[:15] == record_id[:15]
                else f"Id in the body differs from the id in the path of this {object_name}"
            )
            raise refuse("INVALID_FIELD", message, ["Id"])


def delete(request: Request) -> Response:
    """``DELETE sobjects/{Object}/{id}``."""
    object_name, record_id = _named_record(request)
    run_triggers(request, object_name, "delete")
    remove(request, object_name, record_id)
    return Response(204)


def upsert(request: Request) -> Response:
    """``PATCH sobjects/{Object}/{Field}/{value}``.

    An address that ends like a file the service knows is taken for one: ``...@mail.inc`` is a 404.
    """
    _, object_name, key, value = request.segments()
    if value.lower().endswith(".inc"):
        raise not_found()
    options = save_options(request)
    run_triggers(request, object_name, "upsert")
    if key.lower() == "id":
        save_change(request, object_name, value, request.mapping(), options)
        return Response(204)
    record_id, is_new = save_by_key(request, object_name, (key, value), request.mapping(), options)
    if is_new:
        return created(request, object_name, record_id, created=True)
    return Response(200, {"id": record_id, "success": True, "errors": [], "created": False})


def delete_by_key(request: Request) -> Response:
    """``DELETE sobjects/{Object}/{Field}/{value}``."""
    _, object_name, key, value = request.segments()
    record = request.site.org.read_by_key(request.session.user, object_name, key, value, ["Id"])
    remove(request, object_name, _id_of(record))
    return Response(204)


def readable(request: Request, object_name: str, names: Sequence[str]) -> None:
    """Refuse names that are no readable fields, as reads of several records do at once."""
    described = request.site.org.describe(request.session.user, object_name)
    known = {field["name"].lower() for field in described["fields"]}
    for name in names:
        if name.lower() not in known and "." not in name:
            raise no_such_column(name, str(described["name"]))
