"""Drain one connection: claim, look, mark, send, settle, in batches, one drain per org."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import exists, or_, select

from keeping_plugin import failpoints
from keeping_plugin.errors import HelpDeskFailed, NotReady, SalesforceError
from keeping_plugin.models import Connection, SyncEntry, now
from keeping_plugin.objects import CONTACT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services import audit, metering
from keeping_plugin.services.asked_helpdesk import guarded
from keeping_plugin.services.connection import barred
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.actions import spec_of
from keeping_plugin.services.delivery.adding import adding, hold_back, note_sends, owned, owner_of
from keeping_plugin.services.delivery.host_messages import ask_again, put_off_missing
from keeping_plugin.services.delivery.judge_again import judge_again
from keeping_plugin.services.delivery.look import look, with_other_fields
from keeping_plugin.services.delivery.outcomes import KEY_FIELD_GONE, after_contact
from keeping_plugin.services.delivery.plan import (
    Plan,
    PlanInput,
    follows,
    plan,
)
from keeping_plugin.services.delivery.prepare import prepare
from keeping_plugin.services.delivery.readiness import (
    ensure_task_status,
    lose_key_field,
    needs_care,
    tend_login,
    within_budget,
)
from keeping_plugin.services.delivery.send import Send, Sent, send, sent_before
from keeping_plugin.services.delivery.unanswered import (
    give_up_unknown,
    host_failed,
    put_off_unread,
    read_failed,
)
from keeping_plugin.services.delivery.waiting_look import look_for_waiting
from keeping_plugin.services.ledger import claims, holding
from keeping_plugin.services.ledger.batch import (
    Batch,
    claim,
    drainable,
    due,
    has_come,
    release_rows,
    retry_in_smaller_batch,
)
from keeping_plugin.services.ledger.claims import claim_addresses
from keeping_plugin.services.ledger.copies import log_once
from keeping_plugin.services.ledger.lease import Lease, release_lease, renew_lease, take_lease
from keeping_plugin.services.ledger.outcome import MADE, Outcome, later
from keeping_plugin.services.ledger.settle import settle
from keeping_plugin.services.ledger.waiting import look_due
from keeping_plugin.services.metering import Feature, Meter
from keeping_plugin.services.people import owners, picks
from keeping_plugin.services.people.owners import Owners
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import BATCHES_A_JOB, CLAIM_BUSY, UNKNOWN_LIMIT


def drain(runtime: Runtime, connection_id: int) -> None:
    """Send what this connection owes, a bounded number of batches, then ring for what is left."""
    runtime = replace(runtime, helpdesk=guarded(runtime.helpdesk, runtime.interrupts))
    runtime.queue.clear_ring(connection_id)
    failpoints.reach("drain.began")
    runtime.observe_clock()
    lease = None
    with runtime.database.write() as session:
        connection, time = session.get(Connection, connection_id), now(session)
        if connection is None or not drainable(connection, time):
            return
        org_id = connection.org_id
        care = needs_care(connection, time, runtime.times)
        if not care:
            lease = take_lease(runtime, session, org_id=org_id, connection_id=connection_id)
    if care:
        if not tend_login(runtime, connection):
            return
        with runtime.database.write() as session:
            lease = take_lease(runtime, session, org_id=org_id, connection_id=connection_id)
    if lease is None:
        return
    failpoints.reach("drain.leased")
    use: Counter[tuple[str, Feature]] = Counter()
    looks = Meter(runtime.gateways)
    try:
        for _ in range(BATCHES_A_JOB):
            if runtime.stopping.is_set() or not _batch(runtime, lease, connection_id, use):
                break
        if not runtime.stopping.is_set():
            look_for_waiting(replace(runtime, gateways=looks), lease, connection_id)
    finally:
        use["", Feature.WAITING] = looks.requests().get(connection_id, 0)
        with runtime.database.write() as session:
            noted = release_lease(session, lease)
            metering.add(session, connection_id, use)
    failpoints.reach("drain.released")
    runtime.queue.ring(each for each in noted if each != connection_id)
    if owes(runtime, connection_id):
        runtime.queue.ring([connection_id])


def owes(runtime: Runtime, connection_id: int) -> bool:
    """Something could be sent for this connection now."""
    with runtime.database.read() as session:
        time = now(session)
        if not drainable(session.get(Connection, connection_id), time):
            return False
        owed = has_come(time) & or_(due(time, steady=runtime.watch.steady), look_due(time))
        rows = select(SyncEntry.id).where(SyncEntry.connection_id == connection_id, owed)
        return bool(session.scalar(select(exists(rows))))


def _batch(
    runtime: Runtime, lease: Lease, connection_id: int, use: Counter[tuple[str, Feature]]
) -> bool:
    """One batch; False when nothing more is to be done now."""
    batch = claim(runtime, lease, connection_id)
    if batch is None:
        return False
    failpoints.reach("drain.claimed")
    meter = Meter(runtime.gateways)
    try:
        return _work(runtime, meter(connection_id), lease, batch)
    except HelpDeskFailed as error:
        host_failed(runtime, batch, error)
        return False
    except (SalesforceError, NotReady) as error:
        # Only reads raise to here: nothing was sent that is not accounted for.
        read_failed(runtime, batch, error)
        return False
    except Exception:
        # A row that breaks our own code must not take its neighbours along for ever.
        _retry_in_smaller_batch(runtime, batch)
        raise
    finally:
        use.update(metering.shared(meter.requests().get(connection_id, 0), batch.rows))


def _release_rows(runtime: Runtime, batch: Batch, *, give_up: bool = False) -> None:
    with runtime.database.write() as session:
        release_rows(session, batch, batch.row_ids, unmark=False)
        if give_up:
            give_up_unknown(session, batch, runtime.times)
        claims.release_unsent(session, org_id=batch.connection.org_id, owner=batch.token)


def _retry_in_smaller_batch(runtime: Runtime, batch: Batch) -> None:
    with runtime.database.write() as session:
        retry_in_smaller_batch(session, batch, batch.row_ids, times=runtime.times)
        claims.release_unsent(session, org_id=batch.connection.org_id, owner=batch.token)


def _hold(runtime: Runtime, lease: Lease) -> bool:
    with runtime.database.write() as session:
        return renew_lease(runtime, session, lease)


def _held(runtime: Runtime, lease: Lease) -> float:
    """Until when another call may start, with the lease renewed for it."""
    return lease.start_by(runtime) if _hold(runtime, lease) else float("-inf")


def _work(runtime: Runtime, gateway: SalesforceGateway, lease: Lease, batch: Batch) -> bool:
    if not within_budget(runtime, gateway, batch.connection):
        _release_rows(runtime, batch, give_up=True)
        return False
    ensure_task_status(runtime, gateway, batch)
    prepared = prepare(runtime, batch)
    batch = put_off_unread(runtime, batch, prepared.unread)
    batch = put_off_missing(runtime, batch, prepared.missing)
    batch = judge_again(runtime, batch, prepared.changed)
    batch = log_once(runtime, batch, prepared.fingerprints)
    rows = claim_addresses(runtime, batch)
    if not rows:
        return True
    if runtime.stopping.is_set():
        _release_rows(runtime, batch)
        return False
    if not _hold(runtime, lease):  # reading long messages took longer than the lease
        _retry_in_smaller_batch(runtime, batch)
        return False
    whose = owners.load(
        runtime,
        gateway,
        batch.connection,
        prepared.making.people,
        rows=rows,
        writers=prepared.writers,
        schemas=prepared.making.schemas,
    )
    find = partial(
        look,
        gateway,
        rows=rows,
        markers=prepared.markers,
        by_search=prepared.by_search,
        account_owners=whose.of_accounts,
    )
    with runtime.database.read() as session:
        chosen = picks.load(session, batch.connection.id, {row.address for row in rows})
    looked = find(chosen=chosen, start_by=lease.start_by(runtime))
    gone = picks.missing(chosen, looked.found, prepared.making.schemas)
    if gone:
        became = picks.follow(runtime, gateway, batch.connection.id, gone)
        chosen = {key: one for key, one in chosen.items() if key not in gone} | became
        if became:
            looked = find(chosen=chosen, start_by=lease.start_by(runtime))
    looked = with_other_fields(
        runtime,
        gateway,
        batch.connection.id,
        looked,
        prepared.address_fields,
        {row.address for row in rows},
        chosen=chosen,
        start_by=lease.start_by(runtime),
    )
    failpoints.reach("drain.looked")
    if runtime.stopping.is_set():
        _release_rows(runtime, batch)
        return False
    facts = PlanInput(
        payloads=prepared.payloads,
        cancellations=prepared.cancellations,
        missing={
            row.id: ask_again(row, batch.began_at, runtime.times)
            for row in rows
            if row.id in prepared.missing
        },
        changed=prepared.changed,
        found=looked.found,
        unlooked=looked.unlooked,
        unasked=looked.unasked,
        unfindable=prepared.unfindable,
        markers=prepared.markers,
        picks=chosen,
        user_id=batch.connection.user_id,
        key_field=batch.connection.activity_key_field,
        give_up_before=_give_up_before(runtime, batch),
    )
    made = plan(rows, facts)
    hold_back(runtime, batch, made, facts, prepared.making.people)
    first = adding(
        runtime,
        gateway,
        batch,
        made,
        facts,
        whose,
        prepared.making,
        start_by=partial(_held, runtime, lease),
    )
    first += [
        owned(row, facts, whose, person.id, candidates, owner=person.account_owner)
        for row, person, candidates in made.related
    ]
    note_sends(runtime, batch, first)
    limit = facts.give_up_before
    sent = send(runtime, gateway, lease, batch, first, refused_before=limit) if first else Sent({})
    if sent is None:  # what the look told stands all the same
        there = sent_before(rows, facts, made)
        _write(runtime, gateway, batch, made.settled, sends=there, known=made.known, answered=False)
        _give_back(runtime, batch, made)
        return False
    outcomes = {**made.settled, **sent.outcomes}
    sends = [*first, *sent_before(rows, facts, made)]
    _write(runtime, gateway, batch, outcomes, sends=sends, known=made.known)
    if sent.paused:
        _give_back(runtime, batch, made)
        return False
    account_owners = {each.row.id: owner_of(each.account, facts) for each in first if each.account}
    return _follow(
        runtime, gateway, lease, batch, made, facts, whose, sent.outcomes, account_owners
    )


def _follow(
    runtime: Runtime,
    gateway: SalesforceGateway,
    lease: Lease,
    batch: Batch,
    made: Plan,
    facts: PlanInput,
    whose: Owners,
    answers: Mapping[int, Outcome],
    account_owners: Mapping[int, str | None],
) -> bool:
    """The rows that waited for a Contact of this batch. They travel in a composite of their
    own: in the Contact's, a refused Contact would leave them a null WhoId."""
    if made.followers and runtime.stopping.is_set():
        _give_back(runtime, batch, made)
        return False
    outcomes: dict[int, Outcome] = {}
    second: list[Send] = []
    for address, rows in made.followers.items():
        added = made.contacts[address].id
        outcome, account_owner = answers.get(added), account_owners.get(added)
        for row in rows:
            after = after_contact(outcome, row) if outcome else later("contact_first", CLAIM_BUSY)
            if after is not None:
                outcomes[row.id] = follows(row, after, facts)
            elif outcome is not None and outcome.record_id is not None:
                second.append(owned(row, facts, whose, outcome.record_id, 1, owner=account_owner))
    note_sends(runtime, batch, second)
    limit = facts.give_up_before
    sent = (
        send(runtime, gateway, lease, batch, second, refused_before=limit) if second else Sent({})
    )
    told = sent.outcomes if sent is not None else {}
    answered = sent is not None
    _write(runtime, gateway, batch, {**outcomes, **told}, sends=second, answered=answered)
    return sent is not None and not sent.paused


