"""The people of a batch who are to be added, each on their Account."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from keeping_plugin.models import SyncEntry
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.delivery.actions import (
    ACCOUNT_OPEN,
    WITHOUT_ACCOUNT,
    spec_of,
    without_account,
)
from keeping_plugin.services.delivery.plan import Plan, PlanInput, record
from keeping_plugin.services.delivery.send import Send
from keeping_plugin.services.ledger import entries
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.outcome import later
from keeping_plugin.services.people.accounts import AccountChoice
from keeping_plugin.services.people.making import Making, choose, missing_account, on_account
from keeping_plugin.services.people.owners import Owners
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CLAIM_BUSY


def adding(
    runtime: Runtime,
    gateway: SalesforceGateway,
    batch: Batch,
    made: Plan,
    facts: PlanInput,
    whose: Owners,
    making: Making,
    *,
    start_by: Callable[[], float],
) -> list[Send]:
    """What is sent for `made.contacts`. Where Salesforce has more to tell of a mail domain than it
    could be asked, the row is settled to come later."""
    rows = list(made.contacts.values())
    looking = [row for row in rows if not without_account(row)]
    chosen = choose(runtime, gateway, batch.connection.id, looking, making, start_by=start_by)
    sends = []
    for row in rows:
        account = chosen.accounts.get(row.id)
        if row.id in chosen.open:
            made.settled[row.id] = later(ACCOUNT_OPEN, CLAIM_BUSY)
            continue
        sends.append(owned(row, facts, whose, account=account, note=missing(row, account, making)))
    return sends


def missing(row: SyncEntry, account: AccountChoice | None, making: Making) -> str | None:
    """Why somebody is added without the Account that they were to have, if so."""
    if without_account(row):
        return WITHOUT_ACCOUNT
    return missing_account(account, making.choices(row.mailbox_id)) if account else None


def owner_of(account: AccountChoice, facts: PlanInput) -> str | None:
    """Who owns this Account; the look tells it of the chosen one."""
    return account.owner_id or facts.found.account_owners.get(account.id[:15])


def owned(
    row: SyncEntry,
    facts: PlanInput,
    whose: Owners,
    contact_id: str | None = None,
    candidates: int = 0,
    *,
    owner: str | None = None,
    account: AccountChoice | None = None,
    note: str | None = None,
) -> Send:
    """The record of a row, with its owner: `owner` is that of its Account. A new person belongs to
    `account`; `note` tells why to no other."""
    payload = facts.payload(row)
    object = payload.object or spec_of(row).object
    if account is not None:
        owner = owner_of(account, facts)
    own = whose.of(row, object, owner)
    new = record(row, payload, contact_id, owner_id=own.owner_id)
    made = replace(new, fields=on_account(object, new.fields, account))
    return Send(row, made, contact_id, candidates, note or payload.note or own.note, account)


def note_sends(runtime: Runtime, batch: Batch, sends: Collection[Send]) -> None:
    """Keep with the rows why a record has another owner or Account than was chosen. No statement
    where there is nothing to keep."""
    rows: dict[str | None, list[int]] = {}
    for each in sends:
        if each.note != each.row.note:
            rows.setdefault(each.note, []).append(each.row.id)
    if not rows:
        return
    with runtime.database.write() as session:
        for note, ids in rows.items():
            mine = entries.of_batch(ids, batch.token)
            entries.happen(session, Event.ANNOTATED, *mine, note=note)
