"""A person is erased from everything we keep, and nothing is sent twice because of it."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import InvalidInput, OutcomeUnclear
from keeping_plugin.models import Database, Decision, PanelCard, Pick, SyncEntry, now
from keeping_plugin.services.operations.forget import Forgotten, forget
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, JANE, House

OTHER = "joe@customer.example"


def decide(house: House, message_id: str, address: str) -> None:
    with house.database.write() as session:
        session.add(
            Decision(
                connection_id=house.connection_id,
                company_id=COMPANY,
                mailbox_id="sales",
                conversation_id="c1",
                message_id=message_id,
                decided_at=now(session),
                rules_version="1",
                verdicts=[],
                facts={"address": address, "inbound": True},
            )
        )
        session.add(
            Pick(
                connection_id=house.connection_id,
                address=address,
                object="Contact",
                record_id="003000000000001AAA",
                picked_by="agent",
                picked_at=now(session),
            )
        )
        session.add(
            PanelCard(
                connection_id=house.connection_id, address=address, card={}, seen_at=now(session)
            )
        )


def test_everything_about_a_person_goes_and_everybody_else_stays(database: Database) -> None:
    house = House(database)
    for message_id, address in (("m1", JANE), ("m2", OTHER)):
        decide(house, message_id, address)
        house.owe(message_id, Action.LOG_TASK, address=address)
    gone = forget(database, COMPANY, "Jane@Customer.example")
    assert (gone.entries, gone.unsettled) == (1, 0)
    with database.read() as session:
        assert [row.address for row in session.query(SyncEntry)] == [OTHER]
        assert [row.address for row in session.query(Pick)] == [OTHER]
        assert [row.address for row in session.query(PanelCard)] == [OTHER]
        facts = {row.message_id: row.facts for row in session.query(Decision)}
    assert facts["m1"] is None
    assert facts["m2"] == {"address": OTHER, "inbound": True}


def test_what_is_on_its_way_is_settled_first(database: Database) -> None:
    house = House(database)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", OutcomeUnclear("lost"), after=True)
    house.drain()
    assert forget(database, COMPANY, JANE).unsettled == 1
    house.pass_time(31)
    house.drain()
    assert forget(database, COMPANY, JANE) == Forgotten(1, 0)
    assert house.entries() == []


def test_what_is_no_address_is_refused(database: Database) -> None:
    with pytest.raises(InvalidInput):
        forget(database, COMPANY, "jane")
