"""An org that hangs holds a quarter of a web process and no more: whatever asks Salesforce takes a
seat and a step of its agent's pace first, whichever route it came by."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests
from flask import Flask
from waitress.server import create_server
from werkzeug.test import TestResponse

from keeping_plugin.blueprints.panel import duplicates
from keeping_plugin.blueprints.web import guards
from keeping_plugin.models import PanelCard
from keeping_plugin.services.panel import record_types
from salesforce_simulator.process import OrgProcess
from tests.security.routes import ROUTES, For, Route
from tests.security.town import ADMINS, AGENTS, Town, Visitor, open_town
from tests.services.sitting import sitting

# What asks Salesforce when nothing is known yet; another route that comes to do so belongs here.
ASKING = {
    "GET panel",
    "POST pick",
    "GET address",
    "POST address",
    "GET create",
    "POST create",
    "POST use",
    "GET find",
    "GET search",
    "GET edit_record",
    "POST edit_record",
    "GET edit_field",
    "POST edit_field",
    "GET field",
    "POST preflight",
    "GET automation_preview",
}
# The form offers what the describe has; the check says on the next page that it was not made; the
# dry runs say that they could not ask.
WITHOUT_IT = {"GET create", "POST preflight", "GET automation_preview"}
AT_ONCE = 3.0  # seconds, on a busy machine


@pytest.fixture
def town(orgs: OrgProcess, sqlite_url: str) -> Iterator[Town]:
    """A tenth of every waiting time; three may wait."""
    with open_town(
        orgs,
        sqlite_url,
        KEEPING_WAITING_LIMIT=3,
        KEEPING_TIME_SCALE=0.1,
        KEEPING_PANEL_LIMIT=(1000, 1000),
    ) as opened:
        opened.settle_in()
        yield opened


def ticket(town: Town, agent_id: str) -> str:
    """An offer to use the customer's Contact, as Salesforce's duplicate rules lead to one."""
    ids, current = town.ids["acme"], town.current()
    assert current is not None
    with town.house.app.test_request_context():
        subject = ["acme", agent_id, ids.conversation, current.org_id]
        return duplicates._tickets().dumps([*subject, "Contact", ids.records["Contact"]])


def visit(town: Town, visitor: Visitor, route: Route, person: str) -> TestResponse:
    """Go there, with nothing of the customer's known yet."""
    record_types._cache.clear()
    with town.house.app.app_context(), town.state.database.write() as session:
        session.query(PanelCard).delete()
    path, form = route.filled(town.ids["acme"])
    if route.endpoint == "use":
        form["ticket"] = ticket(town, person)
    if route.endpoint == "create":
        form["sf_Email"] = "somebody@new.example"
    if route.method == "GET":
        return visitor.client.get(path, buffered=True)
    return visitor.client.post(path, data=form, headers={"X-CSRFToken": town.csrf(visitor)})


def walk(town: Town) -> Iterator[tuple[Route, str, TestResponse, float]]:
    """Every route of the map, as an agent and as an admin, and how long each took. That ROUTES is
    the whole map is test_every_route's to say."""
    for person in (AGENTS["acme"], ADMINS["acme"]):
        visitor = town.visitor(person)
        for route in ROUTES:
            if route.whom is For.ADMINS and person != ADMINS["acme"]:
                continue
            began = time.monotonic()
            answer = visit(town, visitor, route, person)
            yield route, person, answer, time.monotonic() - began


@pytest.mark.field_case("B4")
def test_every_route_takes_a_seat_before_it_asks_salesforce(town: Town) -> None:
    with sitting(town.state.concurrency, 3):
        for route, person, answer, seconds in walk(town):
            assert town.calls("acme") == [], f"{route.name} as {person} asked without a seat"
            assert seconds < AT_ONCE, route.name
            if route.name in ASKING:
                said = answer.status_code == 503 and "Try again" in answer.text
                assert said or route.name in WITHOUT_IT, (route.name, answer.status_code)


