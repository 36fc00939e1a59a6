"""Signing in, another org, and what a disconnect leaves behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from keeping_plugin.errors import NotFound
from keeping_plugin.models import (
    AuditRecord,
    BackfillRun,
    Connection,
    ConnectionStatus,
    Database,
    EntryState,
    PanelCard,
    Pick,
    Revocation,
    SchemaLoad,
    SyncEntry,
)
from keeping_plugin.services.connection import connect, grants, leftovers
from keeping_plugin.services.connection.connect import SignedIn
from keeping_plugin.services.connection.disconnect_summary import disconnect_summary
from tests.services.company import ACME, OTHER, Company, grant

NOW = datetime(2026, 5, 6, tzinfo=UTC)


@pytest.fixture
def company(database: Database) -> Company:
    return Company(database)


def owe(company: Company, message: str, state: EntryState, *, marked: bool = False) -> None:
    """An entry of the connection to Acme."""
    row = company.row()
    with company.database.write() as session:
        session.add(
            SyncEntry(
                connection_id=row.id,
                company_id=row.company_id,
                mailbox_id="m",
                conversation_id="c",
                message_id=message,
                action="log_task",
                epoch=row.epoch,
                address="customer@example.com",
                created_at=NOW,
                state=state,
                due_at=NOW,
                sent_at=NOW if marked else None,
                claim="a drain" if marked else None,
            )
        )


def entries(company: Company) -> dict[str, tuple[str, str]]:
    """Once a sweep has done what a request on a busy machine had no time for."""
    assert leftovers.settle(company.database, seconds=60.0)
    with company.database.read() as session:
        rows = session.execute(select(SyncEntry.message_id, SyncEntry.state, SyncEntry.reason))
        return {message: (state, reason) for message, state, reason in rows}


def audited(company: Company) -> list[str]:
    with company.database.read() as session:
        return list(session.scalars(select(AuditRecord.action).order_by(AuditRecord.id)))


def test_a_first_login_connects_and_has_the_org_described(company: Company) -> None:
    assert company.sign_in() is SignedIn.CONNECTED
    row = company.row()
    assert (row.current, row.confirmed, row.status) == (True, True, ConnectionStatus.LIVE)
    assert (row.org_name, row.is_sandbox, row.username) == ("Acme", False, "ada@acme.example.com")
    assert company.queue.jobs == [("describe", row.id)]
    with company.database.read() as session:
        load = session.get(SchemaLoad, row.id)
        assert load is not None
        assert load.finished_at is None
    assert audited(company) == ["connected"]


def test_tokens_open_only_as_the_company_and_org_they_belong_to(company: Company) -> None:
    company.sign_in()
    blob = company.row().tokens
    assert blob is not None
    assert b"access" not in blob
    tokens = grants.unseal(company.vault, blob, company_id="acme", org_id=ACME.org_id)
    assert tokens == grant(ACME)
    for company_id, org_id in (("other", ACME.org_id), ("acme", OTHER.org_id)):
        with pytest.raises(Exception, match="belongs to another"):
            grants.unseal(company.vault, blob, company_id=company_id, org_id=org_id)


@pytest.mark.both_databases
def test_two_admins_who_come_back_at_once_share_one_row(company: Company) -> None:
    together = Barrier(4)

    def sign_in(number: int) -> SignedIn:
        together.wait()
        return company.sign_in(number=number)

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(sign_in, range(4)))
    assert outcomes == ["connected", "reconnected", "reconnected", "reconnected"]
    assert company.row().current  # `row` asks for exactly one


@pytest.mark.both_databases
def test_signing_in_to_the_same_org_finds_the_row_and_keeps_what_is_owed(company: Company) -> None:
    company.sign_in()
    before = company.row()
    owe(company, "waits", EntryState.PENDING)
    assert company.sign_in(number=2) is SignedIn.RECONNECTED
    after = company.row()
    assert (after.id, after.epoch) == (before.id, before.epoch)
    assert entries(company) == {"waits": ("pending", "")}
    assert company.queue.rings == [after.id]


def test_the_grant_that_a_reconnect_replaces_is_given_back(company: Company) -> None:
    company.sign_in()
    company.sign_in(number=2)
    with company.database.read() as session:
        (old,) = session.scalars(select(Revocation)).all()
    assert old.tokens is not None
    given_back = grants.unseal(company.vault, old.tokens, company_id="acme", org_id=ACME.org_id)
    assert given_back.refresh_token == "refresh-Acme-1"
    assert ("revoke", old.id) in company.queue.jobs


def test_a_refresh_token_that_comes_again_is_not_given_back(company: Company) -> None:
    company.sign_in()
    company.sign_in()
    with company.database.read() as session:
        assert session.scalars(select(Revocation)).all() == []


@pytest.mark.both_databases
def test_a_reconnect_ends_the_loss_and_every_pause(company: Company) -> None:
    company.sign_in()
    with company.database.write() as session:
        row = session.merge(company.row())
        row.status = ConnectionStatus.LOST
        row.lost_at, row.lost_reason = NOW, "inactive user"
        row.paused_until, row.timeouts = NOW, 3
    company.sign_in(number=2)
    row = company.row()
    assert (row.status, row.lost_at, row.lost_reason) == (ConnectionStatus.LIVE, None, "")
    assert (row.paused_until, row.timeouts) == (None, 0)


def test_another_org_waits_for_a_word_and_changes_nothing(company: Company) -> None:
    company.sign_in()
    owe(company, "waits", EntryState.PENDING)
    assert company.sign_in(OTHER) is SignedIn.OTHER_ORG
    assert (company.row().current, company.row().status) == (True, ConnectionStatus.LIVE)
    waiting = company.row(OTHER)
    assert (waiting.current, waiting.confirmed) == (False, False)
    assert waiting.status == ConnectionStatus.DISCONNECTED  # nothing can use its grant
    assert entries(company) == {"waits": ("pending", "")}
    assert ("describe", waiting.id) not in company.queue.jobs


@pytest.mark.both_databases
def test_a_confirmed_org_takes_over_and_nothing_is_mixed(company: Company) -> None:
    company.sign_in()
    owe(company, "pending", EntryState.PENDING)
    owe(company, "waiting", EntryState.WAITING)
    owe(company, "sending", EntryState.SENDING, marked=True)
    owe(company, "looked for", EntryState.PENDING, marked=True)
    owe(company, "done", EntryState.DONE)
    old = company.row()
    with company.database.write() as session:
        session.add(
            Pick(
                connection_id=old.id,
                address="customer@example.com",
                object="Contact",
                record_id="003000000000001AAA",
                picked_by="gus",
                picked_at=NOW,
            )
        )
    company.sign_in(OTHER)
    company.confirm_org()
    assert entries(company) == {
        "pending": ("cancelled", "other_org"),
        "waiting": ("cancelled", "other_org"),
        "sending": ("failed", "outcome_unknown"),
        "looked for": ("failed", "outcome_unknown"),
        "done": ("done", ""),
    }
    old, new = company.row(), company.row(OTHER)
    assert (old.current, old.tokens, old.epoch) == (False, None, 2)
    assert (new.current, new.confirmed, new.status) == (True, True, ConnectionStatus.LIVE)
    with company.database.read() as session:
        assert session.scalars(select(Pick)).all() == []
    assert ("describe", new.id) in company.queue.jobs


def test_another_org_after_a_disconnect_waits_for_a_word_too(company: Company) -> None:
    """Automations are still switched on: they must not begin to write into an unseen org."""
    company.sign_in()
    owe(company, "sending", EntryState.SENDING, marked=True)
    company.disconnect()
    assert company.sign_in(OTHER) is SignedIn.OTHER_ORG
    assert not company.row(OTHER).current
    company.confirm_org()
    assert entries(company) == {"sending": ("failed", "outcome_unknown")}
    assert company.row().epoch == 2  # it rose with the disconnect and only then


def test_a_refused_org_gives_its_grant_back_and_leaves_the_old_one(company: Company) -> None:
    company.sign_in()
    company.sign_in(OTHER)
    company.refuse_org()
    assert company.row(OTHER).tokens is None
    assert company.row().current
    with company.database.read() as session:
        assert connect.unconfirmed(session, "acme") is None
        assert len(session.scalars(select(Revocation)).all()) == 1
    with pytest.raises(NotFound):
        company.confirm_org()


def test_a_login_nobody_confirmed_is_given_back_by_the_next_one(company: Company) -> None:
    company.sign_in()
    company.sign_in(OTHER)
    company.sign_in(number=2)
    assert company.row(OTHER).tokens is None


@pytest.mark.both_databases
def test_a_login_nobody_confirmed_is_given_back_after_a_day(company: Company) -> None:
    company.sign_in()
    company.sign_in(OTHER)
    connect.forget_unconfirmed(company.database, company.times)
    assert company.row(OTHER).tokens is not None
    with company.database.write() as session:
        yesterday = datetime.now(UTC) - timedelta(hours=25)
        session.execute(update(Connection).values(connected_at=yesterday))
    connect.forget_unconfirmed(company.database, company.times)
    assert company.row(OTHER).tokens is None
    assert company.row().tokens is not None
    with company.database.read() as session:
        assert session.scalars(select(Revocation)).one().due_at is not None


def test_disconnect_is_one_transaction_that_stops_everything(company: Company) -> None:
    company.sign_in()
    owe(company, "pending", EntryState.PENDING)
    owe(company, "waiting", EntryState.WAITING)
    owe(company, "sending", EntryState.SENDING, marked=True)
    row = company.row()
    with company.database.write() as session:
        session.add(
            BackfillRun(
                connection_id=row.id,
                epoch=1,
                company_id="acme",
                mailbox_id="m",
                since=NOW,
                started_by="ada",
                started_at=NOW,
            )
        )
        session.add(PanelCard(connection_id=row.id, address="a@example.com", card={}, seen_at=NOW))
    company.disconnect()
    row = company.row()
    assert (row.current, row.status) == (False, ConnectionStatus.DISCONNECTED)
    assert (row.tokens, row.epoch, row.disconnected_by) == (None, 2, "ada")
    assert entries(company) == {
        "pending": ("cancelled", "disconnected"),
        "waiting": ("cancelled", "disconnected"),
        "sending": ("sending", ""),
    }
    with company.database.read() as session:
        (run,) = session.scalars(select(BackfillRun)).all()
        (revocation,) = session.scalars(select(Revocation)).all()
        assert run.state == "cancelled"
        assert session.scalars(select(PanelCard)).all() == []
    assert revocation.tokens is not None
    assert company.queue.jobs[-1] == ("revoke", revocation.id)
    assert audited(company)[-1] == "disconnected"


@pytest.mark.both_databases
def test_the_summary_of_a_disconnect_tells_what_was_done_and_what_is_left(company: Company) -> None:
    company.sign_in()
    owe(company, "pending", EntryState.PENDING)
    owe(company, "sending", EntryState.SENDING, marked=True)
    with company.database.read() as session:
        assert disconnect_summary(session, company.row()) is None
    company.disconnect()
    with company.database.read() as session:
        found = disconnect_summary(session, company.row())
    assert found is not None
    assert (found.org_name, found.by, found.cancelled, found.unsettled) == ("Acme", "ada", 1, 1)
    assert found.revocation is not None
    assert (found.revocation.state, found.revocation.reason) == ("pending", "")


def test_disconnecting_twice_is_said(company: Company) -> None:
    company.sign_in()
    company.disconnect()
    with pytest.raises(NotFound, match="not connected"):
        company.disconnect()


def test_only_the_login_that_was_seen_is_confirmed(company: Company) -> None:
    """A second window signed in to a third org: the yes in the first was meant for the second."""
    company.sign_in()
    company.sign_in(OTHER)
    third = replace(OTHER, org_id="00D000000000003AAA", name="Third")
    company.sign_in(third)
    for answer in (company.confirm_org, company.refuse_org):
        with pytest.raises(NotFound):
            answer(OTHER)
    assert company.row().current
    company.confirm_org(third)
    assert company.row(third).current


def test_one_company_never_touches_anothers_connection(company: Company) -> None:
    company.sign_in()
    company.sign_in(OTHER)
    other = company.of("bravo")
    other.sign_in()  # the same org, a company of its own
    other.disconnect()
    assert company.row().current
    assert company.row().id != other.row().id
    with pytest.raises(NotFound):
        connect.confirm_org(other.runtime, other.agent, connection_id=company.row(OTHER).id)
