"""The Account of an added Contact, by its mail domain: asked of Salesforce for many domains at
once, and kept for a day.

A Contact without an Account is private in Salesforce: only its owner, and who may see all, finds
it (Salesforce Help, Considerations for Contact Sharing). Never on the panel's path: the delivery
asks, Try an address does, and the page that repairs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import address_key, domain_of
from keeping_plugin.errors import NOT_OF_THE_QUESTION, SalesforceError
from keeping_plugin.mail.domains import may_be_a_company
from keeping_plugin.models import Connection, DomainAccount, change_rows, insert_new, listed, now
from keeping_plugin.objects import ACCOUNT, CONTACT, TO_ACCOUNT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.people.policy import PeopleChoices
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import ACCOUNT_UNANSWERED, DAY, Times
from keeping_plugin.types import AccountFound, Address, DomainAccounts, ObjectSchema, Told

log = logging.getLogger(__name__)

# The first request tells of almost all; the further ones ask apart what filled a page.
MAX_REQUESTS: Final = 3
MAX_DOMAINS: Final = 200
_APART: Final = 3
_CHOSEN: Final = ""  # the "domain" of the chosen Account
_NOT_ANSWERED: Final = DomainAccounts(Told(answered=False), Told(answered=False))


class Step(StrEnum):
    """Which step found the Account."""

    COLLEAGUES = "colleagues"
    WEBSITE = "website"
    CHOSEN = "chosen"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """The Account of somebody to be added, "" for none. `unanswered`: Salesforce did not answer an
    earlier step, so that it may be another at another time."""

    step: Step
    id: str = ""
    owner_id: str = ""
    name: str = ""
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some domains. `gone` are chosen Accounts that Salesforce refused."""

    domains: Mapping[str, DomainAccounts]
    gone: Collection[str] = ()

    def choose(self, choices: PeopleChoices, domain: str) -> AccountChoice:
        """The first Account that a step of these choices finds for this domain."""
        told = self.domains.get(domain)
        unanswered = False
        if told is not None:
            for wanted, step, answer in (
                (choices.by_colleagues, Step.COLLEAGUES, told.colleagues),
                (choices.by_website, Step.WEBSITE, told.website),
            ):
                if wanted and answer.account is not None:
                    found = answer.account
                    return AccountChoice(step, found.id, found.owner_id, found.name, unanswered)
                unanswered |= wanted and not answer.answered
        if choices.account_id and choices.account_id not in self.gone:
            return AccountChoice(
                Step.CHOSEN,
                choices.account_id,
                name=choices.account_name,
                unanswered=unanswered,
            )
        return AccountChoice(Step.NONE, unanswered=unanswered)

    def crowded(self, choices: PeopleChoices, domain: str) -> bool:
        """Whether the answer is still to come: there was more than the questions so far tell."""
        told = self.domains.get(domain)
        return choices.looks_for_accounts and told is not None and bool(told.crowd)


def why_not(schemas: Mapping[str, ObjectSchema]) -> str | None:
    """Why Accounts cannot be looked for or set with the connected user's rights; None if they
    can."""
    account, contact = schemas.get(ACCOUNT.name), schemas.get(CONTACT.name)
    if account is None or "Website" not in account.fields:
        return "The connected user cannot read Accounts and their Website."
    lookup = contact.fields.get(TO_ACCOUNT) if contact is not None else None
    if lookup is None or not lookup.createable:
        return "The connected user cannot edit the Account of a Contact (Contact.AccountId)."
    return None


def find(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection_id: int,
    domains: Iterable[str],
    schemas: Mapping[str, ObjectSchema],
    *,
    start_by: Callable[[], float | None] = lambda: None,
    keep_unanswered: bool = False,
    again: bool = False,
) -> Known:
    """What is known of these domains (`addresses.domain_key`), asking Salesforce for those that are
    not known from the last day: one request for up to 200 of them, at most two more where many
    Contacts or Accounts share one. Domains of personal mail and public suffixes are left out.
    `start_by` is asked before each request.

    A question that fails answers nothing of its domains. With `keep_unanswered`, which is for the
    delivery, those are not asked about again for a quarter of an hour: an org that does not answer
    within a call's time would take it from every batch. With `again` those for which nothing was
    found are asked about once more: an admin may just have made the Account. Raises what ends a
    connection's work altogether: NotConnected, ConnectionLost, ConnectionBarred, RateLimited,
    CallNotStarted.
    """
    wanted = [domain for domain in dict.fromkeys(domains) if may_be_a_company(domain)]
    with runtime.database.read() as session:
        known = kept(session, connection_id, wanted, runtime.times)
    contact, account = schemas.get(CONTACT.name), schemas.get(ACCOUNT.name)
    name = account.fields.get("Name") if account is not None else None
    ask = partial(
        gateway.accounts,
        person_accounts=contact is not None and "IsPersonAccount" in contact.fields,
        named=name is not None and name.filterable,  # not so where it is encrypted
    )
    missing = [
        domain
        for domain in wanted
        if (there := known.domains.get(domain)) is None
        or not (there.complete or keep_unanswered)
        or (again and there.colleagues.account is there.website.account is None)
    ]
    told: dict[str, DomainAccounts] = {}
    for start in range(0, len(missing), MAX_DOMAINS):
        told |= _ask(ask, missing[start : start + MAX_DOMAINS], start_by)
    keep(runtime, connection_id, told, unanswered=keep_unanswered)
    return Known({**known.domains, **told}, known.gone)


