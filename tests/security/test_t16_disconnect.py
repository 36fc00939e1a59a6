"""T16 and T17: what is left after Disconnect, and after a reconnect to another org.

The transaction itself, the revocation's retries and their end are tested in
tests/services/test_connection.py and test_revocation.py, racing workers in tests/faults. Here the
whole way, with a real worker: nothing that remains opens or touches the org that was left.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from keeping_plugin.models import (
    Connection,
    EntryState,
    PanelCard,
    Pick,
    Revocation,
    SchemaDocument,
    SyncEntry,
    now,
)
from keeping_plugin.services import grants
from keeping_plugin.types import Tokens
from tests.security.dumps import dump
from tests.security.routes import ROUTES
from tests.security.test_every_route import visit
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


def test_ids_of_the_org_before_are_never_used_in_the_next(working_town: Town) -> None:
    """T17: picks, schemas and entries of the old org stay behind, whoever asks for them."""
    town = working_town
    town.work()
    old = town.current("acme")
    assert old is not None
    ids = town.ids["acme"]
    twin = town.orgs.production.control.create("Contact", LastName="Twin", Email=ids.customer.email)
    gus = town.visitor("gus")
    gus.get("/salesforce/conversations/c-1")
    token = {"X-CSRFToken": town.csrf(gus)}
    picked = gus.client.post(
        "/salesforce/conversations/c-1/pick", data={"record": f"Contact/{twin}"}, headers=token
    )
    assert picked.status_code == 303
    with town.house.app.app_context(), town.state.database.write() as session:
        session.execute(
            update(SyncEntry)
            .where(SyncEntry.connection_id == old.id)
            .values(
                state=EntryState.SENDING,
                sent_at=now(session),
                sent_user_id=old.user_id,
                sent_epoch=old.epoch,
                due_at=now(session),
            )
        )
    ada = town.visitor()
    town.connect(ada, org=town.orgs.sandbox, described=False)
    assert "different org" in ada.text()
    town.confirm(ada, "acme")
    new = town.current("acme")
    assert new is not None
    assert new.id != old.id
    town.work()
    with town.house.app.app_context(), town.state.database.read() as session:
        for table in (Pick, SchemaDocument):
            rows = session.scalars(select(table.connection_id).distinct()).all()
            assert old.id not in rows, table
        entry = session.get_one(SyncEntry, ids.entry)
        assert (entry.state, entry.reason) == ("failed", "outcome_unknown")
        assert entry.connection_id == old.id
    town.forget_calls()
    for route in ROUTES:
        if route.endpoint not in ("disconnect", "connect", "confirm"):
            visit(town, gus, route, ids)
    retried = gus.client.post(f"/salesforce/conversations/c-1/log/{ids.entry}/retry", headers=token)
    assert retried.status_code >= 400, "Try again is for the live connection alone"
    town.work()
    assert town.calls("acme") == [], "the org that was left hears nothing more"
    spoken = "\n".join(f"{call['path']} {call['parts']}" for call in town.calls("other"))
    for record in (*ids.records.values(), twin):
        assert record[:15] not in spoken
    with_grant = grants.unseal(
        town.state.vault, new.tokens or b"", company_id="acme", org_id=new.org_id
    )
    assert with_grant.instance_url == town.orgs.sandbox.base_url
