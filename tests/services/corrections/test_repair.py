"""People without an Account: found, attached after a look, taken back; no choice is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from keeping_plugin.errors import (
    InvalidInput,
    NotConnected,
    OutcomeUnclear,
    SalesforceUnavailable,
)
from keeping_plugin.models import (
    AuditRecord,
    Database,
    PeoplePolicy,
    Repair,
    SchemaDocument,
    SyncEntry,
    now,
)
from keeping_plugin.services.connection import connect
from keeping_plugin.services.corrections import account_writes, repair
from keeping_plugin.services.corrections.account_writes import RepairOutcome
from keeping_plugin.services.operations.forget import forget
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.services.schema import describe
from keeping_plugin.times import Times
from keeping_plugin.types import Action
from keeping_plugin.types.schema_document import dump_schema
from tests.servers.statements import counted
from tests.services.corrections.undoing import ADMIN
from tests.services.delivery.house import COMPANY, JANE, House

ALONE = "kim@nowhere.example"


def described(house: House) -> House:
    """The describe job has run."""
    with house.database.write() as session:
        for name, schema in house.salesforce.org.schemas.items():
            session.add(
                SchemaDocument(
                    connection_id=house.connection_id,
                    object=name,
                    digest=f"test-{name}",
                    document=dump_schema(schema),
                    fetched_at=now(session),
                )
            )
    return house


@pytest.fixture
def account(house: House) -> str:
    """Jane and Kim were added, neither with an Account; Jane's company has one. Its id."""
    with house.database.write() as session:
        off = {"by_colleagues": False, "by_website": False}
        session.add(PeoplePolicy(company_id=COMPANY, mailbox_id="", choices=off))
    house.owe("m1", Action.ADD_CONTACT)
    house.owe("m2", Action.ADD_CONTACT, address=ALONE)
    house.drain()
    described(house)
    return house.salesforce.add("Account", Name="Customer Ltd", Website="customer.example")


def contact_of(house: House, address: str = JANE) -> str:
    [contact] = house.contacts(address)
    return contact


def account_of(house: House, contact: str) -> str | None:
    found: str | None = house.salesforce.fields("Contact", contact)["AccountId"]
    return found


def states(house: House) -> dict[str, str]:
    with house.database.read() as session:
        return {row.contact_id: row.state for row in session.query(Repair)}


def updates(house: House) -> list[tuple[str, str, str]]:
    with house.database.read() as session:
        rows = session.query(AuditRecord).filter_by(action="record_updated")
        return [(row.agent_id, row.record_id, row.detail) for row in rows]


@pytest.mark.both_databases
def test_an_account_is_proposed_attached_and_taken_back(house: House, account: str) -> None:
    jane = contact_of(house)
    before = house.salesforce.used
    found = repair.look(house.runtime, ADMIN)
    assert house.salesforce.used - before == 3
    proposed = {one.address: one.account for one in found.people}
    assert proposed[ALONE] is None
    assert proposed[JANE] is not None
    assert (proposed[JANE].id, proposed[JANE].name) == (account, "Customer Ltd")
    before = house.salesforce.used
    assert repair.attach(house.runtime, ADMIN, {jane: account}) == RepairOutcome(done=1)
    assert house.salesforce.used - before == 2
    assert account_of(house, jane) == account
    after = repair.look(house.runtime, ADMIN)
    assert [one.address for one in after.people] == [ALONE]
    assert [(one.contact_id, one.account.name) for one in after.attached] == [
        (jane, "Customer Ltd")
    ]
    assert repair.take_back(house.runtime, ADMIN, [jane]) == RepairOutcome(done=1)
    assert account_of(house, jane) is None
    assert updates(house) == [("ada", jane, "repair"), ("ada", jane, "repair_taken_back")]
    assert repair.look(house.runtime, ADMIN).attached == []


def test_an_account_that_is_made_after_the_first_look_is_proposed_at_the_next(
    house: House, account: str
) -> None:
    """An admin makes it because the page proposes none: that is not known for a day."""
    repair.look(house.runtime, ADMIN)
    made = house.salesforce.add("Account", Name="Nowhere", Website="https://nowhere.example")
    found = {one.address: one.account for one in repair.look(house.runtime, ADMIN).people}
    assert found[ALONE] is not None
    assert found[ALONE].id == made
    outcome = repair.attach(house.runtime, ADMIN, {contact_of(house, ALONE): made})
    assert outcome == RepairOutcome(done=1)