def _ask(
    ask: Callable[..., Mapping[str, DomainAccounts]],
    domains: Collection[str],
    start_by: Callable[[], float | None],
) -> dict[str, DomainAccounts]:
    told: dict[str, DomainAccounts] = {}
    asked, first = list(domains), 0
    for _ in range(MAX_REQUESTS):
        try:
            told |= ask(asked, first=first, start_by=start_by())
        except NOT_OF_THE_QUESTION:
            raise
        except SalesforceError as error:
            log.warning("people.accounts.unanswered code=%s", error.code)
            told |= {domain: _given_up(told.get(domain, _NOT_ANSWERED)) for domain in asked}
            break
        asked = sorted(
            (domain for domain in asked if told[domain].crowd), key=lambda each: -told[each].crowd
        )
        first = min(_APART, len(asked))
        if not asked:
            break
    return told


def _given_up(told: DomainAccounts) -> DomainAccounts:
    """This, with nothing still to come."""
    return DomainAccounts(replace(told.colleagues, crowd=0), replace(told.website, crowd=0))


def kept(session: Session, connection_id: int, domains: Collection[str], times: Times) -> Known:
    """What Salesforce told of these domains in the last day, and what it did not answer in the last
    quarter of an hour; nothing from before the last login, which may have been another user's with
    other rights. One statement."""
    time = now(session)
    rows = session.execute(
        select(DomainAccount.domain, DomainAccount.told, DomainAccount.told_at)
        .join(Connection, Connection.id == DomainAccount.connection_id)
        .where(
            DomainAccount.connection_id == connection_id,
            DomainAccount.domain.in_(select(listed(session, [_CHOSEN, *domains]))),
            DomainAccount.told_at > time - times.span(DAY),
            DomainAccount.told_at >= Connection.connected_at,
        )
    ).all()
    again = time - times.span(ACCOUNT_UNANSWERED)
    found = {row.domain: _restored(row.told) for row in rows if row.domain != _CHOSEN}
    late = {row.domain for row in rows if row.told_at <= again}
    return Known(
        {domain: told for domain, told in found.items() if told.complete or domain not in late},
        next((row.told for row in rows if row.domain == _CHOSEN), ()),
    )


def known_name(session: Session, connection_id: int, customer: Address, times: Times) -> str:
    """What the Account of somebody's mail domain is called, as far as that was told in the last
    day; "" where it was not, or there is none. One statement, no request."""
    key = address_key(customer.email)
    if key is None:
        return ""
    told = kept(session, connection_id, [domain_of(key)], times).domains.get(domain_of(key))
    found = (told.colleagues.account or told.website.account) if told is not None else None
    return found.name if found is not None else ""


def keep(
    runtime: Runtime,
    connection_id: int,
    told: Mapping[str, DomainAccounts],
    *,
    unanswered: bool = False,
) -> None:
    """Keep for a day what is complete of this, and, if `unanswered`, also what Salesforce did not
    answer, but for what is still to come. Two statements, none for nothing."""
    found = {
        domain: _dumped(each)
        for domain, each in told.items()
        if each.complete or (unanswered and not each.crowd)
    }
    if not found:
        return
    with runtime.database.write() as session:
        _replace(session, connection_id, found)


def _replace(session: Session, connection_id: int, found: Mapping[str, Any]) -> None:
    forget(session, connection_id, found)
    time = now(session)
    rows = [
        {"connection_id": connection_id, "domain": domain, "told": told, "told_at": time}
        for domain, told in found.items()
    ]
    insert_new(session, DomainAccount, rows)


def forget(session: Session, connection_id: int, domains: Collection[str]) -> None:
    """Forget what was told of these domains: Salesforce did not take the Account."""
    of_them = DomainAccount.domain.in_(select(listed(session, list(domains))))
    change_rows(
        session,
        delete(DomainAccount).where(DomainAccount.connection_id == connection_id, of_them),
    )


def note_gone(session: Session, connection_id: int, account_id: str) -> None:
    """Salesforce does not take a chosen Account: it is not tried for a day."""
    row = session.get(DomainAccount, (connection_id, _CHOSEN))
    since = session.get_one(Connection, connection_id).connected_at
    known = row.told if row is not None and row.told_at >= since else ()
    _replace(session, connection_id, {_CHOSEN: sorted({*known, account_id})})


def forget_gone(session: Session, connection_id: int) -> None:
    """Try the chosen Accounts again."""
    forget(session, connection_id, [_CHOSEN])


def _dumped(told: DomainAccounts) -> list[Any]:
    return [_dumped_step(told.colleagues), _dumped_step(told.website)]


def _dumped_step(told: Told) -> list[str] | bool | None:
    if told.account is not None:
        return [told.account.id, told.account.owner_id, told.account.name]
    return told.several if told.answered else None


def _restored(values: list[Any]) -> DomainAccounts:
    colleagues, website = map(_restored_step, values)
    return DomainAccounts(colleagues, website)


def _restored_step(value: list[str] | bool | None) -> Told:
    if isinstance(value, list):
        return Told(AccountFound(*value))
    return Told(answered=False) if value is None else Told(several=value)
