"""Accounts written on Contacts: each is committed before its call leaves, and what became of it
after that; a call without an answer is looked up once it cannot be under way any more."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from keeping_plugin.errors import KeepingError, NotConnected, OutcomeUnclear, SalesforceError
from keeping_plugin.models import (
    Connection,
    Repair,
    RepairState,
    change_rows,
    now,
    upsert_all,
)
from keeping_plugin.objects import CONTACT, TO_ACCOUNT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit
from keeping_plugin.services.ledger.locking import connection_first
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import SETTLE
from keeping_plugin.types import Agent

log = logging.getLogger("keeping_plugin.people")

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


@dataclass(frozen=True, slots=True)
class LookedUp:
    """Rows whose call had no answer, each with whether its Account stands in Salesforce now. `busy`
    are Contacts for which Salesforce may still be at it."""

    rows: Mapping[str, tuple[Repair, bool]]
    busy: Collection[str]


def look_up(runtime: Runtime, gateway: SalesforceGateway, connection_id: int) -> LookedUp:
    """What became of calls without an answer, for a page of them; nothing is written. One request,
    none if there are no such calls."""
    with runtime.database.read() as session:
        rows = _unclear(session, connection_id)
        settled = now(session) - runtime.times.span(SETTLE)
    ripe = [row for row in rows if row.at <= settled]
    found = accounts_of(gateway, [row.contact_id for row in ripe])
    return LookedUp(
        {row.contact_id: (row, found.get(row.contact_id) == row.account_id) for row in ripe},
        {row.contact_id for row in rows if row.at > settled},
    )


def _unclear(session: Session, connection_id: int) -> Sequence[Repair]:
    return session.scalars(
        select(Repair)
        .where(Repair.connection_id == connection_id, Repair.state.in_(UNCLEAR))
        .order_by(Repair.at)
        .limit(PAGE)
    ).all()


def settle_unclear(
    runtime: Runtime, gateway: SalesforceGateway, connection_id: int
) -> Collection[str]:
    """Write down what became of calls without an answer. Returns the Contacts for which Salesforce
    may still be at it."""
    looked = look_up(runtime, gateway, connection_id)
    if looked.rows:
        with runtime.database.write() as session:
            for after, there in ((RepairState.ATTACHED, True), (RepairState.TAKEN_BACK, False)):
                ids = {key for key, (_, stands) in looked.rows.items() if stands is there}
                set_state(session, connection_id, ids, after, detail="")
            company_id = session.get_one(Connection, connection_id).company_id
            unsaid: dict[str, list[tuple[str, str]]] = {}
            for row, there in looked.rows.values():
                if not row.detail and there is (row.state == RepairState.SENT):
                    # The process that wrote it died before it recorded the answer.
                    unsaid.setdefault(row.agent_id, []).append((row.contact_id, _DONE[row.state]))
            for agent_id, notes in unsaid.items():
                _note(session, Agent(agent_id, company_id, ""), connection_id, notes)
    return looked.busy


def settle_daily(runtime: Runtime, connection_id: int) -> None:
    """The same for the describe job, where nobody attaches anything any more. What Salesforce does
    not answer is asked with the next describe."""
    with runtime.database.read() as session:
        if not _unclear(session, connection_id):
            return
    try:
        with runtime.gateway(connection_id, Feature.UNDO) as gateway:
            settle_unclear(runtime, gateway, connection_id)
    except KeepingError as error:
        log.warning("repairs_unanswered code=%s", error.code)


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
        if current is None or not current.is_live or current.epoch != connection.epoch:
            raise NotConnected("Salesforce is no longer connected.")
        time = now(session)
        rows = [
            {
                "connection_id": connection.id,
                "contact_id": contact_id,
                "account_id": account_id,
                "agent_id": agent.id,
                "at": time,
                "state": state,
                "detail": "",
            }
            for contact_id, account_id in account_ids.items()
        ]
        upsert_all(session, Repair, rows)
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
        refused: dict[str, set[str]] = {}
        for key in told.keys() - done - unclear:
            refused.setdefault(str(told[key])[:_WORDS], set()).add(key)
        for words, ids in refused.items():
            set_state(session, connection.id, ids, before, detail=words)
        notes = [(key, _DONE[state]) for key in done]
        notes += [(key, OutcomeUnclear.code) for key in unclear]
        _note(session, agent, connection.id, notes)
    return RepairOutcome(len(done), len(told) - len(done) - len(unclear), 0, len(unclear))


_DONE: Mapping[str, str] = {
    RepairState.SENT: "repair",
    RepairState.REMOVING: "repair_taken_back",
}


def _note(
    session: Session, agent: Agent, connection_id: int, records: Iterable[tuple[str, str]]
) -> None:
    audit.record_updated_by(
        session, agent, connection_id, records, object=CONTACT.name, fields=[TO_ACCOUNT]
    )


def set_state(
    session: Session, connection_id: int, ids: Collection[str], state: RepairState, **values: str
) -> None:
    if not ids:
        return
    theirs = Repair.contact_id.in_(sorted(ids))
    rows = update(Repair).where(Repair.connection_id == connection_id, theirs)
    change_rows(session, rows.values(state=state, **values))
