"""Agents add people beside each other and beside the drain, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from keeping_plugin.errors import (
    BeingAdded,
    CallNotStarted,
    OutcomeUnclear,
    RecordRejected,
    TooBusy,
)
from keeping_plugin.models import AddressClaim, AuditRecord, Connection, Database, now
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.limits import ConcurrencyLimit, RateLimiter
from keeping_plugin.services.panel import cards
from keeping_plugin.services.panel import open as panel
from keeping_plugin.services.panel.add import Exists, add_person
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.testing import FakeClock, FakeQueue
from keeping_plugin.times import Times
from keeping_plugin.types import Address, Agent, Saved, Value
from tests.fake_salesforce import FakeSalesforce, shipped_schemas
from tests.services.runtimes import make_runtime
from tests.services.sitting import sitting

GUS = Agent("gus", "acme", "Gus")
GIL = Agent("gil", "acme", "Gil")
EMAIL = "jane@acme.example"
JANE: dict[str, Value] = {"LastName": "Doe", "Email": EMAIL}


class Frozen(FakeClock):
    """The clock of a process that was frozen for a while."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._read = monotonic

    def monotonic(self) -> float:
        return self._read()


class Desk:
    """One company's agents, connected to an org in memory."""

    def __init__(self, database: Database) -> None:
        clock = FakeClock()
        self.salesforce = FakeSalesforce(clock)
        self.queue = FakeQueue()
        self.runtime = make_runtime(
            database,
            gateways=self.salesforce,
            queue=self.queue,
            clock=clock,
            times=Times(),
            concurrency=ConcurrencyLimit(share=10.0),
            rate=RateLimiter((1000, 1000), clock.monotonic),
        )
        with database.write() as session:
            row = Connection(
                company_id="acme",
                org_id=self.salesforce.org_id,
                instance_url="https://acme.my.salesforce.com",
                login_url="https://login.salesforce.com",
                user_id=self.salesforce.user_id,
                connected_at=now(session),
                connected_by="ada",
            )
            session.add(row)
            session.flush()
            connection_id = row.id
        self.link = Linked(
            connection_id=connection_id,
            org_id=self.salesforce.org_id,
            epoch=1,
            instance_url="https://acme.my.salesforce.com",
            lost=False,
            described=True,
            schemas=shipped_schemas(),
            shown={},
        )

    def add(self, agent: Agent = GUS, object: str = "Contact", **fields: Value) -> Saved | Exists:
        return add_person(self.runtime, agent, self.link, object, {**JANE, **fields})

    def contacts(self) -> int:
        return len(self.salesforce.rows("Contact"))

    def claim(self) -> AddressClaim | None:
        with self.runtime.database.read() as session:
            return session.scalar(select(AddressClaim))


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.mark.parametrize("moment", ["find", "create"])
def test_two_agents_at_the_same_moment_add_one_person(desk: Desk, moment: str) -> None:
    outcomes: list[object] = []

    def meanwhile() -> None:
        try:
            outcomes.append(desk.add(GIL, Email="JANE@Acme.Example"))
        except BeingAdded as error:
            outcomes.append(error)

    desk.salesforce.meanwhile(moment, meanwhile)
    assert isinstance(desk.add(), Saved)
    assert isinstance(outcomes[0], BeingAdded)
    assert desk.contacts() == 1
    assert desk.claim() is None
    again = desk.add(GIL)
    assert isinstance(again, Exists)
    assert [person.object for person in again.people] == ["Contact"]


def test_one_org_of_two_companies_has_one_claim(desk: Desk) -> None:
    """The claim is the org's: two companies may share one."""
    with desk.runtime.database.write() as session:
        taken = claims.take(
            session,
            org_id=desk.link.org_id,
            addresses=[EMAIL],
            owner="drain:of another company",
            times=Times(),
        )
    assert taken == {EMAIL}
    with pytest.raises(BeingAdded):
        desk.add()
    assert desk.contacts() == 0


def test_a_claim_whose_owner_died_is_taken_over_after_its_time(desk: Desk) -> None:
    with desk.runtime.database.write() as session:
        claims.take(
            session, org_id=desk.link.org_id, addresses=[EMAIL], owner="dead", times=Times()
        )
        session.execute(update(AddressClaim).values(until=now(session) - timedelta(seconds=1)))
    assert isinstance(desk.add(), Saved)


@pytest.mark.both_databases
def test_an_unclear_create_holds_the_address_until_it_can_be_looked_up(desk: Desk) -> None:
    desk.salesforce.fail("create", OutcomeUnclear(timed_out=True))
    with pytest.raises(OutcomeUnclear):
        desk.add()
    claim = desk.claim()
    assert claim is not None
    assert claim.sent_at is not None
    assert claim.until == claim.sent_at + timedelta(seconds=30)
    with pytest.raises(BeingAdded, match="so it is being checked"):
        desk.add(GIL)
    with desk.runtime.database.write() as session:
        session.execute(update(AddressClaim).values(until=now(session) - timedelta(seconds=1)))
    assert isinstance(desk.add(GIL), Saved)
    assert desk.contacts() == 1


