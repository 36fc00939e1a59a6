"""Control verbs about sharing: organization-wide defaults, roles and queues."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from salesforce_simulator.control.org_verbs import body_object, reply
from salesforce_simulator.results import User
from salesforce_simulator.site import Site


def add_sharing_verbs(control: Blueprint, site: Site, user_named: Callable[[str], User]) -> None:
    """Put the verbs on the control blueprint."""
    sharing = site.org.sharing

    @control.route("/sharing", methods=["GET", "POST", "DELETE"])
    def defaults() -> Response:
        """POST takes defaults by object; DELETE shares every row again."""
        if request.method == "POST":
            sharing.use(body_object())
        elif request.method == "DELETE":
            sharing.use(None)
        return reply(sharing.defaults())

    @control.post("/restrictions")
    def restrictions() -> Response:
        """Show only rows of an object for which a condition holds; null ends the rule."""
        body = body_object()
        condition = body.get("condition")
        object_name = str(body["object"])
        site.org.restrictions.set(object_name, None if condition is None else str(condition))
        return reply({}, 201)

    @control.post("/roles")
    def roles() -> Response:
        """A role below ``parent``, and the users who have it."""
        body = body_object()
        name, parent = str(body["name"]), body.get("parent")
        sharing.add_role(name, None if parent is None else str(parent))
        for user in body.get("users", ()):
            sharing.give_role(user_named(str(user)), name)
        return reply({}, 201)

    @control.post("/queues")
    def queues() -> Response:
        body = body_object()
        members = [user_named(str(user)) for user in body.get("members", ())]
        queue_id = sharing.add_queue(str(body["name"]), list(body["objects"]), members)
        return reply({"id": queue_id}, 201)
