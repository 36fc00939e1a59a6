"""Control verbs about the org itself: users, metadata, rights, rules and records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from salesforce_simulator.json_text import JSON_TYPE, dumps
from salesforce_simulator.metadata.catalog import FEATURES
from salesforce_simulator.results import FieldRights, ObjectRights, User
from salesforce_simulator.site import Site


def system_user(site: Site) -> User:
    """The first user of the org, its administrator: control verbs act as this one."""
    return site.org.users()[0]


def run_query(site: Site, soql: str, *, all_rows: bool = False) -> dict[str, Any]:
    """A query as the administrator, read to its end."""
    user = system_user(site)
    answer = site.org.query(user, soql, all_rows=all_rows)
    records = list(answer["records"])
    page = answer
    while not page["done"]:
        page = site.org.query_more(user, page["nextRecordsUrl"].rpartition("/")[2])
        records += page["records"]
    return {"totalSize": answer["totalSize"], "done": True, "records": records}


def body_object() -> dict[str, Any]:
    """The request's JSON object, empty without a body; ValueError for anything else."""
    value = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(value, dict):
        raise ValueError("the body has to be a JSON object")
    return value


def reply(value: Any, status: int = 200) -> Response:
    """A JSON answer of the control prefix."""
    return Response(dumps(value), status, content_type=JSON_TYPE)


def public_user(user: User) -> dict[str, Any]:
    """A user as JSON."""
    return {**asdict(user), "permissions": sorted(user.permissions)}


def add_org_verbs(control: Blueprint, site: Site, *, user_named: Callable[[str], User]) -> None:
    """Put the verbs on the control blueprint."""
    _add_users(control, site, user_named)
    _add_metadata(control, site)
    _add_rules(control, site)
    _add_records(control, site, user_named)


def _add_users(control: Blueprint, site: Site, user_named: Callable[[str], User]) -> None:
    org = site.org

    @control.route("/users", methods=["GET", "POST"])
    def users() -> Response:
        if request.method == "GET":
            return reply([public_user(user) for user in org.users()])
        body = body_object()
        password = str(body.pop("password", "demo"))
        permissions = body.pop("permissions", None)
        user = org.add_user(
            **body, permissions=None if permissions is None else frozenset(permissions)
        )
        site.tokens.set_password(user.id, password)
        return reply(public_user(user), 201)

    @control.post("/users/active")
    def active() -> Response:
        body = body_object()
        user = user_named(str(body["user"]))
        return reply(public_user(org.set_user_active(user.id, bool(body["active"]))))

    @control.post("/users/change")
    def change_user() -> Response:
        body = body_object()
        user = user_named(str(body.pop("user")))
        return reply(public_user(org.user_setup.change(user, **body)))

    @control.post("/users/login-bounds")
    def login_bounds() -> Response:
        body = body_object()
        user = user_named(str(body.pop("user")))
        org.login_bounds.set(user.id, **body)
        return reply({})

    @control.post("/rights")
    def rights() -> Response:
        body = body_object()
        user, object_name = user_named(str(body.pop("user"))), str(body.pop("object"))
        if "field" in body:
            org.set_field_rights(user, object_name, str(body.pop("field")), FieldRights(**body))
        else:
            org.set_object_rights(user, object_name, ObjectRights(**body))
        return reply({})


def _add_metadata(control: Blueprint, site: Site) -> None:
    org = site.org

    @control.post("/fields")
    def add_field() -> Response:
        body = body_object()
        org.add_field(str(body["object"]), body["field"])
        return reply({}, 201)

    @control.delete("/fields/<object_name>/<field_name>")
    def remove_field(object_name: str, field_name: str) -> Response:
        org.remove_field(object_name, field_name)
        return reply({})

    @control.post("/features")
    def features() -> Response:
        body = body_object()
        if "currencies" in body:
            org.use_currencies(body["currencies"], body.get("rates"))
        if "addresses" in body:
            org.use_addresses(**body["addresses"])
        if "places" in body:
            org.use_places(body["places"], body.get("names", {}))
        for name in FEATURES:
            if name in body:
                org.use_feature(name, body[name])
        return reply({}, 201)


def _add_rules(control: Blueprint, site: Site) -> None:
    org = site.org

    @control.post("/rules/validation")
    def validation() -> Response:
        body = body_object()
        org.add_validation_rule(
            str(body["object"]),
            str(body["condition"]),
            str(body["message"]),
            error_field=body.get("error_field"),
        )
        return reply({}, 201)

    @control.post("/rules/duplicate")
    def duplicate() -> Response:
        body = body_object()
        org.add_duplicate_rule(str(body.pop("object")), str(body.pop("name")), **body)
        return reply({}, 201)

    @control.post("/rules/assignment")
    def assignment() -> Response:
        body = body_object()
        active = bool(body.get("active", True))
        rule_id = org.set_assignment_rule(str(body["object"]), body["owner_id"], active=active)
        return reply({"id": rule_id}, 201)

    @control.post("/rules/auto-response")
    def auto_response() -> Response:
        body = body_object()
        org.automatic.set_response(str(body["object"]))
        return reply({}, 201)

    @control.get("/notifications")
    def notifications() -> Response:
        return reply(org.automatic.sent())

    @control.post("/rules/trigger")
    def trigger() -> Response:
        org.triggers.add(body_object())
        return reply({}, 201)

    @control.delete("/rules")
    def clear() -> Response:
        org.clear_rules()
        return reply({})


def _add_records(control: Blueprint, site: Site, user_named: Callable[[str], User]) -> None:
    org = site.org

    def acting(body: dict[str, Any]) -> User:
        name = body.pop("user", None)
        return system_user(site) if name is None else user_named(str(name))

    @control.post("/query")
    def query() -> Response:
        body = body_object()
        return reply(run_query(site, str(body["soql"]), all_rows=bool(body.get("all_rows"))))

    @control.post("/records")
    def create() -> Response:
        body = body_object()
        user, name = acting(body), str(body["object"])
        if "records" in body:
            with org.transaction():
                ids = [org.create(user, name, fields) for fields in body["records"]]
            return reply({"ids": ids}, 201)
        return reply({"id": org.create(user, name, body["fields"])}, 201)

    @control.route("/records/<object_name>/<record_id>", methods=["PATCH", "DELETE"])
    def change(object_name: str, record_id: str) -> Response:
        if request.method == "DELETE":
            return reply({"id": org.delete(system_user(site), object_name, record_id)})
        body = body_object()
        user = acting(body)
        return reply({"id": org.update(user, object_name, record_id, body["fields"])})

    @control.post("/undelete")
    def undelete() -> Response:
        body = body_object()
        return reply({"ids": org.undelete(acting(body), str(body["id"]))})

    @control.post("/archive")
    def archive() -> Response:
        return reply({"archived": org.archive_activities()})

    @control.post("/bin/empty")
    def empty_bin() -> Response:
        return reply({"forgotten": org.empty_bin(days=float(body_object().get("days", 15)))})

    @control.post("/merge")
    def merge() -> Response:
        body = body_object()
        losers = body.get("losers") or [body["loser"]]
        org.merge(acting(body), str(body["object"]), str(body["master"]), *map(str, losers))
        return reply({})

    @control.post("/convert")
    def convert() -> Response:
        body = body_object()
        user, lead = acting(body), str(body.pop("lead"))
        return reply(asdict(org.convert_lead(user, lead, **body)))
