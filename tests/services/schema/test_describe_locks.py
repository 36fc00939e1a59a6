"""A describe that ends while an admin disconnects: neither waits for the other for ever."""

from __future__ import annotations

import threading

from sqlalchemy import update

from keeping_plugin.models import Database, SchemaLoad, now
from keeping_plugin.services.ledger.locking import lock_connection
from keeping_plugin.services.schema import describe as schema
from tests.fake_salesforce import FakeSalesforce
from tests.servers.tables import until_blocked
from tests.services.company import Company
from tests.services.runtimes import make_runtime


def test_a_describe_ends_behind_a_disconnect_that_holds_the_connection(
    postgres_database: Database,
) -> None:
    database = postgres_database
    company = Company(database)
    company.sign_in()
    connection_id = company.row().id
    runtime = make_runtime(database, times=company.times, gateways=FakeSalesforce())
    schema.describe(runtime, connection_id)
    with database.write() as session:
        session.execute(update(SchemaLoad).values(due_at=now(session)))
    describing = threading.Thread(target=schema.describe, args=(runtime, connection_id))
    with database.write() as session:
        lock_connection(session, connection_id)
        describing.start()
        blocked = until_blocked(database, describing)
        # As `disconnect` does; PostgreSQL would end one of the two if the describe held this row.
        session.execute(update(SchemaLoad).values(done=0))
    describing.join()
    assert blocked
    with database.read() as session:
        assert session.get_one(SchemaLoad, connection_id).finished_at is not None
