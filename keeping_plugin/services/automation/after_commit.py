"""Ring once a session's transaction has committed, and never for what was rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from keeping_plugin import failpoints

_INFO = "keeping_rings"


def ring_after_commit(
    session: Session, ring: Callable[[Iterable[int]], None], connection_id: int
) -> None:
    """Ring this connection when the transaction now open on the session commits.

    What was asked for inside a savepoint goes with it when that is rolled back, and waits for the
    outermost commit otherwise. All connections of one transaction are rung in one call. `ring` must
    not raise and not use the session: the commit is over by then.
    """
    rings = session.info.get(_INFO)
    if rings is None:
        rings = session.info[_INFO] = _Rings(ring)
        event.listen(session, "after_commit", rings.after_commit)
    rings.wanted.setdefault(_innermost(session), set()).add(connection_id)


class _Rings:
    """What one session is to ring. Each transaction has its own set; one that ends otherwise than
    by a commit (rollback, close) takes its set along."""

    def __init__(self, ring: Callable[[Iterable[int]], None]) -> None:
        self.ring = ring
        self.wanted: WeakKeyDictionary[SessionTransaction, set[int]] = WeakKeyDictionary()

    def after_commit(self, session: Session) -> None:
        transaction = _innermost(session)
        wanted = self.wanted.pop(transaction, set())
        parent = transaction.parent
        while parent is not None and not parent.nested and parent.parent is not None:
            parent = parent.parent  # a flush's own, which ends without telling us
        if parent is not None:
            self.wanted.setdefault(parent, set()).update(wanted)
        elif wanted:
            failpoints.reach("host.committed")
            self.ring(sorted(wanted))


def _innermost(session: Session) -> SessionTransaction:
    """The savepoint now open, else the transaction; begun here when none is."""
    found = session.get_nested_transaction() or session.get_transaction()
    return found if found is not None else session.begin()
