"""The demo's inbox with its seed, on a database file of each test's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import FlaskGroup

from tests.demo.visitor import Visitor, configured


@pytest.fixture(scope="session")
def seeded_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the inbox's tables, the plugin's, and the seed."""
    from demo.inbox.app import create_app, create_tables
    from demo.inbox.database import db
    from demo.inbox.seeding.seed import seed

    path = tmp_path_factory.mktemp("inbox") / "seeded.sqlite3"
    app = create_app(configured(path))
    cli = FlaskGroup(create_app=lambda: app)  # finds the plugin's commands by their entry point
    made = CliRunner().invoke(cli, ["keeping", "db", "upgrade"])
    assert made.exit_code == 0, made.output
    with app.app_context():
        create_tables()
        assert seed() is True
        assert seed() is False
        db.session.remove()
        db.engine.dispose()
    return path


@pytest.fixture
def inbox(seeded_database: Path, tmp_path: Path) -> Iterator[Flask]:
    from demo.inbox.app import create_app
    from demo.inbox.database import db

    path = tmp_path / "inbox.sqlite3"
    shutil.copy(seeded_database, path)
    app = create_app(configured(path))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def visit(inbox: Flask) -> Callable[[str], Visitor]:
    """`visit("maya@outdoor.example.com")` is logged in; `visit("")` is not."""

    def make(email: str) -> Visitor:
        visitor = Visitor(inbox.test_client())
        if email:
            visitor.post("/login", "/login", email=email, password="demo")
        return visitor

    return make
