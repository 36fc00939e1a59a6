"""Earlier mail on the Automation tab, without JavaScript: dry run, start, pause, go on, cancel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lxml import html
from lxml.html import HtmlElement
from sqlalchemy import update

from keeping_plugin.models import (
    AuditRecord,
    BackfillRun,
    Connection,
    ConnectionStatus,
    Decision,
    MailboxPolicy,
    SyncEntry,
    now,
    upsert,
)
from keeping_plugin.services.automation import backfill
from keeping_plugin.types import Address, Agent, Direction, Mailbox, Message
from tests.blueprints.inbox import ADMIN, AGENT, Inbox, token

AUTOMATION = "/salesforce/settings/automation"
BACKFILL = f"{AUTOMATION}/backfill"
OUTSIDER = Agent("eve", "other", "Eve Elsewhere", is_admin=True)


def history(inbox: Inbox, count: int = 6) -> None:
    """Mail of May, one message a day, of as many customers."""
    for number in range(count):
        customer = Address(f"p{number}@customer.example", f"Person {number}")
        inbox.desk.add_message(
            Message(
                company_id="acme",
                mailbox_id="support",
                conversation_id=f"c-{number}",
                message_id=f"m-{number:03}",
                direction=Direction.INBOUND,
                opens_conversation=True,
                customer=customer,
                sender=customer,
                recipients=(Address("support@acme.example"),),
                sent_at=datetime(2026, 5, 1, 9, tzinfo=UTC) + timedelta(days=number),
                subject="Hello",
                text="Hello",
            )
        )


def switch(inbox: Inbox, on: bool = True) -> None:
    with inbox.database.write() as session:
        row = {"company_id": "acme", "mailbox_id": "support", "add_contacts": on, "log_tasks": on}
        upsert(session, MailboxPolicy, row)


def post(inbox: Inbox, path: str, agent: Agent = ADMIN, **data: str) -> tuple[int, str]:
    """Send a form; status and what the next page says."""
    client = inbox.client(agent)
    answer = client.post(path, data={**data, "csrf_token": token(client)})
    text = client.get(answer.location).text if answer.status_code == 303 else answer.text
    return answer.status_code, read(html.fromstring(text))


def start(inbox: Inbox, since: str = "2026-05-01") -> int:
    """A run of the support mailbox; its id."""
    assert post(inbox, f"{BACKFILL}?mailbox=support", since=since)[0] == 303
    return run(inbox).id


def advance(inbox: Inbox, run_id: int) -> None:
    """What a worker does with the job."""
    with inbox.app.app_context():
        backfill.advance(inbox.app.extensions["keeping"], run_id)


def run(inbox: Inbox) -> BackfillRun:
    with inbox.database.read() as session:
        return session.query(BackfillRun).order_by(BackfillRun.id.desc()).first()  # type: ignore[return-value]


def read(element: HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def card(inbox: Inbox) -> HtmlElement:
    answer = inbox.client(ADMIN).get(f"{AUTOMATION}?mailbox=support")
    return html.fromstring(answer.text).get_element_by_id("k-backfill")


def test_the_dry_run_counts_by_the_switches_and_writes_nothing(inbox: Inbox) -> None:
    history(inbox)
    client = inbox.client(ADMIN)
    text = read(html.fromstring(client.get(f"{BACKFILL}?mailbox=support&since=2026-05-03").text))
    assert "There is nothing to import." in text
    assert "Auto-add is switched off for the mailbox" in text
    switch(inbox)
    document = html.fromstring(client.get(f"{BACKFILL}?mailbox=support&since=2026-05-03").text)
    counts = [read(one) for one in document.find_class("ks-counts")[0]]
    assert counts == ["Messages 4", "Contacts to add 4", "Tasks 4", "Refused 0"]
    assert document.xpath("//input[@name='since']/@value") == ["2026-05-03"]
    with inbox.database.read() as session:
        assert session.query(Decision).count() == session.query(BackfillRun).count() == 0


def test_a_run_is_started_seen_to_move_and_summed_up(inbox: Inbox) -> None:
    history(inbox)
    switch(inbox)
    run_id = start(inbox)
    assert inbox.queue.jobs == [("backfill", run_id)]
    region = card(inbox)
    assert "Starting" in read(region)
    assert region.get("data-k-src") == f"{BACKFILL}/progress?mailbox=support"
    fragment = inbox.client(ADMIN).get(region.get("data-k-src"))
    assert fragment.headers["X-Keeping-Fragment"] == "1"
    assert 'id="k-backfill"' in fragment.text
    advance(inbox, run_id)
    text = read(card(inbox))
    assert "The mail since 1 May 2026 was imported" in text
    assert "6 messages checked, 12 entries queued, 12 left to send" in text
    with inbox.database.write() as session:
        session.execute(update(SyncEntry).values(state="done"))
    text = read(card(inbox))
    assert "12 entries queued." in text
    assert card(inbox).get("data-k-src") is None  # nothing moves any more


def test_the_bar_tells_the_time_reached(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    history(inbox)
    switch(inbox)
    monkeypatch.setattr(backfill, "PAGE", 2)
    monkeypatch.setattr(backfill, "PAGES_A_JOB", 1)
    run_id = start(inbox)
    advance(inbox, run_id)
    region = card(inbox)
    assert "Reached mail from 2 May 2026" in read(region)
    assert "2 messages checked, 4 entries queued" in read(region)
    [bar] = region.xpath(".//progress")
    began = run(inbox).started_at
    whole = (began - datetime(2026, 5, 1, tzinfo=UTC)).total_seconds()
    assert int(bar.get("value")) == round(1000 * 33 * 3600 / whole)


def test_a_run_is_paused_goes_on_and_is_cancelled(inbox: Inbox) -> None:
    history(inbox)
    switch(inbox)
    run_id = start(inbox)
    here = f"{BACKFILL}/{run_id}?mailbox=support"
    assert "Paused." in post(inbox, here, do="pause")[1]
    advance(inbox, run_id)
    assert run(inbox).seen == 0
    inbox.queue.take()
    assert "Starting" in post(inbox, here, do="resume")[1]
    assert inbox.queue.jobs == [("backfill", run_id)]
    assert "was cancelled" in post(inbox, here, do="cancel")[1]
    assert "This import has ended." in post(inbox, here, do="pause")[1]
    with inbox.database.read() as session:
        trail = session.query(AuditRecord).filter(AuditRecord.action.like("backfill%")).all()
        assert [(row.action, row.detail) for row in trail] == [
            ("backfill_started", str(run_id)),
            ("backfill_changed", f"{run_id} paused"),
            ("backfill_changed", f"{run_id} running"),
            ("backfill_changed", f"{run_id} cancelled"),
        ]


def test_a_run_that_goes_on_need_not_wait_for_the_job_that_was_paused(inbox: Inbox) -> None:
    history(inbox)
    switch(inbox)
    run_id = start(inbox)
    with inbox.database.write() as session:
        claimed = {
            "claim": "a job at its page",
            "claimed_until": now(session) + timedelta(minutes=1),
        }
        session.execute(update(BackfillRun).values(claimed))
    here = f"{BACKFILL}/{run_id}?mailbox=support"
    post(inbox, here, do="pause")
    post(inbox, here, do="resume")
    advance(inbox, run_id)
    assert run(inbox).state == "done"


def test_a_run_that_no_worker_takes_is_told(inbox: Inbox) -> None:
    start(inbox)
    with inbox.database.write() as session:
        session.execute(update(BackfillRun).values(due_at=now(session) - timedelta(minutes=1)))
    assert "flask keeping worker" in read(card(inbox))


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("", "Enter a date such as 2026-05-31."),
        ("last year", "Enter a date such as 2026-05-31."),
        ("0001-01-01", "Enter a date such as 2026-05-31."),
        ("9000-01-01", "Choose a day that is not in the future."),
    ],
)
def test_a_day_that_is_none_is_said_beside_what_was_typed(
    inbox: Inbox, since: str, said: str
) -> None:
    answer = inbox.client(ADMIN).get(f"{BACKFILL}?mailbox=support&since={since}")
    assert answer.status_code == 422
    region = html.fromstring(answer.text).get_element_by_id("k-backfill")
    assert said in read(region)
    assert region.xpath(".//input[@name='since']/@value") == [since]
    assert post(inbox, f"{BACKFILL}?mailbox=support", since=since)[0] == 422
    assert run(inbox) is None


def test_one_run_a_mailbox_at_a_time(inbox: Inbox) -> None:
    start(inbox)
    status, text = post(inbox, f"{BACKFILL}?mailbox=support", since="2026-05-01")
    assert (status, "is already being imported" in text) == (303, True)
    with inbox.database.read() as session:
        assert session.query(BackfillRun).count() == 1


def test_without_a_connection_nothing_can_start(inbox: Inbox) -> None:
    with inbox.database.write() as session:
        values = {"status": ConnectionStatus.DISCONNECTED, "current": False}
        session.execute(update(Connection).values(values))
    assert "Connect Salesforce first." in read(card(inbox))
    assert post(inbox, f"{BACKFILL}?mailbox=support", since="2026-05-01")[0] == 409
    assert run(inbox) is None


def test_only_the_companys_own_admins(inbox: Inbox) -> None:
    inbox.desk.company("other").mailboxes.append(Mailbox("theirs", "Theirs", "x@other.example"))
    run_id = start(inbox)
    for agent, status in ((AGENT, 403), (OUTSIDER, 404)):
        client = inbox.client(agent)
        for path in (
            f"{BACKFILL}?mailbox=support&since=2026-05-01",
            f"{BACKFILL}/progress?mailbox=support",
        ):
            assert client.get(path).status_code == status
        assert post(inbox, f"{BACKFILL}?mailbox=support", agent, since="2026-05-01")[0] == status
        assert post(inbox, f"{BACKFILL}/{run_id}?mailbox=support", agent, do="cancel")[0] == status
    # In a mailbox of their own the id is not theirs either.
    assert post(inbox, f"{BACKFILL}/{run_id}?mailbox=theirs", OUTSIDER, do="cancel")[0] == 404
    assert run(inbox).state == "running"


def test_a_button_that_is_none_does_nothing(inbox: Inbox) -> None:
    run_id = start(inbox)
    assert post(inbox, f"{BACKFILL}/{run_id}?mailbox=support", do="delete")[0] == 404
    assert post(inbox, f"{BACKFILL}/999?mailbox=support", do="pause")[0] == 404


@pytest.mark.field_case("D5")
def test_a_host_that_cannot_give_its_mail_is_said_to_be_the_reason(inbox: Inbox) -> None:
    history(inbox)
    run_id = start(inbox)
    with inbox.database.write() as session:
        session.execute(update(BackfillRun).values(failures=2, unread=0))
    assert "The inbox could not provide its mail to the worker." in read(card(inbox))
    with inbox.database.write() as session:
        session.execute(update(BackfillRun).values(failures=None, unread=1))
    text = read(card(inbox))
    assert "could not provide its mail" not in text
    assert "1 message left out because the inbox could not provide it" in text
    advance(inbox, run_id)
    assert run(inbox).state == "done"
    assert "1 message left out because the inbox could not provide it" in read(card(inbox))
