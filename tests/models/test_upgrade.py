"""From 0.1.0 upwards: nothing that it left is lost or changed, what it writes beside us still fits,
and we can work with all of it. Whatever migrations come are held to this by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from keeping_plugin.models import (
    AgentUser,
    Base,
    CreatePolicy,
    Database,
    DomainAccount,
    EntryState,
    FindingPolicy,
    KeptOut,
    MadeRecord,
    MailboxPolicy,
    RefusedOwner,
    Repair,
    Search,
    SyncEntry,
    UndoItem,
    UndoneAddress,
    UndoRun,
    migrate,
)
from keeping_plugin.models.migrate import PREFIX, VERSION_TABLE, downgrade, upgrade
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.people import policy
from keeping_plugin.types import Action
from tests.models import rows_of_0_1_0
from tests.services.delivery.house import House

# Tables that 0.1.0 did not have, and that no migration fills.
NEW = (
    AgentUser,
    CreatePolicy,
    DomainAccount,
    FindingPolicy,
    KeptOut,
    MadeRecord,
    RefusedOwner,
    Repair,
    Search,
    UndoItem,
    UndoneAddress,
    UndoRun,
)

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Revision 0001, filled."""
    engine = sa.create_engine(database_url)
    upgrade(engine, rows_of_0_1_0.RELEASED)
    with engine.begin() as connection:
        rows_of_0_1_0.write(connection, rows_of_0_1_0.tables(connection))
    yield engine
    engine.dispose()


def known_to_0_1_0(engine: sa.Engine) -> dict[str, sa.Table]:
    with engine.connect() as connection:
        return rows_of_0_1_0.tables(connection)


def rows(engine: sa.Engine, known: dict[str, sa.Table]) -> Rows:
    """What stands in the columns that 0.1.0 knows, read as it reads them: by name."""
    found: Rows = {}
    with engine.connect() as connection:
        for name, table in known.items():
            if name != VERSION_TABLE:
                query = sa.select(*table.c).order_by(*table.primary_key.columns)
                found[name] = [tuple(row) for row in connection.execute(query)]
    return found


def test_an_upgrade_keeps_every_row_of_0_1_0_as_it_was(engine: sa.Engine) -> None:
    known = known_to_0_1_0(engine)
    before = rows(engine, known)
    assert all(before.values()), "each table holds something"
    states = {row._mapping["state"] for row in _entries(engine, known)}
    assert states == set(rows_of_0_1_0.STATES)
    upgrade(engine)
    assert migrate.current(engine) == migrate.head()
    assert rows(engine, known) == before


def _entries(engine: sa.Engine, known: dict[str, sa.Table]) -> list[sa.Row[Any]]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(known["keeping_sync_entry"].c.state)))


def test_what_0_1_0_writes_beside_us_still_fits(engine: sa.Engine) -> None:
    """Its inserts name the columns that it knows, and its ON CONFLICT names constraints."""
    known = known_to_0_1_0(engine)
    unique = _unique(engine, known)
    upgrade(engine)
    with engine.begin() as connection:
        rows_of_0_1_0.write(connection, known, run=1)
    for name, were in unique.items():
        assert were <= _unique(engine, known)[name], f"{name} lost a constraint"
    with engine.begin() as connection:
        for table in known.values():
            # Its updates.
            values = {column.name: column for column in table.c}
            connection.execute(table.update().values(values))


def _unique(engine: sa.Engine, known: dict[str, sa.Table]) -> dict[str, set[tuple[str, ...]]]:
    inspector = sa.inspect(engine)
    return {
        name: {
            tuple(inspector.get_pk_constraint(name)["constrained_columns"]),
            *(tuple(each["column_names"]) for each in inspector.get_unique_constraints(name)),
        }
        for name in known
    }


def test_the_models_read_and_write_every_row_of_0_1_0(engine: sa.Engine) -> None:
    upgrade(engine)
    with Database(lambda: engine).write() as session:
        for mapper in Base.registry.mappers:
            if mapper.class_ in NEW:
                continue
            found = session.scalars(sa.select(mapper.class_)).all()
            assert found, mapper
        _touch(session)


def _touch(session: Session) -> None:
    for entry in session.scalars(sa.select(SyncEntry)):
        entry.attempts += 1
    session.flush()


def test_a_worker_goes_on_with_what_0_1_0_left(engine: sa.Engine) -> None:
    """Every live connection owes something and is rung; the others are passed over."""
    upgrade(engine)
    house = House(Database(lambda: engine))
    sweep(house.runtime)
    assert set(house.queue.rings) == {1, 2, 3, 4}
    house.owe("new", *Action)
    house.drain()
    sent = [entry.state for entry in house.entries() if entry.message_id == "new"]
    assert sent == [EntryState.DONE] * 2


def test_a_downgrade_gives_0_1_0_its_rows_back(engine: sa.Engine) -> None:
    known = known_to_0_1_0(engine)
    before = rows(engine, known)
    upgrade(engine)
    downgrade(engine, rows_of_0_1_0.RELEASED)
    assert rows(engine, known) == before
    assert {name for name in sa.inspect(engine).get_table_names() if name.startswith(PREFIX)} == (
        set(known)
    )


@pytest.mark.field_case("A14")
def test_what_0_1_0_cannot_read_waits_for_an_operator_where_it_may_be_at_work(
    engine: sa.Engine,
) -> None:
    """A database of 0.1.0 with a company in it waits for `db contract`; a new one does not."""
    upgrade(engine)
    contract = sa.text("SELECT contract FROM keeping_installation WHERE id = 1")
    with engine.connect() as connection:
        assert connection.scalar(contract) == 0
    downgrade(engine, "base")
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(contract) == 1


def test_mailboxes_of_0_1_0_go_on_without_an_account(engine: sa.Engine) -> None:
    upgrade(engine)
    with Session(engine) as session:
        boxes = session.scalars(sa.select(MailboxPolicy)).all()
        assert boxes
        for box in boxes:
            kept = policy.load(session, box.company_id)
            assert not kept.of(box.mailbox_id).looks_for_accounts
            assert kept.of("a mailbox made today").looks_for_accounts
