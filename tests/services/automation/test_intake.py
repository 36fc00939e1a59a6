"""A message arrives: on both databases, in the host's own transaction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from keeping_plugin.models import Database, Decision, EntryState, Installation, SyncEntry
from keeping_plugin.rules import RULES, RULES_VERSION, Verdict, decide
from keeping_plugin.services.automation import policy, skip_list
from keeping_plugin.services.automation.decisions import facts_of, verdicts_of
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.testing import FakeHelpDesk, FakeQueue
from keeping_plugin.types import Action, Address, Direction
from tests.services.arrivals import ANNA, arrived
from tests.services.company import ADMIN, OTHER, Company
from tests.services.runtimes import make_runtime


@pytest.fixture
def helpdesk() -> FakeHelpDesk:
    return FakeHelpDesk()


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def intake(database: Database, helpdesk: FakeHelpDesk, queue: FakeQueue) -> Runtime:
    return make_runtime(database, helpdesk=helpdesk, queue=queue)


@pytest.fixture
def company(database: Database) -> Company:
    """Connected, with both automations of the sales mailbox switched on."""
    company = Company(database)
    company.sign_in()
    with database.write() as session:
        policy.set_mailbox_automation(session, ADMIN, "sales", add_contacts=True, log_tasks=True)
    return company


@pytest.fixture
def host(database: Database) -> Iterator[Session]:
    """The host's own session."""
    with Session(database.engine) as session:
        yield session


def decisions(database: Database) -> list[Decision]:
    with database.read() as session:
        return list(session.scalars(select(Decision).order_by(Decision.id)))


def entries(database: Database) -> list[SyncEntry]:
    with database.read() as session:
        return list(session.scalars(select(SyncEntry).order_by(SyncEntry.id)))


def reasons(decision: Decision, action: Action) -> tuple[str, ...]:
    return next(verdict.reasons for verdict in verdicts_of(decision) if verdict.action == action)


def test_a_first_message_of_a_customer_is_owed_a_contact_and_a_task(
    database: Database, company: Company, intake: Runtime, host: Session, queue: FakeQueue
) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    row = company.row()
    assert message_arrived(intake, host, arrived()) == row.id
    assert queue.rings == []
    host.commit()
    assert queue.rings == [row.id]

    [decision] = decisions(database)
    assert decision.occasion == "live"
    assert decision.rules_version == RULES_VERSION
    assert verdicts_of(decision) == (Verdict(Action.ADD_CONTACT, ()), Verdict(Action.LOG_TASK, ()))
    owed = entries(database)
    assert [entry.action for entry in owed] == [Action.ADD_CONTACT, Action.LOG_TASK]
    for entry in owed:
        assert entry.state == EntryState.PENDING
        assert entry.address == "anna@customer.example"
        assert (entry.connection_id, entry.epoch) == (row.id, row.epoch)
        assert (entry.conversation_id, entry.message_id) == ("c1", "m1")
        assert entry.due_at is not None
        assert before < entry.due_at < datetime.now(UTC) + timedelta(minutes=1)
        assert entry.sent_at is None


def test_nothing_is_committed_for_the_host(
    database: Database, company: Company, intake: Runtime, host: Session, queue: FakeQueue
) -> None:
    message_arrived(intake, host, arrived())
    host.rollback()
    assert (decisions(database), entries(database), queue.rings) == ([], [], [])


def test_a_message_delivered_five_times_is_judged_once(
    database: Database, company: Company, intake: Runtime, host: Session, queue: FakeQueue
) -> None:
    for _ in range(5):
        message_arrived(intake, host, arrived())
        host.commit()
    assert (len(decisions(database)), len(entries(database))) == (1, 2)
    assert len(queue.rings) == 1


