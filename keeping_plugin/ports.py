"""What is outside: the host's inbox, Salesforce, its login hosts, the job queue and the clock.

A host implements `HelpDesk`; the others come with the plugin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from keeping_plugin.errors import SalesforceError
from keeping_plugin.types import (
    Agent,
    ContactMatch,
    Conversation,
    Described,
    Found,
    LeadMatch,
    Mailbox,
    Message,
    MessageArrived,
    NewRecord,
    ObjectSchema,
    OrgFacts,
    PicklistValue,
    Record,
    Saved,
    TaskLook,
    Tokens,
    Usage,
    Value,
)


class HelpDesk(Protocol):
    """The host's inbox. Every question names the company; "not yours" and "not there" are one
    answer. Read-only: the plugin never writes to the host.

    The worker asks too, without a request, and its answers may come from a replica. `mailboxes`,
    `conversation` and `messages` may be behind the commit of a message by up to ten minutes: that a
    message or a mailbox is not there is believed of an entry older than that, after two answers a
    minute apart, and nothing is sent for it until then. What *is* answered is believed at once: a
    message's customer, mailbox and text are sent as they are told, so they must not be older than
    the `message_arrived` that named them."""

    def current_agent(self) -> Agent | None:
        """Who makes this request, or None when nobody is logged in."""

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        """The company's mailboxes, in the order its people know."""

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        """The conversation, or None when this company has none of that id."""

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        """These messages with their text, in any order, missing ones left out; each body is
        fetched when it is asked for, so that a batch never holds them all."""

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        """Message ids of a mailbox since a time, oldest first, paged by the last id before."""

    def internal_addresses(self, company_id: str) -> Collection[str]:
        """Addresses and whole domains ("acme.example") of the company's own people and aliases."""

    def skipped_domains(self, company_id: str) -> Collection[str]:
        """Domains the host itself never adds as customers; joined with the company's own list."""

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        """Whether this agent may see this conversation."""


class MessageFacts(Protocol):
    """What a `HelpDesk` may answer beside its eight questions, for a history that is read quickly.
    A help desk without it is asked for whole messages."""

    def message_facts(
        self, company_id: str, message_ids: Sequence[str]
    ) -> Iterator[MessageArrived]:
        """These messages as `message_arrived` was told of them, without subject and text, in any
        order, missing ones left out. A backfill and a preview ask this, and fetch no body."""


