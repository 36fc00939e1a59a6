"""Giving a grant back to Salesforce: at once, else again and again for a day, then it is erased."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import update

from keeping_plugin.errors import KeepingError, NotReady
from keeping_plugin.models import Connection, Revocation, now
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.connection import grants
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CALL, PAUSES

PENDING, DONE, GIVEN_UP = "pending", "done", "given_up"


def revoke(runtime: Runtime, revocation_id: int) -> None:
    """Try once. Success and the end of its time erase the grant; anything else leaves a due time.

    Does nothing when the row is settled, unknown, or in another process's hands.
    """
    with runtime.database.write() as session:
        at = now(session)
        blob = session.scalar(
            update(Revocation)
            .where(Revocation.id == revocation_id, Revocation.due_at <= at)
            # While this try runs it is due nowhere else; one that was killed is tried again.
            .values(attempts=Revocation.attempts + 1, due_at=at + runtime.times.span(2 * CALL))
            .returning(Revocation.tokens)
        )
        row = session.get(Revocation, revocation_id)
        connection = session.get(Connection, row.connection_id) if row else None
    if blob is None or row is None or connection is None:
        return
    if row.try_until <= at:
        _settle(runtime, row, connection, state=GIVEN_UP)
        return
    try:
        tokens = grants.unseal(
            runtime.vault, blob, company_id=connection.company_id, org_id=connection.org_id
        )
        runtime.oauth.revoke(tokens.login_url, tokens.refresh_token or tokens.access_token)
    except NotReady as error:
        _later(runtime, row, reason=error.code)
        raise
    except KeepingError as error:
        _later(runtime, row, reason=error.code)
    else:
        _settle(runtime, row, connection, state=DONE)


def _later(runtime: Runtime, row: Revocation, *, reason: str) -> None:
    pause = PAUSES[min(row.attempts, len(PAUSES)) - 1]
    with runtime.database.write() as session:
        due: datetime = now(session) + runtime.times.span(pause)
        session.execute(
            update(Revocation)
            .where(Revocation.id == row.id, Revocation.state == PENDING)
            # The last try is no later than its end, so that the copy is erased in time.
            .values(due_at=min(due, row.try_until + timedelta(milliseconds=1)), reason=reason)
        )


def _settle(runtime: Runtime, row: Revocation, connection: Connection, *, state: str) -> None:
    with runtime.database.write() as session:
        changed = session.scalar(
            update(Revocation)
            .where(Revocation.id == row.id, Revocation.state == PENDING)
            .values(state=state, tokens=None, due_at=None)
            .returning(Revocation.id)
        )
        if changed is not None:
            audit.record(
                session,
                Audited.REVOKED if state == DONE else Audited.REVOKE_GIVEN_UP,
                company_id=connection.company_id,
                connection_id=connection.id,
            )
