"""A host whose session sends reads to a follower: everything of ours happens where it writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Delete, Engine, Insert, Update, UpdateBase, create_engine, select
from sqlalchemy.orm import Session

from keeping_plugin.models import Database, Decision, SyncEntry
from keeping_plugin.models.migrate import upgrade
from keeping_plugin.services.automation.history import without_text
from keeping_plugin.services.automation.intake import message_arrived
from tests.services.delivery.house import COMPANY, House

pytestmark = pytest.mark.field_case("D10")

# As hosts tell a write: SQLAlchemy's own recipe, and what others make of it.
WRITES: dict[str, Callable[[Any], bool]] = {
    "the recipe": lambda clause: isinstance(clause, Update | Delete),
    "inserts, too": lambda clause: isinstance(clause, Insert | Update | Delete),
    "any of them": lambda clause: isinstance(clause, UpdateBase),
}


class RoutingSession(Session):
    """Writes go to the leader, reads to a follower that is behind."""

    leader: Engine
    follower: Engine
    is_write: Callable[[Any], bool]

    def get_bind(self, mapper: Any = None, *, clause: Any = None, **_: Any) -> Engine:  # type: ignore[override]
        return self.leader if self._flushing or self.is_write(clause) else self.follower


@pytest.fixture
def follower(tmp_path: Path) -> Engine:
    """It has our tables, and nothing of what was written lately."""
    engine = create_engine(f"sqlite:///{tmp_path / 'follower.db'}")
    upgrade(engine)
    return engine


@pytest.mark.parametrize("rule", WRITES)
def test_what_a_message_calls_for_is_written_to_the_leader(
    sqlite_url: str, follower: Engine, rule: str
) -> None:
    leader = create_engine(sqlite_url)
    upgrade(leader)
    house = House(Database(lambda: leader))
    house.add_mail("m1")
    message = without_text(house.desk.company(COMPANY).messages["m1"])
    intake = house.runtime
    with RoutingSession() as host:
        host.leader, host.follower, host.is_write = leader, follower, WRITES[rule]
        assert message_arrived(intake, host, message) == house.connection_id
        host.commit()
    assert len(house.entries()) == 2
    with Session(follower) as session:
        assert not session.scalars(select(Decision)).all()
        assert not session.scalars(select(SyncEntry)).all()
    assert house.queue.take()[0] == [house.connection_id]
