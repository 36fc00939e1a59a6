"""The control prefix: JSON over HTTP for tests and demos, protected by nothing but loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from flask import Blueprint, Response, request

from salesforce_simulator.control.org_verbs import add_org_verbs, body_object, public_user, reply
from salesforce_simulator.control.sharing_verbs import add_sharing_verbs
from salesforce_simulator.errors import OrgError
from salesforce_simulator.faults.http_exchange import Exchange
from salesforce_simulator.moving import Left
from salesforce_simulator.results import User
from salesforce_simulator.site import Settings, Site

PREFIX = "/__control__"


def user_named(site: Site, name: str) -> User:
    """A user by username or id; ValueError if there is none."""
    user = site.org.user_by_username(name)
    if user is not None:
        return user
    try:
        return site.org.user(name)
    except KeyError as error:
        raise ValueError(f"no user {name!r}") from error


def control_blueprint(site: Site, exchange: Exchange) -> Blueprint:
    """Every control verb of one site."""
    control = Blueprint("control", __name__, url_prefix=PREFIX)

    @control.before_request
    def only_loopback() -> Response | None:
        """A page elsewhere that resolves its own name to this machine is not let in."""
        if request.host.partition(":")[0] in ("127.0.0.1", "localhost"):
            return None
        return reply({"error": "the control prefix answers to 127.0.0.1 and localhost"}, 403)

    @control.errorhandler(ValueError)
    @control.errorhandler(TypeError)
    @control.errorhandler(KeyError)
    def wrong(error: Exception) -> Response:
        return reply({"error": f"{type(error).__name__}: {error}"}, 400)

    @control.errorhandler(OrgError)
    def refused(error: OrgError) -> Response:
        return reply({"error": str(error), "body": error.body()}, 409)

    @control.get("/")
    def status() -> Response:
        return reply(
            {
                "kind": site.kind,
                "base_url": site.base_url,
                "organization_id": site.organization_id,
                "now": site.clock.now().isoformat(),
                "client_id": site.app.client_id,
                "redirect_uris": sorted(site.app.redirect_uris),
                "users": [public_user(user) for user in site.org.users()],
                "missing_objects": list(site.org.missing_objects),
                "tokens": site.tokens.counts(),
                "usage": {"used": site.usage.used(), "limit": site.usage.limit},
                "late": exchange.late,
            }
        )

    _add_settings(control, site, exchange)
    _add_faults_and_log(control, site)
    _add_tokens(control, site)
    add_org_verbs(control, site, user_named=lambda name: user_named(site, name))
    add_sharing_verbs(control, site, user_named=lambda name: user_named(site, name))
    return control


def _add_settings(control: Blueprint, site: Site, exchange: Exchange) -> None:
    def shown() -> dict[str, Any]:
        return {f.name: getattr(site.settings, f.name) for f in fields(Settings)}

    @control.route("/settings", methods=["GET", "PATCH"])
    def settings() -> Response:
        if request.method == "PATCH":
            site.settings.change(body_object())
        return reply(shown())

    @control.post("/reset")
    def reset() -> Response:
        """Everything but records, users, fields, rights, redirects and tokens."""
        site.faults.remove()
        site.home.come_back()
        site.org.clear_rules()
        latency, rotate = site.start.latency_ms, site.start.rotate_refresh_tokens
        site.settings = Settings(latency_ms=latency, rotate_refresh_tokens=rotate)
        site.usage.set(used=0, limit=site.start.api_limit)
        site.clock.release()
        site.clock.set(datetime.now(UTC))
        site.log.reset()
        site.recent.clear()
        return reply(shown())

    @control.post("/move")
    def move() -> Response:
        """Serve the org at a fresh address."""
        left = str(body_object().get("left", "redirect"))
        if left not in get_args(Left):
            raise ValueError(f"left wants one of {', '.join(get_args(Left))}")
        port = int(site.base_url.rpartition(":")[2])
        return reply({"url": site.home.move(exchange, login_port=port, left=cast(Left, left))})

    @control.post("/redirects")
    def redirects() -> Response:
        site.app.redirect_uris.add(str(body_object()["uri"]))
        return reply({"redirect_uris": sorted(site.app.redirect_uris)})

    @control.route("/usage", methods=["GET", "POST"])
    def usage() -> Response:
        if request.method == "POST":
            body = body_object()
            site.usage.set(used=body.get("used"), limit=body.get("limit"))
        return reply({"used": site.usage.used(), "limit": site.usage.limit})

    @control.route("/clock", methods=["GET", "POST"])
    def clock() -> Response:
        if request.method == "POST":
            _move_clock(site, body_object())
        return reply({"now": site.clock.now().isoformat()})


def _move_clock(site: Site, body: dict[str, Any]) -> None:
    verbs: dict[str, Callable[[Any], None]] = {
        "advance": lambda seconds: site.clock.advance(timedelta(seconds=float(seconds))),
        "set": lambda text: site.clock.set(datetime.fromisoformat(str(text))),
        "hold": lambda _: site.clock.hold(),
        "release": lambda _: site.clock.release(),
    }
    for name, value in body.items():
        if name not in verbs:
            raise ValueError(f"the clock knows {', '.join(verbs)}, not {name!r}")
        verbs[name](value)


def _add_faults_and_log(control: Blueprint, site: Site) -> None:
    @control.route("/faults", methods=["GET", "POST", "DELETE"])
    def faults() -> Response:
        if request.method == "POST":
            body = body_object()
            return reply(site.faults.add(str(body.pop("kind")), **body).public(), 201)
        if request.method == "DELETE":
            site.faults.remove()
        return reply(site.faults.ordered())

    @control.delete("/faults/<int:number>")
    def fault(number: int) -> Response:
        site.faults.remove(number)
        return reply(site.faults.ordered())

    @control.route("/log", methods=["GET", "DELETE"])
    def log() -> Response:
        if request.method == "DELETE":
            site.log.reset()
        after = int(request.args.get("after", "0"))
        return reply(site.log.entries(lambda entry: entry.number > after))

    @control.get("/counters")
    def counters() -> Response:
        return reply(site.log.counters())


def _add_tokens(control: Blueprint, site: Site) -> None:
    def whose() -> str | None:
        name = body_object().get("user")
        return None if name is None else user_named(site, str(name)).id

    @control.get("/tokens")
    def tokens() -> Response:
        return reply(site.tokens.counts())

    @control.post("/tokens/expire")
    def expire() -> Response:
        return reply({"ended": site.tokens.end_access_tokens("expired", whose())})

    @control.post("/tokens/revoke")
    def revoke() -> Response:
        return reply({"ended": site.tokens.end_chains("revoked", whose())})

    @control.post("/passwords")
    def password() -> Response:
        body = body_object()
        user = user_named(site, str(body["user"]))
        site.tokens.set_password(user.id, str(body["password"]))
        return reply({"user": user.id})
