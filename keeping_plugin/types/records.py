"""Records, people, matches and outcomes, as the gateway returns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from keeping_plugin.types.schema import Value

QUEUE = "00G"  # how the ids of queues (Group) begin


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read: `fields` has the requested fields in the requested order."""

    object: str
    id: str
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ContactMatch:
    """A Contact with its related records by key (`objects.AROUND_KEYS`), the open ones first, each
    most recent first. `counts` says by `StandardObject.key` how many there are of the Contact's
    own, and whether there may be more; what is absent there was not asked for. `by`: the field that
    has the address, where that is not Email."""

    contact: Record
    account: Record | None = None
    around: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    by: str = ""


@dataclass(frozen=True, slots=True)
class LeadMatch:
    """A Lead; `by`, `around` and `counts` as in `ContactMatch`."""

    lead: Record
    by: str = ""
    around: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoMatch:
    address: str


@dataclass(frozen=True, slots=True)
class SeveralMatches:
    candidates: tuple[ContactMatch | LeadMatch, ...]


Match = ContactMatch | LeadMatch | NoMatch | SeveralMatches


@dataclass(frozen=True, slots=True)
class PersonFound:
    """A Contact or an unconverted Lead with a given address. `account_owner` is the active user who
    owns a Contact's Account, if `find` was asked for it. `by`: the field that has the address,
    where that is not Email."""

    object: str
    id: str
    email: str
    created_at: datetime
    account_owner: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class UserFound:
    """An active standard user of the org, or a queue that may own Leads."""

    id: str
    name: str
    username: str
    email: str = ""
    federation_id: str = ""

    @property
    def is_queue(self) -> bool:
        """Whether it is a queue."""
        return self.id.startswith(QUEUE)


@dataclass(frozen=True, slots=True)
class TaskLook:
    """A search for Tasks whose Subject ends in one of these markers, created by `created_by` from
    `since` to `until` inclusive, deleted ones included (queryAll)."""

    markers: frozenset[str]
    created_by: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The complete result of a find: what is missing here is not in Salesforce.

    `people` is keyed by `addresses.address_key`, each oldest first (CreatedDate, then Id);
    `tasks` maps a marker to every Task id that ends in it; `account_owners` the first 15 characters
    of the ids of Accounts that were asked for to their owners, None for inactive ones.
    """

    people: Mapping[str, tuple[PersonFound, ...]]
    tasks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    account_owners: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountFound:
    """An Account, what it is called ("" if that cannot be read) and whose it is."""

    id: str
    owner_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What one step told of a mail domain: its one Account, or none; `several`: more than one came
    into question. Not `answered`: Salesforce did not say, because the query failed or, if `crowd`
    is not 0, because it found too much; then it is the larger, the more was of this domain."""

    account: AccountFound | None = None
    several: bool = False
    answered: bool = True
    crowd: int = 0


@dataclass(frozen=True, slots=True)
class DomainAccounts:
    """The Account that most Contacts of a mail domain have (at least two, over half of those that
    have one), and the one whose Website is that domain."""

    colleagues: Told
    website: Told

    @property
    def complete(self) -> bool:
        return self.colleagues.answered and self.website.answered

    @property
    def crowd(self) -> int:
        """Not 0 where another question, about fewer domains, tells what this one could not."""
        return max(self.colleagues.crowd, self.website.crowd)


@dataclass(frozen=True, slots=True)
class NewRecord:
    object: str
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Saved:
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackLink:
    """An existing record's `field` that gets the id of a new record, in the same request and all or
    nothing. `unless_modified_since`: only if nobody saved it since."""

    object: str
    record_id: str
    field: str
    unless_modified_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLook:
    """A search for the latest records of `object` that `created_by` made for one person: `field`
    refers to them, or with `back` that field of the person refers to the record."""

    object: str
    person: str
    person_id: str
    created_by: str
    field: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Inspected:
    """Who made a record and who changed it last, deleted or not. `converted`: a Lead that has
    become a Contact. `owner`: the record that a Task is about (WhoId)."""

    id: str
    created_by: str
    created_at: datetime
    modified_by: str
    modified_at: datetime
    deleted: bool = False
    converted: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Records before they are deleted, by id; ids that are missing are not visible to the user.

    `tasks` are the Tasks about each of them, archived and deleted ones too. `others` names the
    objects of which it has further records. `unreadable` names the objects that could not be read:
    whether there are any is unknown."""

    records: Mapping[str, Inspected]
    tasks: Mapping[str, tuple[Inspected, ...]]
    others: Mapping[str, tuple[str, ...]]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who sees which records of an org, as far as Salesforce tells the connected user: its
    organization-wide defaults (the values of Organization.Default…Access), whether the user sees
    all data, or all Contacts, and the names of active duplicate rules by object. None: not told."""

    defaults: Mapping[str, str | None]
    all_data: bool | None = None
    all_contacts: bool | None = None
    duplicate_rules: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Salesforce's own count of API requests in the last 24 hours (`Sforce-Limit-Info`)."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """The org (its Organization row) and the user behind a token. `timezone` is the user's own
    (`User.TimeZoneSidKey`), "" if Salesforce returns none; `api_version` is the version
    negotiated with the org."""

    org_id: str
    name: str
    is_sandbox: bool
    user_id: str
    username: str
    timezone: str = ""
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An OAuth grant. `login_url` is the host that issued it; only that host can refresh or revoke
    it."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    instance_url: str
    login_url: str
    identity_url: str
    scope: str = ""
