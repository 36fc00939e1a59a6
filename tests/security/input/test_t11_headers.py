"""T11: no answer of ours is framed, kept, sniffed or told on, whatever became of the request."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.security.access.test_every_route import visit
from tests.security.routes import ROUTES
from tests.security.town import ADMINS, AGENTS, Town, open_town


def assert_private(answer: TestResponse, name: str) -> None:
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy, name
    assert "frame-ancestors 'self'" in policy, name
    assert "object-src 'none'" in policy, name
    assert "unsafe" not in policy, name
    assert headers["X-Content-Type-Options"] == "nosniff", name
    assert headers["Referrer-Policy"] == "no-referrer", name
    if not name.endswith(" static"):
        assert headers["Cache-Control"] == "no-store", name
    assert "Cookie" in ", ".join(headers.getlist("Vary")), name


@pytest.mark.parametrize("person", [None, AGENTS["acme"], ADMINS["acme"], ADMINS["other"]])
def test_every_answer_of_every_route_is_private(town: Town, person: str | None) -> None:
    seen = set()
    for route in ROUTES:
        visitor = town.visitor(person)
        answers = [visit(town, visitor, route, town.ids["acme"])]
        path, form = route.filled(town.ids["acme"])
        if route.method == "POST":
            answers.append(visitor.client.post(path, data=form))  # refused: no token
        else:
            json = {"Accept": "application/json"}
            answers.append(visitor.client.get(path, headers=json, buffered=True))
        for answer in answers:
            seen.add(answer.status_code)
            assert_private(answer, route.name)
    assert len(seen) > 2


def test_an_error_is_private_too(town: Town) -> None:
    """413, what the views themselves refuse with 400 and 422, a database that fails, and a bug. A
    wrong method or address under our prefix is answered by the host, with nothing of ours."""
    gus = town.visitor("gus")
    at = "/salesforce/conversations/c-1"
    token = {"X-CSRFToken": town.csrf(gus)}
    contact = town.ids["acme"].records["Contact"]
    json = {**token, "Content-Type": "application/json"}
    edit = f"{at}/Contact/{contact}/edit"
    answers = {
        413: gus.client.post(f"{at}/pick", data=b"x" * 3_000_000, headers=token),
        400: gus.client.post(f"{at}/pick", data="{", headers=json),
        422: gus.client.post(edit, data={"sf_Email": "no"}, headers=token),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert_private(answer, str(status))
    assert_broken_database_is_private(town)
    town.house.app.config["PROPAGATE_EXCEPTIONS"] = False
    town.house.app.view_functions["keeping.panel"] = bug
    answer = gus.get(at)
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert_private(answer, "a bug")


def bug(conversation_id: str) -> str:
    raise RuntimeError(f"canary of {conversation_id}")


def assert_broken_database_is_private(town: Town) -> None:
    with town.house.app.app_context():
        engine = town.state.database.engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE keeping_panel_card RENAME TO away"))
    answer = town.visitor("gus").get("/salesforce/conversations/c-1")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO keeping_panel_card"))
    assert answer.status_code == 500
    assert "keeping_panel_card" not in answer.text
    assert_private(answer, "the database")


def test_the_host_says_who_may_frame(orgs, sqlite_url: str) -> None:  # type: ignore[no-untyped-def]
    ancestors = "'self' https://inbox.example"
    with open_town(orgs, sqlite_url, KEEPING_FRAME_ANCESTORS=ancestors) as town:
        policy = town.visitor().get("/salesforce/settings/").headers["Content-Security-Policy"]
    assert f"frame-ancestors {ancestors}" in policy
