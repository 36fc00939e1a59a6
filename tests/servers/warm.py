"""Imported once by the process that others are forked from (tests.servers.forking): what each
would import by itself when it needs it (migrations, dialects, drivers, the mapping of tables)."""

from __future__ import annotations

import flask_migrate
import psycopg
from cryptography.fernet import Fernet
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.orm import configure_mappers
from waitress import server

from demo.inbox import app as inbox
from keeping_plugin.jobs import tasks
from keeping_plugin.models import migrate
from tests import compiled_once
from tests.faults import host, processes
from tests.hosts import houses

__all__ = [
    "dialect",
    "flask_migrate",
    "houses",
    "inbox",
    "processes",
    "psycopg",
    "server",
    "tasks",
]

compiled_once.pytest_configure()
_app = host.create_app(
    {
        "SQLALCHEMY_DATABASE_URI": "sqlite://",
        "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
        "KEEPING_REDIS_URL": "redis://127.0.0.1:1/0",  # nobody there, and nobody is asked
        "KEEPING_SALESFORCE_CLIENT_ID": "client",
        "KEEPING_SALESFORCE_CLIENT_SECRET": "secret",
    }
)
with _app.app_context():
    configure_mappers()
    migrate.upgrade(host.db.engine)
    migrate.head()
    host.db.engine.dispose()
