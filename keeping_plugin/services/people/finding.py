"""How a company lets its agents find people: for now, whether they may search the whole org.

Off until an admin says yes: with it an agent sees names, Accounts and ticked fields of records that
have nothing to do with the conversation, and opens any of them by choosing it.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from keeping_plugin.models import FindingPolicy, Pick, upsert
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.types import Agent

LISTED = 100  # choices on an admin's page


def may_search(session: Session, company_id: str) -> bool:
    """Whether agents may search Salesforce from the panel."""
    row = session.get(FindingPolicy, company_id)
    return row is not None and row.search


def allow_search(session: Session, agent: Agent, wanted: bool) -> bool:
    """Switch the search on or off; says whether that changed anything."""
    if may_search(session, agent.company_id) == wanted:
        return False
    row = {"company_id": agent.company_id, "search": wanted}
    upsert(session, FindingPolicy, row, key=("company_id",))
    audit.record_by(session, agent, Audited.SEARCH_SWITCHED, detail="on" if wanted else "off")
    return True


def choices(session: Session, connection_id: int, address: str = "") -> tuple[list[Pick], int]:
    """The latest choices of a connection whose addresses contain this text, at most LISTED, and how
    many there are."""
    mine = [Pick.connection_id == connection_id]
    if address:
        mine.append(Pick.address.contains(address, autoescape=True))
    latest = select(Pick).where(*mine).order_by(Pick.picked_at.desc()).limit(LISTED)
    count = session.scalar(select(func.count()).select_from(Pick).where(*mine)) or 0
    return list(session.scalars(latest)), count
