"""The plugin's external interfaces: the inbox, Salesforce, its login hosts, job queue and clock.

A host implements `HelpDesk`; the plugin provides the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from keeping_plugin.errors import SalesforceError
from keeping_plugin.types import (
    Address,
    Agent,
    BackLink,
    ContactMatch,
    Conversation,
    CreateLook,
    Described,
    DomainAccounts,
    Found,
    Inspection,
    LeadMatch,
    Mailbox,
    Message,
    MessageArrived,
    NewRecord,
    ObjectSchema,
    OrgFacts,
    PicklistValue,
    Record,
    Related,
    Saved,
    TaskLook,
    Tokens,
    Usage,
    UserFound,
    Value,
    Visibility,
)


class HelpDesk(Protocol):
    """The host's inbox. Every method takes the company; an object of another company is treated
    like one that does not exist. Read-only: the plugin never writes to the host.

    Workers call these methods too, outside a request, and may be served from a replica.
    `mailboxes`, `conversation` and `messages` may lag behind the commit of a message by up to ten
    minutes: the plugin treats a message or mailbox as missing only for entries older than that,
    and only after two answers a minute apart; until then nothing is sent for it. What *is*
    returned is used at once: a message's customer, mailbox and text are sent as returned, so they
    must be at least as recent as the `message_arrived` call for that message."""

    def current_agent(self) -> Agent | None:
        """The agent making this request, or None if no one is logged in."""

    def mailboxes(self, company_id: str) -> Sequence[Mailbox]:
        """The company's mailboxes, in the order the inbox lists them."""

    def conversation(self, company_id: str, conversation_id: str) -> Conversation | None:
        """The conversation, or None if this company has none with this id."""

    def messages(self, company_id: str, message_ids: Sequence[str]) -> Iterator[Message]:
        """These messages with their text, in any order; missing ones are left out. Yield them one
        at a time, so that a batch never holds all bodies in memory."""

    def message_ids(
        self,
        company_id: str,
        mailbox_id: str,
        since: datetime,
        after: str | None = None,
        limit: int = 500,
    ) -> Sequence[str]:
        """Ids of a mailbox's messages since a time, oldest first. `after` is the last id of the
        previous page."""

    def internal_addresses(self, company_id: str) -> Collection[str]:
        """Addresses and whole domains ("acme.example") of the company's own people and aliases."""

    def skipped_domains(self, company_id: str) -> Collection[str]:
        """Domains that the host never adds as customers, besides the company's own list."""

    def may_view(self, agent: Agent, conversation: Conversation) -> bool:
        """Whether this agent may see this conversation."""


class MessageFacts(Protocol):
    """An optional ninth method of a `HelpDesk`, so that imports and previews read no bodies.
    Without it, whole messages are read through `HelpDesk.messages`."""

    def message_facts(
        self, company_id: str, message_ids: Sequence[str]
    ) -> Iterator[MessageArrived]:
        """These messages as they were passed to `message_arrived`, without subject and text, in any
        order; missing ones are left out."""


class Agents(Protocol):
    """An optional method of a `HelpDesk`, so that agents can be matched to Salesforce users before
    they write or are assigned. Without it, only those are matched whom messages and conversations
    name."""

    def agents(self, company_id: str) -> Sequence[Agent]:
        """The company's agents, each with their email address."""


class Participants(Protocol):
    """An optional method of a `HelpDesk`, so that the panel offers the cards of the others on a
    conversation. Without it, only the customer's card is shown."""

    def participants(self, company_id: str, conversation_id: str) -> Sequence[Address]:
        """Who is on the conversation's messages, as sender, recipient or in Cc, the latest first;
        empty if this company has no such conversation. The company's own people may be among them
        and people in several spellings: the plugin sorts that out."""


class LatestMessage(Protocol):
    """An optional method of a `HelpDesk`, so that forms of new records start from what the customer
    wrote last, also before Salesforce was connected. Without it, only messages that were passed to
    `message_arrived` since are known."""

    def latest_message(self, company_id: str, conversation_id: str) -> Message | None:
        """The latest inbound message of a conversation with its text; None if it has none, or this
        company has no such conversation."""