def _write(
    runtime: Runtime,
    gateway: SalesforceGateway,
    batch: Batch,
    outcomes: Mapping[int, Outcome],
    *,
    sends: Collection[Send] = (),
    known: Collection[str] = (),
    answered: bool = True,
) -> None:
    """Settle, give claims back, note in the audit what was written to Salesforce, and keep what
    its headers told: one commit."""
    if not outcomes:
        return
    rows = {row.id: row for row in batch.rows if row.id in outcomes}
    people = {key: row.address for key, row in rows.items() if spec_of(row).adds_person}
    unclear = {address for key, address in people.items() if outcomes[key].marked}
    made = {
        address
        for key, address in people.items()
        if outcomes[key].reason in MADE
        and (outcomes[key].record_id or "").startswith(CONTACT.prefix)
    }
    held = sum(outcomes[key].held for key in people)
    org_id = batch.connection.org_id
    with runtime.database.write() as session:
        pauses.record_answer(session, batch.connection.id, gateway, answered=answered)
        settle(session, batch, outcomes, times=runtime.times, known=made | set(known))
        engaged = bool(held) and holding.engage(session, batch.connection.id)
        claims.keep(
            session, org_id=org_id, addresses=unclear, owner=batch.token, times=runtime.times
        )
        settled = set(people.values()) - unclear
        claims.release(session, org_id=org_id, addresses=settled, owner=batch.token)
        written = [
            (each.record, outcomes[each.row.id].record_id)
            for each in sends
            if each.row.id in outcomes and outcomes[each.row.id].reason in MADE
        ]
        audit.record_created(session, batch.connection, written)
        lost_key = any(outcome.reason == KEY_FIELD_GONE for outcome in outcomes.values())
        if lost_key:
            lose_key_field(session, batch)
    if engaged:
        holding.log_engaged(batch.connection, people=held)
    if lost_key:
        runtime.queue.enqueue("describe", batch.connection.id)
    failpoints.reach("drain.settled")


def _give_back(runtime: Runtime, batch: Batch, made: Plan) -> None:
    followers = [row.id for rows in made.followers.values() for row in rows]
    with runtime.database.write() as session:
        release_rows(session, batch, followers, unmark=False)
        claims.release_unsent(session, org_id=batch.connection.org_id, owner=batch.token)


def _give_up_before(runtime: Runtime, batch: Batch) -> datetime | None:
    """An unknown outcome is a person's after 24 h of a live connection: those before a reconnect
    do not count, nor those in which it was barred."""
    return barred.asked_since(batch.connection, batch.began_at, runtime.times.span(UNKNOWN_LIMIT))
