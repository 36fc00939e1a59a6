"""T3: a callback that is foreign, old, used or made up connects nothing.

tests/blueprints/settings/test_oauth.py tries the states that can be typed, expiry, replay, a
demoted admin and a PKCE verifier of another login; tests/salesforce/test_oauth.py the tokens'
signature. Here each thing a state is bound to is changed alone, all else being right, and callbacks
race.
"""

from __future__ import annotations

import base64
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from keeping_plugin.models import AuditRecord, Connection, OAuthAttempt
from keeping_plugin.services.connection import grants
from keeping_plugin.types import Agent
from tests.blueprints.admin_side import SETTINGS, AdminSide, Visitor
from tests.hosts.desk import ADMIN, PEOPLE


def stored(side: AdminSide) -> tuple[int, int]:
    """How many connections there are, and how many audit rows."""
    with side.house.app.app_context(), side.state.database.read() as session:
        return tuple(  # type: ignore[return-value]
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Connection, AuditRecord)
        )


@pytest.mark.parametrize(
    "changed", ["agent", "company", "session", "registration", "issuer", "nothing"]
)
def test_each_thing_a_state_is_bound_to_counts(
    side: AdminSide, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    if changed == "agent":  # another admin of the same company, in the very same browser session
        monkeypatch.setitem(PEOPLE, "ada", replace(ADMIN, id="ann"))
    elif changed == "company":
        monkeypatch.setitem(PEOPLE, "ada", Agent("ada", "other", "Ada", is_admin=True))
    elif changed == "session":
        with ada.client.session_transaction() as session:
            session["keeping_login"] = "another"
    elif changed == "registration":  # the operator has put another app's key in meanwhile
        state = side.state
        side.house.app.extensions["keeping"] = replace(
            state, config=replace(state.config, salesforce_client_id="another app")
        )
    elif changed == "issuer":  # or other login hosts, which the code would then be sent to
        state = side.state
        side.house.app.extensions["keeping"] = replace(
            state,
            config=replace(
                state.config, salesforce_login_urls=state.config.salesforce_login_urls[::-1]
            ),
        )
    answer = ada.get(callback)
    assert answer.status_code == (303 if changed == "nothing" else 400)
    assert stored(side) == ((1, 1) if changed == "nothing" else (0, 0))


def test_of_two_callbacks_at_once_one_wins(side: AdminSide) -> None:
    ada = side.visitor()
    callback = side.consent(side.login_url(ada))
    with ada.client.session_transaction() as session:
        kept = dict(session)
    browsers = []
    for _ in range(4):  # four tabs of one browser
        client = side.house.app.test_client()
        with client.session_transaction() as session:
            session.update(kept)
        browsers.append(client)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda client: client.get(callback).status_code, browsers))
    assert sorted(answers) == [303, 400, 400, 400]
    assert stored(side) == (1, 1)


def test_no_cookie_and_no_page_holds_the_verifier_or_a_token(side: AdminSide) -> None:
    """Neither on the way out nor after it."""
    ada = side.visitor()
    url = side.login_url(ada)
    with side.house.app.app_context(), side.state.database.read() as session:
        attempt = session.scalars(select(OAuthAttempt)).one()
    verifier = str(side.state.vault.open(attempt.data, company="acme", org="login")["value"])
    verifier = verifier.split('"verifier": "')[1].split('"')[0]
    said = [cookie_text(ada), url]
    ada.get(side.consent(url))
    row = side.current()
    assert row is not None
    assert row.tokens is not None
    tokens = grants.unseal(side.state.vault, row.tokens, company_id="acme", org_id=row.org_id)
    said += [cookie_text(ada), ada.get(SETTINGS).text]
    for secret in (verifier, tokens.access_token, str(tokens.refresh_token)):
        assert len(secret) > 20
        assert all(secret not in text for text in said)


def cookie_text(visitor: Visitor) -> str:
    """Every cookie, as it stands and as Flask's sessions are read by anybody."""
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    value = cookie.value
    body = value.lstrip(".").split(".")[0]
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return value + (zlib.decompress(raw) if value.startswith(".") else raw).decode()


def test_reconnecting_to_another_org_asks_before_anything_runs(side: AdminSide) -> None:
    """An attacker's org put in the place of the company's is shown by name and does nothing."""
    ada = side.connect()
    side.connect(ada, org=side.orgs.sandbox, described=False)
    side.orgs.sandbox.control.reset_log()
    current = side.current()
    assert current is not None
    assert current.org_id == side.orgs.production.organization_id
    gus = side.visitor("gus")
    assert gus.get("/salesforce/conversations/c-1").status_code == 200
    assert side.orgs.sandbox.control.log() == []
    waiting = [row for row in side.connections() if not row.confirmed]
    assert [row.org_id for row in waiting] == [side.orgs.sandbox.organization_id]
