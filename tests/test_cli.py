"""What operators read: `flask keeping doctor`, `explain`, `audit` and `current`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import update

from keeping_plugin import cli
from keeping_plugin.cli import keeping
from keeping_plugin.errors import NotReady, SalesforceUnavailable
from keeping_plugin.mail import task as task_text
from keeping_plugin.models import (
    AuditRecord,
    Connection,
    ConnectionStatus,
    Installation,
    migrate,
    now,
)
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.services.automation.policy import set_mailbox_automation
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.types import Action, Direction, Message, MessageArrived
from tests.blueprints.conftest import inbox, unconnected
from tests.blueprints.inbox import CUSTOMER, Inbox
from tests.blueprints.ledger import Ledger
from tests.services.company import ADMIN

__all__ = ["inbox", "unconnected"]

MESSAGE = Message(
    company_id="acme",
    mailbox_id="support",
    conversation_id="c-1",
    message_id="m-1",
    direction=Direction.INBOUND,
    opens_conversation=True,
    customer=CUSTOMER,
    sender=CUSTOMER,
    recipients=(),
    sent_at=datetime(2026, 5, 6, 9, tzinfo=UTC),
    subject="Where is my order?",
    text="Hello",
)


def flask(inbox: Inbox, *words: str) -> Result:
    """`flask keeping <words>`."""
    return inbox.app.test_cli_runner().invoke(keeping, list(words))


def healthy(inbox: Inbox, *checks: Callable[[], None]) -> None:
    """Let the doctor ask the org in memory, and pass these checks of his surroundings."""
    inbox.clock.jump((datetime.now(UTC) - inbox.clock.now()).total_seconds())
    runtime: Runtime = inbox.app.extensions["keeping"]
    inbox.app.extensions["keeping"] = replace(runtime, checks=checks)


def change(inbox: Inbox, **values: object) -> None:
    with inbox.database.write() as session:
        session.execute(update(Connection).values(values))


def test_the_doctor_finds_a_healthy_house_healthy(inbox: Inbox) -> None:
    healthy(inbox)
    said = flask(inbox, "doctor")
    assert said.exit_code == 0, said.output
    assert "FAIL" not in said.output
    assert "The API is reachable." in said.output


def test_the_doctor_advises_to_keep_parameters_out_of_the_log(inbox: Inbox) -> None:
    healthy(inbox)
    assert (
        "advice  Database errors contain the statement's parameters"
        in flask(inbox, "doctor").output
    )
    inbox.database.engine.hide_parameters = True
    assert "hide_parameters" not in flask(inbox, "doctor").output


@pytest.mark.field_case("B13")
def test_the_doctor_says_when_the_address_of_the_inbox_stands_nowhere(inbox: Inbox) -> None:
    healthy(inbox)
    assert "advice  The address of Salesforce's login callback" in flask(inbox, "doctor").output
    inbox.app.config["TRUSTED_HOSTS"] = ["inbox.example.com"]
    assert "KEEPING_BASE_URL" not in flask(inbox, "doctor").output


def test_the_doctor_says_what_is_to_be_mended_and_ends_with_1(inbox: Inbox) -> None:
    def broken() -> None:
        raise NotReady("No key opens the stored tokens.")

    healthy(inbox, broken)
    said = flask(inbox, "doctor")
    assert said.exit_code == 1
    assert "FAIL    No key opens the stored tokens." in said.output


def test_the_doctor_without_redis_says_so(inbox: Inbox) -> None:
    said = flask(inbox, "doctor")
    assert said.exit_code == 1
    assert "FAIL    Redis" in said.output


def test_the_doctor_tells_never_connected_from_disconnected(unconnected: Inbox) -> None:
    healthy(unconnected)
    assert "No company has connected Salesforce yet." in flask(unconnected, "doctor").output
    unconnected.connect()
    at = datetime(2026, 5, 6, 9, 30, tzinfo=UTC)
    change(unconnected, current=False, status=ConnectionStatus.DISCONNECTED, disconnected_at=at)
    said = flask(unconnected, "doctor")
    assert "yet" not in said.output
    assert "the last to disconnect was acme, at 2026-05-06 09:30 UTC" in said.output


def test_the_doctor_names_a_lost_and_a_paused_connection(inbox: Inbox) -> None:
    healthy(inbox)
    with inbox.database.read() as session:
        until = now(session) + timedelta(minutes=5)
    change(inbox, paused_until=until, pause_reason="budget")
    assert f"paused (budget) until {until:%Y-%m-%d %H:%M:%S} UTC" in flask(inbox, "doctor").output
    inbox.lose()
    said = flask(inbox, "doctor")
    assert said.exit_code == 1
    assert "the connection has been lost since 2026-05-06 09:30 UTC" in said.output


def test_the_doctor_does_not_call_silence_a_fault_of_the_org(inbox: Inbox) -> None:
    healthy(inbox)
    inbox.salesforce.fail("limits", SalesforceUnavailable("away"))
    said = flask(inbox, "doctor")
    assert "The API is reachable." not in said.output
    assert "FAIL" not in said.output


def logged(inbox: Inbox, message_id: str, tasks: int) -> list[str]:
    """A message that was logged, standing on so many Tasks; their ids."""
    with inbox.database.read() as session:
        installation = session.query(Installation.installation_id).scalar()
    marker = task_text.marker(installation, "acme", message_id)
    Ledger(inbox.database, inbox.connection_id).entry(
        Action.LOG_TASK, reason="logged", message_id=message_id
    )
    return [
        inbox.salesforce.add("Task", Subject=f"Email received: x {marker}") for _ in range(tasks)
    ]


def test_the_audit_lists_messages_that_stand_on_more_than_one_task(inbox: Inbox) -> None:
    healthy(inbox)
    logged(inbox, "once", 1)
    assert flask(inbox, "doctor", "--audit").exit_code == 0
    twice = logged(inbox, "twice", 2)
    said = flask(inbox, "doctor", "--audit")
    assert said.exit_code == 1
    [line] = [line for line in said.output.splitlines() if "message" in line and "is on" in line]
    assert "acme: message twice is on" in line
    assert all(task in line for task in twice)


@pytest.mark.field_case("B2")
@pytest.mark.parametrize("days", ["999999999999", "0", "1e9", "9" * 5_000])
def test_an_audit_of_days_that_no_calendar_has_is_refused(inbox: Inbox, days: str) -> None:
    said = flask(inbox, "doctor", "--audit", days)
    assert said.exit_code == 2
    assert "Invalid value for '--audit'" in said.output


def test_an_audit_that_finds_nothing_says_that_it_looked(inbox: Inbox) -> None:
    healthy(inbox)
    none = "ok      Audit of the last 7 days, every live connection: no message is on more than one"
    assert none in flask(inbox, "doctor", "--audit", "7").output
    assert "Audit" not in flask(inbox, "doctor").output
    logged(inbox, "twice", 2)
    assert none not in flask(inbox, "doctor", "--audit", "7").output


def test_an_audit_that_got_no_answer_says_that_it_is_not_complete(inbox: Inbox) -> None:
    healthy(inbox)
    logged(inbox, "once", 1)
    inbox.salesforce.fail("find", SalesforceUnavailable("away"))
    said = flask(inbox, "doctor", "--audit")
    assert said.exit_code == 1
    assert "The audit could not be completed" in said.output


def arrive(inbox: Inbox) -> None:
    """The message comes in, with both automations on."""
    inbox.desk.add_message(MESSAGE)
    with inbox.database.write() as session:
        set_mailbox_automation(session, ADMIN, "support", add_contacts=True, log_tasks=True)
        names = MessageArrived.__dataclass_fields__
        arrived = MessageArrived(**{name: getattr(MESSAGE, name) for name in names})
        message_arrived(inbox.runtime, session, arrived)


def test_explain_tells_how_a_message_was_judged_and_what_became_of_it(inbox: Inbox) -> None:
    arrive(inbox)
    said = flask(inbox, "explain", "--company", "acme", "m-1")
    assert said.exit_code == 0
    assert "Add as Contact: YES" in said.output
    assert "Log as Task: pending" in said.output
    assert "customer            jane@acme.example" in said.output


def test_explain_judges_a_message_that_nobody_sent(inbox: Inbox) -> None:
    arrive(inbox)
    made_up = ("explain", "--company", "acme", "--mailbox", "support", "--customer", CUSTOMER.email)
    assert "Add as Contact: YES" in flask(inbox, *made_up).output
    said = flask(inbox, *made_up, "--reply", "--header", "Auto-Submitted: auto-replied").output
    assert "Add as Contact: NO" in said
    assert "NO  not_opening" in said
    assert "NO  auto_submitted" in said
    assert "NO  not_inbound" in flask(inbox, *made_up, "--outbound").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Give a message id, or --mailbox and --customer."),
        (("--mailbox", "support"), "Give a message id, or --mailbox and --customer."),
        (
            ("--mailbox", "suport", "--customer", "a@b.example"),
            "This company has no mailbox 'suport'; it has support.",
        ),
        (("nothing",), "This company has no message with this id."),
        (("m-1", "--mailbox", "support"), "A message id cannot be combined"),
        (("m-1", "--customer", "a@b.example"), "A message id cannot be combined"),
        (("m-1", "--reply"), "A message id cannot be combined"),
        (
            ("--mailbox", "support", "--customer", "a@b.example", "--header", "nonsense"),
            "--header takes NAME:VALUE, not 'nonsense'.",
        ),
        (
            ("--mailbox", "support", "--customer", "a@b.example", "--header", ": nameless"),
            "--header takes NAME:VALUE, not ': nameless'.",
        ),
    ],
)
def test_explain_without_anything_to_explain_fails(
    inbox: Inbox, words: tuple[str, ...], sentence: str
) -> None:
    arrive(inbox)
    said = flask(inbox, "explain", "--company", "acme", *words)
    assert said.exit_code != 0
    assert sentence in said.output


@pytest.mark.field_case("D5")
@pytest.mark.parametrize("words", [("m-1",), ("--mailbox", "support", "--customer", "a@b.example")])
def test_explain_says_where_the_host_raised(
    inbox: Inbox, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(inbox)

    def raises(company_id: str) -> list[str]:
        raise RuntimeError(f"no request, for {CUSTOMER.email}")

    monkeypatch.setattr(inbox.desk, "skipped_domains", raises)
    said = flask(inbox, "explain", "--company", "acme", *words)
    assert said.exit_code != 0
    assert "HelpDesk.skipped_domains raised RuntimeError at " in said.output
    assert "test_cli.py:" in said.output
    assert CUSTOMER.email not in said.output


def test_the_audit_trail_is_one_json_object_a_line(inbox: Inbox) -> None:
    assert flask(inbox, "audit").output == ""
    from keeping_plugin.services import audit
    from keeping_plugin.services.audit import Audited

    for company in ("acme", "globex"):
        with inbox.database.write() as session:
            audit.record(session, Audited.PERSON_FORGOTTEN, company_id=company)
    rows = [json.loads(line) for line in flask(inbox, "audit").output.splitlines()]
    assert [row["company_id"] for row in rows] == ["acme", "globex"]
    [row] = [
        json.loads(line)
        for line in flask(inbox, "audit", "--company", "globex").output.splitlines()
    ]
    assert row["action"] == "person_forgotten"
    assert flask(inbox, "audit", "--since", "2999-01-01").output == ""


def test_current_names_the_revision_and_fails_on_an_old_one(inbox: Inbox) -> None:
    assert flask(inbox, "db", "current").exit_code == 0
    with inbox.database.write() as session:
        session.connection().exec_driver_sql("DROP TABLE keeping_alembic_version")
    said = flask(inbox, "db", "current")
    assert said.exit_code == 1
    assert "run `flask keeping db upgrade`" in said.output
    assert "run `flask keeping db upgrade`" in flask(inbox, "doctor").output


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "--company", "acme", "m-1"),
        ("resume",),
        ("tick",),
        ("rotate-keys",),
        ("audit",),
        ("worker",),
        ("doctor", "--audit"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("stands", ["base", "-1"], ids=["no tables", "older"])
def test_a_command_without_the_newest_tables_says_so_in_one_sentence(
    inbox: Inbox, words: tuple[str, ...], stands: str
) -> None:
    migrate.downgrade(inbox.database.engine, stands)
    said = flask(inbox, *words)
    assert said.exit_code == 1
    assert isinstance(said.exception, SystemExit)
    assert (
        "Error: The plugin's tables are missing or out of date: run `flask keeping db upgrade`."
        in said.output
    )


@pytest.mark.parametrize("command", ["tick", "resume"])
def test_a_command_that_cannot_ring_says_why(inbox: Inbox, command: str) -> None:
    def refused() -> None:
        raise NotReady("Redis refuses the password.")

    healthy(inbox, refused)
    inbox.queue.reachable = False
    said = flask(inbox, command)
    assert said.exit_code == 1
    assert "Error: Redis refuses the password." in said.output


FORGED = "Acme\r\nok      All is well.\x1b[2K\x1b]0;owned\x07\u202egro\u2028\x9b31m"


@pytest.mark.field_case("B12")
def test_no_command_prints_what_an_orgs_name_or_an_id_would_do_to_a_terminal(
    inbox: Inbox,
) -> None:
    """A name with a line break and a sequence that clears the line would forge a finding."""
    healthy(inbox)
    with inbox.database.write() as session:
        session.execute(update(Connection).values(org_name=FORGED))
        session.add(AuditRecord(at=now(session), company_id=FORGED, action="denied", detail=FORGED))
    printed = [
        flask(inbox, *words)
        for words in (
            ("doctor",),
            ("audit",),
            ("resume",),
            ("explain", FORGED, "--company", FORGED),
            ("explain", "--company", "acme", "--mailbox", FORGED, "--customer", FORGED),
            ("explain", "--company", "acme", "--mailbox", "support", "--customer", FORGED),
        )
    ]
    for result in printed:
        assert result.exception is None or isinstance(result.exception, SystemExit)
        for character in result.output:
            assert character.isprintable() or character == "\n", ascii(result.output)
        assert "\nok      All is well." not in result.output
    assert r"Acme\r\nok      All is well.\x1b[2K" in printed[0].output
    assert json.loads(printed[1].output.splitlines()[-1])["detail"] == FORGED


@pytest.mark.field_case("B12")
def test_commands_print_through_one_function_that_escapes() -> None:
    source = Path(cli.__file__).read_text("utf-8")
    assert source.count("click.echo(") == 1
    assert "print(" not in source


@pytest.mark.field_case("A7")
def test_the_doctor_tells_why_a_connection_pauses_and_ends_with_1(inbox: Inbox) -> None:
    healthy(inbox)
    assert flask(inbox, "doctor").exit_code == 0
    with inbox.database.read() as session:
        until = now(session) + timedelta(minutes=5)
    words = [["INVALID_TYPE", "sObject type 'Contact' is not supported.", []]]
    change(inbox, paused_until=until, pause_reason="read_refused", pause_words=words)
    said = flask(inbox, "doctor")
    assert said.exit_code == 1
    assert "sObject type 'Contact' is not supported." in said.output
    assert "look people up" in said.output


@pytest.mark.field_case("D5")
@pytest.mark.parametrize(
    "question",
    [
        "mailboxes",
        "message_ids",
        "messages",
        "conversation",
        "internal_addresses",
        "skipped_domains",
    ],
)
def test_the_doctor_asks_each_question_outside_a_request_and_ends_with_1_when_one_raises(
    inbox: Inbox, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy(inbox)
    arrive(inbox)
    assert flask(inbox, "doctor").exit_code == 0

    def needs_a_request(*_: object, **__: object) -> object:
        raise RuntimeError(f"Unable to build URLs outside an active request: {CUSTOMER.email}")

    monkeypatch.setattr(inbox.desk, question, needs_a_request)
    said = flask(inbox, "doctor")
    assert said.exit_code == 1
    assert f"HelpDesk.{question} raised RuntimeError" in said.output
    assert "test_cli.py:" in said.output
    assert CUSTOMER.email not in said.output


@pytest.mark.field_case("A14")
def test_an_installation_says_once_that_no_process_of_0_1_0_runs_any_more(inbox: Inbox) -> None:
    healthy(inbox)
    assert "db contract" not in flask(inbox, "doctor").output
    with inbox.database.write() as session:
        session.execute(update(Installation).values(contract=0))
    assert "run `flask keeping db contract` once" in flask(inbox, "doctor").output
    assert "`flask keeping db contract`" in flask(inbox, "db", "upgrade").output
    assert flask(inbox, "db", "contract").exit_code == 0
    assert "db contract" not in flask(inbox, "doctor").output
    assert "db contract" not in flask(inbox, "db", "upgrade").output
