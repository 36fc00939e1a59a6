"""A question that is refused fails no unmarked row, whoever refuses it: Salesforce or the host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest

from keeping_plugin.errors import (
    Complaint,
    NotReady,
    OutcomeUnclear,
    PermissionDenied,
    RateLimited,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import Connection, Database, SchemaLoad, now
from keeping_plugin.services.connection import barred
from keeping_plugin.services.ledger import retry
from keeping_plugin.testing.helpdesk import FakeHelpDesk
from keeping_plugin.times import UNKNOWN_LIMIT
from keeping_plugin.types import Action, Agent, Conversation, Mailbox, Message
from tests.services.delivery.house import COMPANY, JANE, House

ADMIN = Agent("admin", COMPANY, "Admin", True)
NO_COLUMN = Complaint("INVALID_FIELD", "No such column 'Email' on entity 'Contact'.")
NO_OBJECT = Complaint("INVALID_TYPE", "sObject type 'Contact' is not supported.")
NO_ACCESS = Complaint("INSUFFICIENT_ACCESS", "insufficient access rights on object id")
UNCLEAR = OutcomeUnclear("no answer", timed_out=True)

REFUSALS: list[tuple[str, SalesforceError]] = [
    ("find", SchemaStale(complaints=(NO_COLUMN,), object="Contact", field="Email")),
    ("find", SchemaStale(complaints=(NO_OBJECT,), object="Contact")),
    ("find", PermissionDenied(complaints=(NO_ACCESS,))),
    ("find", RecordRejected(complaints=(Complaint("SOMETHING_NEW", "words"),))),
    ("find", RecordRejected(complaints=(Complaint("API_CURRENTLY_DISABLED", "disabled"),))),
    ("find", RecordNotFound(complaints=(Complaint("NOT_FOUND", "does not exist"),))),
    ("closed_task_status", SchemaStale(complaints=(NO_OBJECT,), object="TaskStatus")),
]


@pytest.mark.field_case("A7")
@pytest.mark.parametrize(("verb", "error"), REFUSALS)
def test_a_refused_question_pauses_with_salesforces_words_fails_no_row_and_goes_on_by_itself(
    house: House, verb: str, error: SalesforceError
) -> None:
    if verb == "closed_task_status":
        house.change(task_status=None)
    for number in range(12):
        house.owe(f"m{number}", address=f"p{number}@customer.example")
    house.salesforce.fail(verb, error, times=None)
    for _ in range(20):
        house.drain()
        assert {entry.state for entry in house.entries()} == {"pending"}
        house.pass_time(17 * 60)
    house.drain()
    assert {entry.attempts for entry in house.entries()} == {0}
    connection = house.connection()
    assert connection.pause_reason in ("read_refused", "org_closed")
    assert connection.pause_words == [[each.code, each.message, []] for each in error.complaints]
    used = house.salesforce.used
    house.drain()
    assert house.salesforce.used == used, "it asks again with back-off, not at once"
    house.salesforce.mend()
    for _ in range(8):
        house.pass_time(17 * 60)
        house.drain()
    assert {entry.state for entry in house.entries()} == {"done"}
    connection = house.connection()
    assert (connection.pause_reason, connection.pause_words) == ("", None)


@pytest.mark.both_databases
@pytest.mark.field_case("A7")
def test_a_right_taken_away_has_the_describe_read_again(house: House) -> None:
    house.owe("m1")
    with house.database.write() as session:
        time = now(session)
        load = SchemaLoad(connection_id=house.connection_id, started_at=time, finished_at=time)
        load.due_at = time + timedelta(hours=6)
        session.add(load)
    house.salesforce.fail("find", REFUSALS[0][1])
    house.drain()
    assert ("describe", house.connection_id) in house.queue.take()[1]


@pytest.mark.field_case("A7")
def test_the_look_for_awaited_contacts_pauses_too_and_keeps_them_waiting(house: House) -> None:
    house.owe("m1", Action.LOG_TASK)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    house.pass_time(700)
    house.salesforce.fail("find", REFUSALS[1][1], times=None)
    house.drain()
    assert house.states() == [("waiting", "no_contact")]
    assert house.connection().pause_reason == "read_refused"


def test_one_address_that_salesforce_does_not_take_holds_up_nobody_for_long(house: House) -> None:
    for number in range(12):
        house.owe(f"m{number}", Action.LOG_TASK, address=f"p{number}@customer.example")
        house.salesforce.add("Contact", LastName="Doe", Email=f"p{number}@customer.example")
    real = house.salesforce.call
    refused = RecordRejected(complaints=(Complaint("SOMETHING_NEW", "words"),))

    def call(user_id: str, verb: str, **more: object) -> object:
        rows = more.get("rows")
        alone = [e.message_id for e in house.entries() if e.claim and e.message_id == "m7"]
        if verb == "find" and rows and alone:
            raise refused
        return real(user_id, verb, **more)  # type: ignore[arg-type]

    house.salesforce.call = call  # type: ignore[method-assign, assignment]
    for _ in range(20):
        house.drain()
        house.pass_time(17 * 60)
    states = dict(zip([e.message_id for e in house.entries()], house.states(), strict=True))
    assert states.pop("m7") == ("pending", "read_refused")
    assert set(states.values()) == {("done", "logged")}


LOOKS_REFUSED: list[SalesforceError] = [
    SalesforceUnavailable("away"),
    SalesforceUnavailable("slow", timed_out=True),
    RateLimited(daily=True),
    PermissionDenied(complaints=(NO_ACCESS,)),
    SchemaStale(complaints=(NO_OBJECT,), object="Contact"),
    RecordRejected(complaints=(Complaint("MALFORMED_QUERY", "x"),)),
    NotReady("the key is missing"),  # type: ignore[list-item]
]


@pytest.mark.field_case("A19")
@pytest.mark.parametrize("error", LOOKS_REFUSED)
def test_a_look_refused_for_thirty_hours_makes_marked_rows_a_persons_and_no_others(
    house: House, error: SalesforceError
) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR)
    house.drain()
    house.salesforce.fail("find", error, times=None)
    house.owe("m2", Action.LOG_TASK)
    for hour in range(30):
        house.pass_time(3_600)
        house.drain()
        if hour < 22:
            assert house.entries()[0].state == "sending"
    assert house.states()[0] == ("failed", "outcome_unknown")
    assert house.entries()[0].sent_at is not None, "trying again begins with the look"
    assert house.entries()[1].state == "pending"
    house.salesforce.mend()
    with house.database.write() as session:
        retry.try_again(session, ADMIN, house.entries()[0].id)
    for _ in range(3):
        house.pass_time(17 * 60)
        house.drain()
    assert house.states() == [("done", "logged")] * 2
    assert len(house.tasks()) == 2


@pytest.mark.field_case("A19")
def test_hours_before_a_reconnect_do_not_count(house: House) -> None:
    house.owe("m1", Action.ADD_CONTACT)
    house.salesforce.fail("create_many", UNCLEAR)
    house.drain()
    house.pass_time(30 * 3_600)
    with house.database.read() as session:
        house.change(connected_at=now(session))
    house.salesforce.fail("find", SalesforceUnavailable("away"))
    house.drain()
    assert house.entries()[0].state == "sending"


class BrokenDesk(FakeHelpDesk):
    """A host that raises: for every message, for some, or at a question."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: Callable[[str], bool] = lambda message_id: False
        self.question = "messages"

    def _raise(self, question: str, message_id: str = "") -> None:
        if question == self.question and self.broken(message_id):
            raise RuntimeError(f"Unable to build URLs outside an active request for {JANE}")

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        self._raise("mailboxes")
        return super().mailboxes(company_id)

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        self._raise("conversation", conversation_id.removeprefix("c-"))
        return super().conversation(company_id, conversation_id)

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        for message in super().messages(company_id, message_ids):
            self._raise("messages", message.message_id)
            yield message


