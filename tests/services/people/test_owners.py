"""Whose the records of the automations become, and that none fails because of its owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keeping_plugin.errors import SalesforceUnavailable, SchemaStale
from keeping_plugin.models import AgentUser, Connection, RefusedOwner, now
from keeping_plugin.services.connection.disconnect import end_connection, leave_for_other_org
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.services.people import agents, owners
from keeping_plugin.services.people.policy import COMPANY as WHOLE_COMPANY
from keeping_plugin.services.people.policy import AddAs, Owner, PeopleChoices, load, save
from keeping_plugin.services.schema import describe
from keeping_plugin.types import Action, Agent, Direction, NewRecord
from tests.services.delivery.house import COMPANY, JANE, MAILBOX, House
from tests.services.delivery.test_refusals import ADMIN, refusal

ANN = Agent("ann", COMPANY, "Ann Lee", email="Ann.Lee@acme.example")
BOB = Agent("bob", COMPANY, "Bob Fox", email="bob@acme.example")


def choose(house: House, **choices: Any) -> None:
    with house.database.write() as session:
        save(session, ADMIN, WHOLE_COMPANY, **choices)


def written_by(house: House, message_id: str, author: Agent | None, assignee: Agent | None) -> None:
    """An agent wrote the message, another is assigned to its conversation."""
    kept = house.desk.company(COMPANY)
    message = kept.messages[message_id]
    direction = Direction.OUTBOUND if author else Direction.INBOUND
    kept.messages[message_id] = replace(message, author=author, direction=direction)
    talk = kept.conversations[message.conversation_id]
    kept.conversations[talk.id] = replace(talk, assignee=assignee)


def owned(house: House) -> list[tuple[str, str]]:
    """The owner of each Contact and each Task of ours."""
    salesforce = house.salesforce
    ours = [*salesforce.rows("Contact"), *salesforce.rows("Task")]
    return [(row["Id"][:3], row["OwnerId"]) for row in ours]


def notes(house: House) -> list[str | None]:
    return [entry.note for entry in house.entries()]


def calls(house: House) -> list[str]:
    return [call.verb for call in house.salesforce.calls]


def test_the_connecting_user_owns_what_is_added_unless_an_admin_chooses(house: House) -> None:
    house.owe("m1")
    house.drain()
    plain = calls(house)
    [contact], [task] = house.salesforce.rows("Contact"), house.tasks()
    assert contact["OwnerId"] == task["OwnerId"] == house.salesforce.user_id
    assert notes(house) == [None, None]
    choose(house, owner=Owner.CONNECTING_USER)
    house.owe("m2", address="other@customer.example")
    house.drain()
    assert calls(house) == plain * 2  # the choice itself costs nothing


@pytest.mark.both_databases
def test_a_chosen_user_owns_contacts_and_their_tasks_at_no_further_request(house: House) -> None:
    user = house.salesforce.add_user("sales@acme.example")
    choose(house, owner=Owner.CHOSEN_USER, owner_id=user, owner_name="Sales")
    known = house.salesforce.add("Contact", LastName="Known", Email="known@customer.example")
    house.owe("m1")
    house.owe("m2", Action.LOG_TASK, address="known@customer.example")
    house.drain()
    assert {row["OwnerId"] for row in house.tasks()} == {user}
    assert {row["Id"] for row in house.salesforce.rows("Contact") if row["OwnerId"] != user} == {
        known
    }
    assert calls(house) == ["find", "create_many", "create_many"]


def test_a_queue_owns_leads_and_nothing_else(house: House) -> None:
    describe_org(house)
    queue = house.salesforce.add_queue("Web leads", ["Lead"])
    known = house.salesforce.add("Contact", LastName="Known", Email="known@customer.example")
    chosen = {"owner": Owner.CHOSEN_USER, "owner_id": queue, "owner_name": "Web leads"}
    choose(house, add_as=AddAs.LEAD, by_colleagues=False, by_website=False, **chosen)
    house.salesforce.calls.clear()
    house.owe("m1", Action.ADD_CONTACT)
    house.owe("m2", Action.LOG_TASK, address="known@customer.example")
    house.drain()
    choose(house, add_as=AddAs.CONTACT)
    house.owe("m3", Action.ADD_CONTACT, address="new@customer.example")
    house.drain()
    assert [row["OwnerId"] for row in house.salesforce.rows("Lead")] == [queue]
    others = [*house.tasks(), *house.salesforce.rows("Contact")]
    assert {row["OwnerId"] for row in others if row["Id"] != known} == {house.salesforce.user_id}
    assert notes(house) == [None, owners.NOT_ALLOWED, owners.NOT_ALLOWED]
    assert calls(house) == ["find", "create_many"] * 2, "nothing is tried that cannot be"


@pytest.mark.both_databases
def test_the_agent_who_wrote_or_is_assigned_owns_the_record(house: House) -> None:
    ann = house.salesforce.add_user("ann.lee@acme.example")
    bob = house.salesforce.add_user("b.fox@acme.example.dev", email="bob@acme.example.invalid")
    choose(house, owner=Owner.AGENT)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    for name, author, assignee in (
        ("m1", ANN, BOB),
        ("m2", None, BOB),
        ("m3", None, None),
        ("m4", None, Agent("eve", COMPANY, "Eve")),
        ("m5", None, replace(ANN, company_id="other")),
    ):
        house.owe(name, Action.LOG_TASK)
        written_by(house, name, author, assignee)
    house.drain()
    nobody = house.salesforce.user_id
    assert [row["OwnerId"] for row in house.tasks()] == [ann, bob, nobody, nobody, nobody]
    assert notes(house) == [None, None, owners.NO_AGENT, owners.NO_USER, owners.NO_AGENT]
    assert calls(house) == ["users", "find", "create_many"]
    house.owe("m6", Action.LOG_TASK)
    written_by(house, "m6", ANN, None)
    house.drain()
    assert calls(house)[3:] == ["find", "create_many"]  # who Ann is, is known


def test_an_agent_of_whom_salesforce_tells_two_users_owns_nothing(house: House) -> None:
    for number in (1, 2):
        house.salesforce.add_user(f"ann{number}@acme.example", email=ANN.email)
    choose(house, owner=Owner.AGENT)
    house.owe("m1", Action.ADD_CONTACT)
    written_by(house, "m1", None, ANN)
    house.drain()
    assert house.states() == [("done", "created")]
    assert notes(house) == [owners.NO_USER]


def test_the_owner_of_the_account_gets_the_tasks_of_its_contacts(house: House) -> None:
    salesforce = house.salesforce
    describe_org(house)
    sales, gone = salesforce.add_user("s@acme.example"), salesforce.add_user("g@acme.example")
    salesforce.update("User", gone, IsActive=False)
    for number, owner in enumerate((sales, gone)):
        account = salesforce.add("Account", Name="Customer", OwnerId=owner)
        address = f"c{number}@customer.example"
        salesforce.add("Contact", LastName="Doe", Email=address, AccountId=account)
        house.owe(f"m{number}", Action.LOG_TASK, address=address)
    salesforce.add("Contact", LastName="Alone", Email=JANE)
    house.owe("m2", Action.LOG_TASK)
    choose(house, owner=Owner.ACCOUNT_OWNER)
    before = len(salesforce.calls)
    house.drain()
    assert [row["OwnerId"] for row in house.tasks()] == [
        sales, salesforce.user_id, salesforce.user_id
    ]  # fmt: skip
    assert notes(house) == [None, owners.NO_ACCOUNT, owners.NO_ACCOUNT]
    assert calls(house)[before:] == ["find", "create_many"]


def describe_org(house: House) -> None:
    with house.database.write() as session:
        describe.start_load(session, house.connection_id, at=house.connection().connected_at)
    describe.describe(house.runtime, house.connection_id)


INACTIVE = "operation performed with inactive user [{}] as owner of contact"
REFUSALS = [
    pytest.param(("INACTIVE_OWNER_OR_USER", INACTIVE), True, id="inactive"),
    pytest.param(
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: caused by: " + INACTIVE), True, id="trigger"
    ),
    pytest.param(("TRANSFER_REQUIRES_READ", "The new owner must have read"), True, id="no access"),
    pytest.param(
        ("OP_WITH_INVALID_USER_TYPE_EXCEPTION", "Operation not valid for this user type"),
        True,
        id="user type",
    ),
    pytest.param(
        ("FIELD_INTEGRITY_EXCEPTION", "Queue not associated with this SObject type"),
        False,
        id="queue",
    ),
    pytest.param(("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"), False, id="gone"),
    pytest.param(
        ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on {}"),
        True,
        id="hidden",
    ),
]


@pytest.mark.parametrize(("told", "named"), REFUSALS)
def test_a_refused_owner_costs_one_more_try_and_no_row(
    house: House, told: tuple[str, str], named: bool
) -> None:
    user = house.salesforce.add_user("sales@acme.example")
    choose(house, owner=Owner.CHOSEN_USER, owner_id=user, owner_name="Sales")
    code, words = told
    house.salesforce.refuse_rows(
        refusal((code, words.format(user[:15]))),
        lambda record: record.object == "Contact" and record.fields.get("OwnerId") == user,
        times=None,
    )
    for number in range(3):
        house.owe(f"m{number}", address=f"c{number}@customer.example")
    house.drain()
    assert {state for state, _ in house.states()} == {"done"}
    people = house.salesforce.rows("Contact")
    assert len(people) == 3
    assert {row["OwnerId"] for row in people} == {house.salesforce.user_id}
    assert {row["OwnerId"] for row in house.tasks()} == {user}  # whom Tasks are not refused
    assert {entry.note for entry in house.entries() if entry.action == Action.ADD_CONTACT} == {
        owners.REFUSED
    }
    sends = calls(house).count("create_many")
    house.owe("m9", address="c9@customer.example")
    house.drain()
    again = calls(house).count("create_many") - sends
    assert again == (2 if named else 3)  # whose refusal is certain is not tried again for a day
    with house.database.read() as session:
        house.change(connected_at=now(session))
    house.owe("m10", address="c10@customer.example")
    house.drain()
    assert calls(house).count("create_many") - sends - again == 3  # another user may have the right


def test_a_refusal_that_is_not_the_owners_is_told_as_it_is(house: House) -> None:
    user = house.salesforce.add_user("sales@acme.example")
    choose(house, owner=Owner.CHOSEN_USER, owner_id=user, owner_name="Sales")
    house.salesforce.refuse_rows(
        refusal(("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
        lambda record: record.object == "Contact",
        times=None,
    )
    house.owe("m1", Action.ADD_CONTACT)
    house.drain()
    assert house.states() == [("failed", "rejected")]


@pytest.mark.parametrize(
    ("error", "states"),
    [
        (SchemaStale(object="User"), [("done", "created")]),
        (SalesforceUnavailable(), [("pending", "")]),
    ],
)
def test_users_that_cannot_be_read_are_told_from_an_org_that_does_not_answer(
    house: House, error: Any, states: list[tuple[str, str]]
) -> None:
    house.salesforce.add_user(ANN.email)
    choose(house, owner=Owner.AGENT)
    house.owe("m1", Action.ADD_CONTACT)
    written_by(house, "m1", None, ANN)
    house.salesforce.fail("users", error)
    house.drain()
    assert house.states() == states


def test_a_field_that_may_not_be_set_leaves_the_record_to_the_connecting_user(
    house: House,
) -> None:
    schema = house.salesforce.org.schemas["Contact"]
    owner = replace(schema.fields["OwnerId"], createable=False)
    house.salesforce.org.schemas["Contact"] = replace(
        schema, fields={**schema.fields, "OwnerId": owner}
    )
    describe_org(house)
    user = house.salesforce.add_user("sales@acme.example")
    choose(house, owner=Owner.CHOSEN_USER, owner_id=user)
    house.owe("m1")
    house.drain()
    assert notes(house) == [owners.NOT_ALLOWED, None]
    choose(house, owner_id=owners.QUEUE + "000000000001AAA")
    house.owe("m2", Action.ADD_CONTACT, address="c2@customer.example")
    house.drain()
    assert notes(house)[2] == owners.NOT_ALLOWED


@pytest.mark.both_databases
def test_what_an_admin_says_of_an_agent_stays_and_is_checked_daily(house: House) -> None:
    salesforce, desk = house.salesforce, house.desk.company(COMPANY)
    desk.agents += [ANN, BOB, Agent("eve", COMPANY, "Eve", email="eve@acme.example")]
    salesforce.add_user(ANN.email)
    eve = salesforce.add_user("e@elsewhere.example", "Eve")

    def look() -> dict[str, str]:
        agents.refresh(house.runtime, salesforce.gateway(), house.connection())
        with house.database.read() as session:
            rows = session.query(AgentUser).all()
            return {row.agent_id: row.found for row in rows}

    assert look() == {"ann": "matched", "bob": "none", "eve": "none"}
    with house.database.write() as session:
        [user] = salesforce.gateway().users([], [eve])
        assert agents.choose(session, ADMIN, house.connection_id, "eve", user)
        assert agents.choose(session, ADMIN, house.connection_id, "bob", None)
        assert not agents.choose(session, ADMIN, house.connection_id, "zoe", None)
    salesforce.add_user(BOB.email)
    salesforce.update("User", eve, IsActive=False)
    pass_day(house)
    assert look() == {"ann": "matched", "bob": "nobody", "eve": "inactive"}
    with house.database.write() as session:
        assert agents.match_again(session, ADMIN, house.connection_id, "bob")
    assert look()["bob"] == "matched"
    desk.agents[0] = replace(ANN, email="ann@other.example")
    assert look()["ann"] == "none"
    assert calls(house).count("users") == 5


def pass_day(house: House) -> None:
    with house.database.write() as session:
        for row in session.query(AgentUser).all():
            row.checked_at = house.connection().connected_at
            row.seen_at = house.connection().connected_at


def test_hundreds_of_agents_are_asked_about_in_one_request(house: House) -> None:
    desk = house.desk.company(COMPANY)
    desk.agents += [
        Agent(f"a{n}", COMPANY, f"A {n}", email=f"a{n}@acme.example") for n in range(400)
    ]
    assert agents.refresh(house.runtime, house.salesforce.gateway(), house.connection()) == 400
    assert calls(house) == ["users"]
    assert agents.refresh(house.runtime, house.salesforce.gateway(), house.connection()) == 0


def test_a_mailbox_may_give_its_records_to_another_owner(house: House) -> None:
    user = house.salesforce.add_user("sales@acme.example")
    choose(house, owner=Owner.AGENT)
    with house.database.write() as session:
        save(session, ADMIN, MAILBOX.id, owner=Owner.CHOSEN_USER, owner_id=user)
    house.owe("m1")
    house.drain()
    assert {owner for _, owner in owned(house)} == {user}


@pytest.mark.both_databases
def test_who_is_who_stays_with_the_org_and_as_long_as_agents_are_seen(house: House) -> None:
    desk = house.desk.company(COMPANY)
    desk.agents += [ANN, BOB]
    agents.refresh(house.runtime, house.salesforce.gateway(), house.connection())
    choose(house, owner=Owner.CHOSEN_USER, owner_id="005x", owner_name="Sales", account_id="001x")
    with house.database.write() as session:
        save(session, ADMIN, MAILBOX.id, owner=Owner.AGENT, account_id="001y")
        owners.remember_refused(
            session,
            house.connection_id,
            [(NewRecord("Contact", {"OwnerId": "005x"}), refusal(("X", "x")))],
        )
        session.get_one(AgentUser, (house.connection_id, "bob")).seen_at -= timedelta(days=500)
        session.query(RefusedOwner).one().refused_at -= timedelta(days=3)
    run_retention(house.database, house.runtime.times, keep_days=400)
    with house.database.write() as session:
        assert [row.agent_id for row in session.query(AgentUser)] == ["ann"]
        assert not session.query(RefusedOwner).count()
        row = session.get_one(Connection, house.connection_id)
        end_connection(session, row, agent_id="ada", at=now(session), times=house.runtime.times)
        assert session.query(AgentUser).count() == 1  # for when it is connected again
        leave_for_other_org(
            session, row, agent_id="ada", at=now(session), times=house.runtime.times
        )
        assert not session.query(AgentUser).count()
        kept = load(session, COMPANY)
        assert kept.of(WHOLE_COMPANY) == PeopleChoices()
        assert kept.mailboxes == {MAILBOX.id: {"owner": "agent"}}
