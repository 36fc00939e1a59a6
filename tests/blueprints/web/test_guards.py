"""T8, T9, T11, T12: only admins, only their own company, only with a token, only in private."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import pytest
from flask import Flask

from keeping_plugin.blueprints.routes import ROUTES as TABLE
from keeping_plugin.blueprints.web.guards import ROW_ID
from tests.blueprints.admin_side import SETTINGS, AdminSide
from tests.hosts.houses import furnished

# Every route of the admin's side, with arguments that exist; (method, path).
_ARGUMENTS = {"<object>": "Contact", f"<{ROW_ID}:run_id>": "1"}
ROUTES = [
    (
        method,
        "/salesforce" + reduce(lambda text, pair: text.replace(*pair), _ARGUMENTS.items(), rule),
    )
    for rule, endpoint, _, methods in TABLE
    for method in methods
    # The window's last page holds nothing of anybody's.
    if rule.startswith(("/settings/", "/oauth/")) and endpoint != "oauth_done"
]
POSTS = [path for method, path in ROUTES if method == "POST"]
GETS = [path for method, path in ROUTES if method == "GET"]


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    house = furnished("sqlite://")
    yield house.app
    house.close()


def rules(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method in {"GET", "POST"} and rule.rule.startswith((SETTINGS, "/salesforce/oauth"))
    }


def test_no_route_of_the_admins_side_is_forgotten_here(app: Flask) -> None:
    assert rules(app) - {("GET", "/salesforce/oauth/done")} == {
        (method, reduce(lambda text, pair: text.replace(*pair[::-1]), _ARGUMENTS.items(), path))
        for method, path in ROUTES
    }


def test_agents_reach_none_of_it_and_nobody_is_asked_to_log_in(side: AdminSide) -> None:
    side.connect()
    before = side.current()
    for agent_id, status in (("gus", 403), (None, 401)):
        visitor = side.visitor(agent_id)
        for method, path in ROUTES:
            # A token of his own, so that it is not the token that refuses him.
            with visitor.client.session_transaction() as session:
                session["csrf"] = "f" * 40
            token = token_of(side, "f" * 40)
            data = {"csrf_token": token} if method == "POST" else None
            answer = visitor.client.open(path, method=method, data=data)
            assert answer.status_code == status, (method, path)
            assert "admin@example.com" not in answer.text
    after = side.current()
    assert before is not None
    assert after is not None
    assert (after.tokens, after.epoch, after.preflight) == (
        before.tokens,
        before.epoch,
        before.preflight,
    )


def token_of(side: AdminSide, secret: str) -> str:
    from flask import session

    from keeping_plugin.forms import csrf

    with side.house.app.test_request_context():
        session["csrf"] = secret
        return csrf.token()


def test_another_companys_admin_sees_and_changes_only_his_own(side: AdminSide) -> None:
    side.connect()
    before = side.current()
    assert before is not None
    eve = side.visitor("eve")
    for method, path in ROUTES:
        answer = eve.get(path) if method == "GET" else eve.post(path)
        assert answer.status_code < 500, (method, path)
        for secret in ("Example Outdoor Company", "admin@example.com"):
            assert secret not in answer.text, (method, path)
    assert eve.post(f"{SETTINGS}disconnect").location == SETTINGS
    assert eve.get(f"{SETTINGS}automation?mailbox=support").status_code == 404
    assert eve.post(f"{SETTINGS}automation?mailbox=support").status_code == 404
    after = side.current()
    assert after is not None
    assert (after.status, after.tokens, after.epoch) == (before.status, before.tokens, 1)


@pytest.mark.parametrize("sent", [None, "", "wrong", "##", "20300101000000##" + "0" * 40])
def test_no_write_goes_without_the_sessions_token(side: AdminSide, sent: str | None) -> None:
    ada = side.visitor()
    side.connect(ada, described=False)
    before = side.current()
    for path in POSTS:
        data = {} if sent is None else {"csrf_token": sent}
        answer = ada.client.post(path, data=data)
        assert answer.status_code == 400, path
        assert "nothing was changed" in answer.text
    after = side.current()
    assert before is not None
    assert after is not None
    assert (after.tokens, after.current) == (before.tokens, True)


def test_a_token_of_another_session_is_none(side: AdminSide) -> None:
    foreign = side.visitor("eve").token()
    ada = side.visitor()
    ada.get(SETTINGS)
    answer = ada.client.post(f"{SETTINGS}connect", data={"csrf_token": foreign})
    assert answer.status_code == 400


def test_the_token_may_come_in_a_header(side: AdminSide) -> None:
    ada = side.visitor()
    headers = {"X-CSRFToken": ada.token()}
    assert ada.client.post(f"{SETTINGS}connect", headers=headers).status_code == 303


def test_every_answer_carries_the_headers_that_keep_it_private(side: AdminSide) -> None:
    ada = side.connect()
    gus = side.visitor("gus")
    pages = [*GETS, "/salesforce/oauth/done", f"{SETTINGS}fields/Nothing"]
    answers = [ada.client.get(path) for path in pages] + [gus.client.get(path) for path in pages]
    answers += [ada.client.post(path) for path in POSTS]
    for answer in answers:
        headers = answer.headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_policy_of_the_hosts_own_is_left_alone(side: AdminSide) -> None:
    @side.house.app.after_request
    def own(response):  # type: ignore[no-untyped-def]
        response.headers["Content-Security-Policy"] = "default-src 'self' cdn.example.com"
        return response

    headers = side.visitor().get(SETTINGS).headers
    assert headers.getlist("Content-Security-Policy") == ["default-src 'self' cdn.example.com"]


def test_reading_changes_nothing(side: AdminSide) -> None:
    ada = side.connect()
    side.orgs.production.control.reset_log()
    before = side.current()
    for path in GETS:
        if "callback" not in path:
            ada.get(path)
    after = side.current()
    assert before is not None
    assert after is not None
    assert (after.tokens, after.epoch, after.preflight) == (
        before.tokens,
        before.epoch,
        before.preflight,
    )
    assert side.orgs.production.control.log() == []  # and Salesforce is not asked


def test_no_page_holds_script_or_style_of_its_own(side: AdminSide) -> None:
    ada = side.connect()
    for path in (SETTINGS, *GETS):
        text = ada.get(path).text.lower()
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "javascript:" not in text
        assert "<script>" not in text
