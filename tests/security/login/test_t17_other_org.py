"""T17: after a reconnect to another org nothing of the one before is used, sent or shown.

What confirming does row by row is tested in tests/services/connection/test_connect.py; that an
admin is asked first, in test_t03_oauth_callback.py. Here the whole way, with a real worker.
"""

from __future__ import annotations

from sqlalchemy import select, update

from keeping_plugin.models import EntryState, Pick, SchemaDocument, SyncEntry, now
from keeping_plugin.services.connection import grants
from tests.security.access.test_every_route import visit
from tests.security.routes import ROUTES
from tests.security.town import Town


def test_ids_of_the_org_before_are_never_used_in_the_next(working_town: Town) -> None:
    """Picks, schemas and entries of the old org stay behind, whoever asks for them."""
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
