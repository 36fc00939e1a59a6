"""What the automations would do, before anybody switches them on. Nothing is written."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from keeping_plugin.addresses import address_key
from keeping_plugin.errors import InvalidInput
from keeping_plugin.models import Database
from keeping_plugin.ports import HelpDesk
from keeping_plugin.rules import CHECKS, RULES, Facts, Policy, Verdict, decide
from keeping_plugin.services.automation.explain import (
    ExplainedVerdict,
    explained,
    judge_now,
    refusals,
)
from keeping_plugin.services.automation.history import pages
from keeping_plugin.services.automation.policy import (
    MailboxAutomation,
    as_switched,
    read_policy,
    read_switches,
)
from keeping_plugin.services.people.limits import Rehearsal
from keeping_plugin.services.people.policy import PeopleChoices
from keeping_plugin.types import Action, Address, Direction, MessageArrived
from keeping_plugin.wording.actions import RECORDS

DAYS: Final = 30
# An admin waits for the page: enough mail to judge by, and an end.
MAX_MESSAGES: Final = 5_000
ROWS: Final = 200
ALL_ON: Final = MailboxAutomation(add_contacts=True, log_tasks=True)


@dataclass(frozen=True, slots=True)
class Tried:
    """An address and every rule's verdict on it."""

    address: str
    verdicts: tuple[ExplainedVerdict, ...]

    @property
    def adds(self) -> bool:
        """Whether the rules would add this person, if nobody has the address yet."""
        return any(one.granted for one in self.verdicts if one.action is Action.ADD_CONTACT)


def try_address(
    database: Database, helpdesk: HelpDesk, company_id: str, mailbox_id: str, address: str
) -> Tried:
    """What would happen to a first message of this address in this mailbox, as it is set now.
    Raises InvalidInput for what is no address."""
    address = address.strip()
    if address_key(address) is None:
        raise InvalidInput("Enter an email address, such as anna@example.com.", field="address")
    customer = Address(address)
    message = MessageArrived(
        company_id=company_id,
        mailbox_id=mailbox_id,
        conversation_id="-",
        message_id="-",
        direction=Direction.INBOUND,
        opens_conversation=True,
        customer=customer,
        sender=customer,
        recipients=(),
        sent_at=datetime(2000, 1, 1, tzinfo=UTC),  # no rule asks when
    )
    with database.read() as session:
        return Tried(address, explained(judge_now(session, helpdesk, message)))


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many messages a check refused."""

    action: Action
    code: str
    sentence: str
    count: int

    @property
    def record(self) -> str:
        """What it would have become."""
        return RECORDS[self.action]


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One message: the records it would become, and the sentences against it. `adds`: its customer
    (`address`, an `addresses.address_key`) would be added."""

    message_id: str
    conversation_id: str
    customer: str
    inbound: bool
    sent_at: datetime
    records: tuple[str, ...]
    reasons: tuple[str, ...]
    address: str = ""
    adds: bool = False


class Preview:
    """What the rules would make of the messages counted so far. `refused`: messages of which
    nothing would be made; `rows` are the latest, newest first; `more` when mail was left out."""

    days = DAYS

    def __init__(self, limits: PeopleChoices | None) -> None:
        self._rehearsal = Rehearsal(limits) if limits is not None and limits.has_limits else None
        self._added: dict[str, None] = {}
        self._reasons: Counter[tuple[Action, str]] = Counter()
        self.seen = self.tasks = self.refused = 0
        self.rows: deque[PreviewRow] = deque(maxlen=ROWS)
        self.more = False

    @property
    def added(self) -> tuple[str, ...]:
        """The addresses to add, the latest first."""
        return tuple(reversed(self._added))

    @property
    def contacts(self) -> int:
        """Of addresses, since one becomes one Contact."""
        return len(self._added)

    @property
    def held(self) -> int | None:
        """How many of them the limits would have held for review; None without limits."""
        return None if self._rehearsal is None else len(self._rehearsal.held)

    @property
    def reasons(self) -> tuple[ReasonCount, ...]:
        """Why messages were refused, the most frequent first."""
        return tuple(
            ReasonCount(action, code, CHECKS[code].refusal, count)
            for (action, code), count in self._reasons.most_common()
        )

    def count(self, messages: Iterable[MessageArrived], policy: Policy) -> None:
        """Judge these messages, too."""
        for message in messages:
            facts = Facts.of(message, policy)
            verdicts = decide(RULES, facts)
            granted = {verdict.action for verdict in verdicts if verdict.granted}
            self.seen += 1
            self.tasks += len(granted - {Action.ADD_CONTACT})
            self.refused += not granted
            if Action.ADD_CONTACT in granted:
                if self._rehearsal is not None and facts.address not in self._added:
                    self._rehearsal.add(facts.address, message.sent_at)
                self._added.pop(facts.address, None)
                self._added[facts.address] = None
            self._reasons.update(
                (verdict.action, code) for verdict in verdicts for code in verdict.reasons
            )
            self.rows.appendleft(_row(message, facts, verdicts, granted))


def what_would_have_happened(
    database: Database,
    helpdesk: HelpDesk,
    company_id: str,
    mailbox_id: str,
    *,
    until: datetime,
    since: datetime | None = None,
    wanted: MailboxAutomation | None = ALL_ON,
    limits: PeopleChoices | None = None,
) -> Preview:
    """A mailbox through the rules since a time, else since 30 days before `until`, as if it were
    switched as wanted (None: as it is): the oldest 5,000 messages. Who is in Salesforce already is
    not asked. `limits` for new people hold some of them."""
    preview = Preview(limits)
    since = since or until - timedelta(days=DAYS)
    for page in pages(helpdesk, company_id, mailbox_id, since):
        messages = page.messages[: MAX_MESSAGES - preview.seen]
        preview.more = len(messages) < len(page.messages)
        with database.read() as session:
            connection = session.connection()
            switches = read_switches(connection, company_id, mailbox_id)
            policy = read_policy(
                connection,
                helpdesk,
                messages,
                company_id=company_id,
                switches=as_switched(switches, wanted) if wanted else switches,
            )
        preview.count(messages, policy)
        if preview.more:
            break
    return preview


def _row(
    message: MessageArrived, facts: Facts, verdicts: Iterable[Verdict], granted: set[Action]
) -> PreviewRow:
    sentences = dict.fromkeys(sentence for verdict in verdicts for sentence in refusals(verdict))
    return PreviewRow(
        message.message_id,
        message.conversation_id,
        facts.customer,
        facts.inbound,
        message.sent_at,
        tuple(RECORDS[action] for action in Action if action in granted),
        tuple(sentences),
        facts.address,
        Action.ADD_CONTACT in granted,
    )
