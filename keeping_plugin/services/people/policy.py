"""How a company wants the people made whom its automations add, with overrides per mailbox.

A feature of adding people reads its choices here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from keeping_plugin.models import Installation, PeoplePolicy, upsert
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited
from keeping_plugin.types import Agent, Value
from keeping_plugin.types.records import QUEUE

COMPANY: Final = ""  # the "mailbox" of the company's own row


class AddAs(StrEnum):
    CONTACT = "contact"
    LEAD = "lead"


class Owner(StrEnum):
    """Who owns an added person and its Tasks."""

    CONNECTING_USER = "connecting_user"
    CHOSEN_USER = "chosen_user"
    ACCOUNT_OWNER = "account_owner"
    AGENT = "agent"  # who wrote the message, else the conversation's assignee


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleChoices:
    """What applies to one mailbox. The Account of an added Contact is the first that a step finds:
    the one most Contacts of the mail domain have, the one whose Website is the domain, the chosen
    one (`account_id`, "" without one), else none.

    `defaults` are values by object and field. `an_hour` and `burst` are numbers of people, 0
    without that brake: added in one mailbox within an hour, and of one company domain within ten
    minutes; more are held. `once_per_mail` is the company's only.
    """

    add_as: AddAs = AddAs.CONTACT
    by_colleagues: bool = True
    by_website: bool = True
    account_id: str = ""
    account_name: str = ""
    owner: Owner = Owner.CONNECTING_USER
    owner_id: str = ""
    owner_name: str = ""
    defaults: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    an_hour: int = 0
    burst: int = 0
    once_per_mail: bool = False

    @property
    def may_stay_private(self) -> bool:
        """Whether a Contact may be added without an Account: only its owner, and who sees all,
        would find it."""
        return self.add_as is AddAs.CONTACT and not self.account_id

    @property
    def person_owner(self) -> str:
        """The choice of who owns an added person, as far as it can apply to them: a queue owns
        Leads only, so that the connecting user owns a Contact."""
        is_queue = self.owner is Owner.CHOSEN_USER and self.owner_id.startswith(QUEUE)
        unfit = is_queue and self.add_as is not AddAs.LEAD
        return Owner.CONNECTING_USER if unfit else self.owner

    @property
    def has_limits(self) -> bool:
        """Whether new people may be held for review."""
        return bool(self.an_hour or self.burst)

    @property
    def looks_for_accounts(self) -> bool:
        """Whether an Account is looked for by the mail domain."""
        return self.by_colleagues or self.by_website


_ENUMS: Final[Mapping[str, type[StrEnum]]] = {"add_as": AddAs, "owner": Owner}
_NAMES: Final = frozenset(one.name for one in fields(PeopleChoices))


@dataclass(frozen=True, slots=True)
class CompanyPeople:
    """A company's choices, and which of them its mailboxes replace."""

    company: Mapping[str, Any]
    mailboxes: Mapping[str, Mapping[str, Any]]

    def of(self, mailbox_id: str) -> PeopleChoices:
        """What applies to this mailbox; COMPANY for the company's own."""
        return _choices({**self.company, **self.mailboxes.get(mailbox_id, {})})

    def own(self, mailbox_id: str) -> frozenset[str]:
        """The names of the choices that this mailbox makes for itself."""
        return frozenset(self.mailboxes.get(mailbox_id, {}))

    def values_of(self, name: str) -> set[Any]:
        """The values of one choice anywhere in the company."""
        everywhere = (COMPANY, *self.mailboxes)
        return {getattr(self.of(mailbox_id), name) for mailbox_id in everywhere}


def load(session: Session, company_id: str) -> CompanyPeople:
    """All of a company's choices; one statement."""
    return of_rows(
        session.scalars(select(PeoplePolicy).where(PeoplePolicy.company_id == company_id))
    )


def of_rows(rows: Iterable[PeoplePolicy]) -> CompanyPeople:
    """The same of a company's rows, for whoever reads them together with something else."""
    kept = {row.mailbox_id: row.choices for row in rows}
    company = kept.pop(COMPANY, {})
    return CompanyPeople(company, kept)


def save(session: Session, agent: Agent, mailbox_id: str, **wanted: Any) -> bool:
    """Set these choices of a mailbox, or of the company (COMPANY), and leave its others; says
    whether that changed anything. Raises ValueError for a name that is none of PeopleChoices, or a
    value outside its enum."""
    if unknown := wanted.keys() - _NAMES:
        raise ValueError(f"no such choices: {sorted(unknown)}")
    for name, kind in _ENUMS.items():
        if name in wanted:
            wanted[name] = str(kind(wanted[name]))
    known = load(session, agent.company_id)
    own = known.company if mailbox_id == COMPANY else known.mailboxes.get(mailbox_id, {})
    if all(name in own and own[name] == value for name, value in wanted.items()):
        return False
    upsert(
        session,
        PeoplePolicy,
        {
            "company_id": agent.company_id,
            "mailbox_id": mailbox_id,
            "choices": {**own, **wanted},
        },
    )
    _note(session, agent, mailbox_id, sorted(wanted))
    return True


def follow_company(session: Session, agent: Agent, mailbox_id: str, names: Collection[str]) -> bool:
    """Let a mailbox follow the company again in these choices alone; says whether it had any of its
    own."""
    row = session.get(PeoplePolicy, (agent.company_id, mailbox_id))
    if row is None or mailbox_id == COMPANY or not row.choices.keys() & set(names):
        return False
    row.choices = {name: value for name, value in row.choices.items() if name not in names}
    _note(session, agent, mailbox_id, ["company"])
    return True


# Ids of records, which another org does not have.
_OF_THE_ORG: Final = frozenset({"account_id", "account_name", "owner_id", "owner_name"})


def leave_org(session: Session, company_id: str, *, agent_id: str) -> None:
    """The company has moved to another org: choices that name records of the one before are made
    anew there. Until then the connecting user owns what a chosen user owned."""
    for row in session.scalars(select(PeoplePolicy).where(PeoplePolicy.company_id == company_id)):
        gone = _OF_THE_ORG & row.choices.keys()
        if row.choices.get("owner") == Owner.CHOSEN_USER:
            gone |= {"owner"}
        if gone:
            row.choices = {name: row.choices[name] for name in row.choices.keys() - gone}
            audit.record(
                session,
                Audited.PEOPLE_CHANGED,
                company_id=company_id,
                agent_id=agent_id,
                record_id=row.mailbox_id,
                detail=" ".join(sorted(gone)),
            )


def _note(session: Session, agent: Agent, mailbox_id: str, names: list[str]) -> None:
    audit.record_by(
        session,
        agent,
        Audited.PEOPLE_CHANGED,
        record_id=mailbox_id,
        detail=" ".join(names)[:255],
    )


def _choices(kept: Mapping[str, Any]) -> PeopleChoices:
    values = {name: value for name, value in kept.items() if name in _NAMES}
    for name, kind in _ENUMS.items():
        if name in values:
            values[name] = kind(values[name])
    return PeopleChoices(**values)


def beside_0_1_0(session: Session) -> bool:
    """Whether processes of 0.1.0 may run beside us, which read no choices and know no held entry.
    `flask keeping db contract` says that none does."""
    return session.scalars(select(Installation.contract)).one_or_none() == 0
