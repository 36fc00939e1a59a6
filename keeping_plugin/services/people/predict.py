"""Who would be added, as what and on which Account, asked of the org as the delivery asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_of
from keeping_plugin.errors import KeepingError
from keeping_plugin.models import Connection, UndoneAddress, listed
from keeping_plugin.objects import emails_are_searched, logs_mail
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.people import accounts, address_fields, picks, policy
from keeping_plugin.services.people.accounts import AccountChoice
from keeping_plugin.services.people.making import Making
from keeping_plugin.services.people.policy import PeopleChoices
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent, PersonFound

# What one request finds, and one asks the Accounts of.
MAX_ADDRESSES: Final = 1_000
MAX_DOMAINS: Final = accounts.MAX_DOMAINS


@dataclass(frozen=True, slots=True)
class Prediction:
    """What would become of somebody now. `there`: the records that have the address already, so
    that nobody is added. `account` None: none is looked for. `undone`: an admin had this person
    deleted again, so that they are not added."""

    address: str
    there: tuple[PersonFound, ...] = ()
    account: AccountChoice | None = None
    undone: bool = False

    @property
    def undecided(self) -> bool:
        """Whether their mail waits for an agent's choice among several Contacts."""
        return address_fields.undecided([one for one in self.there if logs_mail(one.object)])


@dataclass(frozen=True, slots=True)
class Predicted:
    """What would become of these addresses (`addresses.address_key`) in a mailbox. `error`: the org
    did not say. `unasked` addresses were too many to ask about."""

    choices: PeopleChoices
    people: Mapping[str, Prediction] = field(default_factory=dict)
    error: KeepingError | None = None
    unasked: int = 0
    why_no_account: str | None = None


def predict(
    runtime: Runtime, agent: Agent, connection: Connection, mailbox_id: str, keys: Iterable[str]
) -> Predicted:
    """At most one request for the people (two where other address fields find them) and one for the
    Accounts of mail domains that are not known yet (two more where many share a domain), counted as
    the admin's. Nothing is written but what Salesforce told of the domains."""
    wanted = list(dict.fromkeys(keys))
    asked = _within(wanted)
    with runtime.database.read() as session:
        schemas = describe.schemas(session, connection.id)
        making = Making(policy.load(session, connection.company_id), schemas)
        chosen = picks.load(session, connection.id, asked)
        ticked = address_fields.load(session, connection.company_id)
        undone = not_added_again(session, connection.company_id, asked)
    fields = address_fields.usable(ticked, schemas)
    choices = making.choices(mailbox_id)
    why = accounts.why_not(schemas) if schemas else None
    looks = choices.looks_for_accounts and making.may_have_account
    try:
        with runtime.asked_by(agent, connection.id, Feature.RECORDS, within=PANEL_CALL) as gateway:
            by_search = emails_are_searched(schemas)
            by_email = gateway.find(asked, chosen=chosen, by_search=by_search)
            found = address_fields.find(
                runtime, gateway, connection.id, by_email, fields, asked, chosen=chosen
            ).people
            new = [key for key in asked if not found.get(key)] if looks else []
            known = accounts.find(runtime, gateway, connection.id, map(domain_of, new), schemas)
    except KeepingError as error:
        return Predicted(choices, error=error, why_no_account=why)
    people = {
        key: Prediction(
            key,
            found.get(key, ()),
            known.choose(choices, domain_of(key)) if making.may_have_account else None,
            key in undone,
        )
        for key in asked
    }
    return Predicted(choices, people, None, len(wanted) - len(asked), why)


def not_added_again(session: Session, company_id: str, keys: Iterable[str]) -> frozenset[str]:
    """Those of these addresses whose people an admin had deleted again."""
    found = select(UndoneAddress.address).where(
        UndoneAddress.company_id == company_id,
        UndoneAddress.address.in_(select(listed(session, list(keys)))),
    )
    return frozenset(session.scalars(found))


def _within(keys: list[str]) -> list[str]:
    """As many of the addresses as may be asked about."""
    domains: set[str] = set()
    asked = []
    for key in keys[:MAX_ADDRESSES]:
        domains.add(domain_of(key))
        if len(domains) > MAX_DOMAINS:
            break
        asked.append(key)
    return asked
