"""Which Account an added Contact gets, what is asked for it, and for how long that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from keeping_plugin.errors import ConnectionLost, SalesforceUnavailable
from keeping_plugin.models import Connection, ConnectionStatus, DomainAccount, now
from keeping_plugin.services.connection import leftovers
from keeping_plugin.services.operations.retention import run_retention
from keeping_plugin.services.people import accounts
from keeping_plugin.services.people.accounts import AccountChoice, Known, Step
from keeping_plugin.services.people.policy import PeopleChoices
from keeping_plugin.types import AccountFound, DomainAccounts, ObjectSchema, Told
from tests.fake_salesforce import shipped_schemas
from tests.services.delivery.house import House

ACME, SITE = "acme.example", "site.example"
OURS = AccountFound("001000000000001AAA", "005000000000001AAA")
THEIRS = AccountFound("001000000000002AAA", "005000000000002AAA")
CHOSEN = "001000000000009AAA"


@pytest.fixture(scope="module")
def schemas() -> Mapping[str, ObjectSchema]:
    return shipped_schemas()


def find(
    house: House,
    schemas: Mapping[str, ObjectSchema],
    *domains: str,
    keep_unanswered: bool = False,
) -> Known:
    return accounts.find(
        house.runtime,
        house.salesforce.gateway(),
        house.connection_id,
        domains,
        schemas,
        keep_unanswered=keep_unanswered,
    )


def asked(house: House) -> list[int]:
    """How many domains each question was about."""
    return [call.rows for call in house.salesforce.calls if call.verb == "accounts"]


@pytest.mark.parametrize(
    ("told", "choices", "expected"),
    [
        (DomainAccounts(Told(OURS), Told(THEIRS)), PeopleChoices(), (Step.COLLEAGUES, OURS.id)),
        (
            DomainAccounts(Told(OURS), Told(THEIRS)),
            PeopleChoices(by_colleagues=False),
            (Step.WEBSITE, THEIRS.id),
        ),
        (
            DomainAccounts(Told(several=True), Told()),
            PeopleChoices(account_id=CHOSEN),
            (Step.CHOSEN, CHOSEN),
        ),
        (
            DomainAccounts(Told(OURS), Told(OURS)),
            PeopleChoices(by_colleagues=False, by_website=False),
            (Step.NONE, ""),
        ),
        (None, PeopleChoices(account_id=CHOSEN), (Step.CHOSEN, CHOSEN)),
        (None, PeopleChoices(), (Step.NONE, "")),
    ],
)
def test_the_first_step_that_finds_an_account_decides(
    told: DomainAccounts | None, choices: PeopleChoices, expected: tuple[Step, str]
) -> None:
    known = Known({ACME: told} if told else {})
    chosen = known.choose(choices, ACME)
    assert (chosen.step, chosen.id) == expected
    assert not chosen.unanswered


def test_a_step_that_was_not_answered_is_told_and_the_next_one_decides() -> None:
    choices = PeopleChoices(account_id=CHOSEN)
    known = Known({ACME: DomainAccounts(Told(answered=False), Told())})
    assert known.choose(choices, ACME) == AccountChoice(Step.CHOSEN, CHOSEN, unanswered=True)
    gone = Known(known.domains, gone=[CHOSEN])
    assert gone.choose(choices, ACME) == AccountChoice(Step.NONE, unanswered=True)


@pytest.mark.both_databases
def test_unknown_domains_cost_one_request_and_are_known_for_a_day(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    account = house.salesforce.add("Account", Name="Acme", Website=f"https://{SITE}")
    for number in range(2):
        house.salesforce.add("Contact", LastName="A", Email=f"a{number}@{ACME}", AccountId=account)
    known = find(house, schemas, ACME, SITE, ACME)
    assert known.choose(PeopleChoices(), ACME).step is Step.COLLEAGUES
    assert known.choose(PeopleChoices(), SITE).step is Step.WEBSITE
    assert known.choose(PeopleChoices(), SITE).owner_id == house.salesforce.user_id
    assert find(house, schemas, SITE, ACME, "new.example").domains == {
        **known.domains,
        "new.example": DomainAccounts(Told(), Told()),
    }
    assert asked(house) == [2, 1]
    with house.database.write() as session:
        for row in session.query(DomainAccount):
            row.told_at -= timedelta(days=1)
    find(house, schemas, ACME)
    assert asked(house) == [2, 1, 1]


def test_personal_mail_public_suffixes_and_ip_addresses_are_not_asked_about(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    known = find(house, schemas, "gmail.com", "hotmail.co.uk", "co.uk", "[192.0.2.1]", "localhost")
    assert known.domains == {}
    assert asked(house) == []


def test_a_question_that_times_out_answers_nothing_and_is_asked_again(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    house.salesforce.fail("accounts", SalesforceUnavailable())
    chosen = find(house, schemas, ACME).choose(PeopleChoices(), ACME)
    assert chosen == AccountChoice(Step.NONE, unanswered=True)
    find(house, schemas, ACME)
    assert asked(house) == [1, 1]
    house.salesforce.fail("accounts", ConnectionLost())
    with pytest.raises(ConnectionLost):
        find(house, schemas, SITE)


def test_a_page_asks_again_what_the_delivery_was_not_answered(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    house.salesforce.fail("accounts", SalesforceUnavailable())
    for _ in range(2):
        known = find(house, schemas, ACME, SITE, keep_unanswered=True)
        assert not known.domains[ACME].complete
    assert asked(house) == [2]
    assert find(house, schemas, ACME).domains[ACME].complete
    assert find(house, schemas, ACME, keep_unanswered=True).domains[ACME].complete
    assert asked(house) == [2, 1]


@pytest.mark.both_databases
def test_what_was_known_before_another_login_is_not_known_after_it(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    find(house, schemas, ACME)
    with house.database.write() as session:
        accounts.note_gone(session, house.connection_id, CHOSEN)
    assert find(house, schemas, ACME).gone == [CHOSEN]
    with house.database.write() as session:
        session.execute(update(Connection).values(connected_at=now(session)))
    assert not find(house, schemas, ACME).gone
    assert asked(house) == [1, 1]
    with house.database.write() as session:
        accounts.note_gone(session, house.connection_id, OURS.id)
    assert find(house, schemas, ACME).gone == [OURS.id]
    assert asked(house) == [1, 1]


@pytest.mark.both_databases
def test_what_is_known_goes_when_salesforce_refuses_it_and_with_the_connection(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    def kept() -> set[str]:
        with house.database.read() as session:
            return set(session.scalars(select(DomainAccount.domain)))

    find(house, schemas, ACME, SITE)
    with house.database.write() as session:
        accounts.forget(session, house.connection_id, [ACME])
        accounts.note_gone(session, house.connection_id, CHOSEN)
    assert kept() == {SITE, ""}
    assert find(house, schemas, SITE).gone == [CHOSEN]
    with house.database.write() as session:
        accounts.forget_gone(session, house.connection_id)
    assert not find(house, schemas, SITE).gone
    with house.database.write() as session:
        session.execute(update(Connection).values(status=ConnectionStatus.DISCONNECTED))
    assert leftovers.settle(house.database, seconds=5)
    assert kept() == set()


def test_what_is_known_is_cleared_away_after_a_day(
    house: House, schemas: Mapping[str, ObjectSchema]
) -> None:
    find(house, schemas, ACME)
    with house.database.write() as session:
        for row in session.query(DomainAccount):
            row.told_at -= timedelta(days=1)
    find(house, schemas, SITE)
    run_retention(house.database, house.runtime.times, keep_days=400)
    with house.database.read() as session:
        assert list(session.scalars(select(DomainAccount.domain))) == [SITE]


def test_rights_that_are_missing_are_named(schemas: Mapping[str, ObjectSchema]) -> None:
    assert accounts.why_not(schemas) is None
    assert "read Accounts" in str(accounts.why_not({"Contact": schemas["Contact"]}))
    assert "Account of a Contact" in str(accounts.why_not({"Account": schemas["Account"]}))
