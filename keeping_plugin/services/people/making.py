"""How the people of a batch are added: as what, with which values, on which Account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_of
from keeping_plugin.models import SyncEntry
from keeping_plugin.objects import CONTACT, LEAD, TO_ACCOUNT
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.people import accounts
from keeping_plugin.services.people.accounts import AccountChoice, Step
from keeping_plugin.services.people.policy import AddAs, CompanyPeople, PeopleChoices
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema.sending import sendable, usable
from keeping_plugin.types import Action, ObjectSchema, Value

COMPANY_LENGTH = 255

# Why somebody was added without the Account they were to have: codes of wording.entries.NOTES.
WITHOUT_ACCOUNT = "without_account"  # Salesforce did not take theirs
CHOSEN_GONE, UNANSWERED = "chosen_account_gone", "account_unanswered"
NOTES = frozenset({WITHOUT_ACCOUNT, CHOSEN_GONE, UNANSWERED})


@dataclass(frozen=True, slots=True)
class Making:
    """A company's choices, and what its org has."""

    people: CompanyPeople
    schemas: Mapping[str, ObjectSchema]

    def choices(self, mailbox_id: str) -> PeopleChoices:
        """What applies to a mailbox."""
        return self.people.of(mailbox_id)

    def filled(
        self, mailbox_id: str, object: str, fields: Mapping[str, Value], action: Action
    ) -> dict[str, Value]:
        """These fields of a new record and the chosen values of others, as the org takes them. A
        chosen value that it does not take any more is left out."""
        schema = self.schemas.get(object)
        chosen = usable(schema, self.choices(mailbox_id).defaults.get(object, {}))
        return {**chosen, **sendable(schema, fields, action)}

    @property
    def may_have_account(self) -> bool:
        """Whether whoever is added may get an Account, as far as the rights go."""
        return bool(self.schemas) and accounts.why_not(self.schemas) is None

    def looks(self, mailbox_id: str) -> bool:
        """Whether Salesforce is asked for that Account."""
        return self.choices(mailbox_id).looks_for_accounts and self.may_have_account


@dataclass(frozen=True, slots=True)
class Chosen:
    """The Account of each row; `open` are those of which Salesforce has more to tell than it has
    been asked so far: they come later."""

    accounts: Mapping[int, AccountChoice]
    open: Collection[int] = ()


def choose(
    runtime: Runtime,
    gateway: SalesforceGateway,
    connection_id: int,
    rows: Iterable[SyncEntry],
    making: Making,
    *,
    start_by: Callable[[], float | None],
) -> Chosen:
    """The Account of everybody who is about to be added: one request at most as a rule, none where
    no mailbox looks for Accounts and for domains that are known. Raises as `accounts.find`."""
    rows = list(rows) if making.may_have_account else []
    choices = {row.id: making.choices(row.mailbox_id) for row in rows}
    domains = {row.id: domain_of(row.address) for row in rows}
    asked = [domains[row.id] for row in rows if choices[row.id].looks_for_accounts]
    if not asked and not any(each.account_id for each in choices.values()):
        return Chosen({})
    known = accounts.find(
        runtime,
        gateway,
        connection_id,
        asked,
        making.schemas,
        start_by=start_by,
        keep_unanswered=True,
    )
    return Chosen(
        {row.id: known.choose(choices[row.id], domains[row.id]) for row in rows},
        {row.id for row in rows if known.crowded(choices[row.id], domains[row.id])},
    )


def missing_account(account: AccountChoice, choices: PeopleChoices) -> str | None:
    """What an admin is to know of somebody who is added without the Account that the choices ask
    for, a code of wording.entries.NOTES; None for everybody else."""
    if account.step is not Step.NONE or choices.add_as is AddAs.LEAD:
        return None
    if choices.account_id:
        return CHOSEN_GONE
    return UNANSWERED if account.unanswered else None


def on_account(
    object: str, fields: Mapping[str, Value], account: AccountChoice | None
) -> Mapping[str, Value]:
    """The fields of a new person with what their Account tells: a Contact belongs to it; a Lead,
    which belongs to none, has its name for a company, unless it is but the chosen one."""
    if account is None or not account.id:
        return fields
    if object == CONTACT.name:
        return {**fields, TO_ACCOUNT: account.id}
    if object == LEAD.name and account.name and account.step is not Step.CHOSEN:
        return {**fields, "Company": account.name[:COMPANY_LENGTH]}
    return fields


@dataclass(frozen=True, slots=True)
class RefusedAccount:
    """The Account that somebody was not added to. `named`: Salesforce said that it was that, or
    accepted the same record without it."""

    address: str
    account: AccountChoice
    named: bool


def refused(session: Session, connection_id: int, known: Collection[RefusedAccount]) -> None:
    """Salesforce did not take these Accounts: they are found again before they are tried. A chosen
    Account rests for a day only if Salesforce named it: it is everybody's."""
    if not known:
        return
    accounts.forget(session, connection_id, {domain_of(each.address) for each in known})
    chosen = {each.account.id for each in known if each.named and each.account.step is Step.CHOSEN}
    for account_id in sorted(chosen):
        accounts.note_gone(session, connection_id, account_id)
