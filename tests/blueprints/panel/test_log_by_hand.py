"""Log now, Do not log, and Do not log this conversation, without JavaScript and as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import update

from keeping_plugin.models import Connection, EntryState, Installation, SyncEntry
from keeping_plugin.types import Message
from tests.blueprints.inbox import ADMIN, STRANGER, Inbox, post, url
from tests.blueprints.panel.test_log import JSON, MESSAGE, arrives, settle


@pytest.fixture
def inbox(inbox: Inbox) -> Inbox:
    """One whose agents may decide by hand."""
    receive(inbox)
    return inbox


def receive(inbox: Inbox) -> None:
    """The host has the message, and no process of 0.1.0 runs beside us."""
    without_0_1_0(inbox, 1)
    facts = {name: getattr(MESSAGE, name) for name in MESSAGE.__slots__}
    inbox.desk.add_message(Message(**facts, subject="Where is my order?", text="Hello"))


def without_0_1_0(inbox: Inbox, contract: int) -> None:
    with inbox.database.write() as session:
        session.execute(update(Installation).values(contract=contract))


def buttons(client: FlaskClient) -> list[str]:
    page = html.fromstring(client.get(url("/log")).text)
    return [each.text_content() for each in page.xpath("//form//button")]


def shown(client: FlaskClient) -> Any:
    return client.get(url("/log"), headers=JSON).json


ALL = "Do not log this conversation"


def test_a_message_is_logged_by_hand_and_its_agent_named(inbox: Inbox) -> None:
    arrives(inbox, switched_on=False)
    client = inbox.client()
    assert buttons(client) == ["Log now", ALL]
    inbox.queue.take()
    assert post(client, "/log/now", data={"message": "m-1"}).status_code == 303
    assert inbox.queue.rings == [inbox.connection_id]
    assert buttons(client) == ["Do not log", ALL]
    page = client.get(url("/log")).text
    assert "From the customer, decided by hand " in page
    assert "By hand: Gus Agent." in page
    latest, first = shown(client)["messages"]
    assert [line["stoppable"] for line in latest["actions"]] == [True]
    assert not any(line["loggable"] or line["stoppable"] for line in first["actions"])


def test_waiting_mail_is_kept_out_and_may_be_logged_later(inbox: Inbox) -> None:
    arrives(inbox)
    settle(inbox, "log_task", state=EntryState.WAITING, reason="no_contact")
    client = inbox.client()
    assert buttons(client) == ["Do not log", ALL]
    assert post(client, "/log/not", data={"message": "m-1"}).status_code == 303
    page = client.get(url("/log")).text
    assert "An agent chose not to log it." in page
    assert "By hand: Gus Agent." in page
    assert buttons(client) == ["Log now", ALL]


def test_once_logged_only_an_admin_can_undo_it(inbox: Inbox) -> None:
    arrives(inbox)
    task = "00T000000000001AAA"
    entry = settle(inbox, "log_task", state=EntryState.DONE, reason="logged", record_id=task)
    client = inbox.client()
    assert buttons(client) == [ALL]
    assert "An admin can undo what was logged." in client.get(url("/log")).text
    answer = post(client, "/log/not", data={"message": "m-1"})
    assert answer.status_code == 400
    assert "An admin can undo that" in answer.text
    page = html.fromstring(inbox.client(ADMIN).get(url("/log")).text)
    (undo,) = page.xpath("//a[text()='Undo']/@href")
    assert undo.endswith(f"/undo/confirm?entry={entry}")


def test_a_conversation_is_kept_out_and_let_in_again(inbox: Inbox) -> None:
    arrives(inbox)
    client = inbox.client()
    assert post(client, "/log/not").status_code == 303
    page = client.get(url("/log")).text
    assert "chose not to log this conversation" in page
    assert shown(client)["kept_out"]["by"] == "Gus Agent"
    arrives(inbox, message_id="m-2", opens_conversation=False)
    page = client.get(url("/log")).text
    assert "An agent chose not to log this message or its conversation." in page
    assert buttons(client) == ["Log now", "Log now", "Log this conversation again"]
    assert post(client, "/log/again").status_code == 303
    assert shown(client)["kept_out"] is None
    arrives(inbox, message_id="m-3", opens_conversation=False)
    with inbox.database.read() as session:
        states = [row.state for row in session.query(SyncEntry).filter_by(action="log_task")]
    assert states == ["cancelled", "pending"]


def test_nothing_is_offered_beside_0_1_0_or_without_a_connection(inbox: Inbox) -> None:
    arrives(inbox, switched_on=False)
    without_0_1_0(inbox, 0)
    client = inbox.client()
    assert buttons(client) == []
    answer = post(client, "/log/now", data={"message": "m-1"})
    assert answer.status_code == 400
    assert "flask keeping db contract" in answer.text
    without_0_1_0(inbox, 1)
    with inbox.database.write() as session:
        session.execute(update(Connection).values(current=False))
    assert buttons(client) == [ALL]
    assert post(client, "/log/now", data={"message": "m-1"}).status_code == 409


def test_another_conversations_messages_are_not_there(inbox: Inbox) -> None:
    arrives(inbox, conversation_id="c-2", message_id="m-2")
    client = inbox.client()
    for path in ("/log/now", "/log/not"):
        assert post(client, path, data={"message": "m-2"}).status_code == 404
        assert post(inbox.client(STRANGER), path, data={"message": "m-1"}).status_code == 404
    assert post(client, "/log/now").status_code == 404
