"""Three hosts, from bare to fully furnished. Each is an app factory, as hosts commonly are.

All keep messages in a table of their own, log people in, and have one form of their own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_login
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask, render_template_string, session
from flask.testing import FlaskClient
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import orm

from keeping_plugin import KeepingSalesforce, host_include_name
from tests.hosts.desk import PEOPLE, Desk

TEMPLATES = Path(__file__).parent / "templates"
CONFIG: dict[str, Any] = {
    "TESTING": True,
    "SECRET_KEY": "the host's own",
    "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
    "KEEPING_REDIS_URL": "redis://127.0.0.1:1/0",  # nobody there: mounting touches no network
    "KEEPING_SALESFORCE_CLIENT_ID": "client",
    "KEEPING_SALESFORCE_CLIENT_SECRET": "secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A host with the plugin in it."""

    app: Flask
    db: SQLAlchemy
    salesforce: KeepingSalesforce
    message: Any  # the host's own model

    def client_of(self, agent_id: str | None) -> FlaskClient:
        """A browser in which this person is logged in."""
        client = self.app.test_client()
        if agent_id is not None:
            assert client.post(f"/login/{agent_id}").status_code == 204
        return client

    def close(self) -> None:
        with self.app.app_context():
            self.db.engine.dispose()


def bare(database_url: str, *, mount: dict[str, Any] | None = None, **config: Any) -> House:
    """Flask and Flask-SQLAlchemy, nothing else: no CSRF, no Flask-Login, no migrations."""
    app, db, message = _ground(database_url, config)

    @app.post("/login/<agent_id>")
    def login(agent_id: str) -> tuple[str, int]:
        session["agent"] = agent_id
        return "", 204

    return _mounted(app, db, message, Desk(lambda: session.get("agent")), mount)


def furnished(database_url: str, *, mount: dict[str, Any] | None = None, **config: Any) -> House:
    """With Flask-WTF's CSRFProtect over everything, Flask-Login and Flask-Migrate."""
    app, db, message = _ground(database_url, config)
    csrf = CSRFProtect(app)
    Migrate(app, db, include_name=host_include_name)
    logins = flask_login.LoginManager(app)

    class Person(flask_login.UserMixin):  # type: ignore[misc]
        def __init__(self, id: str) -> None:
            self.id = id

    @logins.user_loader  # type: ignore[untyped-decorator]
    def load(agent_id: str) -> Person:
        return Person(agent_id)

    @app.post("/login/<agent_id>")
    @csrf.exempt  # type: ignore[untyped-decorator]
    def login(agent_id: str) -> tuple[str, int]:
        flask_login.login_user(Person(agent_id))
        return "", 204

    return _mounted(app, db, message, Desk(_flask_login_id), mount)


def lazy(database_url: str, *, mount: dict[str, Any] | None = None, **config: Any) -> House:
    """Its layout, around our pages too, walks from `current_user` to rows not yet loaded."""
    app, db, message = _ground(database_url, config, template_folder=str(TEMPLATES))
    logins = flask_login.LoginManager(app)

    class Company(db.Model):  # type: ignore[name-defined,misc]
        id = orm.mapped_column(sa.String(32), primary_key=True)
        name = orm.mapped_column(sa.String(80))

    class Person(flask_login.UserMixin, db.Model):  # type: ignore[name-defined,misc]
        id = orm.mapped_column(sa.String(32), primary_key=True)
        company_id = orm.mapped_column(sa.ForeignKey("company.id"))
        company = orm.relationship(Company, lazy="select")

    with app.app_context():
        db.create_all()
        for agent in PEOPLE.values():
            company = db.session.get(Company, agent.company_id) or Company(
                id=agent.company_id, name=f"The {agent.company_id} company"
            )
            db.session.add(Person(id=agent.id, company=company))
        db.session.commit()

    @logins.user_loader  # type: ignore[untyped-decorator]
    def load(agent_id: str) -> Any:
        return db.session.get(Person, agent_id)

    @app.post("/login/<agent_id>")
    def login(agent_id: str) -> tuple[str, int]:
        flask_login.login_user(db.session.get(Person, agent_id))
        return "", 204

    return _mounted(app, db, message, Desk(_flask_login_id), mount)


def furnished_from_environment() -> Flask:
    """For `flask --app tests.hosts.houses:furnished_from_environment db ...`."""
    return furnished(os.environ["HOUSE_DATABASE_URL"]).app


def _flask_login_id() -> str | None:
    user = flask_login.current_user
    return user.id if user.is_authenticated else None


def _ground(
    database_url: str, config: dict[str, Any], **app_options: Any
) -> tuple[Flask, SQLAlchemy, Any]:
    app = Flask("host", **app_options)
    app.config.update(CONFIG, SQLALCHEMY_DATABASE_URI=database_url)
    app.config.update(config)
    db = SQLAlchemy(app)

    class HostMessage(db.Model):  # type: ignore[name-defined,misc]
        id = orm.mapped_column(sa.String(255), primary_key=True)

    @app.post("/host-form")
    def host_form() -> str:
        return "the host's own form was taken"

    @app.get("/conversations/<conversation_id>")
    def conversation(conversation_id: str) -> str:
        return render_template_string(
            "<p>The messages.</p>{{ keeping_panel(id) }}", id=conversation_id
        )

    return app, db, HostMessage


def _mounted(
    app: Flask, db: SQLAlchemy, message: Any, desk: Desk, mount: dict[str, Any] | None
) -> House:
    salesforce = KeepingSalesforce()
    salesforce.init_app(app, helpdesk=desk, db=db, **(mount or {}))
    return House(app=app, db=db, salesforce=salesforce, message=message)
