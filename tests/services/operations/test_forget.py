"""A person is erased from everything we keep, and nothing is sent twice because of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from keeping_plugin.addresses import address_key
from keeping_plugin.errors import InvalidInput, OutcomeUnclear
from keeping_plugin.models import (
    AddressClaim,
    AgentUser,
    Base,
    Connection,
    Database,
    Decision,
    MadeRecord,
    PanelCard,
    Pick,
    Search,
    SyncEntry,
    now,
)
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.operations.forget import Forgotten, forget
from keeping_plugin.types import Action
from tests.services.delivery.house import COMPANY, JANE, House

OTHER = "joe@customer.example"


def decide(house: House, message_id: str, address: str, picked: str = "003000000000001AAA") -> None:
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
                record_id=picked,
                picked_by="agent",
                picked_at=now(session),
            )
        )
        session.add(
            PanelCard(
                connection_id=house.connection_id, address=address, card={}, seen_at=now(session)
            )
        )


@pytest.mark.both_databases
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


@pytest.mark.both_databases
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


CANARY = "kanari.vogel@customer.example"
KNOWN_AS = "kv@old-firm.example"


def everything(database: Database) -> list[tuple[str, str, str]]:
    """Every value of every column of every table of ours, as a text in lower case."""
    found = []
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                found += [
                    (table.name, name, ascii(value).lower()) for name, value in row.items() if value
                ]
    return found


@pytest.mark.both_databases
@pytest.mark.field_case("B9")
def test_after_forgetting_no_column_of_any_table_knows_the_person(database: Database) -> None:
    house = House(database)
    kanari = house.salesforce.add("Contact", LastName="Vogel", Email=CANARY)
    for message_id in ("m1", "m2"):
        address = CANARY if message_id == "m1" else OTHER
        # The pick of a record that is not there would be dropped.
        decide(house, message_id, address, picked=kanari if address == CANARY else "003" + "9" * 15)
        house.owe(message_id, address=address)
    house.drain()
    cards = {  # of the same person under an address of before, and of a colleague
        KNOWN_AS: [{"object": "Contact", "id": kanari, "fields": {"LastName": "Vogel"}}],
        "boss@customer.example": [{"fields": {"Description": f"Ask {CANARY.upper()}."}}],
        "neighbour@customer.example": [{"fields": {"LastName": "Nachbar"}}],
    }
    with database.write() as session:
        time = now(session)
        ids = {"connection_id": house.connection_id}
        for address, card in cards.items():
            session.add(PanelCard(address=address, card=card, seen_at=time, **ids))
        ended = time - timedelta(seconds=1)
        session.add(
            AddressClaim(
                org_id=house.salesforce.org_id, address=CANARY, owner="agent:x", until=ended
            )
        )
        session.execute(
            update(SyncEntry)
            .where(SyncEntry.message_id == "m2")
            .values(words=[["DUPLICATE_VALUE", f"duplicate value found: {CANARY}", []]])
        )
        session.execute(
            update(Connection).values(barred_words=f"user {CANARY} is refused", pause_words=None)
        )
        session.add(
            Search(agent_id="a", object="Contact", at=time, found=[kanari], **ids),
        )
        made = {"attempt": "a" * 32, "conversation_id": "c-m1", "object": "Case", "made_by": "a"}
        made |= {"sent_as": "005" + "0" * 15, "sent_at": time, "record_id": "500" + "0" * 15}
        session.add(MadeRecord(person_id=kanari, **made, **ids))
        session.add(  # somebody who works in the inbox, too
            AgentUser(agent_id="k", name="Kanari", email=CANARY.upper(), seen_at=time, **ids)
        )
        session.execute(  # as 0.1.0 wrote of an address that it took for none
            update(Decision)
            .where(Decision.message_id == "m2")
            .values(facts={"customer": CANARY.title(), "address": ""})
        )
    assert {table for table, _, text in everything(database) if CANARY in text} >= {
        "keeping_agent_user",
        "keeping_panel_card",
        "keeping_address_claim",
        "keeping_known_address",
        "keeping_sync_entry",
        "keeping_decision",
        "keeping_pick",
    }

    assert forget(database, COMPANY, f" {CANARY.title()} ").unsettled == 0

    left = everything(database)
    assert [one for one in left if "kanari" in one[2] or "vogel" in one[2]] == []
    # The audit names the record that was written to, for as long as it is kept.
    assert {table for table, _, text in left if kanari.lower() in text} <= {"keeping_audit"}
    with database.read() as session:
        assert [row.address for row in session.query(PanelCard).order_by(PanelCard.address)] == [
            OTHER, "neighbour@customer.example"
        ]  # fmt: skip


@pytest.mark.both_databases
@pytest.mark.field_case("B9")
def test_spellings_that_are_one_person_to_salesforce_are_forgotten_together(
    database: Database,
) -> None:
    house = House(database)
    for message_id, address in (("m1", "MÜLLER@example.com"), ("m2", "müller@example.com")):
        decide(house, message_id, address_key(address) or "")
        house.owe(message_id, Action.LOG_TASK, address=address)
    assert forget(database, COMPANY, "Müller@example.com").entries == 2
    assert [one for one in everything(database) if "ller@example" in one[2]] == []


@pytest.mark.both_databases
@pytest.mark.field_case("B9")
def test_a_claim_that_is_held_is_named_and_goes_later(database: Database) -> None:
    house = House(database)
    house.owe("m1", address=CANARY)
    with database.write() as session:
        claims.take(
            session,
            org_id=house.salesforce.org_id,
            addresses=[CANARY],
            owner="agent:x",
            times=house.runtime.times,
        )
    assert forget(database, COMPANY, CANARY) == Forgotten(2, 1)
    house.pass_time(61)
    assert forget(database, COMPANY, CANARY) == Forgotten(0, 0)
    assert [one for one in everything(database) if CANARY in one[2]] == []
