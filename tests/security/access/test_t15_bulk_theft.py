"""T15: the plugin is no tool for emptying an org.

There is no free query and no export: T6 tries object and field names through every route, and a
search gives the names of ten records at most. Pace limits hold one agent and one company back
(T18), and calls are pinned to Salesforce's hosts (T5, tests/salesforce/wire/test_transport.py).
Here: ten times the usual use raises the alarm, once a day, by connection.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from keeping_plugin.models import ApiUse, AuditRecord, Database
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.operations.alarm import LEAST, UnusualUse, raise_alarms
from tests.security.town import Town
from tests.services.company import Company

USUAL = 200
BURST = 10 * USUAL


def connected(database: Database, *companies: str) -> list[int]:
    """Connections whose agents ask 200 times on a usual day."""
    found = []
    for name in companies:
        company = Company(database).of(name)
        company.sign_in()
        found.append(company.row().id)
        for days_ago in (1, 2, 5):
            use(database, found[-1], USUAL, days_ago=days_ago)
    return found


def use(
    database: Database, connection_id: int, requests: int, *, days_ago: int = 0, feature: str = ""
) -> None:
    day = datetime.now(UTC) - timedelta(days=days_ago)
    with database.write() as session:
        session.merge(
            ApiUse(
                connection_id=connection_id,
                day=f"{day:%Y-%m-%d}",
                mailbox_id="support",
                feature=feature or Feature.PANEL,
                requests=requests,
            )
        )


def test_ten_times_the_usual_raises_the_alarm_once_a_day(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    acme, quiet = connected(database, "acme", "quiet")
    use(database, quiet, USUAL)
    use(database, acme, BURST - 1)
    assert raise_alarms(database) == []
    use(database, acme, BURST)
    with caplog.at_level(logging.WARNING, logger="keeping_plugin.security"):
        assert raise_alarms(database) == [UnusualUse(acme, "acme", BURST, USUAL)]
        use(database, acme, 2 * BURST)
        assert raise_alarms(database) == []
    (line,) = caplog.records
    assert line.getMessage() == "unusual_use"
    assert (line.connection_id, line.requests) == (acme, BURST)  # type: ignore[attr-defined]
    with database.read() as session:
        rows = session.scalars(select(AuditRecord).where(AuditRecord.action == "unusual_use")).all()
    assert [(row.company_id, row.detail) for row in rows] == [
        ("acme", f"requests={BURST} usual={USUAL}")
    ]


def test_all_that_agents_do_counts_together_and_automations_do_not(database: Database) -> None:
    (acme,) = connected(database, "acme")
    use(database, acme, 50 * BURST, feature=Feature.AUTOMATIONS)
    use(database, acme, BURST - 10)
    assert raise_alarms(database) == []
    use(database, acme, 10, feature=Feature.RECORDS)
    assert len(raise_alarms(database)) == 1


def test_a_quiet_company_may_have_a_busy_day_and_a_new_one_has_no_usual_day(
    database: Database,
) -> None:
    acme, new = connected(database, "acme", "new")
    for days_ago in (1, 2, 5):
        use(database, acme, 3, days_ago=days_ago)
        use(database, new, 0, days_ago=days_ago)
    use(database, acme, LEAST - 1)
    with database.write() as session:
        session.query(ApiUse).filter_by(connection_id=new).delete()
    use(database, new, BURST)
    assert raise_alarms(database) == []
    use(database, acme, LEAST)
    assert [burst.connection_id for burst in raise_alarms(database)] == [acme]


def test_a_disconnected_org_raises_none(database: Database) -> None:
    (acme,) = connected(database, "acme")
    use(database, acme, BURST)
    Company(database).of("acme").disconnect()
    assert raise_alarms(database) == []


def test_what_is_counted_is_what_the_org_counts(town: Town) -> None:
    """By org: the other company's count does not move."""
    gus = town.visitor("gus")
    for _ in range(5):
        assert gus.get("/salesforce/conversations/c-1").status_code == 200
    assert gus.get("/salesforce/conversations/c-1/search/Account?q=acme&field=AccountId")
    made = sum(call["api_requests"] for call in town.calls("acme"))
    with town.house.app.app_context(), town.state.database.read() as session:
        counted = dict(
            session.execute(
                select(ApiUse.connection_id, func.sum(ApiUse.requests))
                .where(ApiUse.feature.in_(("panel", "records")))
                .group_by(ApiUse.connection_id)
            ).all()
        )
    acme = town.current("acme")
    assert acme is not None
    assert counted == {acme.id: made}
