"""Every route for every kind of person (T8, T9).

Kinds: nobody, an agent, an agent without the mailbox, an admin, an admin of another company. Each
refusal is compared with what the same route answers to somebody who may come in, so that a route
which refuses everybody proves nothing.
"""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.hosts.houses import bare
from tests.security.dumps import changed_tables, dump
from tests.security.routes import ROUTES, For, Route, of_app
from tests.security.town import ADMINS, AGENTS, PRIVATE, Ids, Town, Visitor


def visit(town: Town, visitor: Visitor, route: Route, ids: Ids, **other: str) -> TestResponse:
    """Go there as a person with a page of ours open does: with the session's token."""
    path, form = route.filled(ids, **other)
    if route.method == "GET":
        return visitor.client.get(path, buffered=True)
    return visitor.client.post(path, data=form, headers={"X-CSRFToken": town.csrf(visitor)})


def test_every_route_has_its_row() -> None:
    """A route that is added without a row here fails this test."""
    house = bare("sqlite://")
    assert of_app(house.app) == {(route.endpoint, route.method) for route in ROUTES}
    house.close()


def test_who_may_come_in_comes_in(town: Town) -> None:
    """The control group of everything below."""
    for route in ROUTES:
        person = ADMINS["acme"] if route.whom is For.ADMINS else AGENTS["acme"]
        answer = visit(town, town.visitor(person), route, town.ids["acme"])
        assert answer.status_code in route.answers, (route.name, answer.text)
    assert all(call["status"] < 300 for call in town.calls("acme"))
    assert town.calls("other") == []


def test_nobody_is_asked_to_log_in_and_an_agent_is_no_admin(town: Town) -> None:
    before = dump(town)
    for route in ROUTES:
        if route.whom is For.ANYBODY:
            continue
        answer = visit(town, town.visitor(None), route, town.ids["acme"])
        assert answer.status_code == 401, route.name
        assert town.ids["acme"].customer.email not in answer.text
        if route.whom is For.ADMINS:
            answer = visit(town, town.visitor(AGENTS["acme"]), route, town.ids["acme"])
            assert answer.status_code == 403, route.name
            assert "admin@example.com" not in answer.text
    assert changed_tables(before, dump(town)) <= {"keeping_audit"}
    assert town.calls("acme") == town.calls("other") == []


@pytest.mark.parametrize("whose", ["a private mailbox", "another company", "nobody"])
def test_a_conversation_that_is_not_ones_own_is_not_there(town: Town, whose: str) -> None:
    before = dump(town)
    person, conversation = {
        "a private mailbox": (AGENTS["acme"], PRIVATE),
        "another company": (ADMINS["other"], "c-1"),
        "nobody": (AGENTS["acme"], "c-404"),
    }[whose]
    texts = set()
    for route in ROUTES:
        if route.whom is not For.AGENTS:
            continue
        for ids in town.ids.values():
            answer = visit(town, town.visitor(person), route, ids, conversation=conversation)
            assert answer.status_code == 404, route.name
            texts.add(answer.text.replace(conversation, ""))
    assert len(texts) == 1, "not yours and not there are one answer"
    assert changed_tables(before, dump(town)) <= {"keeping_audit"}
    assert town.calls("acme") == town.calls("other") == []