def test_a_message_delivered_again_is_not_owed_what_was_switched_on_since(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    with database.write() as session:
        policy.set_mailbox_automation(session, ADMIN, "sales", add_contacts=False, log_tasks=False)
    message_arrived(intake, host, arrived())
    host.commit()
    with database.write() as session:
        policy.set_mailbox_automation(session, ADMIN, "sales", add_contacts=True, log_tasks=True)
    assert message_arrived(intake, host, arrived()) is None
    host.commit()
    assert entries(database) == []


@pytest.mark.both_databases
def test_the_same_message_in_sixteen_transactions_at_once_is_judged_once(
    database: Database, company: Company, intake: Runtime
) -> None:
    start = threading.Barrier(16)
    errors: list[BaseException] = []

    def deliver() -> None:
        try:
            start.wait(30)
            with database.write() as session:
                message_arrived(intake, session, arrived())
        except BaseException as error:  # noqa: BLE001 - reported by the test
            errors.append(error)

    if database.engine.dialect.name == "sqlite":
        start = threading.Barrier(1)  # one writer at a time; the others wait for the lock
    threads = [threading.Thread(target=deliver) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (len(decisions(database)), len(entries(database))) == (1, 2)


def test_one_mail_to_two_mailboxes_is_two_messages(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    with database.write() as session:
        policy.set_mailbox_automation(session, ADMIN, "support", add_contacts=False, log_tasks=True)
    message_arrived(intake, host, arrived())
    message_arrived(intake, host, arrived(mailbox_id="support", message_id="m2"))
    host.commit()
    assert [(entry.mailbox_id, entry.action) for entry in entries(database)] == [
        ("sales", Action.ADD_CONTACT),
        ("sales", Action.LOG_TASK),
        ("support", Action.LOG_TASK),
    ]


def test_a_refused_message_is_remembered_with_all_its_reasons(
    database: Database, company: Company, intake: Runtime, host: Session, queue: FakeQueue
) -> None:
    quiet = arrived(
        mailbox_id="billing",
        direction=Direction.OUTBOUND,
        opens_conversation=False,
        headers={"auto-submitted": "auto-replied", "list-id": "<x>"},
    )
    assert message_arrived(intake, host, quiet) is None
    host.commit()
    [decision] = decisions(database)
    assert reasons(decision, Action.ADD_CONTACT) == (
        "auto_add_off",
        "not_inbound",
        "not_opening",
        "auto_submitted",
        "mailing_list",
    )
    assert reasons(decision, Action.LOG_TASK) == ("logging_off",)
    assert (entries(database), queue.rings) == ([], [])


def test_a_company_that_never_connected_writes_nothing(
    database: Database, intake: Runtime, host: Session, queue: FakeQueue
) -> None:
    assert message_arrived(intake, host, arrived()) is None
    host.commit()
    assert (decisions(database), entries(database), queue.rings) == ([], [], [])


def test_a_disconnected_company_writes_nothing(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    company.disconnect()
    message_arrived(intake, host, arrived())
    host.commit()
    assert (decisions(database), entries(database)) == ([], [])


def test_a_lost_connection_still_grants(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    with database.write() as session:
        session.merge(company.row()).status = "lost"
    message_arrived(intake, host, arrived())
    host.commit()
    assert len(entries(database)) == 2


def test_another_company_connected_changes_nothing_here(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    message_arrived(intake, host, arrived(company_id="globex"))
    host.commit()
    assert decisions(database) == []


@pytest.mark.both_databases
def test_entries_belong_to_the_connection_that_is_current(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    company.disconnect()
    company.sign_in(OTHER)
    company.confirm_org()
    message_arrived(intake, host, arrived())
    host.commit()
    assert {entry.connection_id for entry in entries(database)} == {company.row(OTHER).id}


def test_a_decision_replayed_gives_the_same_verdicts(
    database: Database, company: Company, intake: Runtime, host: Session, helpdesk: FakeHelpDesk
) -> None:
    helpdesk.company("acme").internal = ["acme.example"]
    customers = [ANNA, None, Address("not an address"), Address("x@acme.example")]
    for number, customer in enumerate(customers):
        message_arrived(intake, host, arrived(message_id=f"m{number}", customer=customer))
    host.commit()
    kept = decisions(database)
    assert len(kept) == len(customers)
    for decision in kept:
        facts = facts_of(decision)
        assert facts is not None
        assert decide(RULES, facts) == verdicts_of(decision)


def test_facts_erased_by_retention_cannot_be_replayed(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    message_arrived(intake, host, arrived())
    host.commit()
    [decision] = decisions(database)
    decision.facts = None
    assert facts_of(decision) is None


class TestWhoIsACustomer:
    def test_the_hosts_internal_addresses_are_no_customers(
        self,
        database: Database,
        company: Company,
        intake: Runtime,
        host: Session,
        helpdesk: FakeHelpDesk,
    ) -> None:
        told = [
            ("bob@acme.example", "Bob@ACME.example", True),
            ("bob@acme.example", "bobby@acme.example", False),
            ("acme.example", "bob@mail.acme.example", True),
            ("@acme.example", "bob@acme.example", True),
            ("müller.example", "bob@xn--mller-kva.example", True),
            ("acme.example", "bob@notacme.example", False),
        ]
        for number, (listed, address, _) in enumerate(told):
            helpdesk.company("acme").internal = [listed]
            message = arrived(message_id=f"m{number}", customer=Address(address))
            message_arrived(intake, host, message)
        host.commit()
        kept = decisions(database)
        for action in Action:
            assert ["internal_address" in reasons(decision, action) for decision in kept] == [
                internal for *_, internal in told
            ]

    def test_the_hosts_skip_list_and_the_companys_own_are_joined(
        self,
        database: Database,
        company: Company,
        intake: Runtime,
        host: Session,
        helpdesk: FakeHelpDesk,
    ) -> None:
        helpdesk.company("acme").skipped = ["Spam.Example."]
        with database.write() as session:
            skip_list.add(session, ADMIN, ["noise.example"])
            skip_list.add(session, ADMIN, ["quiet.example"], skip_logging=True)
        senders = ["a@spam.example", "a@x.noise.example", "a@quiet.example", "a@fine.example"]
        for number, sender in enumerate(senders):
            message = arrived(message_id=f"m{number}", customer=Address(sender))
            message_arrived(intake, host, message)
        host.commit()
        told = [
            (reasons(decision, Action.ADD_CONTACT), reasons(decision, Action.LOG_TASK))
            for decision in decisions(database)
        ]
        assert told == [
            (("skipped_domain",), ()),
            (("skipped_domain",), ()),
            (("skipped_domain",), ("unlogged_domain",)),
            ((), ()),
        ]

    def test_a_hosts_list_entry_that_is_neither_is_told_in_the_log_without_its_text(
        self,
        company: Company,
        intake: Runtime,
        host: Session,
        helpdesk: FakeHelpDesk,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        # Told once a list, so the list is this test's own.
        helpdesk.company("acme").internal = ["not a domain", f"{id(company)}.example"]
        with caplog.at_level(logging.WARNING, "keeping_plugin"):
            message_arrived(intake, host, arrived())
        assert "host_list_unread entries=1 of=2" in caplog.text
        assert "not a domain" not in caplog.text


HOSTILE = [
    "",
    " ",
    "@",
    "a@",
    "x@" + "y" * 400,
    "x" * 300 + "@example.com",
    "x" * 321,
    "a\0b@example.com",
    "\ud800@example.com",
    "a@\udfff.com",
    "a\u2028b@example.com",
    "a@example.com, b@example.com",
    "'; DROP TABLE keeping_decision; --@example.com",
    "100%\\@example.com",
    '"quoted local"@example.com',
    "=cmd|' /C calc'!A0@example.com",
    "a@" + ".".join(["b"] * 130) + ".com",
    "a@" * 100_000,
    "ü@müller.example",
]


def test_no_address_stops_a_message_from_being_judged(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    name = "\0\ud800" + "n" * 5000
    for number, email in enumerate(HOSTILE):
        message = arrived(message_id=f"m{number}", customer=Address(email, name))
        message_arrived(intake, host, message)
    host.commit()
    owed = entries(database)
    assert {entry.address for entry in owed} == {"ü@xn--mller-kva.example"}
    for decision in decisions(database):
        granted = [verdict for verdict in verdicts_of(decision) if verdict.granted]
        assert len(granted) == sum(entry.message_id == decision.message_id for entry in owed)
    assert len(decisions(database)) == len(HOSTILE)


def test_a_message_without_a_sender_is_refused_and_says_so(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    message_arrived(intake, host, arrived(customer=None, sender=None, recipients=()))
    host.commit()
    [decision] = decisions(database)
    for action in Action:
        assert reasons(decision, action) == ("no_customer",)


@pytest.mark.both_databases
@pytest.mark.field_case("A16")
def test_an_address_longer_than_contact_email_is_refused_at_once_with_the_reason(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    email = "a" * 60 + "@" + "b" * 20 + ".example"
    message_arrived(intake, host, arrived(customer=Address(email)))
    host.commit()
    [decision] = decisions(database)
    for action in Action:
        assert reasons(decision, action) == ("address_too_long",)
    assert entries(database) == []


@pytest.mark.both_databases
@pytest.mark.field_case("A14")
def test_while_0_1_0_may_run_beside_us_its_workers_are_owed_no_address_that_they_cannot_read(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    """They would look for nobody, and make a second Contact."""
    taro = Address("taro..x@docomo.example")
    with database.write() as session:
        session.execute(update(Installation).values(contract=0))
    message_arrived(intake, host, arrived(customer=taro))
    message_arrived(intake, host, arrived(message_id="m2", customer=Address("jane@docomo.example")))
    host.commit()
    assert {entry.message_id for entry in entries(database)} == {"m2"}
    assert reasons(decisions(database)[0], Action.ADD_CONTACT) == ("invalid_address",)
    with database.write() as session:
        session.execute(update(Installation).values(contract=1))
    message_arrived(intake, host, arrived(message_id="m3", customer=taro))
    host.commit()
    assert {entry.message_id for entry in entries(database)} == {"m2", "m3"}


HOSTILE_HEADERS = [
    {"message-id": "x" * 2000},
    {"auto-submitted": "\0\ud800" * 5000},
    {"content-type": "multipart/report" + "\0" * 100},
    {"return-path": "\udc80"},
    {"precedence": "x" * 1_000_000, "": "", "list-id": "\ud800"},
]


def test_no_header_stops_a_message_from_being_judged(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    for number, headers in enumerate(HOSTILE_HEADERS):
        message_arrived(intake, host, arrived(message_id=f"m{number}", headers=headers))
    host.commit()
    assert len(decisions(database)) == len(HOSTILE_HEADERS)


MISTAKES: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"company_id": ""}, ValueError),
    ({"message_id": "x" * 256}, ValueError),
    ({"mailbox_id": "a\0b"}, ValueError),
    ({"conversation_id": 7}, TypeError),
    ({"message_id": None}, TypeError),
    ({"direction": "sideways"}, TypeError),
    ({"opens_conversation": None}, TypeError),
    ({"customer": "anna@customer.example"}, TypeError),
    ({"customer": Address(["anna@customer.example"])}, TypeError),  # type: ignore[arg-type]
    ({"sender": Address("a@b.example", None)}, TypeError),  # type: ignore[arg-type]
    ({"recipients": None}, TypeError),
    ({"recipients": ["a@b.example"]}, TypeError),
    ({"sent_at": "2026-05-06"}, TypeError),
    ({"sent_at": datetime(2026, 5, 6)}, ValueError),  # noqa: DTZ001
    ({"headers": None}, TypeError),
    ({"headers": {"list-id": None}}, TypeError),
]


def test_a_mistake_in_the_hosts_code_surfaces(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    for changes, error in MISTAKES:
        with pytest.raises(error, match=next(iter(changes))):
            message_arrived(intake, host, arrived(**changes))
    host.commit()
    assert decisions(database) == []


def test_ids_of_any_255_characters_are_kept_as_they_are(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    hostile = "//evil.example/x'\"%\\🌸\u2028"
    message_id = (hostile * 20)[:255]
    message_arrived(intake, host, arrived(message_id=message_id))
    host.commit()
    [decision] = decisions(database)
    assert decision.message_id == message_id


def test_a_database_error_surfaces(intake: Runtime, database: Database, host: Session) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE keeping_mailbox_policy RENAME TO gone")
    try:
        with pytest.raises(Exception, match="keeping_mailbox_policy"):
            message_arrived(intake, host, arrived())
    finally:
        host.rollback()
        with database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO keeping_mailbox_policy")


def test_the_policy_is_read_in_two_queries_however_long_the_skip_list(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    with database.write() as session:
        skip_list.add(session, ADMIN, [f"d{n}.example" for n in range(2_000)])
    statements = counted(database.engine)
    message_arrived(intake, host, arrived(customer=Address("a@b.c.d7.example")))
    assert [statement.split()[0] for statement in statements] == [
        "SELECT",
        "SELECT",
        "INSERT",
        "INSERT",
    ]
    assert "2000" not in statements[1]


def counted(engine: Engine) -> list[str]:
    """Every statement that leaves for the database from now on."""
    statements: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    return statements


def test_the_session_holds_nothing_of_ours_that_a_host_could_trip_over(
    company: Company, intake: Runtime, host: Session
) -> None:
    message_arrived(intake, host, arrived())
    assert not host.new
    assert not host.dirty
    assert not list(host)


def test_ours_is_not_a_reason_to_flush_what_the_host_has_not_finished(
    database: Database, company: Company, intake: Runtime, host: Session
) -> None:
    half_built = Decision()  # stands for a row of the host's whose columns come later
    host.add(half_built)
    message_arrived(intake, host, arrived())
    assert half_built in host.new
    host.expunge(half_built)
    host.commit()
    assert len(decisions(database)) == 1
