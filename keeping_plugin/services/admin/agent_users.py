"""Which Salesforce user each agent is, as an admin reads it: doubts and gaps first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from keeping_plugin.models import AgentUser
from keeping_plugin.services.people.agents import SETTLED, Match
from keeping_plugin.types import UserFound

PAGE = 50  # agents


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent; `candidates` are the users who have their address, if there are several."""

    id: str
    name: str
    email: str
    user_id: str
    user_name: str
    match: Match
    set_by_admin: bool
    candidates: tuple[UserFound, ...]


@dataclass(frozen=True, slots=True)
class AgentList:
    """A page of them; `unsettled` counts all doubts and gaps among all `total`."""

    lines: Sequence[AgentLine]
    total: int
    unsettled: int
    page: int

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        return self.total > self.page * PAGE


def counts(session: Session, connection_id: int) -> tuple[int, int]:
    """How many agents are known, and how many of them are doubts or gaps. One statement."""
    unsettled = func.count().filter(AgentUser.found.not_in(SETTLED))
    total, open_ = session.execute(
        select(func.count(), unsettled).where(AgentUser.connection_id == connection_id)
    ).one()
    return total, open_


def listing(session: Session, connection_id: int, page: int = 1) -> AgentList:
    """A page of a connection's agents. Two statements."""
    total, unsettled = counts(session, connection_id)
    page = max(1, min(page, -(-total // PAGE) or 1))
    rows = session.scalars(
        select(AgentUser)
        .where(AgentUser.connection_id == connection_id)
        .order_by(
            case((AgentUser.found.in_(SETTLED), 1), else_=0),
            func.lower(AgentUser.name),
            AgentUser.agent_id,
        )
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return AgentList([_line(row) for row in rows], total, unsettled, page)


def one(session: Session, connection_id: int, agent_id: str) -> AgentLine | None:
    """This agent; None if they are not known."""
    row = session.get(AgentUser, (connection_id, agent_id))
    return None if row is None else _line(row)


def _line(row: AgentUser) -> AgentLine:
    return AgentLine(
        row.agent_id,
        row.name,
        row.email,
        row.user_id or "",
        row.user_name,
        Match(row.found),
        bool(row.set_by),
        tuple(UserFound(*each) for each in row.candidates or ()),
    )
