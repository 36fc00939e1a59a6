"""Which Salesforce user each agent is, as an admin reads it: doubts and gaps first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from keeping_plugin.models import AgentUser
from keeping_plugin.services.people.agents import SETTLED, counts

PAGE = 50  # agents


@dataclass(frozen=True, slots=True)
class AgentList:
    """A page of them; `unsettled` counts all doubts and gaps among all `total`."""

    lines: Sequence[AgentUser]
    total: int
    unsettled: int
    page: int

    @property
    def more(self) -> bool:
        """Whether another page follows."""
        return self.total > self.page * PAGE


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
    ).all()
    return AgentList(rows, total, unsettled, page)
