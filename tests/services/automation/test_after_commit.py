"""Ringing after commit, on a real session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from keeping_plugin.models import Installation, migrate
from keeping_plugin.services.automation.after_commit import ring_after_commit


class Bell:
    def __init__(self) -> None:
        self.rung: list[list[int]] = []

    def ring(self, connection_ids: Iterable[int]) -> None:
        self.rung.append(list(connection_ids))


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = create_engine(database_url)
    migrate.upgrade(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_rings_once_for_all_that_one_transaction_asked_for(session: Session, bell: Bell) -> None:
    session.execute(text("SELECT 1"))
    for connection_id in (3, 1, 3):
        ring_after_commit(session, bell.ring, connection_id)
    assert bell.rung == []
    session.commit()
    assert bell.rung == [[1, 3]]


@pytest.mark.both_databases
def test_the_next_commit_does_not_ring_again(session: Session, bell: Bell) -> None:
    ring_after_commit(session, bell.ring, 1)
    session.commit()
    session.execute(text("SELECT 1"))
    session.commit()
    assert bell.rung == [[1]]


def test_a_rollback_rings_nothing_then_or_later(session: Session, bell: Bell) -> None:
    ring_after_commit(session, bell.ring, 1)
    session.rollback()
    session.execute(text("SELECT 1"))
    session.commit()
    assert bell.rung == []


def test_a_session_closed_without_commit_rings_nothing_then_or_later(
    session: Session, bell: Bell
) -> None:
    session.execute(text("SELECT 1"))
    ring_after_commit(session, bell.ring, 1)
    session.close()
    session.execute(text("SELECT 1"))
    session.commit()
    assert bell.rung == []


def test_a_released_savepoint_rings_with_the_outermost_commit(session: Session, bell: Bell) -> None:
    with session.begin_nested():
        ring_after_commit(session, bell.ring, 1)
        with session.begin_nested():
            ring_after_commit(session, bell.ring, 2)
    assert bell.rung == []
    session.commit()
    assert bell.rung == [[1, 2]]


def test_a_savepoint_rolled_back_takes_its_ring_along(session: Session, bell: Bell) -> None:
    ring_after_commit(session, bell.ring, 1)
    savepoint = session.begin_nested()
    ring_after_commit(session, bell.ring, 2)
    savepoint.rollback()
    session.commit()
    assert bell.rung == [[1]]


def test_an_inner_savepoint_is_lost_with_the_outer_one(session: Session, bell: Bell) -> None:
    outer = session.begin_nested()
    with session.begin_nested():
        ring_after_commit(session, bell.ring, 1)
    outer.rollback()
    session.commit()
    assert bell.rung == []


def test_a_commit_with_a_savepoint_still_open_rings_for_both(session: Session, bell: Bell) -> None:
    ring_after_commit(session, bell.ring, 1)
    session.begin_nested()
    ring_after_commit(session, bell.ring, 2)
    session.get_transaction().commit()  # type: ignore[union-attr]
    assert [one for rung in bell.rung for one in rung] == [1, 2]


@pytest.mark.both_databases
def test_a_flush_between_does_not_confuse_it(session: Session, bell: Bell) -> None:
    with session.begin_nested():
        ring_after_commit(session, bell.ring, 1)
        session.get_one(Installation, 1).installation_id = "x"
        session.flush()
    session.commit()
    assert bell.rung == [[1]]


@pytest.mark.both_databases
def test_a_commit_that_fails_rings_nothing(session: Session, bell: Bell) -> None:
    ring_after_commit(session, bell.ring, 1)
    session.add(Installation(id=1, installation_id="twice"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        session.commit()
    session.rollback()
    session.commit()
    assert bell.rung == []
