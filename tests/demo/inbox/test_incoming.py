"""The mail server's door."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from demo.inbox.database import db
from demo.inbox.models import Conversation, Message
from tests.demo.visitor import TOKEN

MAIL = b"From: Jo <jo@example.com>\nTo: support@outdoor.example.com\nSubject: Hi\n"


def deliver(
    client: FlaskClient,
    raw: bytes,
    *,
    id: str = "",
    to: str = "support@outdoor.example.com",
    token: str = TOKEN,
) -> TestResponse:
    return client.post(
        f"/incoming/{to}",
        query_string={"id": id} if id else {},
        data=raw,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"},
    )


@pytest.fixture
def client(inbox: Flask) -> FlaskClient:
    return inbox.test_client()


def stored(app: Flask, answer: TestResponse) -> Message:
    with app.app_context():
        return db.session.get_one(Message, answer.get_json()["message"])


def test_a_message_is_stored_once_however_often_it_is_delivered(
    inbox: Flask, client: FlaskClient
) -> None:
    first, again = deliver(client, MAIL, id="a.eml"), deliver(client, MAIL, id="a.eml")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert first.get_json()["message"] == "support.a.eml"
    assert (deliver(client, MAIL).status_code, deliver(client, MAIL).status_code) == (201, 200)


def test_the_same_id_in_another_mailbox_is_another_message(client: FlaskClient) -> None:
    assert deliver(client, MAIL, id="a").status_code == 201
    assert deliver(client, MAIL, id="a", to="sales@outdoor.example.com").status_code == 201


def test_a_stranger_may_not_deliver(client: FlaskClient) -> None:
    for token in ("", "wrong", TOKEN[:-1]):
        assert deliver(client, MAIL, token=token).status_code == 401
    assert client.post("/incoming/support@outdoor.example.com", data=MAIL).status_code == 401


def test_what_cannot_be_taken_in_is_refused_with_the_reason(client: FlaskClient) -> None:
    unreadable = deliver(client, b"no mail at all")
    assert unreadable.status_code == 422
    assert "no header" in unreadable.get_json()["error"]
    assert deliver(client, MAIL, to="nobody@outdoor.example.com").status_code == 404
    for one in ("a/b", "../a", "ü", "x" * 181, "-a"):
        assert deliver(client, MAIL, id=one).status_code == 400


@pytest.mark.parametrize(
    ("sender", "direction", "customer"),
    [
        ("Jo <jo@example.com>", "inbound", ["jo@example.com", "Jo"]),
        ("Support <support@outdoor.example.com>", "outbound", ["ann@example.com", "Ann"]),
        ("HELP@Outdoor.example.com", "outbound", ["ann@example.com", "Ann"]),
        ("sales@outdoor.example.com", "inbound", ["sales@outdoor.example.com", ""]),
        ("MAILER-DAEMON", "inbound", ["MAILER-DAEMON", ""]),
    ],
)
def test_mail_from_an_address_of_the_mailbox_is_outbound_and_all_else_inbound(
    inbox: Flask, client: FlaskClient, sender: str, direction: str, customer: list[str]
) -> None:
    raw = f"From: {sender}\nTo: support@outdoor.example.com, Ann <ann@example.com>\n\nHi".encode()
    message = stored(inbox, deliver(client, raw))
    assert (message.direction, message.customer) == (direction, customer)


def test_answers_join_the_conversation_they_answer(inbox: Flask, client: FlaskClient) -> None:
    first = deliver(client, MAIL + b"Message-ID: <one@x>\n\nHi", id="1")
    answer = deliver(client, MAIL + b"Message-ID: <two@x>\nIn-Reply-To: <one@x>\n\nYes", id="2")
    further = deliver(client, MAIL + b"References: <gone@x> <two@x>\n\nMore", id="3")
    alone = deliver(client, MAIL + b"In-Reply-To: <never@x>\n\nAlone", id="4")
    numbers = [one.get_json()["conversation"] for one in (first, answer, further, alone)]
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]
    opens = [stored(inbox, one).opens_conversation for one in (first, answer, further, alone)]
    assert opens == [True, False, False, True]


def test_an_answer_never_joins_another_mailboxs_conversation(client: FlaskClient) -> None:
    first = deliver(client, MAIL + b"Message-ID: <one@x>\n\nHi", id="1")
    other = deliver(
        client, MAIL + b"In-Reply-To: <one@x>\n\nHi", id="2", to="workshop@cycles.example.com"
    )
    assert first.get_json()["conversation"] != other.get_json()["conversation"]


def test_a_message_the_plugin_cannot_take_is_not_stored_either(
    inbox: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: a database error of the plugin's takes the message along."""
    with inbox.app_context():
        db.session.execute(db.text("DROP TABLE keeping_decision"))
        db.session.execute(db.text("DROP TABLE keeping_connection"))
        db.session.commit()
        before = db.session.scalar(select(func.count()).select_from(Message))
    inbox.config["PROPAGATE_EXCEPTIONS"] = False
    inbox.testing = False
    assert deliver(client, MAIL, id="lost").status_code == 500
    with inbox.app_context():
        assert db.session.scalar(select(func.count()).select_from(Message)) == before
        assert (
            db.session.scalars(select(Conversation).where(Conversation.subject == "Hi")).all() == []
        )