@pytest.mark.both_databases
def test_an_unclear_create_that_arrived_is_found_at_once(desk: Desk) -> None:
    desk.salesforce.fail("create", OutcomeUnclear(timed_out=True), after=True)
    with pytest.raises(OutcomeUnclear):
        desk.add()
    assert isinstance(desk.add(), Exists)
    assert desk.contacts() == 1


def test_a_clear_refusal_lets_the_address_go(desk: Desk) -> None:
    desk.salesforce.fail("create", RecordRejected())
    with pytest.raises(RecordRejected):
        desk.add()
    assert desk.claim() is None


def test_a_create_that_starts_too_late_is_not_started(desk: Desk) -> None:
    """A process frozen between its mark and its call must not send after others have looked."""
    clock = desk.runtime.clock
    assert isinstance(clock, FakeClock)
    real = clock.monotonic

    def frozen_after_the_mark() -> float:
        claim = desk.claim()
        return real() + (60 if claim is not None and claim.sent_at else 0)

    desk.salesforce.clock = Frozen(frozen_after_the_mark)
    with pytest.raises(CallNotStarted):
        desk.add()
    assert desk.contacts() == 0
    assert desk.claim() is None


def stand_still(desk: Desk) -> None:
    """Longer than a claim lasts."""
    with desk.runtime.database.write() as session:
        session.execute(update(AddressClaim).values(until=now(session) - timedelta(seconds=1)))


@pytest.mark.field_case("D6")
@pytest.mark.parametrize("done", [True, False], ids=["added", "being added"])
def test_a_save_that_stood_still_past_its_claim_adds_nobody(desk: Desk, done: bool) -> None:
    def meanwhile() -> None:
        stand_still(desk)
        if done:
            assert isinstance(desk.add(GIL), Saved)
        else:
            with desk.runtime.database.write() as session:
                taken = claims.take(
                    session, org_id=desk.link.org_id, addresses=[EMAIL], owner="d", times=Times()
                )
            assert taken == {EMAIL}

    # After the first look was answered: the process goes on where it stood still.
    desk.salesforce.meanwhile("find answered", meanwhile)
    if done:
        assert isinstance(desk.add(), Exists)
    else:
        with pytest.raises(BeingAdded):
            desk.add()
    assert desk.contacts() == int(done)


@pytest.mark.field_case("D6")
def test_a_save_that_stood_still_while_nobody_took_its_claim_goes_on(desk: Desk) -> None:
    desk.salesforce.meanwhile("find answered", lambda: stand_still(desk))
    assert isinstance(desk.add(), Saved)
    assert desk.contacts() == 1


def test_a_lead_with_the_address_prevents_a_contact(desk: Desk) -> None:
    desk.salesforce.add("Lead", LastName="Doe", Company="Acme", Email=EMAIL)
    found = desk.add()
    assert isinstance(found, Exists)
    assert desk.contacts() == 0


@pytest.mark.both_databases
def test_no_seat_means_no_call(desk: Desk) -> None:
    parts = replace(desk.runtime, concurrency=ConcurrencyLimit(share=0.0))
    with sitting(parts.concurrency, 1), pytest.raises(TooBusy):
        add_person(parts, GUS, desk.link, "Contact", JANE)
    assert desk.salesforce.calls == []
    assert desk.claim() is None


@pytest.mark.both_databases
def test_the_card_survives_the_database(desk: Desk) -> None:
    fake = desk.salesforce
    account = fake.add("Account", Name="Acme")
    jane = fake.add("Contact", LastName="Doe", Email=EMAIL, AccountId=account, Title="<ü> 😀")
    fake.add("Case", Subject="x" * 32_000, ContactId=jane)
    asked = {name: tuple(schema.fields)[:8] for name, schema in desk.link.schemas.items()}
    found = tuple(fake.gateway().panel(EMAIL, desk.link.schemas, asked))
    with desk.runtime.database.write() as session:
        cards.keep(session, desk.link.connection_id, EMAIL, found)
    with desk.runtime.database.read() as session:
        card = cards.load(session, desk.link.connection_id, EMAIL)
        assert cards.load(session, desk.link.connection_id + 1, EMAIL) is None
    assert card is not None
    assert card.found == found


@pytest.mark.both_databases
def test_nobody_asks_for_a_company_without_a_connection(desk: Desk) -> None:
    view = panel.open_panel(desk.runtime, Agent("eve", "other", "Eve"), Address(EMAIL))
    assert view.state == "not_connected"
    assert desk.salesforce.calls == []


def test_every_save_leaves_one_row(desk: Desk) -> None:
    desk.add()
    with desk.runtime.database.read() as session:
        (row,) = session.scalars(select(AuditRecord)).all()
    assert (row.action, row.agent_id, row.fields) == (
        "record_created",
        "gus",
        ["Email", "LastName"],
    )
    assert EMAIL not in str((row.detail, row.fields, row.record_id))
