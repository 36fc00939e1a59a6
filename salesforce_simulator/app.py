"""The Flask application of a site: REST, OAuth, control prefix and pages in one URL map."""

from __future__ import annotations

from typing import Any
from wsgiref.types import WSGIApplication

from flask import Flask, Response, request

from salesforce_simulator.control.api import control_blueprint
from salesforce_simulator.faults.http_exchange import Exchange, raw_target, request_headers
from salesforce_simulator.json_text import JSON_TYPE, dumps
from salesforce_simulator.metadata.seed import LOGINS
from salesforce_simulator.oauth import identity
from salesforce_simulator.oauth.authorize import authorize_blueprint
from salesforce_simulator.oauth.endpoints import Caller, TokenEndpoint
from salesforce_simulator.pages.routes import pages_blueprint
from salesforce_simulator.rest import routes as rest
from salesforce_simulator.rest.session import Call, find_session, proves
from salesforce_simulator.rest.wire import Response as Answer
from salesforce_simulator.site import Site
from salesforce_simulator.trace import Trace

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _send(answer: Answer) -> Response:
    """A Flask response: no content type without a body."""
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, headers=dict(answer.headers))
    body = b"" if answer.body is None else dumps(answer.body)
    response = Response(body, answer.status, mimetype=None)
    del response.headers["Content-Type"]
    if answer.body is not None:
        response.headers["Content-Type"] = JSON_TYPE
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response


def create_app(site: Site) -> Flask:
    """The application without the wire around it."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.secret_key = site.cookie_secret
    app.config["SESSION_COOKIE_NAME"] = site.cookie
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.jinja_env.globals.update(site=site, logins=LOGINS)
    app.register_blueprint(authorize_blueprint(site))
    app.register_blueprint(pages_blueprint(site))
    _add_services(app, site)
    return app


def _add_services(app: Flask, site: Site) -> None:
    endpoint = TokenEndpoint(site)

    def trace() -> Trace:
        found = request.environ.get("salesforce_simulator.trace")
        return found if isinstance(found, Trace) else Trace()

    @app.route("/services/data", methods=METHODS, provide_automatic_options=False)
    @app.route("/services/data/<path:_rest>", methods=METHODS, provide_automatic_options=False)
    def data(_rest: str = "") -> Response:
        return _send(
            rest.answer(
                site,
                method=request.method,
                target=raw_target(request.environ),
                headers=request_headers(request.environ),
                origin=request.host_url,
                body=request.get_data(),
                trace=trace(),
            )
        )

    @app.post("/services/oauth2/token")
    def token() -> Response:
        if site.settings.logins_at_own_host and site.home.url:
            own = int(site.home.url.rpartition(":")[2])
            if int(request.environ["SERVER_PORT"]) != own:
                where = {"Location": site.home.url + "/services/oauth2/token"}
                return _send(Answer(302, None, where))
        form = request.form.to_dict()
        proof = request.headers.get("DPoP", "")
        caller = Caller(request.remote_addr or "", proof, request.base_url)
        answer = endpoint.token(form, request.headers.get("Authorization", ""), caller)
        if answer.status == 200:
            trace().user = site.org.user(answer.body["id"].rpartition("/")[2]).username
        return _send(answer)

    @app.route("/services/oauth2/revoke", methods=["GET", "POST"])
    def revoke() -> Response:
        return _send(endpoint.revoke(request.values.get("token", "")))

    @app.route("/services/oauth2/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        return _who(identity.userinfo)

    @app.get("/id/keys")
    def keys() -> Response:
        return _send(Answer(200, identity.keys()))

    @app.get("/id/<organization_id>/<user_id>")
    def who(organization_id: str, user_id: str) -> Response:
        if organization_id[:15] != site.organization_id[:15]:
            return Response("Wrong_Org", 403, mimetype="text/plain")
        return _who(identity.identity, user_id)

    @app.get("/.well-known/openid-configuration")
    def openid_configuration() -> Response:
        return _send(Answer(200, identity.openid_configuration(site)))

    def _who(facts: Any, user_id: str | None = None) -> Response:
        text = request.headers.get("Authorization", "").partition(" ")[2]
        given = request.values.get("access_token") or request.values.get("oauth_token", "")
        text = text.strip() or given
        if not text:
            return Response("Missing_OAuth_Token", 403, mimetype="text/plain")
        found = find_session(site, text)
        bound = request.headers.get("Authorization", "").lower().startswith("dpop ")
        if found is not None and (bound or site.settings.dpop):
            call = Call(request.method, request.base_url, request.headers.get("DPoP", ""))
            found = found if proves(site, found, text, call) else None
        if found is None:
            return Response("Bad_OAuth_Token", 403, mimetype="text/plain")
        trace().user, trace().token = found.user.username, found.fingerprint
        if user_id is not None and user_id[:15] != found.user.id[:15]:
            return Response("Bad_Id", 403, mimetype="text/plain")
        return _send(Answer(200, facts(site, found.user)))


def create_exchange(site: Site) -> Exchange:
    """The whole WSGI application of a site: wire, services, control prefix and pages."""
    app = create_app(site)
    inner: WSGIApplication = app.wsgi_app
    exchange = Exchange(site, inner)
    app.register_blueprint(control_blueprint(site, exchange))
    return exchange
