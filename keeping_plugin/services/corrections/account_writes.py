"""Accounts written on Contacts: each is committed before its call leaves, and what became of it
after that; a call without an answer is looked up once it cannot be under way any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import NotConnected, OutcomeUnclear, SalesforceError
from keeping_plugin.models import (
    Connection,
    ConnectionStatus,
    Repair,
    RepairState,
    now,
    upsert,
)
from keeping_plugin.objects import CONTACT, TO_ACCOUNT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import SETTLE
from keeping_plugin.types import Agent

PAGE: Final = 200  # people at a time: one collection, and one query
UNCLEAR: Final = (RepairState.SENT, RepairState.REMOVING)
_WORDS: Final = 255


@dataclass(frozen=True, slots=True)
class RepairOutcome:
    """What became of a page's people: `left` had an Account by now, or another one is proposed by
    now, or are gone. `unclear`: no answer came, the next look tells."""

    done: int = 0
    refused: int = 0
    left: int = 0
    unclear: int = 0


def accounts_of(gateway: SalesforceGateway, ids: Sequence[str]) -> dict[str, str]:
    """The Account of each Contact that exists, "" for none."""
    if not ids:
        return {}
    found = gateway.read_many(CONTACT.name, ids, [TO_ACCOUNT])
    return {key: str(one.fields[TO_ACCOUNT] or "") for key, one in found.items()}


def settle_unclear(runtime: Runtime, gateway: SalesforceGateway, connection_id: int) -> set[str]:
    """Rows whose call had no answer: what stands in Salesforce is what became of them. Returns the
    Contacts for which Salesforce may still be at it."""
    with runtime.database.read() as session:
        rows = session.scalars(
            select(Repair)
            .where(Repair.connection_id == connection_id, Repair.state.in_(UNCLEAR))
            .order_by(Repair.at)
            .limit(PAGE)
        ).all()
        settled = now(session) - runtime.times.span(SETTLE)
    ripe = [row for row in rows if row.at <= settled]
    found = accounts_of(gateway, [row.contact_id for row in ripe])
    with runtime.database.write() as session:
        for row in ripe:
            there = found.get(row.contact_id) == row.account_id
            after = RepairState.ATTACHED if there else RepairState.TAKEN_BACK
            set_state(session, connection_id, {row.contact_id}, after, detail="")
            if not row.detail and there is (row.state == RepairState.SENT):
                # Whoever wrote it died before they could say so.
                agent = Agent(
                    row.agent_id, session.get_one(Connection, connection_id).company_id, ""
                )
                _note(session, agent, connection_id, row.contact_id, _DONE[row.state])
    return {row.contact_id for row in rows} - {row.contact_id for row in ripe}


def write(
    runtime: Runtime,
    agent: Agent,
    gateway: SalesforceGateway,
    connection: Connection,
    account_ids: Mapping[str, str],
    state: RepairState,
) -> RepairOutcome:
    """Commit what is about to be written (Accounts by Contact), write it, and commit what became of
    it. Raises NotConnected, and what the gateway raises when nothing was written."""
    if not account_ids:
        return RepairOutcome()
    attaching = state is RepairState.SENT
    with runtime.database.write() as session:
        current = connection_first(session, connection.id)
        if current is None or not _is_same(current, connection):
            raise NotConnected("Salesforce is no longer connected.")
        time = now(session)
        for contact_id, account_id in account_ids.items():
            row = {
                "connection_id": connection.id,
                "contact_id": contact_id,
                "account_id": account_id,
                "agent_id": agent.id,
                "at": time,
                "state": state,
                "detail": "",
            }
            upsert(session, Repair, row, key=("connection_id", "contact_id"))
    values = {
        key: {TO_ACCOUNT: account_id if attaching else None}
        for key, account_id in account_ids.items()
    }
    told: Mapping[str, SalesforceError | None]
    try:
        told = gateway.update_many(CONTACT.name, values)
    except OutcomeUnclear as error:
        told = dict.fromkeys(values, error)
    except SalesforceError:  # nothing was written, and nobody said no to any of them
        with runtime.database.write() as session:
            back = RepairState.TAKEN_BACK if attaching else RepairState.ATTACHED
            set_state(session, connection.id, values, back)
        raise
    done = {key for key, answer in told.items() if answer is None}
    unclear = {key for key, answer in told.items() if isinstance(answer, OutcomeUnclear)}
    after = RepairState.ATTACHED if attaching else RepairState.TAKEN_BACK
    before = RepairState.REFUSED if attaching else RepairState.ATTACHED
    with runtime.database.write() as session:
        connection_first(session, connection.id)
        set_state(session, connection.id, done, after)
        set_state(session, connection.id, unclear, state, detail=OutcomeUnclear.code)
        for key in told.keys() - done - unclear:
            set_state(session, connection.id, {key}, before, detail=str(told[key])[:_WORDS])
        for key in done:
            _note(session, agent, connection.id, key, _DONE[state])
        for key in unclear:
            _note(session, agent, connection.id, key, OutcomeUnclear.code)
    return RepairOutcome(len(done), len(told) - len(done) - len(unclear), 0, len(unclear))


_DONE: Mapping[str, str] = {
    RepairState.SENT: "repair",
    RepairState.REMOVING: "repair_taken_back",
}


def _note(session: Session, agent: Agent, connection_id: int, contact_id: str, detail: str) -> None:
    audit.record_by(
        session,
        agent,
        Audited.RECORD_UPDATED,
        connection_id=connection_id,
        object=CONTACT.name,
        record_id=contact_id,
        fields=[TO_ACCOUNT],
        detail=detail,
    )


def _is_same(current: Connection, then: Connection) -> bool:
    live = current.current and current.status == ConnectionStatus.LIVE
    return live and current.epoch == then.epoch


def set_state(
    session: Session, connection_id: int, ids: Collection[str], state: RepairState, **values: str
) -> None:
    if not ids:
        return
    session.execute(
        update(Repair)
        .where(Repair.connection_id == connection_id, Repair.contact_id.in_(sorted(ids)))
        .values(state=state, **values)
        .execution_options(synchronize_session=False)
    )
