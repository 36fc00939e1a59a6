"""What is written and asked with many values at once, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select

from keeping_plugin.models import Database, MailboxPolicy, listed, upsert
from keeping_plugin.services.ledger import claims
from keeping_plugin.times import Times

AWKWARD = ["o'hara@x.example", 'quoted"@x.example', "back\\slash@x.example", "ß{}%s@x.example"]


@pytest.mark.both_databases
def test_texts_come_back_as_rows_in_their_order_whatever_stands_in_them(
    database: Database,
) -> None:
    with database.read() as session:
        assert list(session.scalars(select(listed(session, AWKWARD)))) == AWKWARD
        assert list(session.scalars(select(listed(session, [])))) == []


@pytest.mark.both_databases
def test_any_number_of_addresses_is_claimed_by_the_same_statement(database: Database) -> None:
    seen: set[str] = set()

    @event.listens_for(database.engine, "before_cursor_execute")
    def _note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO keeping_address_claim" in statement:
            seen.add(statement)

    for number, count in enumerate((1, 3, 200)):
        addresses = [f"c{n}@run{number}.example" for n in range(count)]
        with database.write() as session:
            held = claims.take(
                session, org_id="00D", addresses=addresses, owner="drain", times=Times()
            )
        assert held == set(addresses)
    assert len(seen) == 1


@pytest.mark.both_databases
def test_an_upsert_overwrites_what_it_is_given_and_nothing_else(database: Database) -> None:
    key = {"company_id": "acme", "mailbox_id": "box"}
    with database.write() as session:
        upsert(session, MailboxPolicy, {**key, "add_contacts": True, "log_tasks": True})
    with database.write() as session:
        upsert(session, MailboxPolicy, {**key, "add_contacts": False})
    with database.read() as session:
        row = session.scalars(select(MailboxPolicy)).one()
        assert (row.add_contacts, row.log_tasks) == (False, True)
