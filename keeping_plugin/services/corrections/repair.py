"""People whom the automations added without an Account: found, attached, and taken back.

Salesforce is asked within the admin's request, for at most 200 people at a time. What is to be
written is committed before the call leaves; a row whose call had no answer is looked up before
anything else is written for its Contact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_of
from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import (
    Connection,
    EntryState,
    Repair,
    RepairState,
    SyncEntry,
    listed,
)
from keeping_plugin.objects import ACCOUNT, CONTACT, TO_ACCOUNT, record_page
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.corrections.account_writes import (
    PAGE,
    UNCLEAR,
    RepairOutcome,
    accounts_of,
    look_up,
    set_state,
    settle_unclear,
    write,
)
from keeping_plugin.services.corrections.choice import live_connection
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.people import accounts
from keeping_plugin.services.people.accounts import Step
from keeping_plugin.services.people.policy import COMPANY, PeopleChoices, load
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.types import Agent


@dataclass(frozen=True, slots=True)
class Account:
    """An Account as a page shows it; `name` is its id where it cannot be read."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Person:
    """A Contact of ours without an Account, and what the rule proposes; None: nothing."""

    contact_id: str
    name: str
    address: str
    url: str
    account: Account | None
    step: Step
    refused: str  # Salesforce's words, when it refused the Account before


@dataclass(frozen=True, slots=True)
class Attached:
    """A Contact on which an Account was set here."""

    contact_id: str
    address: str
    url: str
    account: Account
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """One page: `checked` people were looked at; `following` is where the next page begins."""

    people: Sequence[Person]
    checked: int
    following: int | None
    attached: Sequence[Attached]
    more_attached: bool


def why_not(session: Session, connection_id: int) -> str | None:
    """Why no Account can be set with the connected user's rights; None if one can."""
    schemas = describe.schemas(session, connection_id)
    contact = schemas.get(CONTACT.name)
    lookup = contact.fields.get(TO_ACCOUNT) if contact is not None else None
    if lookup is None or not lookup.updateable:
        return "The connected user cannot edit the Account of a Contact (Contact.AccountId)."
    return accounts.why_not(schemas)


def look(runtime: Runtime, agent: Agent, *, after: int | None = None, skip: int = 0) -> Found:
    """One page of the people added, the latest first, of whom those are shown who have no Account;
    and a page of what was attached, without the latest `skip`.
    Three requests as a rule: the people, the Accounts of their domains, and their names. What
    became of calls without an answer is looked up and shown, not written. Raises
    NotConnected and what the gateway raises."""
    with runtime.database.read() as session:
        connection = live_connection(session, agent.company_id)
        page = _added(session, connection, after=after)
        choices = _rule(session, agent.company_id)
        schemas = describe.schemas(session, connection.id)
    with runtime.asked_by(agent, connection.id, Feature.UNDO) as gateway:
        looked = look_up(runtime, gateway, connection.id)
        people = _without_account(gateway, [row.record_id for row in page[:PAGE]])
        with runtime.database.read() as session:
            rows = _attached(session, connection.id, skip=skip)
            refused = _refused(session, connection.id, people)
            of_attached = _addresses(session, connection.id, [row.contact_id for row in rows])
        addresses = {
            row.record_id: row.address for row in page if row.record_id and row.record_id in people
        }
        known = accounts.find(
            runtime,
            gateway,
            connection.id,
            map(domain_of, addresses.values()),
            schemas,
            again=True,
        )
        chosen = {key: known.choose(choices, domain_of(at)) for key, at in addresses.items()}
        names = _names(
            gateway, [*(one.id for one in chosen.values()), *(row.account_id for row in rows)]
        )

    def account(record_id: str) -> Account:
        url = record_page(connection.instance_url, ACCOUNT.name, record_id)
        return Account(record_id, names.get(record_id, record_id), url)

    return Found(
        [
            Person(
                contact_id=key,
                name=people[key],
                address=address,
                url=record_page(connection.instance_url, CONTACT.name, key),
                account=account(chosen[key].id) if chosen[key].id else None,
                step=chosen[key].step,
                refused=refused.get(key, ""),
            )
            for key, address in addresses.items()
        ],
        checked=len(page[:PAGE]),
        following=page[PAGE - 1].id if len(page) > PAGE else None,
        attached=[
            Attached(
                row.contact_id,
                of_attached.get(row.contact_id, row.contact_id),
                record_page(connection.instance_url, CONTACT.name, row.contact_id),
                account(row.account_id),
                RepairState.ATTACHED if row.contact_id in looked.rows else row.state,
            )
            for row in rows[:PAGE]
            if row.contact_id not in looked.rows or looked.rows[row.contact_id][1]
        ],
        more_attached=len(rows) > PAGE,
    )


def attach(runtime: Runtime, agent: Agent, shown: Mapping[str, str]) -> RepairOutcome:
    """Set the Accounts that a page has `shown`, by Contact, where the rule still proposes them and
    the Contact still has none. Raises InvalidInput, NotConnected and what the gateway raises before
    anything was sent."""
    _check(shown)
    with runtime.database.read() as session:
        connection = live_connection(session, agent.company_id)
        page = _added(session, connection, among=shown)
        choices = _rule(session, agent.company_id)
        schemas = describe.schemas(session, connection.id)
    addresses = {row.record_id: row.address for row in page if row.record_id}
    with runtime.asked_by(agent, connection.id, Feature.UNDO) as gateway:
        busy = settle_unclear(runtime, gateway, connection.id)
        people = _without_account(gateway, [key for key in addresses if key not in busy])
        domains = {key: domain_of(addresses[key]) for key in people}
        known = accounts.find(runtime, gateway, connection.id, domains.values(), schemas)
        wanted = {
            key: shown[key]
            for key, domain in domains.items()
            if known.choose(choices, domain).id == shown[key]
        }
        told = write(runtime, agent, gateway, connection, wanted, RepairState.SENT)
    if told.refused:  # whatever was known of these domains is asked anew
        with runtime.database.write() as session:
            accounts.forget(session, connection.id, set(domains.values()))
    left = len(shown) - len(wanted)
    return RepairOutcome(told.done, told.refused, told.left + left, told.unclear)