def test_with_a_seat_they_ask(town: Town) -> None:
    """The control group: the walk above comes to every call that there is."""
    asked, before = set(), Counter[str]()
    pace = town.state.rate
    for route, person, _, _ in walk(town):
        if town.calls("acme"):
            asked.add(route.name)
            steps = len(pace._seen[("acme", person)])
            assert steps > before[person], f"{route.name} took no step of the pace"
        before[person] = len(pace._seen.get(("acme", person), ()))
        town.forget_calls()
    assert asked == ASKING


@pytest.mark.field_case("B4")
def test_a_route_that_forgets_its_turn_is_given_one_at_the_door(town: Town) -> None:
    current = town.current()
    assert current is not None

    def later() -> str:
        guards.agent()
        town.state.gateways(current.id).read("Contact", town.ids["acme"].records["Contact"], ["Id"])
        return "read"

    app: Flask = town.house.app
    app._got_first_request = False  # as a plugin of tomorrow registers it
    app.add_url_rule("/salesforce/later", "keeping.later", later)
    visitor = town.visitor("gus")
    with sitting(town.state.concurrency, 3):
        assert visitor.get("/salesforce/later").status_code == 503
    assert town.calls("acme") == []
    pace = town.state.rate
    assert ("acme", "gus") not in pace._seen or not pace._seen[("acme", "gus")]
    assert visitor.get("/salesforce/later").text == "read"
    assert len(pace._seen[("acme", "gus")]) == 1


@pytest.mark.field_case("B4")
def test_a_login_that_finds_no_seat_is_not_used_up(town: Town) -> None:
    ada = town.visitor("ada")
    callback = town.consent(town.login_url(ada))
    town.forget_calls()
    with sitting(town.state.concurrency, 3):
        answer = ada.get(callback)
        assert answer.status_code == 503
        assert town.calls("acme") == []
    assert ada.get(callback).status_code == 303
    assert "Salesforce is connected again" in ada.text()


@pytest.mark.field_case("B4")
def test_ten_use_this_one_and_nine_adds_leave_the_host_alone(town: Town) -> None:
    """The reads hang, as in the field; a server with twelve threads, of which three wait."""
    app: Flask = town.house.app
    app._got_first_request = False
    app.add_url_rule("/login-page", "host_login", lambda: "log in")
    gus = town.visitor("gus")
    cookies = {"X-CSRFToken": town.csrf(gus)}
    kept = gus.client.get_cookie("session")
    assert kept is not None
    cookies["Cookie"] = f"session={kept.value}"
    use = {"ticket": ticket(town, "gus")}
    server = create_server(app, host="127.0.0.1", port=0, threads=12)
    serving = threading.Thread(target=server.run)
    serving.start()
    base = f"http://127.0.0.1:{server.effective_port}"
    town.org_of("acme").control.fault("hang", times=None, seconds=10.0)
    took: list[tuple[int, float]] = []

    def post(path: str, form: dict[str, str]) -> None:
        began = time.monotonic()
        url = f"{base}/salesforce/conversations/c-1{path}"
        said = requests.post(url, data=form, headers=cookies, allow_redirects=False, timeout=60)
        took.append((said.status_code, time.monotonic() - began))

    new = {"sf_LastName": "Typed", "sf_Email": "n@new.example"}
    people = [threading.Thread(target=post, args=("/use", use)) for _ in range(10)]
    people += [threading.Thread(target=post, args=("/new/Contact", new)) for _ in range(9)]
    try:
        for person in people:
            person.start()
        began = time.monotonic()
        assert requests.get(f"{base}/login-page", timeout=60).text == "log in"
        assert time.monotonic() - began < 2.0
        for person in people:
            person.join(60)
    finally:
        # The threads first, which wake the loop when they end; then the loop closes what it reads.
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(server.close)
        serving.join(10)
        town.org_of("acme").control.clear_faults()
    assert len(took) == 19
    assert {status for status, _ in took} == {503}
    assert len(town.calls("acme")) <= 2 * 3, "three waited, and after them at most three more"
