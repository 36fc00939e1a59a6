"""Whom an agent chose for an address comes before whoever has it as their Email."""

from __future__ import annotations

import pytest

from keeping_plugin.errors import Complaint, RecordRejected, SalesforceUnavailable
from keeping_plugin.models import AuditRecord, Pick
from keeping_plugin.services.people import address_fields, picks
from keeping_plugin.types import Action, Agent
from tests.services.delivery.house import COMPANY, JANE, House

GUS = Agent("gus", COMPANY, "Gus")


def choose(house: House, object: str, record_id: str) -> None:
    with house.database.write() as session:
        picks.keep(session, GUS, house.connection_id, JANE, object, record_id)


def chosen(house: House) -> dict[str, str]:
    with house.database.read() as session:
        return picks.load(session, house.connection_id, {JANE})


def audited(house: House) -> list[tuple[str, str, str]]:
    with house.database.read() as session:
        rows = session.query(AuditRecord).filter(AuditRecord.action.startswith("pick_"))
        return [(row.action, row.record_id, row.detail) for row in rows]


def states(house: House) -> list[tuple[str, str]]:
    return [(row.state, row.reason) for row in house.entries()]


@pytest.mark.both_databases
def test_a_message_is_logged_on_the_chosen_contact_in_as_many_requests(house: House) -> None:
    house.salesforce.add("Contact", LastName="Email", Email=JANE)
    house.owe("m0")
    house.drain()
    usual = house.salesforce.used
    other = house.salesforce.add("Contact", LastName="Chosen")
    choose(house, "Contact", other)
    house.owe("m1", Action.LOG_TASK, Action.ADD_CONTACT)
    house.drain()
    assert house.tasks()[-1]["WhoId"] == other
    assert house.salesforce.used == 2 * usual
    assert not audited(house)


def test_auto_add_counts_the_chosen_as_existing(house: House) -> None:
    for object in ("Lead", "Contact"):
        choose(house, object, house.salesforce.add(object, LastName="Chosen", Company="Acme"))
        house.owe(object, Action.ADD_CONTACT)
        house.drain()
        assert states(house)[-1] == ("done", "exists")
    assert len(house.salesforce.rows("Contact")) == 1


@pytest.mark.parametrize("field", ["Email", "Second_Email__c"])
def test_a_chosen_contact_that_got_the_address_counts_once_chosen_or_not(
    house: House, field: str
) -> None:
    contact = house.salesforce.add("Contact", LastName="Chosen", **{field: JANE})
    with house.database.write() as session:
        address_fields.save(session, GUS, "Contact", ["Second_Email__c"])
    choose(house, "Contact", contact)
    house.owe("m1", Action.LOG_TASK, Action.ADD_CONTACT)
    house.drain()
    with house.database.write() as session:
        assert picks.take_back(session, GUS, house.connection_id, JANE)
    house.owe("m2", Action.LOG_TASK, Action.ADD_CONTACT)
    house.drain()
    assert sorted(states(house)) == [("done", "exists")] * 2 + [("done", "logged")] * 2
    assert [task["WhoId"] for task in house.tasks()] == [contact] * 2
    assert len(house.salesforce.rows("Contact")) == 1


def test_choosing_a_contact_releases_what_waits(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert states(house) == [("waiting", "no_contact")]
    contact = house.salesforce.add("Contact", LastName="Chosen", Email="old@acme.example")
    choose(house, "Contact", contact)
    house.drain()
    assert [task["WhoId"] for task in house.tasks()] == [contact]


def test_a_chosen_lead_takes_no_task_until_it_is_converted(house: House) -> None:
    lead = house.salesforce.add("Lead", LastName="Chosen", Company="Acme")
    choose(house, "Lead", lead)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert states(house) == [("waiting", "no_contact")]
    became = house.salesforce.convert(lead)
    house.owe("m2", Action.LOG_TASK)
    house.drain()
    house.drain()
    assert {task["WhoId"] for task in house.tasks()} == {became}
    assert chosen(house) == {JANE: became}


def test_a_merged_choice_is_followed(house: House) -> None:
    stays, loser = (house.salesforce.add("Contact", LastName=name) for name in ("Stays", "Loser"))
    choose(house, "Contact", loser)
    house.salesforce.merge("Contact", stays, loser)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert house.tasks()[0]["WhoId"] == stays
    assert chosen(house) == {JANE: stays}
    assert audited(house) == [("pick_followed", stays, "")]


def test_a_choice_that_is_gone_is_dropped_and_the_address_found_anew(house: House) -> None:
    by_email = house.salesforce.add("Contact", LastName="Email", Email=JANE)
    gone = house.salesforce.add("Contact", LastName="Gone")
    choose(house, "Contact", gone)
    house.salesforce.delete("Contact", gone)
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert house.tasks()[0]["WhoId"] == by_email
    assert chosen(house) == {}
    assert audited(house) == [("pick_removed", gone, "gone")]
    with house.database.read() as session:
        assert session.query(AuditRecord.object).filter_by(record_id=gone).distinct().all() == [
            ("Contact",)
        ]


@pytest.mark.parametrize("merged", [True, False])
def test_a_chosen_record_that_goes_between_look_and_send_is_followed_or_its_end_audited(
    house: House, merged: bool
) -> None:
    stays = house.salesforce.add("Contact", LastName="Stays", Email=JANE)
    loser = house.salesforce.add("Contact", LastName="Loser")
    choose(house, "Contact", loser)
    house.owe("m1", Action.LOG_TASK)
    gone = RecordRejected(complaints=(Complaint("ENTITY_IS_DELETED", "entity is deleted"),))
    house.salesforce.refuse_rows(gone)
    leave = house.salesforce.merge if merged else lambda object, _, one: delete(object, one)
    delete = house.salesforce.delete
    house.salesforce.meanwhile("create_many", lambda: leave("Contact", stays, loser))
    house.drain()
    assert [task["WhoId"] for task in house.tasks()] == [stays]
    assert chosen(house) == ({JANE: stays} if merged else {})
    expected = ("pick_followed", stays, "") if merged else ("pick_removed", loser, "gone")
    assert audited(house) == [expected]


def test_a_choice_stays_while_salesforce_does_not_answer(house: House) -> None:
    gone = house.salesforce.add("Contact", LastName="Gone")
    choose(house, "Contact", gone)
    house.salesforce.delete("Contact", gone)
    house.salesforce.fail("successors", SalesforceUnavailable())
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert chosen(house) == {JANE: gone}
    assert not house.tasks()
    assert [row.state for row in house.entries()] == ["pending"]


def test_another_choice_made_meanwhile_stands(house: House) -> None:
    gone, other = (house.salesforce.add("Contact", LastName=name) for name in ("Gone", "Other"))
    house.salesforce.delete("Contact", gone)
    choose(house, "Contact", other)
    gateway = house.salesforce(house.connection_id)
    assert picks.follow(house.runtime, gateway, house.connection_id, {JANE: gone}) == {}
    assert chosen(house) == {JANE: other}


def test_taking_a_choice_back_is_audited_once(house: House) -> None:
    choose(house, "Contact", house.salesforce.add("Contact", LastName="Chosen"))
    with house.database.write() as session:
        assert picks.take_back(session, GUS, house.connection_id, JANE)
        assert not picks.take_back(session, GUS, house.connection_id, JANE)
    assert [action for action, _, _ in audited(house)] == ["pick_removed"]
    with house.database.read() as session:
        assert session.query(Pick).count() == 0