class SalesforceGateway(Protocol):
    """Access to Salesforce for one connection: takes and returns plain values, and raises only
    this plugin's errors.

    Every call has one total deadline. Besides the errors that a method names, it raises
    NotConnected, ConnectionLost, SalesforceUnavailable, RateLimited, PermissionDenied,
    SchemaStale, and for writes OutcomeUnclear. `start_by` is a reading of
    `Clock.monotonic()`: a call that cannot send its first byte by then raises CallNotStarted and
    sends nothing.
    """

    @property
    def usage(self) -> Usage | None:
        """API usage as of Salesforce's last answer."""

    @property
    def server_date(self) -> datetime | None:
        """The `Date` header of Salesforce's last answer."""

    @property
    def requests(self) -> int:
        """API requests sent through this gateway so far, answered or not."""

    def find(
        self,
        addresses: Sequence[str],
        *,
        tasks: TaskLook | None = None,
        chosen: Mapping[str, str] | None = None,
        by_search: bool = False,
        account_owners: Sequence[str] | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
        start_by: float | None = None,
    ) -> Found:
        """Everyone with these addresses (at most 1,000) and every Task that `tasks` describes, in
        one composite request, all pages read. `chosen`: Contacts and Leads by the address for which
        they were chosen, found under it whatever address they have. `by_search`: find people by
        SOSL, a few hundred addresses a request, because the org encrypts addresses; SOSL may miss a
        person who exists. `account_owners`: read who owns the Contacts' Accounts, too (not by
        search), and these Accounts. `fields`, by object: find people by these in place of Email.
        Raises SchemaStale naming one that is gone or cannot be filtered."""

    def panel(
        self,
        address: str,
        schemas: Mapping[str, ObjectSchema],
        fields: Mapping[str, Sequence[str]],
        *,
        numbers: Sequence[str] = (),
        chosen: str = "",
        others: Mapping[str, Sequence[str]] | None = None,
    ) -> Sequence[ContactMatch | LeadMatch]:
        """Everyone with this address, with the chosen fields of each object and the related
        records: one round trip and one API request (two if the org encrypts addresses). Objects
        without a schema are left out. `numbers`: records of the person or their Account that have
        one of these numbers (Case.CaseNumber) are read too. `chosen`: a Contact or Lead that is
        shown as well, whatever its address; of a Lead that was converted, its Contact. `others`,
        by object: fields that find a person where Email found no Contact (those of Leads: nobody).
        They cost a second request at most, and only then."""

    def successors(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        """What Contacts and Leads that are not there any more have become: the record into which
        they were merged, or the Contact into which a Lead was converted. Those that were simply
        deleted, or of which Salesforce does not tell, are absent. One API request, and one more for
        each time that what they became was merged again."""

    def find_by_text(
        self, text: str, fields: Mapping[str, Sequence[str]], *, limit: int = 5
    ) -> Sequence[Record]:
        """Contacts, unconverted Leads and Accounts by name, company, email address or phone number:
        one API request (SOSL, whose index lags by 15 minutes or more). `fields` are those to read,
        by object. At most `limit` of each object. Raises InvalidInput for a text without two
        letters or digits."""

    def read(self, object: str, record_id: str, fields: Sequence[str]) -> Record:
        """One record. Raises RecordNotFound."""

    def create(
        self,
        object: str,
        fields: Mapping[str, Value],
        *,
        allow_duplicates: bool = False,
        assign: bool = False,
        back: BackLink | None = None,
        start_by: float | None = None,
    ) -> Saved:
        """Create one record: one API request. `assign`: the org's assignment rules decide whose it
        is. With `back` another record refers to it afterwards, or nothing is written. Raises
        RecordRejected, DuplicatesFound, and with `back` RecordChanged, RecordNotFound (its record)
        and InvalidInput for a text that Salesforce would take for a reference."""

    def created(self, look: CreateLook) -> Sequence[Record]:
        """At most 50 records that match the look, with their title field and CreatedDate, the
        latest first."""

    def accounts(
        self,
        domains: Sequence[str],
        *,
        person_accounts: bool,
        named: bool = True,
        first: int = 0,
        start_by: float | None = None,
    ) -> Mapping[str, DomainAccounts]:
        """The Account to which the people of each of these mail domains (`addresses.domain_key`, at
        most 200) belong: one API request. A domain is exactly what stands behind the @: those above
        and below it are others. The first four domains are answered always, of more some may not be
        because several share a query; `first` says how many of them (at most 3) are answered in any
        case. `person_accounts`: the org has them, which are left out. `named`: Account.Name can be
        grouped by; not where it is encrypted."""

    def create_many(
        self, records: Sequence[NewRecord], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        """Create up to 1,000 records in one composite of collections (allOrNone=false). Returns
        one outcome per record, in order: Saved, or an error such as RecordRejected, RowLocked or
        OutcomeUnclear. A call without any row outcome raises (BatchRefused if it was refused as a
        whole); if only some collections have no row outcomes, their rows get that error."""

    def read_many(
        self, object: str, record_ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Record]:
        """Up to 200 records in one API request, by id; those that do not exist or are not visible
        are left out."""

    def update_many(
        self, object: str, changes: Mapping[str, Mapping[str, Value]]
    ) -> Mapping[str, SalesforceError | None]:
        """Update up to 200 records, by id, in one API request (allOrNone=false), whoever saved them
        meanwhile. Returns one outcome for each: None, or an error as `create_many`."""

    def inspect(
        self,
        object: str,
        record_ids: Sequence[str],
        related: Sequence[Related],
        *,
        start_by: float | None = None,
    ) -> Inspection:
        """What is known of up to 200 records before they are deleted, and what refers to them: one
        API request if at most 60 named relationships are `related`. A relationship that cannot be
        read costs a few more, to find out which it is."""

    def delete_many(
        self, record_ids: Sequence[str], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        """Delete up to 200 records in one API request (allOrNone=false), to Salesforce's recycle
        bin. One outcome per record, in order, as `create_many`; RecordNotFound for one that is gone
        already."""

    def update(
        self,
        object: str,
        record_id: str,
        changes: Mapping[str, Value],
        *,
        unless_modified_since: datetime | None = None,
        allow_duplicates: bool = False,
    ) -> None:
        """Update these fields. Raises RecordRejected, RecordChanged, DuplicatesFound,
        RecordNotFound."""

    def search(self, object: str, text: str, *, limit: int = 20) -> Sequence[Record]:
        """Records of an object whose name contains the text, with their name field."""

    def users(self, addresses: Sequence[str], ids: Sequence[str] = ()) -> Sequence[UserFound]:
        """Active standard users with one of these addresses as their email address (`.invalid`
        behind it, in sandboxes), username or Federation ID, and those with these ids: one API
        request for 500 addresses and 200 ids. An id may be that of a queue for Leads."""

    def users_named(self, text: str) -> Sequence[UserFound]:
        """Up to 20 active standard users whose name contains the text, or whose username or email
        address begins with it; behind them up to 20 queues for Leads whose name contains it."""

    def describe(
        self, objects: Sequence[str], *, unless_modified: Mapping[str, str] | None = None
    ) -> Sequence[Described]:
        """Describe up to five objects in one API request; those the user cannot see are left out.
        `unless_modified` maps an object to the `last_modified` of the cached describe."""

    def picklist_values(
        self, object: str, record_type_id: str
    ) -> Mapping[str, Sequence[PicklistValue]]:
        """The picklist values available for a record type, by field. Dependencies between
        picklists are in the describe only."""

    def closed_task_status(self) -> str | None:
        """A closed Task status of this org, preferably the default one; None if there is none."""

    def org_facts(self) -> OrgFacts:
        """The org and the user behind the token."""

    def visibility(self, user_id: str) -> Visibility:
        """Who sees which records, as far as Salesforce tells this user; one API request."""

    def limits(self) -> Usage:
        """Read the API usage again, in one cheap call."""


class Gateways(Protocol):
    """Creates the gateway of a connection."""

    def __call__(self, connection_id: int, *, deadline: float | None = None) -> SalesforceGateway:
        """`deadline`: seconds for each call (default 20). Raises NotConnected, NotReady."""


class LoginStore(Protocol):
    """Server-side storage for a login that is waiting for its callback.

    It is bound to the session, user and company that started the login; `take` returns only what
    the same three have stored.
    """

    def set(self, state: str, value: str, seconds: int) -> None:
        """Store `value` for so many seconds. It contains the PKCE verifier, so encrypt it. `state`
        is a secret too: store its hash."""

    def take(self, state: str) -> str | None:
        """Return the stored value and delete it in the same statement, so that of two callers with
        one state only one gets it. None if there is none, it has expired, or it belongs to
        another session, user or company."""


class OAuth(Protocol):
    """OAuth against Salesforce's login hosts."""

    def authorize_url(self, redirect_uri: str, store: LoginStore) -> str:
        """The URL of the login page; what the callback needs is kept in the store."""

    def exchange(self, arguments: Mapping[str, str], store: LoginStore) -> Tokens:
        """Exchange a callback's arguments for tokens. Raises InvalidInput, LoginRefused,
        SalesforceUnavailable, RateLimited, NotReady."""

    def refresh(self, tokens: Tokens) -> Tokens:
        """Renew these tokens. Raises ConnectionLost, ConnectionBarred, SalesforceUnavailable,
        RateLimited, NotReady."""

    def revoke(self, login_url: str, token: str) -> None:
        """Revoke a grant. Raises SalesforceUnavailable if Salesforce did not confirm it."""


class JobQueue(Protocol):
    """Wakes workers. Losing, repeating or reordering its jobs does no harm."""

    def ring(self, connection_ids: Iterable[int]) -> None:
        """Queue a drain of each connection, at most one every 5 s each. Never raises and never
        blocks for long: if the queue is unreachable, the next sweep queues the drain."""

    def clear_ring(self, connection_id: int) -> None:
        """A drain has started: rings from now on are for new work. Never raises."""

    def enqueue(self, job: str, row_id: int) -> None:
        """Queue a `describe`, `backfill`, `revoke` or `undo` job for one row. Never raises."""

    def length(self) -> int | None:
        """Jobs waiting, or None if the queue is unreachable."""


class Clock(Protocol):
    """The machine's clocks. Times that several processes compare come from the database's clock
    (models/database)."""

    def now(self) -> datetime:
        """The current time, as an aware UTC datetime."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
