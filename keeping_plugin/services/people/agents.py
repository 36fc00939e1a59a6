"""Which Salesforce user each agent of the inbox is: by their addresses, or as an admin says.

Salesforce is asked by the drain, when an agent appears whom it does not know, and once a day by the
describe job; never while a panel waits.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.errors import (
    KeepingError,
    PermissionDenied,
    RecordNotFound,
    RecordRejected,
    SalesforceUnavailable,
    SchemaStale,
)
from keeping_plugin.models import AgentUser, Connection, change_rows, insert_new, listed, now
from keeping_plugin.ports import Agents, SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.people import policy
from keeping_plugin.services.people.policy import Owner
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import DAY, Times
from keeping_plugin.types import Agent, UserFound

log = logging.getLogger("keeping_plugin.people")

_SANDBOX: Final = ".invalid"
MAX_AGENTS: Final = 500  # asked about in one request

_REFUSED: Final = (
    PermissionDenied,
    RecordNotFound,
    RecordRejected,
    SalesforceUnavailable,
    SchemaStale,
)


class Match(StrEnum):
    """What is known of an agent; the codes of `AgentUser.found`."""

    UNKNOWN = ""  # Salesforce was not asked yet, or refused to say
    MATCHED = "matched"
    SEVERAL = "several"
    NONE = "none"
    NO_ADDRESS = "no_address"
    CHOSEN = "chosen"  # by an admin
    INACTIVE = "inactive"  # chosen by an admin, and deactivated since
    NOBODY = "nobody"  # an admin says that they are no user


OWNS: Final = frozenset({Match.MATCHED, Match.CHOSEN})
# An agent whom an admin says to be no user is neither a doubt nor a gap.
SETTLED: Final = (*sorted(OWNS), Match.NOBODY)


def users_of(agent: Agent, users: Iterable[UserFound]) -> list[UserFound]:
    """The users with this agent's address as their email address, username or Federation ID. A
    sandbox's users have `.invalid` behind their addresses."""
    key = salesforce_key(agent.email)
    if key is None:
        return []
    plain = agent.email.strip().casefold()
    return [
        user
        for user in users
        if salesforce_key(user.email.removesuffix(_SANDBOX)) == key
        or salesforce_key(user.email) == key
        or plain in {user.username.casefold(), user.federation_id.casefold()}
    ]


def known(
    session: Session, connection_id: int, agent_ids: Collection[str]
) -> Mapping[str, AgentUser]:
    """What is kept of these agents, by their ids."""
    rows = session.scalars(
        select(AgentUser).where(
            AgentUser.connection_id == connection_id,
            AgentUser.agent_id.in_(select(listed(session, agent_ids))),
        )
    )
    return {row.agent_id: row for row in rows}


def counts(session: Session, connection_id: int) -> tuple[int, int]:
    """How many agents are known, and how many of them are doubts or gaps. One statement."""
    unsettled = func.count().filter(AgentUser.found.not_in(SETTLED))
    total, open_ = session.execute(
        select(func.count(), unsettled).where(AgentUser.connection_id == connection_id)
    ).one()
    return total, open_


def see(session: Session, connection_id: int, agents: Collection[Agent], times: Times) -> None:
    """Keep that these agents exist. One with another address is looked for again, unless an admin
    has said who they are."""
    time = now(session)
    there = known(session, connection_id, [agent.id for agent in agents])
    for agent in agents:
        row = there.get(agent.id)
        if row is None or _is_current(row, agent, time, times):
            continue
        if not row.set_by and row.email != _kept(agent.email):
            row.found, row.checked_at, row.user_id, row.user_name = Match.UNKNOWN, None, None, ""
        row.name, row.email, row.seen_at = agent.name[:255], _kept(agent.email), time
    new = [
        {
            "connection_id": connection_id,
            "agent_id": agent.id,
            "name": agent.name[:255],
            "email": _kept(agent.email),
            "user_name": "",
            "found": Match.UNKNOWN,
            "set_by": "",
            "seen_at": time,
        }
        for agent in {agent.id: agent for agent in agents}.values()
        if agent.id not in there
    ]
    insert_new(session, AgentUser, new)


def is_known(row: AgentUser | None, agent: Agent, time: datetime, times: Times) -> bool:
    """Whether nothing is to be written or asked about this agent today."""
    return row is not None and row.checked_at is not None and _is_current(row, agent, time, times)


def _is_current(row: AgentUser, agent: Agent, time: datetime, times: Times) -> bool:
    same = (row.name, row.email) == (agent.name[:255], _kept(agent.email))
    return same and row.seen_at > time - times.span(DAY)


def _kept(email: str) -> str:
    return email.strip()[:320]


def look_up(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection_id: int,
    agent_ids: Collection[str] | None = None,
) -> int:
    """Ask Salesforce about the agents (all, or these) of whom it was not asked within a day: one
    request for 500. Returns how many. Raises what keeps every answer away; if Salesforce refuses to
    tell of users, they stay unknown until tomorrow."""
    with runtime.database.read() as session:
        time = now(session)
        query = select(AgentUser).where(
            AgentUser.connection_id == connection_id,
            or_(
                AgentUser.checked_at.is_(None),
                AgentUser.checked_at < time - runtime.times.span(DAY),
            ),
        )
        if agent_ids is not None:
            query = query.where(AgentUser.agent_id.in_(select(listed(session, agent_ids))))
        rows = session.scalars(query.order_by(AgentUser.agent_id)).all()
    for start in range(0, len(rows), MAX_AGENTS):
        _ask(runtime, gateway, connection_id, rows[start : start + MAX_AGENTS])
    return len(rows)


