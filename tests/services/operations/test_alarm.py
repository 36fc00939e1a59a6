"""Who is told of, and from when on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from keeping_plugin.models import ApiUse, AuditRecord, Database, Search, now
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.operations.alarm import SEARCHES, UNLEARNED, UnusualUse, raise_alarms
from tests.services.company import Company


def connected(database: Database) -> int:
    company = Company(database).of("acme")
    company.sign_in()
    return company.row().id


def search(database: Database, connection_id: int, agent_id: str, times: int) -> None:
    with database.write() as session:
        at = now(session)
        for _ in range(times):
            session.add(
                Search(connection_id=connection_id, agent_id=agent_id, object="Account", at=at)
            )


@pytest.mark.both_databases
@pytest.mark.field_case("B7")
def test_an_agent_who_searches_a_hundred_times_is_named_on_the_first_day(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    acme = connected(database)
    for number in range(30):
        search(database, acme, f"quiet-{number}", SEARCHES - 1)
    assert raise_alarms(database) == []
    search(database, acme, "gus", SEARCHES)
    with caplog.at_level(logging.WARNING, logger="keeping_plugin.security"):
        assert raise_alarms(database) == [UnusualUse(acme, "acme", SEARCHES, 0, "gus")]
        search(database, acme, "gus", 1)
        assert raise_alarms(database) == []
    (line,) = caplog.records
    assert line.agent_id == "gus"  # type: ignore[attr-defined]
    with database.read() as session:
        (row,) = session.scalars(select(AuditRecord).where(AuditRecord.action == "unusual_use"))
    assert (row.agent_id, row.company_id, row.detail) == ("gus", "acme", f"searches={SEARCHES}")


@pytest.mark.both_databases
@pytest.mark.field_case("B7")
def test_a_company_without_a_usual_day_has_an_alarm_as_well(database: Database) -> None:
    acme = connected(database)
    with database.write() as session:
        use = ApiUse(
            connection_id=acme,
            day=f"{datetime.now(UTC):%Y-%m-%d}",
            mailbox_id="support",
            feature=Feature.PANEL,
            requests=UNLEARNED,
        )
        session.add(use)
    assert raise_alarms(database) == [UnusualUse(acme, "acme", UNLEARNED, 0)]