def test_a_contact_that_has_an_account_by_now_keeps_it(house: House, account: str) -> None:
    jane = contact_of(house)
    other = house.salesforce.add("Account", Name="Chosen by a person")
    house.salesforce.update("Contact", jane, AccountId=other)
    assert repair.attach(house.runtime, ADMIN, {jane: account}) == RepairOutcome(left=1)
    assert account_of(house, jane) == other


def test_what_a_person_chose_since_is_not_taken_back(house: House, account: str) -> None:
    jane = contact_of(house)
    repair.attach(house.runtime, ADMIN, {jane: account})
    other = house.salesforce.add("Account", Name="Chosen by a person")
    house.salesforce.update("Contact", jane, AccountId=other)
    assert repair.take_back(house.runtime, ADMIN, [jane]) == RepairOutcome(left=1)
    assert account_of(house, jane) == other


def test_an_account_deleted_a_second_ago_is_refused_and_asked_anew(
    house: House, account: str
) -> None:
    jane = contact_of(house)
    house.salesforce.meanwhile("update_many", lambda: house.salesforce.delete("Account", account))
    assert repair.attach(house.runtime, ADMIN, {jane: account}) == RepairOutcome(refused=1)
    [person] = [one for one in repair.look(house.runtime, ADMIN).people if one.address == JANE]
    assert person.account is None
    assert person.refused == "invalid cross reference id"


def test_only_what_the_rule_proposes_for_our_own_contacts_is_written(
    house: House, account: str
) -> None:
    foreign = house.salesforce.add("Contact", LastName="F", Email="f@customer.example")
    other = house.salesforce.add("Account", Name="Other")
    jane = contact_of(house)
    shown = {foreign: account, jane: other, "nonsense": account}
    assert repair.attach(house.runtime, ADMIN, shown) == RepairOutcome(left=3)
    assert account_of(house, foreign) is account_of(house, jane) is None


@pytest.mark.parametrize("arrived", [True, False])
def test_an_answer_that_was_lost_is_looked_up_later(
    house: House, account: str, arrived: bool
) -> None:
    jane = contact_of(house)
    house.salesforce.fail("update_many", OutcomeUnclear(), after=arrived)
    assert repair.attach(house.runtime, ADMIN, {jane: account}) == RepairOutcome(unclear=1)
    assert repair.attach(house.runtime, ADMIN, {jane: account}) == RepairOutcome(left=1)
    with house.database.write() as session:
        session.execute(update(Repair).values(at=now(session) - timedelta(minutes=1)))
    found = repair.look(house.runtime, ADMIN)
    assert states(house) == {jane: "sent"}, "a page writes nothing"
    account_writes.settle_daily(house.runtime, house.connection_id)
    assert states(house) == {jane: "attached" if arrived else "taken_back"}
    assert [one.contact_id for one in found.attached] == ([jane] if arrived else [])
    assert updates(house) == [("ada", jane, "outcome_unclear")]


@pytest.mark.both_databases
def test_attaching_takes_as_many_statements_for_a_hundred_people_as_for_one(
    house: House, account: str
) -> None:
    for number in range(101):
        house.owe(f"n{number}", Action.ADD_CONTACT, address=f"n{number}@customer.example")
    house.drain()
    people = sorted(row["Id"] for row in house.salesforce.rows("Contact") if row["Email"] != ALONE)

    def statements(chosen: list[str]) -> tuple[int, int]:
        with counted(house.database) as attaching:
            repair.attach(house.runtime, ADMIN, dict.fromkeys(chosen, account))
        with counted(house.database) as taking_back:
            repair.take_back(house.runtime, ADMIN, chosen)
        return len(attaching), len(taking_back)

    statements(people[:1])  # asks for the domain
    one = statements(people[:1])
    assert statements(people[1:101]) == one
    assert max(one) < 30


def test_a_call_that_wrote_nothing_says_so_and_leaves_no_trace(house: House, account: str) -> None:
    jane = contact_of(house)
    house.salesforce.fail("update_many", SalesforceUnavailable())
    with pytest.raises(SalesforceUnavailable):
        repair.attach(house.runtime, ADMIN, {jane: account})
    assert updates(house) == []
    [person] = [one for one in repair.look(house.runtime, ADMIN).people if one.address == JANE]
    assert person.refused == ""


