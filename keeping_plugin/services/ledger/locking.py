"""The order in which rows are locked, so that no two transactions ever wait for each other.

Whoever changes several entries of a connection, or ends or describes it, locks the connection's row
first; then come the org's lease, the load of the schema, the entries, and what is known of
addresses. Claims on addresses are taken in a
transaction of their own.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from keeping_plugin.models import Connection


def lock_connection(session: Session, connection_id: int) -> None:
    """Lock the connection's row as `connection_first` does, without reading it."""
    session.execute(_LOCK, {"connection_id": connection_id})


# Kept whole: every panel and every batch asks this.
_LOCK = (
    select(Connection.id)
    .where(Connection.id == bindparam("connection_id"))
    .with_for_update(key_share=True)
)


def connection_first(session: Session, connection_id: int) -> Connection | None:
    """The connection's row, locked until the commit against everyone but the host's inserts, whose
    foreign keys only need it to stay."""
    return session.scalars(
        select(Connection)
        .where(Connection.id == connection_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