class SalesforceGateway(Protocol):
    """One connection's door to Salesforce: domain verbs in, frozen values out, only our errors.

    Every call has one total deadline and raises, besides what it names: NotConnected,
    ConnectionLost, SalesforceUnavailable, RateLimited, PermissionDenied, SchemaStale, and for
    writes OutcomeUnclear. `start_by` is a reading of `Clock.monotonic()`: a call that cannot put
    its first byte on the wire by then raises CallNotStarted and sends nothing.
    """

    @property
    def usage(self) -> Usage | None:
        """API usage as the last answer told it."""

    @property
    def server_date(self) -> datetime | None:
        """The `Date` header of Salesforce's last answer."""

    @property
    def requests(self) -> int:
        """API requests that left through this gateway so far, answered or not."""

    def find(
        self,
        addresses: Sequence[str],
        *,
        tasks: TaskLook | None = None,
        by_search: bool = False,
        start_by: float | None = None,
    ) -> Found:
        """Everyone with these addresses (at most 1,000) and every Task of the look: one composite,
        read to its end. `by_search`: people by SOSL, a request for some hundred addresses, where
        the org keeps addresses encrypted; who is not found may be there all the same."""

    def panel(
        self, address: str, schemas: Mapping[str, ObjectSchema], fields: Mapping[str, Sequence[str]]
    ) -> Sequence[ContactMatch | LeadMatch]:
        """Everyone with this address with the chosen fields per object, and what stands around
        each: one round trip, one API request (two where the org keeps addresses encrypted).
        Objects without a schema are left out."""

    def read(self, object: str, record_id: str, fields: Sequence[str]) -> Record:
        """One record. Raises RecordNotFound."""

    def create(
        self,
        object: str,
        fields: Mapping[str, Value],
        *,
        allow_duplicates: bool = False,
        start_by: float | None = None,
    ) -> Saved:
        """Create one record. Raises RecordRejected, DuplicatesFound."""

    def create_many(
        self, records: Sequence[NewRecord], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        """Create up to 1,000 records in one composite of collections, each standing alone: one
        outcome a row, in order, RecordRejected, RowLocked or OutcomeUnclear among them. A call
        that tells nothing of any row raises (BatchRefused when it was refused as a whole); when
        only some of its collections do, their rows have that error as their outcome."""

    def update(
        self,
        object: str,
        record_id: str,
        changes: Mapping[str, Value],
        *,
        unless_modified_since: datetime | None = None,
        allow_duplicates: bool = False,
    ) -> None:
        """Write these fields. Raises RecordRejected, RecordChanged, DuplicatesFound,
        RecordNotFound."""

    def search(self, object: str, text: str, *, limit: int = 20) -> Sequence[Record]:
        """Records of an object whose name contains the text, with their name field."""

    def describe(
        self, objects: Sequence[str], *, unless_modified: Mapping[str, str] | None = None
    ) -> Sequence[Described]:
        """Up to five objects in one API request; those the user cannot see are left out.
        `unless_modified` maps an object to the `last_modified` of the describe at hand."""

    def picklist_values(
        self, object: str, record_type_id: str
    ) -> Mapping[str, Sequence[PicklistValue]]:
        """The picklist values that a record type offers, by field. What a value depends on is told
        by the describe alone."""

    def closed_task_status(self) -> str | None:
        """A Task status of this org that counts as closed, its default one first; None if none."""

    def org_facts(self) -> OrgFacts:
        """The org and the user behind the token."""

    def limits(self) -> Usage:
        """One cheap call that reads the API usage again."""


class Gateways(Protocol):
    """Opens the gateway of one connection."""

    def __call__(self, connection_id: int, *, deadline: float | None = None) -> SalesforceGateway:
        """`deadline`: seconds for each whole call (default 20). Raises NotConnected, NotReady."""


class LoginStore(Protocol):
    """Where a login on its way waits for its callback: on the server, never in the browser.

    It is bound to the session, the user and the company that began the login; `take` finds only
    what the same three have set.
    """

    def set(self, state: str, value: str, seconds: int) -> None:
        """Keep `value` (it holds the PKCE verifier: seal it) for so many seconds. `state` is a
        secret too: keep its digest."""

    def take(self, state: str) -> str | None:
        """Return what was kept and forget it in the same statement, so that of two callers with
        one state at most one gets it. None when there is none, it is too old or somebody else's."""


class OAuth(Protocol):
    """The connected app's dealings with Salesforce's login hosts."""

    def authorize_url(self, redirect_uri: str, store: LoginStore) -> str:
        """Where the browser goes to log in; what the callback needs waits in the store."""

    def exchange(self, arguments: Mapping[str, str], store: LoginStore) -> Tokens:
        """The grant for a callback's arguments. Raises InvalidInput, LoginRefused,
        SalesforceUnavailable, RateLimited, NotReady."""

    def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for these. Raises ConnectionLost, ConnectionBarred, SalesforceUnavailable,
        RateLimited, NotReady."""

    def revoke(self, login_url: str, token: str) -> None:
        """End a grant. Raises SalesforceUnavailable when Salesforce did not say that it is gone."""


class JobQueue(Protocol):
    """A doorbell: it may lose, repeat or reorder what it is told without harm."""

    def ring(self, connection_ids: Iterable[int]) -> None:
        """Ask for a drain of each connection, at most once in 5 s each. Never raises and never
        waits for long: a queue out of reach is the sweep's business."""

    def clear_ring(self, connection_id: int) -> None:
        """A drain has begun: from now on a ring means new work. Never raises."""

    def enqueue(self, job: str, row_id: int) -> None:
        """Ask for `describe`, `backfill` or `revoke` of one row. Never raises, as above."""

    def length(self) -> int | None:
        """Jobs waiting, or None when the queue is out of reach."""


class Clock(Protocol):
    """The machine's clocks; what several processes compare is the database's (models/database)."""

    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