def test_a_disconnect_during_the_look_prevents_the_write(house: House, account: str) -> None:
    jane = contact_of(house)
    house.salesforce.meanwhile("read_many", lambda: connect.disconnect(house.runtime, ADMIN))
    with pytest.raises(NotConnected):
        repair.attach(house.runtime, ADMIN, {jane: account})
    assert account_of(house, jane) is None


def test_what_was_attached_comes_in_pages_and_all_of_it_can_be_taken_back(
    house: House, account: str
) -> None:
    jane = contact_of(house)
    repair.attach(house.runtime, ADMIN, {jane: account})
    with house.database.write() as session:
        time = now(session)
        for number in range(200):
            session.add(
                Repair(
                    connection_id=house.connection_id,
                    contact_id=f"003{number:015}",
                    account_id=account,
                    agent_id="ada",
                    at=time + timedelta(seconds=1),
                    state="attached",
                )
            )
    first = repair.look(house.runtime, ADMIN)
    assert (len(first.attached), first.more_attached) == (200, True)
    second = repair.look(house.runtime, ADMIN, skip=200)
    assert [(one.address, one.contact_id) for one in second.attached] == [(JANE, jane)]
    assert repair.take_back(house.runtime, ADMIN, [jane]) == RepairOutcome(done=1)


def test_nobody_or_too_many_are_not_written(house: House, account: str) -> None:
    for chosen in ({}, {f"003{number:015}": account for number in range(201)}):
        with pytest.raises(InvalidInput):
            repair.attach(house.runtime, ADMIN, chosen)


def test_ten_thousand_people_come_in_pages(house: House, account: str) -> None:
    with house.database.write() as session:
        first = session.query(SyncEntry).first()
        assert first is not None
        session.execute(
            SyncEntry.__table__.insert(),
            [
                {
                    "connection_id": first.connection_id,
                    "company_id": COMPANY,
                    "mailbox_id": "sales",
                    "conversation_id": "c",
                    "message_id": f"n{number}",
                    "action": "add_contact",
                    "lane": "a-live",
                    "epoch": 1,
                    "address": f"n{number}@customer.example",
                    "created_at": now(session),
                    "state": "done",
                    "reason": "created",
                    "record_id": f"003Gone{number:011}",
                    "attempts": 0,
                    "retries": 0,
                    "looks": 0,
                    "candidates": 0,
                }
                for number in range(9_998)
            ],
        )
    before, after, checked, people = house.salesforce.used, None, 0, []
    pages = 0
    while True:
        found = repair.look(house.runtime, ADMIN, after=after)
        checked, after, pages = checked + found.checked, found.following, pages + 1
        people += [one.address for one in found.people]
        if after is None:
            break
    assert (pages, checked) == (50, 10_000)
    assert sorted(people) == sorted([JANE, ALONE])
    assert house.salesforce.used - before <= 3 * pages


def test_without_the_right_it_says_so(house: House, account: str, database: Database) -> None:
    with database.read() as session:
        assert repair.why_not(session, house.connection_id) is None
    contact = house.salesforce.org.schemas["Contact"]
    lookup = replace(contact.fields["AccountId"], updateable=False)
    with database.write() as session:
        row = session.get_one(SchemaDocument, (house.connection_id, "Contact"))
        fields = {**contact.fields, "AccountId": lookup}
        row.document, row.digest = dump_schema(replace(contact, fields=fields)), "test-other"
    with database.read() as session:
        assert "Contact.AccountId" in str(repair.why_not(session, house.connection_id))
        assert describe.schemas(session, house.connection_id)


def test_retention_and_erasure_clear_it_away(house: House, account: str) -> None:
    jane = contact_of(house)
    repair.attach(house.runtime, ADMIN, {jane: account})
    run_retention(house.database, Times(), keep_days=30)
    assert states(house) == {jane: "attached"}
    forget(house.database, COMPANY, JANE)
    assert states(house) == {}
    house.owe("m3", Action.ADD_CONTACT, address="joe@customer.example")
    house.drain()
    repair.attach(house.runtime, ADMIN, {contact_of(house, "joe@customer.example"): account})
    with house.database.write() as session:
        session.execute(update(Repair).values(at=now(session) - timedelta(days=31)))
    run_retention(house.database, Times(), keep_days=30)
    assert states(house) == {}
