"""T16: what is left after Disconnect.

The transaction itself, the revocation's retries and their end are tested in
tests/services/connection/test_connect.py and test_revocation.py, racing workers in tests/faults.
Here the whole way, with a real worker: nothing that remains opens or touches the org that was left.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from keeping_plugin.models import (
    Connection,
    PanelCard,
    Revocation,
    SyncEntry,
    now,
)
from keeping_plugin.types import Tokens
from tests.security.access.test_every_route import visit
from tests.security.dumps import dump
from tests.security.routes import ROUTES
from tests.security.town import ADMINS, AGENTS, Town

SETTINGS = "/salesforce/settings/"


def disconnect(town: Town) -> Tokens:
    """Disconnect acme; the grant it had."""
    tokens = town.tokens("acme")
    assert town.visitor().post(f"{SETTINGS}disconnect").status_code == 303
    return tokens


def test_after_disconnect_no_token_is_left_and_no_data_call_starts(working_town: Town) -> None:
    town = working_town
    row = town.current("acme")
    assert row is not None
    town.visitor("gus").get("/salesforce/conversations/c-1")  # a card, which goes as well
    town.arrive("acme", town.desk.companies["acme"].conversations["c-1"], number=2)
    tokens = disconnect(town)
    assert town.current("acme") is None
    with town.house.app.app_context(), town.state.database.read() as session:
        left = session.get_one(Connection, row.id)
        assert (left.tokens, left.epoch) == (None, row.epoch + 1)
        assert session.scalar(select(func.count()).select_from(PanelCard)) == 0
        states = session.scalars(
            select(SyncEntry.state).where(
                SyncEntry.company_id == "acme", SyncEntry.state.not_in(("failed", "cancelled"))
            )
        ).all()
        assert states == []
    town.work()  # the revocation, and rings that came before
    paths = {call["path"] for call in town.calls("acme")}
    assert "/services/oauth2/revoke" in paths
    assert town.orgs.production.control.tokens()["refresh_tokens"] == 0
    with town.house.app.app_context(), town.state.database.read() as session:
        (revocation,) = session.scalars(select(Revocation)).all()
        assert (revocation.state, revocation.tokens) == ("done", None)
    town.forget_calls()
    for person in (AGENTS["acme"], ADMINS["acme"]):
        for route in ROUTES:
            visit(town, town.visitor(person), route, town.ids["acme"])
    for job in ("drain", "describe", "revoke", "backfill"):
        town.state.queue.enqueue(job, row.id)
    town.work()
    assert town.calls("acme") == []
    text = "\n".join(dump(town))
    assert tokens.access_token not in text


def test_a_grant_that_cannot_be_given_back_is_erased_after_a_day(working_town: Town) -> None:
    """The sealed copy opens for the revocation alone, and not for ever."""
    town = working_town
    control = town.orgs.production.control
    fault = control.fault("unavailable_html", times=None, scope={"path": "/services/oauth2/revoke"})
    disconnect(town)
    town.work()
    with town.house.app.app_context(), town.state.database.write() as session:
        (revocation,) = session.scalars(select(Revocation)).all()
        assert revocation.state == "pending"
        assert revocation.tokens is not None
        assert revocation.try_until - now(session) <= timedelta(hours=24)
        past = now(session) - timedelta(seconds=1)
        session.execute(update(Revocation).values(try_until=past, due_at=past))
    town.state.queue.enqueue("revoke", revocation.id)
    town.work()
    with town.house.app.app_context(), town.state.database.read() as session:
        (revocation,) = session.scalars(select(Revocation)).all()
    assert (revocation.state, revocation.tokens) == ("given_up", None)
    assert [row.action for row in town.audited("acme")][-1] == "grant_revoke_given_up"
    control.clear_faults(fault)
