"""Why not? What the automations did with each message of a conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from keeping_plugin.models import Decision, EntryState, MailboxPolicy, SyncEntry, now, upsert
from keeping_plugin.services.automation.intake import message_arrived
from keeping_plugin.types import Direction, MessageArrived
from tests.blueprints.inbox import CUSTOMER, INSTANCE, STRANGER, Inbox, post, url

JSON = {"Accept": "application/json"}
MESSAGE = MessageArrived(
    company_id="acme",
    mailbox_id="support",
    conversation_id="c-1",
    message_id="m-1",
    direction=Direction.INBOUND,
    opens_conversation=True,
    customer=CUSTOMER,
    sender=CUSTOMER,
    recipients=(),
    sent_at=datetime(2026, 5, 6, tzinfo=UTC),
)


def arrives(inbox: Inbox, *, switched_on: bool = True, **changes: Any) -> None:
    """A message comes in, through the rules."""
    with inbox.database.write() as session:
        row = {
            "company_id": "acme",
            "mailbox_id": "support",
            "add_contacts": switched_on,
            "log_tasks": switched_on,
        }
        upsert(session, MailboxPolicy, row)
    with inbox.app.app_context():
        intake = inbox.app.extensions["keeping"]
        message_arrived(intake, inbox.db.session(), replace(MESSAGE, **changes))
        inbox.db.session.commit()


def settle(inbox: Inbox, action: str, **values: Any) -> int:
    """What a worker would write of an entry; its id."""
    with inbox.database.write() as session:
        entry = session.query(SyncEntry).filter_by(action=action).one()
        for name, value in values.items():
            setattr(entry, name, value)
        entry.due_at = None
        entry.settled_at = now(session)
        return entry.id


def test_refusals_say_why(inbox: Inbox) -> None:
    arrives(inbox, switched_on=False)
    page = inbox.client().get(url("/log")).text
    assert "Auto-add is switched off for the mailbox" in page
    assert "Logging as Salesforce Tasks is switched off for the mailbox." in page
    assert "From the customer" in page


def test_done_leads_to_the_record(inbox: Inbox) -> None:
    arrives(inbox)
    task = "00T000000000001AAA"
    settle(inbox, "log_task", state=EntryState.DONE, reason="logged", record_id=task)
    page = inbox.client().get(url("/log")).text
    assert f"{INSTANCE}/lightning/r/Task/{task}/view" in page
    assert "Logged on the Contact’s timeline." in page.replace("&#39;", "’")


def test_waiting_and_pending_say_what_for(inbox: Inbox) -> None:
    arrives(inbox)
    settle(inbox, "log_task", state=EntryState.WAITING, reason="no_contact")
    page = inbox.client().get(url("/log")).text
    assert "No Contact has this address yet." in page
    assert "In progress" in page


def test_a_failure_shows_salesforces_words_and_can_be_tried_again(inbox: Inbox) -> None:
    arrives(inbox)
    entry = settle(
        inbox,
        "log_task",
        state=EntryState.FAILED,
        reason="rejected",
        words=[["FIELD_CUSTOM_VALIDATION_EXCEPTION", "No <Tasks> on Sundays", []]],
    )
    client = inbox.client()
    page = client.get(url("/log")).text
    assert "No &lt;Tasks&gt; on Sundays" in page
    assert "A validation rule in your Salesforce org" in page
    assert "An automation has no other value to send" in page
    assert "Try again once that is done" not in page
    inbox.queue.take()
    assert post(client, f"/log/{entry}/retry").status_code == 303
    with inbox.database.read() as session:
        assert session.get_one(SyncEntry, entry).state == EntryState.PENDING
    assert inbox.queue.rings == [inbox.connection_id]
    assert "/retry" not in client.get(url("/log")).text


def test_an_entry_of_another_conversation_is_not_there(inbox: Inbox) -> None:
    arrives(inbox, conversation_id="c-2")
    entry = settle(inbox, "log_task", state=EntryState.FAILED, reason="rejected")
    assert post(inbox.client(), f"/log/{entry}/retry").status_code == 404
    assert post(inbox.client(STRANGER), f"/log/{entry}/retry").status_code == 404
    assert inbox.client().get(url("/log"), headers=JSON).json == {
        "messages": [],
        "kept_out": None,
    }
    with inbox.database.read() as session:
        assert session.get_one(SyncEntry, entry).state == EntryState.FAILED


def test_nothing_decided_says_so(inbox: Inbox) -> None:
    assert "have not processed any message" in inbox.client().get(url("/log")).text


@pytest.mark.parametrize("state", list(EntryState))
def test_every_state_has_its_word(inbox: Inbox, state: EntryState) -> None:
    arrives(inbox)
    settle(inbox, "add_contact", state=state, reason="exists")
    answer = inbox.client().get(url("/log"), headers=JSON).json
    (message,) = answer["messages"]
    assert message["inbound"] is True
    assert message["actions"][0]["state"] == state
    assert inbox.client().get(url("/log")).status_code == 200


def test_a_message_whose_facts_are_forgotten_is_still_listed(inbox: Inbox) -> None:
    arrives(inbox)
    with inbox.database.write() as session:
        session.query(Decision).one().facts = None
    assert "A message, " in inbox.client().get(url("/log")).text


def test_mail_that_a_backfill_brought_over_is_named_as_such(inbox: Inbox) -> None:
    """Its time is when it was brought over, not when it came."""
    arrives(inbox)
    with inbox.database.write() as session:
        session.query(Decision).one().occasion = "backfill:1"
    assert "From the customer, imported " in inbox.client().get(url("/log")).text
