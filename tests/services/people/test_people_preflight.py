"""What the connection check says of added people: who finds them, whose they become, what stops
them; and that it asks Salesforce only about what is on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keeping_plugin.errors import ConnectionLost, SalesforceUnavailable
from keeping_plugin.models import AgentUser, Database, now
from keeping_plugin.services.people import owners, preflight
from keeping_plugin.services.people.policy import COMPANY as WHOLE_COMPANY
from keeping_plugin.services.people.policy import AddAs, Owner, save
from keeping_plugin.services.schema import preflight as whole
from keeping_plugin.services.schema.preflight import Line, Outcome
from keeping_plugin.types import FieldSpec, NewRecord, Visibility
from tests.services.delivery.house import MAILBOX, House
from tests.services.delivery.test_refusals import ADMIN, refusal

PRIVATE = {"Account": "None", "Contact": "ControlledByParent", "Lead": "None"}
PUBLIC = {"Account": "Read", "Contact": "ControlledByParent", "Lead": "ReadEditTransfer"}
ACCOUNT = {"account_id": "001000000000001AAA", "account_name": "Unknown"}
NEITHER = {"by_colleagues": False, "by_website": False}


def look(house: House) -> dict[str, Line]:
    found = whole.run(house.runtime, house.connection_id, more=preflight.lines(house.runtime))
    return {line.code: line for line in found.lines}


def choose(house: House, **choices: Any) -> None:
    with house.database.write() as session:
        save(session, ADMIN, WHOLE_COMPANY, **choices)


def asked(house: House) -> list[str]:
    return [call.verb for call in house.salesforce.calls]


@pytest.mark.both_databases
def test_nothing_more_is_asked_or_said_while_no_automation_is_on(house: House) -> None:
    house.switch(add_contacts=False, log_tasks=False)
    plain = whole.run(house.runtime, house.connection_id)
    before = len(asked(house))
    assert set(look(house)) == {line.code for line in plain.lines}
    assert len(asked(house)) - before == before


@pytest.mark.parametrize(
    ("defaults", "choices", "outcome", "finding"),
    [
        (PUBLIC, ACCOUNT, Outcome.PASSED, "Everyone who may read Contacts finds"),
        (PRIVATE, ACCOUNT, Outcome.PASSED, "Whoever sees an Account finds"),
        ({**PUBLIC, "Contact": "None"}, ACCOUNT, Outcome.ADVICE, "Contacts are private"),
        (dict.fromkeys(PUBLIC), ACCOUNT, Outcome.ADVICE, "does not say who sees these Contacts"),
        (PUBLIC, {}, Outcome.ADVICE, "Some people are added without an Account"),
        (PUBLIC, NEITHER, Outcome.ADVICE, "People are added without an Account."),
        (PUBLIC, {"add_as": AddAs.LEAD}, Outcome.PASSED, "Everyone who may read Leads"),
        (PRIVATE, {"add_as": AddAs.LEAD}, Outcome.ADVICE, "Leads are private"),
    ],
)
def test_it_says_what_other_users_will_see_of_added_people(
    house: House, defaults: Any, choices: Any, outcome: Outcome, finding: str
) -> None:
    house.salesforce.visibility = Visibility(defaults)
    choose(house, **choices)
    line = look(house)["added_visible"]
    assert line.outcome is outcome
    assert finding in line.finding


@pytest.mark.parametrize(
    ("told", "sharing", "sees", "rules"),
    [
        (
            Visibility(PRIVATE, True, None, {}),
            "Accounts are private; Contacts are shared like their Account",
            "sees all records",
            "No duplicate rule applies to Contacts.",
        ),
        (
            Visibility(PUBLIC, False, True, {"Contact": ("Same email",), "Lead": ("Other",)}),
            "Accounts are readable for everyone",
            "sees all Contacts",
            "Duplicate rules apply to Contacts: “Same email”.",
        ),
        (
            Visibility(PUBLIC, False, False),
            "Leads are readable and editable",
            "does not see all Contacts",
            "does not tell this user which duplicate rules",
        ),
        (
            Visibility({**PUBLIC, "Account": None}, False),
            "does not say how this org shares all of its records; Contacts are",
            "does not say whether",
            "does not tell this user",
        ),
    ],
)
def test_what_salesforce_does_not_tell_is_never_called_missing(
    house: House, told: Visibility, sharing: str, sees: str, rules: str
) -> None:
    house.salesforce.visibility = told
    lines = look(house)
    assert sharing in lines["sharing"].finding
    assert sees in lines["sees_all"].finding
    assert rules in lines["duplicate_rules_contact"].finding
    assert "duplicate_rules_lead" not in lines
    assert {line.outcome for line in lines.values()} <= {Outcome.PASSED, Outcome.ADVICE}


def test_owners_who_own_nothing_are_named(house: House) -> None:
    user = house.salesforce.add_user("sales@acme.example", "Lee")
    choose(house, owner=Owner.CHOSEN_USER, owner_id=user, owner_name="Ann Lee")
    before = len(asked(house))
    assert look(house)["chosen_owner"].outcome is Outcome.PASSED
    plain = ["limits", "describe", "closed_task_status"]
    assert [each for each in asked(house)[before:] if each not in plain] == ["visibility", "users"]
    house.salesforce.update("User", user, IsActive=False)
    with house.database.write() as session:
        record = NewRecord("Task", {"OwnerId": user})
        owners.remember_refused(session, house.connection_id, [(record, refusal(("X", "x")))])
    lines = look(house)
    assert "Ann Lee is chosen as owner, but is not an active user" in lines["chosen_owner"].finding
    assert any("did not accept Ann Lee as the owner of a new Task" in line.finding
               for line in lines.values())  # fmt: skip


@pytest.mark.both_databases
def test_agents_without_a_user_are_counted(house: House) -> None:
    choose(house, owner=Owner.AGENT)
    assert "no agent has been matched" in look(house)["agents"].finding
    with house.database.write() as session:
        for number, found in enumerate(("matched", "none", "nobody", "several")):
            session.add(
                AgentUser(
                    connection_id=house.connection_id,
                    agent_id=f"a{number}",
                    name="A",
                    email="",
                    found=found,
                    seen_at=now(session),
                )
            )
    line = look(house)["agents"]
    assert (line.outcome, line.finding[:13]) == (Outcome.ADVICE, "2 of 4 agents")


def test_no_answer_is_unknown_and_a_lost_connection_ends_the_check(database: Database) -> None:
    house = House(database)
    house.salesforce.fail("visibility", SalesforceUnavailable())
    lines = look(house)
    assert lines["sharing"].outcome is Outcome.UNKNOWN
    assert "added_visible" not in lines
    house.salesforce.fail("visibility", ConnectionLost("gone"))
    with pytest.raises(ConnectionLost):
        look(house)


def take_right(house: House, object: str, field: str) -> None:
    schema = house.salesforce.org.schemas[object]
    spec = replace(schema.fields[field], createable=False)
    fields = {**schema.fields, field: spec}
    house.salesforce.org.schemas[object] = replace(schema, fields=fields)


def test_rights_that_the_account_of_new_people_needs_are_named_only_where_it_is_chosen(
    house: House,
) -> None:
    house.salesforce.visibility = Visibility(PUBLIC)
    choose(house, **ACCOUNT)
    assert "account_rights" not in look(house)
    take_right(house, "Contact", "AccountId")
    lines = look(house)
    assert lines["account_rights"].outcome is Outcome.ADVICE
    assert "(Contact.AccountId)" in lines["account_rights"].finding
    assert lines["added_visible"].finding.startswith("People are added without an Account.")
    choose(house, **NEITHER, account_id="")
    assert "account_rights" not in look(house)


def test_rights_that_an_owner_needs_are_named_only_where_one_is_chosen(house: House) -> None:
    choose(house, owner=Owner.ACCOUNT_OWNER)
    assert "owner_rights" not in look(house)
    take_right(house, "Task", "OwnerId")
    line = look(house)["owner_rights"]
    assert (line.outcome, line.finding[-5:]) == (Outcome.ADVICE, "Task.")
    choose(house, owner=Owner.CONNECTING_USER)
    assert "owner_rights" not in look(house)

    account = house.salesforce.org.schemas["Account"]
    hidden = {name: spec for name, spec in account.fields.items() if name != "OwnerId"}
    without = {**house.salesforce.org.schemas, "Account": replace(account, fields=hidden)}
    assert list(owners.why_not(without)) == [Owner.ACCOUNT_OWNER]
    take_right(house, "Contact", "OwnerId")
    assert Owner.CHOSEN_USER in owners.why_not(house.salesforce.org.schemas)


def test_a_required_field_is_told_for_the_mailboxes_that_add_people(house: House) -> None:
    """A mailbox may have values of its own, and lack what the company has."""
    schema = house.salesforce.org.schemas["Contact"]
    field = FieldSpec(
        name="Region__c", label="Region", type="string", createable=True, nillable=False, length=9
    )
    fields = {**schema.fields, field.name: field}
    house.salesforce.org.schemas["Contact"] = replace(schema, fields=fields)
    assert look(house)["sends_add_contact"].outcome is Outcome.FAILED
    house.choose(MAILBOX.id, defaults={"Contact": {"Region__c": "EU"}})
    assert look(house)["sends_add_contact"].outcome is Outcome.PASSED
    house.choose(defaults={"Contact": {"Region__c": "EU"}})
    house.choose(MAILBOX.id, defaults={"Contact": {}})
    assert "“Region”" in look(house)["sends_add_contact"].finding
