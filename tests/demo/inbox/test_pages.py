"""The inbox's pages, as people use them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from demo.inbox.database import db
from demo.inbox.models import Conversation, Message
from tests.demo.visitor import Visitor

MAYA = "maya@outdoor.example.com"
ELENA = "elena@cycles.example.com"
Visit = Callable[[str], Visitor]


def newest(app: Flask) -> Message:
    with app.app_context():
        message = db.session.scalars(
            select(Message).order_by(Message.sent_at.desc(), Message.id)
        ).first()
        assert message is not None
        return message


def test_the_list_shows_the_newest_first_and_what_waits(visit: Visit) -> None:
    page = visit(MAYA).get("/")
    subjects = [link.text for link in page.xpath("//p[@class='row__subject']/a")]
    assert subjects[:2] == ["Do you ship kayaks to Norway?", "Paddle arrived with a crack"]
    waiting = page.xpath("count(//li[contains(@class, 'row--waits')])")
    counts = page.xpath("//span[@class='box__count']/text()[1]")
    assert waiting == sum(int(count) for count in counts) > 0


def test_a_mailbox_lists_its_own_conversations(visit: Visit) -> None:
    text = visit(MAYA).get("/?mailbox=billing").text_content()
    assert "Refund has not arrived" in text
    assert "Do you ship kayaks" not in text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kayaks norway", ["Do you ship kayaks to Norway?"]),
        ("ARENDAL", ["Do you ship kayaks to Norway?"]),
        ("moreira", ["size?"]),
        ("100%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_finds_every_word_and_takes_it_literally(
    visit: Visit, words: str, found: list[str]
) -> None:
    answer = visit(MAYA).client.get("/", query_string={"q": words})
    assert answer.status_code == 200
    for subject in found:
        assert subject in answer.text
    assert f"{len(found)} conversation" in answer.text


def test_a_conversation_shows_its_messages_oldest_first(visit: Visit) -> None:
    page = visit(MAYA).get("/conversations/1")
    assert page.xpath("//h1")[0].text_content() == "Paddle arrived with a crack"
    first, second, third = page.xpath("//li[contains(@class, 'message ')]")
    assert "The parcel came this morning" in first.text_content()
    assert "message--outbound" in second.get("class")
    (link,) = first.xpath(".//li[@class='clip']/a")
    assert link.text == "crack.png"
    opened = visit(MAYA).client.get(link.get("href"))
    assert (opened.status_code, opened.mimetype) == (200, "image/png")
    assert opened.data.startswith(b"\x89PNG")
    assert "sandbox" in opened.headers["Content-Security-Policy"]
    assert visit(ELENA).client.get(link.get("href")).status_code == 404, "another company's"
    assert visit(MAYA).client.get(link.get("href")[:-1] + "9").status_code == 404
    assert "A new paddle leaves today" in third.xpath(".//details")[0].text_content()


def test_hostile_mail_is_shown_as_text(inbox: Flask, visit: Visit) -> None:
    maya = visit(MAYA)
    attack = "<script>alert(1)</script> <img src=x onerror=alert(1)> javascript:alert(1)"
    place = maya.post(
        "/test-mail",
        "/test-mail",
        mailbox="support",
        **{"from": "eve@example.com", "name": '"><b>Eve', "subject": attack, "text": attack},
    )
    page = maya.get(place)
    assert attack in page.text_content()
    assert not page.xpath("//script[contains(., 'alert')] | //img | //*[@onerror] | //b")


def test_a_reply_is_an_outbound_message_to_the_customer(inbox: Flask, visit: Visit) -> None:
    maya = visit(MAYA)
    with inbox.app_context():
        found = db.session.scalars(
            select(Conversation).where(Conversation.customer_name == "Robin Castell")
        ).one()
        number = found.id
    maya.post(f"/conversations/{number}/reply", f"/conversations/{number}", text="Yes, we do.")
    message = newest(inbox)
    assert (message.direction, message.conversation_id) == ("outbound", number)
    assert message.customer == ["robin.castell@example.com", "Robin Castell"]
    assert message.subject == "Re: Do you ship kayaks to Norway?"
    assert not message.opens_conversation
    assert "Yes, we do." in maya.get(f"/conversations/{number}").text_content()


def test_what_was_typed_is_kept_when_a_reply_is_refused(visit: Visit) -> None:
    text = "x" * 200_001
    page = visit(MAYA).post("/conversations/1/reply", "/conversations/1", status=422, text=text)
    assert text in page


def test_composing_opens_a_conversation_of_ours(inbox: Flask, visit: Visit) -> None:
    place = visit(MAYA).post(
        "/compose",
        "/compose",
        mailbox="sales",
        to="new.person@example.com",
        name="New Person",
        subject="Welcome",
        text="Hello!",
    )
    number = int(place.removesuffix("#latest").rpartition("/")[2])
    with inbox.app_context():
        conversation = db.session.get_one(Conversation, number)
        assert conversation.opened_by == "agent"
        assert conversation.awaits_reply is False
    assert newest(inbox).opens_conversation


@pytest.mark.parametrize("to", ["", "nobody", "a@b", "two@example.com, three@example.com"])
def test_an_address_that_is_none_is_refused_and_the_rest_is_kept(visit: Visit, to: str) -> None:
    page = visit(MAYA).post(
        "/compose", "/compose", status=422, mailbox="sales", to=to, subject="Kept", text="Kept too"
    )
    assert "cannot be used" in page
    assert "Kept too" in page


def test_a_test_mail_may_answer_a_conversation(inbox: Flask, visit: Visit) -> None:
    place = visit(MAYA).post(
        "/test-mail",
        "/test-mail?conversation=1",
        conversation="1",
        subject="Re: it",
        text="One more thing",
        **{"from": "somebody.else@example.com"},
    )
    assert place == "/conversations/1#latest"
    assert newest(inbox).direction == "inbound"


@pytest.mark.parametrize(
    "path", ["/conversations/999", "/conversations/99999999999999999999", "/x"]
)
def test_a_page_that_is_not_there_says_so(visit: Visit, path: str) -> None:
    assert "Page not found" in visit(MAYA).get(path, status=404).text_content()


@pytest.mark.parametrize("path", ["/login", "/"])
def test_pages_let_no_foreign_script_run(visit: Visit, path: str) -> None:
    answer = visit(MAYA).client.get(path)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_test_mail_is_filled_in_and_its_sender_keeps_a_name_with_a_comma(visit: Visit) -> None:
    maya = visit(MAYA)
    form = maya.get("/test-mail")
    filled = {box.get("name"): box.value for box in form.xpath("//main//input | //main//textarea")}
    assert filled["name"] == "Müller, Sabine"
    names = ("from", "name", "subject", "text")
    place = maya.post("/test-mail", "/test-mail", mailbox="sales", **{n: filled[n] for n in names})
    assert place.endswith("#latest")
    page = maya.get(place.partition("#")[0])
    assert "Müller, Sabine" in page.xpath("//div[@class='heading']")[0].text_content()
    assert page.xpath("//li[@id='latest']")
    listed = maya.get("/").xpath("//p[@class='row__subject']/a/@href")
    assert all(link.endswith("#latest") for link in listed)
