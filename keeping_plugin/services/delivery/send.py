"""Send: marked rows leave in one composite; every row comes back with an outcome of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keeping_plugin import failpoints
from keeping_plugin.errors import (
    BatchRefused,
    CallNotStarted,
    NotConnected,
    NotReady,
    SalesforceError,
    SchemaStale,
)
from keeping_plugin.models import EntryState, SyncEntry
from keeping_plugin.objects import TO_ACCOUNT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.refusals import Advice
from keeping_plugin.services.delivery import pauses
from keeping_plugin.services.delivery.actions import (
    Look,
    Payload,
    names_account,
    refuses_account,
    spec_of,
)
from keeping_plugin.services.delivery.outcomes import (
    account_refused,
    advice_for,
    key_field_gone,
    owner_refused,
    read,
)
from keeping_plugin.services.delivery.plan import Plan, PlanInput, record
from keeping_plugin.services.delivery.readiness import lose_key_field, refuses_key_field
from keeping_plugin.services.delivery.unanswered import describe_soon
from keeping_plugin.services.ledger import claims
from keeping_plugin.services.ledger.batch import Batch, release_rows, retry_in_smaller_batch
from keeping_plugin.services.ledger.claims import address_busy
from keeping_plugin.services.ledger.lease import Lease
from keeping_plugin.services.ledger.marks import mark
from keeping_plugin.services.ledger.outcome import MADE, Outcome
from keeping_plugin.services.people import making, owners
from keeping_plugin.services.people.accounts import AccountChoice, Step
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import MARKS, MINUTE
from keeping_plugin.types import NewRecord, Saved


@dataclass(frozen=True, slots=True)
class Send:
    """One row on its way: `contact_id` is whom its record is about, `account` the one it is to
    belong to, `note` why its owner or its Account is another than was chosen. `doubted`: the chosen
    Account that is left out, since Salesforce may have refused the record because of it."""

    row: SyncEntry
    record: NewRecord
    contact_id: str | None = None
    candidates: int = 0
    note: str | None = None
    account: AccountChoice | None = None
    doubted: AccountChoice | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What the answer told of rows. Those that it tells nothing of have been given back; `paused`:
    the whole connection was, because nothing more can pass."""

    outcomes: dict[int, Outcome]
    paused: bool = False


def sent_before(rows: Sequence[SyncEntry], facts: PlanInput, made: Plan) -> list[Send]:
    """Rows of which the look told that an earlier attempt, whose answer was lost, did arrive."""
    found = []
    for row in rows:
        outcome = made.settled.get(row.id)
        if row.sent_at is None or outcome is None or outcome.reason not in MADE:
            continue
        gone = row.message_id not in facts.payloads
        payload = Payload({}) if gone else facts.payload(row)
        found.append(Send(row, record(row, payload, outcome.contact_id)))
    return found


def send(
    runtime: Runtime,
    gateway: SalesforceGateway,
    lease: Lease,
    batch: Batch,
    sends: Sequence[Send],
    *,
    refused_before: datetime | None,
) -> Sent | None:
    """Mark, then send. None when the call ended without row outcomes or may not be made: then the
    rows have been given back, and the batch is over. `refused_before`: as `read` takes it."""
    for _ in range(MARKS):
        marked = mark(
            runtime,
            lease,
            batch,
            [each.row.id for each in sends],
            server_date=gateway.server_date or batch.began_at,
            addresses=_added(sends),
        )
        if marked is None:
            _over(runtime, batch, sends, None)
            return None
        failpoints.reach("drain.marked")
        going = [each for each in sends if each.row.id in marked.row_ids]
        lost = {
            each.row.id: address_busy(each.row)
            for each in sends
            if spec_of(each.row).adds_person and each.row.address in marked.lost
        }
        if not going:
            return Sent(lost)
        try:
            answers = gateway.create_many([each.record for each in going], start_by=marked.start_by)
        except CallNotStarted:
            continue
        except (SalesforceError, NotReady) as error:
            _over(runtime, batch, going, error)
            return None
        failpoints.reach("drain.sent")
        sent = _told(runtime, batch, list(zip(going, answers, strict=True)), refused_before)
        return replace(sent, outcomes={**lost, **sent.outcomes})
    _over(runtime, batch, sends, CallNotStarted())
    return None


