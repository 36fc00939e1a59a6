"""Real messages, malformed ones among them, through the rules and into Tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message as Mime
from email.utils import parseaddr
from pathlib import Path

from keeping_plugin.mail.clean import length
from keeping_plugin.mail.person_name import contact_fields
from keeping_plugin.mail.task import marker, task_text
from keeping_plugin.rules import RULES, Facts, Policy, decide
from keeping_plugin.types import Action, Address, Direction, Message

MARK = marker("i", "c", "m")
BOTH_ON = Policy(connected=True, add_contacts=True, log_tasks=True)


def part(mail: Mime, kind: str) -> str | None:
    for one in mail.walk():
        if (
            one.get_content_type() == f"text/{kind}"
            and one.get_content_disposition() != "attachment"
        ):
            payload = one.get_payload(decode=True)
            if isinstance(payload, bytes):
                # As a careless host would: lone surrogates for what it cannot decode.
                return payload.decode("utf-8", "surrogateescape")
    return None


def read(path: Path) -> Message:
    mail = message_from_bytes(path.read_bytes(), policy=policy.compat32)
    headers = {str(name).lower(): str(value) for name, value in mail.items()}
    name, email = parseaddr(headers.get("from", ""))
    customer = Address(email, name) if email else None
    return Message(
        company_id="acme",
        mailbox_id="sales",
        conversation_id="c",
        message_id=path.stem[:255],
        direction=Direction.INBOUND,
        opens_conversation=True,
        customer=customer,
        sender=customer,
        recipients=(),
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
        headers=headers,
        subject=headers.get("subject"),
        text=part(mail, "plain"),
        html=part(mail, "html"),
    )


def mails(shared: Path) -> list[Path]:
    found = sorted((shared / "mail").rglob("*.eml"))
    assert found
    return found


def added(path: Path) -> tuple[str, ...]:
    verdicts = decide(RULES, Facts.of(read(path), BOTH_ON))
    return next(one.reasons for one in verdicts if one.action == Action.ADD_CONTACT)


def test_every_message_becomes_a_task_that_salesforce_takes(shared: Path) -> None:
    for path in mails(shared):
        message = read(path)
        fields = task_text(message, conversation=None, marker=MARK).fields
        assert str(fields["Subject"]).endswith(MARK), path.name
        assert length(str(fields["Subject"])) <= 255, path.name
        assert 1 <= length(str(fields["Description"])) <= 32_000, path.name
        assert "\0" not in str(fields["Description"])
        str(fields).encode("utf-8")
        if message.customer is not None:
            names = contact_fields(message.customer)
            assert 1 <= length(str(names["LastName"])) <= 80, path.name
            str(names).encode("utf-8")


def test_no_report_becomes_a_contact(shared: Path) -> None:
    for path in mails(shared):
        if path.parent.name == "multipart_report_emails":
            assert added(path), path.name


def test_people_are_not_taken_for_machines(shared: Path) -> None:
    people = [path for path in mails(shared) if path.parent.name == "plain_emails"]
    machines = {"auto_submitted", "delivery_report", "mailing_list", "calendar_reply"}
    written = [path for path in people if not machines & set(added(path))]
    assert len(written) >= len(people) * 3 // 4
