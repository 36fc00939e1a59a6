"""One drain per Salesforce org: the lease, and the connections that came while it was held."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from keeping_plugin.models import OrgLease, change_rows, insert_new, now
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import LEASE, LEASE_LEFT


@dataclass(slots=True)
class Lease:
    """Held by one drain. `until` is a reading of the monotonic clock, taken before the database
    wrote its own, so that we always believe it a little shorter than it is."""

    org_id: str
    owner: str
    until: float

    def start_by(self, runtime: Runtime) -> float:
        """The latest monotonic time at which a call may put its first byte on the wire."""
        return self.until - runtime.times.seconds(LEASE_LEFT)


def take_lease(
    runtime: Runtime, session: Session, *, org_id: str, connection_id: int
) -> Lease | None:
    """The org's lease, or None if it is held: the connection is then noted with its holder, who
    wakes it on release."""
    before = runtime.clock.monotonic()
    insert_new(session, OrgLease, [{"org_id": org_id, "noted": []}])
    time = now(session)
    owner = uuid.uuid4().hex
    # No lease can end later than one taken now. If one does, the clock was set back meanwhile: it
    # is cut, and whoever holds it renews it or is dead by then.
    latest = time + runtime.times.span(LEASE)
    ahead = update(OrgLease).where(OrgLease.org_id == org_id, OrgLease.until > latest)
    change_rows(session, ahead.values(until=latest))
    free: ColumnElement[bool] = OrgLease.owner.is_(None)
    if runtime.watch.may_take_over:
        free = free | (OrgLease.until < time)
    taken = update(OrgLease).where(OrgLease.org_id == org_id, free)
    if change_rows(session, taken.values(owner=owner, until=latest)):
        return Lease(org_id, owner, before + runtime.times.seconds(LEASE))
    row = session.scalars(
        select(OrgLease).where(OrgLease.org_id == org_id).with_for_update(key_share=True)
    ).one()
    if connection_id not in row.noted:
        row.noted = [*row.noted, connection_id]
    return None


def renew_lease(runtime: Runtime, session: Session, lease: Lease) -> bool:
    """A fresh 45 s, if the lease is still ours; called between calls only, never during one."""
    before = runtime.clock.monotonic()
    time = now(session)
    ours = update(OrgLease).where(
        OrgLease.org_id == lease.org_id, OrgLease.owner == lease.owner, OrgLease.until >= time
    )
    if not change_rows(session, ours.values(until=time + runtime.times.span(LEASE))):
        return False
    lease.until = before + runtime.times.seconds(LEASE)
    return True


def release_lease(session: Session, lease: Lease) -> tuple[int, ...]:
    """Let go, if it is still ours; returns the connections that were noted meanwhile."""
    row = session.scalars(
        select(OrgLease).where(OrgLease.org_id == lease.org_id).with_for_update(key_share=True)
    ).one()
    if row.owner != lease.owner:
        return ()
    noted = tuple(row.noted)
    row.owner, row.until, row.noted = None, None, []
    return noted
