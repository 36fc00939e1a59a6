"""T12: no write without its session's token, and reading changes nothing.

The tokens themselves, with and without Flask-WTF, are tried in tests/forms/test_csrf.py; here every
write route of the app's url_map is walked, whoever asks, and every GET route between two dumps of
the database. What a GET may touch: the panel's card, the addresses known to have a Contact and the
counts of API use (caches and counters), the due time of waiting entries
(tests/blueprints/panel/test_view.py), and the OAuth callback, which its state guards (T3).
"""

from __future__ import annotations

import pytest

from tests.hosts.houses import bare, furnished
from tests.security.access.test_every_route import visit
from tests.security.dumps import changed_tables, dump
from tests.security.routes import ROUTES, For
from tests.security.town import ADMINS, AGENTS, Town

CACHES_AND_COUNTERS = {"keeping_panel_card", "keeping_known_address", "keeping_api_use"}
WRITES = [route for route in ROUTES if route.method != "GET"]


@pytest.mark.parametrize("sent", [{}, {"csrf_token": ""}, {"csrf_token": "f" * 91}], ids=str)
def test_no_write_route_takes_a_request_without_its_token(town: Town, sent: dict[str, str]) -> None:
    before = dump(town)
    for person in (ADMINS["acme"], AGENTS["acme"], None):
        visitor = town.visitor(person)
        for route in WRITES:
            path, form = route.filled(town.ids["acme"])
            for headers in ({}, {"Accept": "application/json"}, {"X-Keeping-Fragment": "1"}):
                answer = visitor.client.post(path, data={**form, **sent}, headers=headers)
                assert answer.status_code == 400, (route.name, person)
    assert changed_tables(before, dump(town)) == set()
    assert town.calls("acme") == []


def test_a_token_of_another_session_opens_no_write_route(town: Town) -> None:
    visitor = town.visitor(ADMINS["acme"])
    stolen = town.csrf(town.visitor(ADMINS["other"]))
    visitor.get("/salesforce/settings/")  # has a token of its own by now
    for route in WRITES:
        path, form = route.filled(town.ids["acme"])
        for headers in ({"X-CSRFToken": stolen}, {"X-CSRFToken": stolen, "Origin": "https://evil"}):
            answer = visitor.client.post(path, data=form, headers=headers)
            assert answer.status_code == 400, route.name


def test_reading_changes_nothing_but_caches_and_counters(town: Town) -> None:
    """And a search leaves its trail."""
    before = dump(town)
    reads = [each for each in ROUTES if each.method == "GET" and each.endpoint != "oauth_callback"]
    # What is not there is denied, which is told in the audit.
    reads = [each for each in reads if each.answers != (404,)]

    def read(searches: bool) -> None:
        for route in reads:
            if (route.endpoint in {"find", "search"}) is searches:
                person = ADMINS["acme"] if route.whom is For.ADMINS else AGENTS["acme"]
                answer = visit(town, town.visitor(person), route, town.ids["acme"])
                assert answer.status_code < 400, route.name

    read(searches=False)
    assert changed_tables(before, dump(town)) <= CACHES_AND_COUNTERS
    read(searches=True)
    trail = {"keeping_search", "keeping_audit"}
    assert changed_tables(before, dump(town)) <= CACHES_AND_COUNTERS | trail
    calls = [part for call in town.calls("acme") for part in call["parts"] or [call["method"]]]
    assert calls
    assert all(part.startswith("GET") for part in calls), "and nothing is written to Salesforce"


@pytest.mark.parametrize("build", [bare, furnished], ids=["bare", "flask-wtf"])
def test_a_get_of_a_write_route_is_no_write(build: object) -> None:
    """Routes that only write take no GET, and HEAD goes no further than GET does."""
    house = build("sqlite://")  # type: ignore[operator]
    for rule in house.app.url_map.iter_rules():
        if rule.endpoint.startswith("keeping."):
            methods = set(rule.methods or ())
            assert methods <= {"GET", "HEAD", "POST", "OPTIONS"}, rule.endpoint
            assert ("GET" in methods) == ("HEAD" in methods)
    house.close()
