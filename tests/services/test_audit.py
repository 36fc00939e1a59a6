"""T19: the audit is append-only."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.errors import NotFound
from keeping_plugin.models import AuditRecord, Database
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited


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
