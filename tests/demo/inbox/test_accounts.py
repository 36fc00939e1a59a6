"""Logging in, and what is refused to whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.demo.visitor import Visitor

MAYA = "maya@outdoor.example.com"
Visit = Callable[[str], Visitor]
PAGES = [
    "/",
    "/conversations/1",
    "/compose",
    "/test-mail",
    "/settings/mailboxes",
    "/settings/people",
    "/settings/integrations",
]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_asked_to_log_in_first(visit: Visit, path: str) -> None:
    answer = visit("").client.get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


def test_logging_in_leads_back_to_the_page_that_was_asked_for(visit: Visit) -> None:
    stranger = visit("")
    place = stranger.post("/login?next=/conversations/1", "/login", email=MAYA, password="demo")
    assert place == "/conversations/1"


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_logging_in_never_leads_elsewhere(visit: Visit, target: str) -> None:
    stranger = visit("")
    assert stranger.post(f"/login?next={target}", "/login", email=MAYA, password="demo") == "/"


@pytest.mark.parametrize("email", [MAYA, "nobody@outdoor.example.com", ""])
def test_a_wrong_password_is_refused_in_the_same_words(visit: Visit, email: str) -> None:
    stranger = visit("")
    page = stranger.post("/login", "/login", status=422, email=email, password="wrong")
    assert "Wrong email address or password" in page
    assert stranger.client.get("/").status_code == 302


def test_logging_out_ends_the_session(visit: Visit) -> None:
    maya = visit(MAYA)
    maya.post("/logout", "/")
    assert maya.client.get("/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/logout", "/compose", "/test-mail", "/conversations/1/reply", "/login"]
)
def test_a_form_without_its_token_is_refused(visit: Visit, path: str) -> None:
    maya = visit(MAYA)
    assert maya.client.post(path, data={"text": "x"}).status_code == 400
    assert maya.client.post(path, data={"form_token": "guessed"}).status_code == 400


def test_the_session_cookie_is_not_sent_along_from_elsewhere(inbox: Flask, visit: Visit) -> None:
    stranger = visit("")
    answer = stranger.client.get("/login")
    cookie = answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in cookie
    assert "HttpOnly" in cookie


@pytest.mark.parametrize("path", ["/conversations/1", "/?mailbox=support"])
def test_another_company_finds_nothing_there(visit: Visit, path: str) -> None:
    visit("elena@cycles.example.com").get(path, status=404)


def test_a_company_sees_its_own_conversations_only(visit: Visit) -> None:
    seen = visit("elena@cycles.example.com").get("/").text_content()
    assert "Gears slip" in seen
    assert "Paddle" not in seen
