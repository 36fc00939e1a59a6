"""A describe document is fetched and parsed once in a process, until it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from keeping_plugin.models import Database
from keeping_plugin.services.schema import describe
from keeping_plugin.services.schema.loaded import LoadedSchemas
from keeping_plugin.types.schema_document import dump_schema
from tests.fake_salesforce import FakeSalesforce, shipped_schemas
from tests.services.company import Company
from tests.services.runtimes import make_runtime


@pytest.mark.both_databases
def test_a_describe_that_did_not_change_is_the_same_object_and_not_fetched_again(
    database: Database,
) -> None:
    company = Company(database)
    company.sign_in()
    salesforce = FakeSalesforce()
    connection_id = company.row().id
    parts = make_runtime(database, times=company.times, gateways=salesforce)
    describe.describe(parts, connection_id)
    statements: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with database.read() as session:
        first = describe.schemas(session, connection_id)
    statements.clear()
    with database.read() as session:
        again = describe.schemas(session, connection_id)
    assert all(again[name] is first[name] for name in first)
    assert statements
    assert not any("document" in each.partition("FROM")[0] for each in statements)
    event.remove(database.engine, "before_cursor_execute", note)

    account = salesforce.org.schemas["Account"]
    salesforce.org.schemas["Account"] = replace(account, label="Client")
    with database.write() as session:
        describe.start_load(session, connection_id, at=salesforce.clock.now())
    describe.describe(parts, connection_id)
    with database.read() as session:
        changed = describe.schemas(session, connection_id)
    assert changed["Account"].label == "Client"
    assert changed["Contact"] is first["Contact"]


def test_the_least_recently_used_schema_makes_room() -> None:
    texts = {name: dump_schema(each) for name, each in shipped_schemas().items()}
    room = len(texts["Contact"]) + len(texts["Lead"])
    loaded = LoadedSchemas(most=room)
    contact = loaded.load("c", texts["Contact"])
    loaded.load("l", texts["Lead"])
    assert loaded.get("c") is contact
    assert loaded.load("c", texts["Contact"]) is contact
    loaded.load("t", texts["Task"])
    assert loaded.get("l") is None
    assert loaded.get("c") is contact