@pytest.fixture
def desk() -> BrokenDesk:
    return BrokenDesk()


@pytest.fixture
def broken(database: Database, desk: BrokenDesk) -> House:
    house = House(database, desk=desk)
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    return house


@pytest.mark.field_case("D5")
@pytest.mark.parametrize("question", ["mailboxes", "messages", "conversation"])
def test_a_host_that_raises_for_everything_burns_no_attempt_and_says_where(
    broken: House, desk: BrokenDesk, question: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.question, desk.broken = question, lambda _: True
    for number in range(30):
        broken.owe(f"m{number}", Action.LOG_TASK)
    caplog.set_level(logging.INFO, "keeping_plugin")
    for _ in range(8):
        broken.drain()
        broken.pass_time(1_400)
    assert set(broken.states()) == {("pending", "helpdesk_failed")}
    assert {entry.attempts for entry in broken.entries()} == {0}
    assert {entry.batch_size for entry in broken.entries()} == {None}
    broken.drain()
    assert broken.connection().pause_reason == "helpdesk_failed"
    told = [each for each in caplog.records if each.getMessage().startswith("helpdesk_failed ")]
    assert {record.levelname for record in told} == {"ERROR"}
    assert all(f"question={question} error=RuntimeError " in each.getMessage() for each in told)
    assert all("test_unanswered.py:" in each.getMessage() for each in told)
    assert JANE not in caplog.text + "".join(str(record.__dict__) for record in told)
    assert all(call.verb != "find" for call in broken.salesforce.calls), "nothing was asked"
    desk.broken = lambda _: False
    broken.pass_time(1_400)
    broken.drain()
    assert set(broken.states()) == {("done", "logged")}


@pytest.mark.both_databases
@pytest.mark.field_case("D5")
@pytest.mark.parametrize("question", ["messages", "conversation"])
def test_one_message_that_the_host_cannot_give_fails_for_that_and_its_neighbours_go_on(
    broken: House, desk: BrokenDesk, question: str
) -> None:
    desk.question, desk.broken = question, lambda message_id: message_id == "m7"
    for number in range(30):
        broken.owe(f"m{number}", Action.LOG_TASK)
    broken.drain()
    states = broken.states()
    assert states.pop(7) == ("pending", "helpdesk_failed")
    assert set(states) == {("done", "logged")}, "in the very same batch"
    for seconds in (61, 121):
        broken.pass_time(seconds)
        assert broken.states()[7][0] == "pending"
        broken.drain()
    assert broken.states()[7] == ("failed", "helpdesk_failed")
    desk.broken = lambda _: False
    with broken.database.write() as session:
        retry.try_again(session, ADMIN, broken.entries()[7].id)
    broken.drain()
    assert broken.states()[7] == ("done", "logged")


@pytest.mark.both_databases
@pytest.mark.field_case("D5")
def test_the_only_message_there_is_waits_for_its_host(broken: House, desk: BrokenDesk) -> None:
    desk.broken = lambda _: True
    broken.owe("m1", Action.LOG_TASK)
    for _ in range(6):
        broken.drain()
        broken.pass_time(1_400)
    assert broken.states() == [("pending", "helpdesk_failed")]


@pytest.mark.field_case("D5")
def test_a_marked_row_of_a_message_that_cannot_be_read_keeps_its_mark_for_a_day(
    broken: House, desk: BrokenDesk
) -> None:
    broken.owe("m1", Action.LOG_TASK)
    broken.salesforce.fail("create_many", UNCLEAR, after=True)
    broken.drain()
    broken.owe("m2", Action.LOG_TASK)
    desk.broken = lambda message_id: message_id == "m1"
    for _ in range(5):
        broken.pass_time(600)
        broken.drain()
    assert broken.states() == [("sending", "helpdesk_failed"), ("done", "logged")]
    desk.broken = lambda _: False
    broken.pass_time(600)
    broken.drain()
    assert broken.states() == [("done", "logged")] * 2
    assert len(broken.tasks()) == 2


def barred_for(house: House, hours: float) -> None:
    """Salesforce refuses the login for so long, then takes it again."""
    with house.database.read() as session:
        at = now(session)
    house.change(barred_since=at, barred_reason="restricted", barred_until=at, barred_probes=0)
    house.pass_time(hours * 3_600)
    with house.database.write() as session:
        row = session.get_one(Connection, house.connection_id)
        barred.lift(session, row, at=now(session), times=house.runtime.times)


@pytest.mark.field_case("A19")
def test_hours_in_which_the_connection_was_barred_do_not_count(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR)
    house.drain()
    house.salesforce.fail("find", SalesforceUnavailable("away"), times=None)
    house.pass_time(3_600)
    barred_for(house, 30)
    for _ in range(22):
        house.drain()
        assert house.entries()[0].state == "sending"
        house.pass_time(3_600)
    house.pass_time(2 * 3_600)
    house.drain()
    assert house.states() == [("failed", "outcome_unknown")]


@pytest.mark.both_databases
@pytest.mark.field_case("A19")
def test_a_login_that_is_refused_every_night_still_ends_with_a_person(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR)
    house.drain()
    house.salesforce.fail("find", SalesforceUnavailable("away"), times=None)
    for _ in range(2):  # ten hours of each day
        house.pass_time(10 * 3_600)
        house.drain()
        barred_for(house, 14)
        house.drain()
        assert house.entries()[0].state == "sending"
    house.pass_time(5 * 3_600)
    house.drain()
    assert house.states() == [("failed", "outcome_unknown")]


@pytest.mark.both_databases
@pytest.mark.field_case("A19")
def test_a_try_in_vain_at_the_end_of_a_long_bar_is_no_day_of_looks(house: House) -> None:
    house.salesforce.add("Contact", LastName="Doe", Email=JANE)
    house.owe("m1", Action.LOG_TASK)
    house.salesforce.fail("create_many", UNCLEAR)
    house.drain()
    with house.database.read() as session:
        house.change(barred_since=now(session), barred_reason="restricted")
    house.pass_time(30 * 3_600)
    with house.database.read() as session:
        connection = session.get_one(Connection, house.connection_id)
        day = house.runtime.times.span(UNKNOWN_LIMIT)
        since = barred.asked_since(connection, now(session), day)
    sent = house.entries()[0].sent_at
    assert since is not None
    assert sent is not None
    assert since < sent


def test_of_many_bars_only_those_are_kept_that_a_day_of_looks_reaches(house: House) -> None:
    for _ in range(barred.BARS_KEPT + 5):
        house.pass_time(60)
        barred_for(house, 0.05)
    assert len(house.connection().barred_before) == barred.BARS_KEPT
    house.pass_time(25 * 3_600)
    barred_for(house, 1)
    assert len(house.connection().barred_before) == 1
