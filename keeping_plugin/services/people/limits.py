"""How many people were added lately, as the limits for new people count them: people whom live mail
added, or whose sending is not answered yet, and nobody whom an admin has let pass.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from keeping_plugin.addresses import domain_of
from keeping_plugin.mail import domains
from keeping_plugin.models import Lane, SyncEntry, now
from keeping_plugin.services.ledger import holding
from keeping_plugin.services.ledger.events import OWED
from keeping_plugin.services.people.policy import PeopleChoices
from keeping_plugin.times import BURST, HOUR, Times
from keeping_plugin.types import Action

# The part behind the last @ of an address, in words that both databases know.
_DOMAIN: ColumnElement[str] = func.substr(
    SyncEntry.address,
    func.length(func.rtrim(SyncEntry.address, func.replace(SyncEntry.address, "@", ""))) + 1,
)


@dataclass(slots=True)
class Added:
    """How many people were added lately: by mailbox within an hour, and by company domain, in any
    mailbox, within ten minutes."""

    by_mailbox: Counter[str]
    by_domain: Counter[str]

    def count(self, mailbox_id: str, company: str) -> None:
        """One more, now."""
        self.by_mailbox[mailbox_id] += 1
        self.by_domain[company] += 1

    def are_enough(self, choices: PeopleChoices, mailbox_id: str, company: str) -> bool:
        """Whether these choices let nobody else of this mailbox or company domain pass."""
        hour = 0 < choices.an_hour <= self.by_mailbox[mailbox_id]
        return hour or (company != "" and 0 < choices.burst <= self.by_domain[company])


def company_of(address: str) -> str:
    """The registered domain of an address that may be a company's; "" of any other."""
    domain = domain_of(address)
    return domains.registered(domain) if domains.may_be_a_company(domain) else ""


def added_lately(session: Session, connection_id: int, times: Times) -> Added:
    """One statement, from the indexes of people added and of marks. A time that is ahead of the
    clock, which was set back, does not count."""
    time = now(session)
    hour, burst = time - times.span(HOUR), time - times.span(BURST)
    counted = and_(
        SyncEntry.connection_id == connection_id,
        SyncEntry.action == Action.ADD_CONTACT,
        SyncEntry.lane == Lane.LIVE,
        SyncEntry.released_at.is_(None),
    )
    done = and_(
        SyncEntry.state == literal_column("'done'"), SyncEntry.reason == literal_column("'created'")
    )
    sent = and_(SyncEntry.sent_at.is_not(None), SyncEntry.state.in_(OWED))
    people = union_all(
        *(
            select(SyncEntry.mailbox_id, _DOMAIN.label("domain"), at.label("at")).where(
                counted, condition, at > hour, at <= time
            )
            for at, condition in ((SyncEntry.settled_at, done), (SyncEntry.sent_at, sent))
        )
    ).subquery()
    rows = session.execute(
        select(
            people.c.mailbox_id,
            people.c.domain,
            func.count(),
            func.count().filter(people.c.at > burst),
        ).group_by(people.c.mailbox_id, people.c.domain)
    )
    found = Added(Counter(), Counter())
    for mailbox_id, domain, number, lately in rows:
        found.by_mailbox[mailbox_id] += number
        found.by_domain[company_of(domain)] += lately
    return found


class Rehearsal:
    """What limits would have held of one mailbox's people, told in the order of their mail."""

    def __init__(self, limits: PeopleChoices) -> None:
        self._limits = limits
        self._passed: deque[tuple[datetime, str]] = deque()
        self.held: set[str] = set()

    def add(self, address: str, at: datetime) -> None:
        """A new person wrote at this time."""
        while self._passed and self._passed[0][0] <= at - timedelta(seconds=HOUR):
            self._passed.popleft()
        company = company_of(address)
        burst = at - timedelta(seconds=BURST)
        added = Added(
            Counter({"": len(self._passed)}),
            Counter(each for when, each in self._passed if when > burst),
        )
        if added.are_enough(self._limits, "", company):
            self.held.add(address)
        else:
            self._passed.append((at, company))


def what_holds(
    session: Session,
    connection_id: int,
    choices: PeopleChoices,
    *,
    mailbox_id: str,
    address: str,
    times: Times,
) -> str:
    """What the limits would make of this person now, a code of wording.activity.LIMITS; "" without
    limits."""
    if holding.people_held(session, connection_id, [address]):
        return "under_review"
    if not choices.has_limits:
        return ""
    added = added_lately(session, connection_id, times)
    enough = added.are_enough(choices, mailbox_id, company_of(address))
    return "would_hold" if enough else "would_pass"