def take_back(runtime: Runtime, agent: Agent, contact_ids: Collection[str]) -> RepairOutcome:
    """Empty the Account of these Contacts, where it is still the one that was set here. Raises as
    `attach`."""
    _check(contact_ids)
    with runtime.database.read() as session:
        connection = live_connection(session, agent.company_id)
        rows = {
            row.contact_id: row.account_id
            for row in _attached(session, connection.id, among=contact_ids)
            if row.state == RepairState.ATTACHED
        }
    with runtime.asked_by(agent, connection.id, Feature.UNDO) as gateway:
        settle_unclear(runtime, gateway, connection.id)
        now_ = accounts_of(gateway, list(rows))
        ours = {key: account for key, account in rows.items() if now_.get(key) == account}
        told = write(runtime, agent, gateway, connection, ours, RepairState.REMOVING)
    with runtime.database.write() as session:  # somebody has chosen another one: theirs stays
        set_state(session, connection.id, rows.keys() - ours.keys(), RepairState.TAKEN_BACK)
    left = len(set(contact_ids)) - len(ours)
    return RepairOutcome(told.done, told.refused, left, told.unclear)


def _check(chosen: Collection[str]) -> None:
    if not chosen:
        raise InvalidInput("Choose at least one person.")
    if len(chosen) > PAGE:
        raise InvalidInput(f"Choose at most {PAGE} people at a time.")


def _rule(session: Session, company_id: str) -> PeopleChoices:
    """Steps 1 and 2 whatever is chosen for new people, then the company's chosen Account."""
    chosen = load(session, company_id).of(COMPANY)
    return PeopleChoices(account_id=chosen.account_id)


def _added(
    session: Session,
    connection: Connection,
    *,
    after: int | None = None,
    among: Iterable[str] | None = None,
) -> Sequence[SyncEntry]:
    """Entries of Contacts that the automations created, the latest first; one more than a page."""
    query = select(SyncEntry).where(
        SyncEntry.connection_id == connection.id,
        SyncEntry.company_id == connection.company_id,
        SyncEntry.state == EntryState.DONE,
        SyncEntry.reason == "created",
        SyncEntry.record_id.startswith(CONTACT.prefix),
    )
    if after is not None:
        query = query.where(SyncEntry.id < after)
    if among is not None:
        query = query.where(SyncEntry.record_id.in_(select(listed(session, list(among)))))
    return session.scalars(query.order_by(SyncEntry.id.desc()).limit(PAGE + 1)).all()


def _attached(
    session: Session, connection_id: int, *, skip: int = 0, among: Collection[str] | None = None
) -> Sequence[Repair]:
    """What was written, the latest first; one more than a page."""
    query = select(Repair).where(
        Repair.connection_id == connection_id, Repair.state.in_((RepairState.ATTACHED, *UNCLEAR))
    )
    if among is not None:
        query = query.where(Repair.contact_id.in_(select(listed(session, among))))
    query = query.order_by(Repair.at.desc(), Repair.contact_id)
    return session.scalars(query.offset(skip).limit(PAGE + 1)).all()


def _refused(session: Session, connection_id: int, ids: Collection[str]) -> dict[str, str]:
    """Salesforce's words for the Contacts whose Account it refused."""
    rows = session.execute(
        select(Repair.contact_id, Repair.detail).where(
            Repair.connection_id == connection_id,
            Repair.state == RepairState.REFUSED,
            Repair.contact_id.in_(select(listed(session, ids))),
        )
    )
    return {row.contact_id: row.detail for row in rows}


def _addresses(session: Session, connection_id: int, ids: Collection[str]) -> dict[str, str]:
    rows = session.execute(
        select(SyncEntry.record_id, SyncEntry.address).where(
            SyncEntry.connection_id == connection_id,
            SyncEntry.record_id.in_(select(listed(session, ids))),
        )
    )
    return {row.record_id: row.address for row in rows if row.record_id}


def _without_account(gateway: SalesforceGateway, ids: Sequence[str | None]) -> dict[str, str]:
    """The Contacts that exist and have no Account, with their names."""
    asked = [record_id for record_id in ids if record_id]
    if not asked:
        return {}
    found = gateway.read_many(CONTACT.name, asked, ["Name", TO_ACCOUNT])
    return {
        key: str(found[key].fields["Name"] or "")
        for key in asked
        if key in found and not found[key].fields[TO_ACCOUNT]
    }


def _names(gateway: SalesforceGateway, ids: Iterable[str]) -> dict[str, str]:
    wanted = [record_id for record_id in dict.fromkeys(ids) if record_id]
    names: dict[str, str] = {}
    for start in range(0, len(wanted), PAGE):
        found = gateway.read_many(ACCOUNT.name, wanted[start : start + PAGE], ["Name"])
        names |= {key: str(one.fields["Name"] or key) for key, one in found.items()}
    return names