def _told(
    runtime: Runtime,
    batch: Batch,
    told: Sequence[tuple[Send, Saved | SalesforceError]],
    refused_before: datetime | None,
) -> Sent:
    """Rows that were refused for what travelled with them, or for the state of the whole org, are
    given back: that tells nothing of them."""
    smaller, closed = [], []
    own: dict[int, Outcome] = {}
    disowned: list[tuple[NewRecord, SalesforceError]] = []
    not_on: list[making.RefusedAccount] = []
    why: SalesforceError | None = None
    taken = {
        each.account.id
        for each, answer in told
        if each.account is not None and isinstance(answer, Saved)
    }
    for each, answer in told:
        does = advice_for(answer) if isinstance(answer, SalesforceError) else None
        if (
            spec_of(each.row).look is Look.MARKER
            and isinstance(answer, SalesforceError)
            and refuses_key_field(batch, answer)
        ):
            own[each.row.id] = key_field_gone()
        elif isinstance(answer, SalesforceError) and owners.refuses_owner(each.record, answer):
            own[each.row.id] = owner_refused()
            disowned.append((each.record, answer))
        elif (
            isinstance(answer, SalesforceError)
            and isinstance(account_id := each.record.fields.get(TO_ACCOUNT), str)
            and refuses_account(answer, account_id)
        ):
            named = names_account(answer, account_id)
            chosen = each.account is not None and each.account.step is Step.CHOSEN
            doubted = chosen and not named and account_id not in taken
            own[each.row.id] = account_refused(each.row, doubted=doubted)
            if each.account is not None:
                not_on.append(making.RefusedAccount(each.row.address, each.account, named))
        elif isinstance(answer, BatchRefused) or (does is Advice.SMALLER and not batch.alone):
            smaller.append(each)
        elif isinstance(answer, SalesforceError) and does is Advice.PAUSE:
            closed.append(each)
            why = answer
        else:
            if each.doubted is not None and isinstance(answer, Saved):
                not_on.append(making.RefusedAccount(each.row.address, each.doubted, named=True))
            own[each.row.id] = read(
                each.row,
                answer,
                key_field=batch.connection.activity_key_field,
                contact_id=each.contact_id,
                candidates=each.candidates,
                refused_before=refused_before,
            )
            if (
                own[each.row.id].state == EntryState.FAILED
                and isinstance(answer, SalesforceError)
                and owners.may_refuse_owner(each.record, answer)
            ):
                own[each.row.id] = owner_refused()
    if any(outcome.reason == SchemaStale.code for outcome in own.values()):
        describe_soon(runtime, batch.connection.id, at_most_every=MINUTE)
    if disowned or not_on:
        with runtime.database.write() as session:
            owners.remember_refused(session, batch.connection.id, disowned)
            making.refused(session, batch.connection.id, not_on)
    if smaller or closed:
        with runtime.database.write() as session:
            if why is not None:
                pauses.record_failure(session, batch.connection.id, why, runtime.times)
            release_rows(session, batch, [each.row.id for each in closed], unmark=True)
            retry_in_smaller_batch(
                session, batch, [e.row.id for e in smaller], times=runtime.times, unmark=True
            )
            claims.release(
                session,
                org_id=batch.connection.org_id,
                addresses=_added([*smaller, *closed]),
                owner=batch.token,
            )
    return Sent(own, paused=why is not None)


def _added(sends: Sequence[Send]) -> set[str]:
    return {each.row.address for each in sends if spec_of(each.row).adds_person}


def _over(
    runtime: Runtime, batch: Batch, sends: Sequence[Send], error: SalesforceError | NotReady | None
) -> None:
    """The whole call was refused, or its outcome is unclear."""
    row_ids = [each.row.id for each in sends]
    with runtime.database.write() as session:
        unclear = error is not None and error.code == "outcome_unclear"
        if error is None:
            # Disconnected or overtaken before the mark: whatever stands, stands.
            release_rows(session, batch, row_ids, unmark=False)
        elif isinstance(error, NotConnected):
            release_rows(session, batch, row_ids, unmark=True)
        elif isinstance(error, SalesforceError) and refuses_key_field(batch, error):
            release_rows(session, batch, row_ids, unmark=True)
            lose_key_field(session, batch)
        elif pauses.record_failure(session, batch.connection.id, error, runtime.times):
            release_rows(session, batch, row_ids, unmark=not unclear)
        else:
            retry_in_smaller_batch(session, batch, row_ids, times=runtime.times, unmark=not unclear)
        adding = _added(sends)
        org_id = batch.connection.org_id
        if unclear:
            claims.keep(
                session, org_id=org_id, addresses=adding, owner=batch.token, times=runtime.times
            )
        else:
            claims.release(session, org_id=org_id, addresses=adding, owner=batch.token)
