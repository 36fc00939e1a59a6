"""T19: the audit is append-only: refusals are counted, retention deletes by age, nothing else."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

import keeping_plugin
from keeping_plugin.errors import NotFound
from keeping_plugin.models import AuditRecord, Database, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.operations.retention import CHUNK, run_retention
from keeping_plugin.times import Times
from keeping_plugin.types import Agent


def note(database: Database) -> None:
    with database.write() as session:
        audit.record(
            session,
            Audited.RECORD_UPDATED,
            company_id="acme",
            agent_id="gus",
            object="Contact",
            record_id="003000000000001AAA",
            fields=["Phone"],
        )


def undo(session: Session) -> None:
    audit.record(session, Audited.DISCONNECTED, company_id="acme")
    raise NotFound("the deed failed")


@pytest.mark.both_databases
def test_a_deed_and_its_record_stand_or_fall_together(database: Database) -> None:
    note(database)
    with pytest.raises(NotFound), database.write() as session:
        undo(session)
    with database.read() as session:
        (row,) = session.scalars(select(AuditRecord)).all()
    assert (row.action, row.agent_id, row.fields) == ("record_updated", "gus", ["Phone"])


def test_a_record_is_never_changed(database: Database) -> None:
    note(database)
    with pytest.raises(TypeError, match="never changed"), database.write() as session:
        session.scalars(select(AuditRecord)).one().agent_id = "somebody else"


def test_a_record_is_never_deleted(database: Database) -> None:
    note(database)
    with pytest.raises(TypeError, match="never deleted"), database.write() as session:
        session.delete(session.scalars(select(AuditRecord)).one())


def refuse(database: Database, *, agent: str = "gus", route: str = "panel") -> None:
    with database.write() as session:
        audit.record_refused(session, Agent(agent, "acme", agent.title()), route=route)


def counts(database: Database) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    with database.read() as session:
        for row in session.scalars(select(AuditRecord)):
            key = (row.agent_id, row.detail)
            found[key] = found.get(key, 0) + row.times
    return found


@pytest.mark.both_databases
@pytest.mark.field_case("B11")
def test_refusals_are_counted_by_agent_route_and_minute(database: Database) -> None:
    threads = [threading.Thread(target=refuse, args=(database,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refuse(database, route="search")
    refuse(database, agent="eve")
    assert counts(database) == {("gus", "panel"): 8, ("gus", "search"): 1, ("eve", "panel"): 1}
    with database.write() as session:
        session.execute(update(AuditRecord).values(counted_in="2026-05-06T09:15"))
    refuse(database)
    with database.read() as session:
        assert session.query(AuditRecord).filter_by(agent_id="gus", detail="panel").count() == 2


@pytest.mark.field_case("B9")
def test_retention_deletes_the_oldest_rows_and_no_others(database: Database) -> None:
    for _ in range(CHUNK + 2):
        note(database)
    with database.write() as session:
        long_ago = now(session) - timedelta(days=401)
        oldest = select(AuditRecord.id).order_by(AuditRecord.id).limit(CHUNK + 1)
        session.execute(
            update(AuditRecord)
            .where(AuditRecord.id.in_(oldest))
            .values(at=long_ago)
            .execution_options(synchronize_session=False)
        )
    run_retention(database, Times(), keep_days=402)
    with database.read() as session:
        assert session.query(AuditRecord).count() == CHUNK + 2
    run_retention(database, Times(), keep_days=400)
    with database.read() as session:
        assert session.query(AuditRecord).count() == 1


@pytest.mark.field_case("B9")
def test_nothing_but_the_count_of_refusals_and_retention_touches_the_trail() -> None:
    package = Path(keeping_plugin.__file__).parent
    touched = re.compile(r"\b(?:delete|update)\(\s*AuditRecord\b|keeping_audit")
    found = {
        str(file.relative_to(package)): touched.findall(file.read_text("utf-8"))
        for file in package.rglob("*.py")
        if "migrations" not in file.parts
    }
    assert {name: hits for name, hits in found.items() if hits} == {
        "services/audit.py": ["delete(AuditRecord"],
        "models/history.py": ["keeping_audit"] * 4,  # the table and its indexes
    }