def _ask(
    runtime: Runtime, gateway: SalesforceGateway, connection_id: int, rows: Sequence[AgentUser]
) -> None:
    addresses = [row.email for row in rows if not row.set_by and salesforce_key(row.email)]
    chosen = [row.user_id for row in rows if row.set_by and row.user_id]
    found: Sequence[UserFound] | None = ()
    if addresses or chosen:
        try:
            found = gateway.users(addresses, chosen)
        except _REFUSED as error:
            # A question that is too slow for the org counts as refused: mail is delivered all the
            # same. Any other outage meets the next call, too.
            if isinstance(error, SalesforceUnavailable) and "QUERY_TIMEOUT" not in error.codes:
                raise
            log.warning("agents_unreadable code=%s", error.code)
            found = None
    with runtime.database.write() as session:
        time = now(session)
        for row in rows:
            values = {} if found is None else _answer(row, found)
            same = update(AgentUser).where(
                AgentUser.connection_id == connection_id,
                AgentUser.agent_id == row.agent_id,
                AgentUser.set_by == row.set_by,  # an admin may have chosen meanwhile
                AgentUser.email == row.email,
            )
            change_rows(session, same.values(checked_at=time, **values))


def _answer(row: AgentUser, users: Sequence[UserFound]) -> dict[str, Any]:
    if row.set_by:
        if row.user_id is None:
            return {}
        active = any(user.id[:15] == row.user_id[:15] for user in users)
        return {"found": Match.CHOSEN if active else Match.INACTIVE}
    if not salesforce_key(row.email):
        return {"found": Match.NO_ADDRESS, "user_id": None, "user_name": "", "candidates": None}
    hits = users_of(Agent(row.agent_id, "", row.name, email=row.email), users)
    if len(hits) == 1:
        [user] = hits
        name = user.name[:255]
        return {
            "found": Match.MATCHED, "user_id": user.id, "user_name": name, "candidates": None,
        }  # fmt: skip
    several = [[user.id, user.name, user.username] for user in hits[:10]]
    return {
        "found": Match.SEVERAL if hits else Match.NONE,
        "user_id": None,
        "user_name": "",
        "candidates": several or None,
    }


def host_agents(runtime: Runtime, company_id: str) -> Sequence[Agent]:
    """The company's agents as the host lists them; none if it has no such list."""
    helpdesk = runtime.helpdesk
    if not callable(getattr(helpdesk, "agents", None)):
        return ()
    try:
        listed_agents = cast(Agents, helpdesk).agents(company_id)
        return [agent for agent in listed_agents if agent.company_id == company_id]
    finally:
        runtime.end_host_transaction()


def refresh(runtime: Runtime, gateway: SalesforceGateway, connection: Connection) -> int:
    """Take over the host's list of agents, and ask about those of whom Salesforce was not asked
    within a day. Returns of how many it was."""
    agents = host_agents(runtime, connection.company_id)
    if agents:
        with runtime.database.write() as session:
            see(session, connection.id, agents, runtime.times)
    return look_up(runtime, gateway, connection.id)


def check_again(
    runtime: Runtime, agent: Agent, gateway: SalesforceGateway, connection: Connection
) -> int:
    """As `refresh`, about all agents, however lately Salesforce was asked, for an admin."""
    with runtime.database.write() as session:
        audit.record_by(session, agent, Audited.AGENTS_CHECKED, connection_id=connection.id)
        session.execute(
            update(AgentUser)
            .where(AgentUser.connection_id == connection.id)
            .values(checked_at=None)
        )
    return refresh(runtime, gateway, connection)


def refresh_daily(runtime: Runtime, connection_id: int) -> None:
    """What the describe job does for the choice of owners, where there is one; nothing is asked
    within a day of the last time. What Salesforce does not answer is asked again with the next
    describe."""
    with runtime.database.read() as session:
        connection = session.get(Connection, connection_id)
        if connection is None or not connection.current:
            return
        choices = policy.load(session, connection.company_id)
    if Owner.AGENT not in choices.values_of("owner"):
        return
    try:
        with runtime.gateway(connection_id, Feature.SCHEMA) as gateway:
            refresh(runtime, gateway, connection)
    except KeepingError as error:
        log.warning("agents_unanswered code=%s", error.code)


def choose(
    session: Session,
    agent: Agent,
    connection_id: int,
    agent_id: str,
    user: UserFound | None,
) -> bool:
    """An admin says which user an agent is; None: none. False if the agent is not known."""
    return _set(
        session,
        agent,
        connection_id,
        agent_id,
        user_id=user.id if user else None,
        user_name=user.name[:255] if user else "",
        found=Match.CHOSEN if user else Match.NOBODY,
        set_by=agent.id,
        checked_at=now(session),
    )


def match_again(session: Session, agent: Agent, connection_id: int, agent_id: str) -> bool:
    """Let the addresses tell again who an agent is; False if the agent is not known."""
    return _set(
        session,
        agent,
        connection_id,
        agent_id,
        user_id=None,
        user_name="",
        found=Match.UNKNOWN,
        set_by="",
        checked_at=None,
    )


def _set(session: Session, agent: Agent, connection_id: int, agent_id: str, **values: Any) -> bool:
    row = update(AgentUser).where(
        AgentUser.connection_id == connection_id, AgentUser.agent_id == agent_id
    )
    if not change_rows(session, row.values(candidates=None, **values)):
        return False
    audit.record_by(
        session,
        agent,
        Audited.AGENT_MATCHED,
        connection_id=connection_id,
        object="User",
        record_id=values["user_id"] or "",
        detail=agent_id,
    )
    return True
