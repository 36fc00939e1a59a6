"""A connection that pauses until somebody mends something says so wherever it is looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from keeping_plugin.errors import Complaint, SchemaStale
from keeping_plugin.models import Connection, EntryState, now
from keeping_plugin.wording.salesforce_errors import RetryAdvice
from tests.blueprints.inbox import CUSTOMER, Inbox, url
from tests.blueprints.ledger import Ledger
from tests.hosts.desk import PEOPLE

JSON = {"Accept": "application/json"}
WORDS = "No such column 'Email' on entity 'Contact'. <b>"
SHOWN = ("No such column", "&lt;b&gt;")


def pause(inbox: Inbox, reason: str = "read_refused", words: str = WORDS) -> None:
    with inbox.database.write() as session:
        session.execute(
            update(Connection).values(
                pause_reason=reason,
                pause_words=[["INVALID_FIELD", words, []]] if words else None,
                paused_until=now(session) + timedelta(minutes=15),
            )
        )


@pytest.mark.field_case("A7")
@pytest.mark.parametrize("reason", ["read_refused", "org_closed", "permission_denied"])
def test_panel_log_activity_and_connection_page_say_why_mail_waits(
    inbox: Inbox, reason: str
) -> None:
    ledger = Ledger(inbox.database, inbox.connection_id)
    with inbox.database.read() as session:
        time = now(session)
    ledger.entry(
        state=EntryState.PENDING, reason="", address=CUSTOMER.email, due_at=time, created_at=time
    )
    pause(inbox, reason)
    agent, admin = inbox.client(), inbox.client(PEOPLE["ada"])
    pages = {
        "panel": agent.get(url()).text,
        "activity": admin.get("/salesforce/settings/activity").text,
        "connection": admin.get("/salesforce/settings/").text,
    }
    for name, page in pages.items():
        assert all(text in page for text in SHOWN), name
        assert "automatically" in page, name
        # It is tried without anybody.
        assert not any(again in page for again in RetryAdvice), name
    told = agent.get(url(), headers=JSON).json["pause"]
    assert (told["reason"], told["complaints"]) == (reason, [WORDS])
    pause(inbox, "budget", "")
    assert "Logging is paused" not in agent.get(url()).text
    assert agent.get(url(), headers=JSON).json["pause"] is None


@pytest.mark.field_case("A7")
def test_activity_and_log_tell_once_why_all_mail_waits(inbox: Inbox) -> None:
    """Twenty-five rows of one reason hide what else stands in them."""
    ledger = Ledger(inbox.database, inbox.connection_id)
    with inbox.database.read() as session:
        time = now(session)
    for number in range(3):
        ledger.refusal(message_id=f"m{number}", log=(), refused=False)
        ledger.entry(
            state=EntryState.PENDING,
            message_id=f"m{number}",
            reason="",
            address=CUSTOMER.email,
            due_at=time,
            created_at=time,
        )
    pause(inbox)
    activity = inbox.client(PEOPLE["ada"]).get("/salesforce/settings/activity").text
    log = inbox.client().get(url("/log")).text
    for page, rows in ((activity, 3), (log, 4)):  # the log's head has the latest one's, too
        assert page.count("No such column") == 1
        assert page.count("Waiting: logging is paused.") == rows
    told = inbox.client().get(url("/log"), headers=JSON).json["messages"]
    assert len(told) == 3
    for message in told:
        (task,) = [line for line in message["actions"] if line["entry_id"]]
        assert task["complaints"] == [WORDS]


@pytest.mark.field_case("A20")
def test_a_panel_whose_question_is_refused_shows_our_words_and_salesforces_without_the_query(
    inbox: Inbox,
) -> None:
    complaint = Complaint("INVALID_FIELD", "No such column 'Email' on entity 'Contact'.")
    inbox.salesforce.fail("panel", SchemaStale(complaints=(complaint,)), times=None)
    page = inbox.client().get(url()).text
    assert "No such column" in page
    assert "SELECT" not in page
