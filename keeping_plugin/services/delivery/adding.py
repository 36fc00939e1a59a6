"""The people of a batch who are to be added: those within the company's limits, each on their
Account.

The others are held for review. That is decided when everything else is, right before the send and
under the org's lease, so that no two workers let the same last person pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from keeping_plugin.models import Lane, SyncEntry
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.delivery.actions import (
    ACCOUNT_OPEN,
    CHOSEN_DOUBTED,
    spec_of,
    without_account,
)
from keeping_plugin.services.delivery.plan import WAITS, Plan, PlanInput, follows, record
from keeping_plugin.services.delivery.send import Send
from keeping_plugin.services.ledger import entries, holding
from keeping_plugin.services.ledger.batch import Batch
from keeping_plugin.services.ledger.events import Event
from keeping_plugin.services.ledger.outcome import held, later
from keeping_plugin.services.people.accounts import AccountChoice, Step
from keeping_plugin.services.people.limits import added_lately, company_of
from keeping_plugin.services.people.making import (
    WITHOUT_ACCOUNT,
    Making,
    choose,
    missing_account,
    on_account,
)
from keeping_plugin.services.people.owners import Owners
from keeping_plugin.services.people.policy import CompanyPeople, PeopleChoices
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import CLAIM_BUSY


def hold_back(
    runtime: Runtime, batch: Batch, made: Plan, facts: PlanInput, choices: CompanyPeople
) -> None:
    """Take people out of the plan who are to be reviewed first, with their mail. No statement where
    no limit is set; else two, and only if somebody is to be added."""
    limited = {
        key: row
        for key, row in made.contacts.items()
        if choices.of(row.mailbox_id).has_limits
        and not any(map(_passes, [row, *_adding(made.followers.get(key, ()))]))
    }
    if not limited:
        return
    with runtime.database.read() as session:
        under_review = holding.people_held(
            session, batch.connection.id, {row.address for row in limited.values()}
        )
        added = added_lately(session, batch.connection.id, runtime.times)
    for key, row in list(made.contacts.items()):
        company = company_of(row.address)
        mine = choices.of(row.mailbox_id)
        enough = added.are_enough(mine, row.mailbox_id, company)
        if key in limited and (enough or row.address in under_review):
            del made.contacts[key]
            made.settled[row.id] = held()
            for follower in made.followers.pop(key, ()):
                # One that may have been sent is looked for all the same.
                in_doubt = follows(follower, held(), facts).marked
                made.settled[follower.id] = replace(WAITS, marked=True) if in_doubt else held()
        elif not _passes(row):
            added.count(row.mailbox_id, company)


def _adding(rows: Iterable[SyncEntry]) -> list[SyncEntry]:
    return [row for row in rows if spec_of(row).adds_person]


def _passes(row: SyncEntry) -> bool:
    """Whether an entry that adds a person is neither held nor counted: imported mail, and what an
    admin has let pass. What was sent before has passed already."""
    imported = row.lane == Lane.BACKFILL
    return imported or row.released_at is not None or row.sent_at is not None


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
        note = missing(row, account, making)
        made_of_it = owned(row, facts, whose, account=account, note=note)
        sends.append(replace(made_of_it, doubted=doubted(row, making.choices(row.mailbox_id))))
    return sends


def missing(row: SyncEntry, account: AccountChoice | None, making: Making) -> str | None:
    """Why somebody is added without the Account that they were to have, if so."""
    if without_account(row):
        return WITHOUT_ACCOUNT
    return missing_account(account, making.choices(row.mailbox_id)) if account else None


def doubted(row: SyncEntry, choices: PeopleChoices) -> AccountChoice | None:
    """The chosen Account, if this row is sent without it to see whether that is why it was
    refused."""
    if row.reason != CHOSEN_DOUBTED or not choices.account_id:
        return None
    return AccountChoice(Step.CHOSEN, choices.account_id, name=choices.account_name)


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
