"""The standard objects: one row each, with everything that sets one apart from another.

To add an object, add a row to `OBJECTS` and its describe to the simulator (CONTRIBUTING.md). Names
are Salesforce's API names. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from keeping_plugin.types import ObjectSchema
from keeping_plugin.types.created import Created


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAccount:
    """A Contact that is an Account too (Object Reference, Person Accounts): `flag` marks it,
    `lookup` names its Account, on which Salesforce expects `account_fields` to be written."""

    flag: str
    lookup: str
    account_fields: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What Salesforce sets when a person becomes another record: `flag`, and lookups to the Contact
    and the Account."""

    flag: str
    contact: str
    account: str

    @property
    def unconverted(self) -> str:
        """The SOQL condition of those that are still themselves."""
        return f"{self.flag} = false"

    @property
    def converted(self) -> str:
        """The SOQL condition of those that are not."""
        return f"{self.flag} = true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Found by the customer's address, and added by agents with it.

    A form for a new one begins with the fields of `first`. `logs_mail`: messages are logged on it.
    `company`: the text field that names their company, "" where the company is a record.
    """

    first: tuple[str, ...]
    logs_mail: bool = False
    company: str = ""
    account: PersonAccount | None = None
    conversion: Conversion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The one record that a Contact's field `lookup` refers to."""

    lookup: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAccount:
    """More open records, of the Contact's Account, that fill up what the Contact's own leave free.

    `relationship` is the Account's child relationship; `key` and `heading` are theirs in the
    panel."""

    relationship: str
    key: str
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Records around a Contact, at most `most`, the latest by the field `order`.

    `relationship` is the Contact's child relationship. Where that leads to a junction object,
    `through` is the relationship from there to the record (OpportunityContactRole, Opportunity).
    `related_list` is the name of the list on the Contact's page in Lightning.

    `closed` is a checkbox field: records that have it ticked come behind the others. `number` is
    the field by which mail names a record: one of this person or their Account whose number stands
    in the conversation's subject comes first. `optional`: read only where an admin wants it.
    """

    relationship: str
    most: int
    order: str = "LastModifiedDate"
    through: str = ""
    related_list: str = ""
    closed: str = ""
    number: str = ""
    optional: bool = False
    of_account: OfAccount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardObject:
    """One object.

    `prefix`: how its ids begin, the same in every org. `tab`: its name on the settings tabs and
    above its records. `title`: the fields that make up a record's title; `aside`: those shown
    beside it where an admin chose them.

    `head` is read whether an admin ticked it or not: what tells records apart, and what the panel
    itself goes by (SECURITY.md). `baseline` is shown always, beside what Salesforce requires;
    `defaults` is what an admin who has never chosen starts from. What the org lacks is left out.

    `relation`: how its records belong to the person whose mail it is. `created`: how agents create
    one for them.
    """

    name: str
    prefix: str
    tab: str
    title: tuple[str, ...] = ("Name",)
    aside: tuple[str, ...] = ()
    head: tuple[str, ...] = ("Name",)
    baseline: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()
    relation: Person | Parent | Children | None = None
    created: Created | None = None
    updated: bool = True  # the product edits its records
    custom_fields_on: str = ""  # the object in Setup that holds its custom fields, if another

    @property
    def key(self) -> str:
        """Its records in the panel's JSON and in the page's ids."""
        return self.name.lower() if isinstance(self.relation, Parent) else self.tab.lower()

    @property
    def more_key(self) -> str:
        """Those of its records that are open and come behind the most recent ones."""
        return f"more_{self.key}"

    @property
    def named_key(self) -> str:
        """Those of its records whose number stands in the conversation's subject."""
        return f"named_{self.key}"

    @property
    def person(self) -> Person | None:
        """Its relation, where it is a person."""
        return self.relation if isinstance(self.relation, Person) else None

    @property
    def kept(self) -> tuple[str, ...]:
        """Fields that a save has to know, whether they are shown or not."""
        account = self.person.account if self.person else None
        return ("LastModifiedDate", "RecordTypeId", *((account.lookup,) if account else ()))


# In the order of the settings tabs, and of the panel. The two people come first.
OBJECTS: tuple[StandardObject, ...] = (
    StandardObject(
        name="Contact",
        prefix="003",
        tab="Contacts",
        aside=("Title", "OwnerId", "LastActivityDate"),
        head=("Name", "Email", "IsPersonAccount"),
        baseline=("LastName", "Email"),
        defaults=("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title"),
        relation=Person(
            first=("FirstName", "LastName", "Email"),
            logs_mail=True,
            account=PersonAccount(
                flag="IsPersonAccount",
                lookup="AccountId",
                account_fields=frozenset(
                    {"Salutation", "FirstName", "MiddleName", "LastName", "Suffix"}
                ),
            ),
        ),
    ),
    StandardObject(
        name="Lead",
        prefix="00Q",
        tab="Leads",
        aside=("Title", "OwnerId", "LastActivityDate"),
        head=("Name", "Email"),
        baseline=("LastName", "Company", "Email"),
        defaults=("FirstName", "LastName", "Company", "Email", "Phone", "Title", "Status"),
        relation=Person(
            first=("FirstName", "LastName", "Company", "Email"),
            company="Company",
            conversion=Conversion(
                flag="IsConverted", contact="ConvertedContactId", account="ConvertedAccountId"
            ),
        ),
    ),
    StandardObject(
        name="Account",
        prefix="001",
        tab="Accounts",
        baseline=("Name",),
        defaults=("Name", "Industry", "Phone", "Website"),
        relation=Parent(lookup="AccountId"),
        created=Created(first=("Name",), back="AccountId", company="Name"),
    ),
    StandardObject(
        name="Opportunity",
        prefix="006",
        tab="Opportunities",
        aside=("StageName", "Amount", "CloseDate"),
        head=("Name", "IsClosed"),
        baseline=("Name", "StageName", "CloseDate"),
        defaults=("Name", "StageName", "Amount", "CloseDate"),
        relation=Children(
            relationship="OpportunityContactRoles",
            through="Opportunity",
            most=3,
            related_list="Opportunities",
            closed="IsClosed",
            of_account=OfAccount(
                relationship="Opportunities",
                key="account_opportunities",
                heading="Other open Opportunities of the Account",
            ),
        ),
        # ContactId makes them the primary contact role (Object Reference, Opportunity).
        created=Created(
            first=("Name", "StageName", "CloseDate", "Description"),
            to={"Contact": "ContactId"},
            account="AccountId",
            subject="Name",
            text="Description",
        ),
    ),
    StandardObject(
        name="Case",
        prefix="500",
        tab="Cases",
        title=("CaseNumber", "Subject"),
        aside=("Status",),
        head=("CaseNumber", "IsClosed"),
        defaults=("CaseNumber", "Subject", "Status", "Priority"),
        relation=Children(
            relationship="Cases",
            most=5,
            order="CreatedDate",
            related_list="Cases",
            closed="IsClosed",
            number="CaseNumber",
        ),
        created=Created(
            first=("Subject", "Description"),
            to={"Contact": "ContactId"},
            account="AccountId",
            subject="Subject",
            text="Description",
            assigned=True,
        ),
    ),
)

# Messages are logged as Tasks. Agents may see the latest and edit none here, so it has no tab. Its
# custom fields are made on Activity, which Tasks and Events share.
TASK = StandardObject(
    name="Task",
    prefix="00T",
    tab="Tasks",
    title=("Subject",),
    aside=("Status", "CreatedDate"),
    head=("Subject",),
    defaults=("Subject", "Status", "ActivityDate", "OwnerId", "CreatedDate"),
    relation=Children(relationship="Tasks", most=5, order="CreatedDate", optional=True),
    created=Created(
        first=("Subject", "ActivityDate", "OwnerId", "Description"),
        to={"Contact": "WhoId", "Lead": "WhoId"},
        subject="Subject",
        text="Description",
        due="ActivityDate",
        owner="OwnerId",
    ),
    updated=False,
    custom_fields_on="Activity",
)

# The classic Note, which agents write and no panel shows: one record of its own, where the Notes of
# Lightning (ContentNote) are files that are linked.
NOTE = StandardObject(
    name="Note",
    prefix="002",
    tab="Notes",
    title=("Title",),
    head=("Title",),
    defaults=("Title", "Body"),
    created=Created(
        first=("Title", "Body"),
        to={"Contact": "ParentId", "Lead": "ParentId"},
        subject="Title",
        text="Body",
    ),
    updated=False,
)

OBJECT_NAMES: tuple[str, ...] = tuple(row.name for row in OBJECTS)
ROWS: Mapping[str, StandardObject] = MappingProxyType(
    # Task stays last: with it a describe has come to its end (services/schema/describe).
    {row.name: row for row in (*OBJECTS, NOTE, TASK)}
)

PEOPLE: tuple[StandardObject, ...] = tuple(row for row in OBJECTS if row.person)
PERSON_NAMES: tuple[str, ...] = tuple(row.name for row in PEOPLE)
[CONTACT] = (row for row in PEOPLE if row.person and row.person.logs_mail)
[LEAD] = (row for row in PEOPLE if row.person and row.person.conversion)
[ACCOUNT] = (row for row in OBJECTS if isinstance(row.relation, Parent))
[CONVERSION] = (row.person.conversion for row in PEOPLE if row.person and row.person.conversion)
[PERSON_ACCOUNT] = (row.person.account for row in PEOPLE if row.person and row.person.account)
[TO_ACCOUNT] = (row.relation.lookup for row in OBJECTS if isinstance(row.relation, Parent))
AROUND: tuple[tuple[StandardObject, Children], ...] = tuple(
    (row, row.relation) for row in (*OBJECTS, TASK) if isinstance(row.relation, Children)
)
CREATED: tuple[StandardObject, ...] = tuple(row for row in ROWS.values() if row.created)
OPTIONAL: tuple[StandardObject, ...] = tuple(row for row, of in AROUND if of.optional)
AROUND_KEYS: tuple[str, ...] = tuple(
    key
    for row, relation in AROUND
    for key in (
        *((row.named_key,) if relation.number else ()),
        row.key,
        *((row.more_key,) if relation.closed else ()),
        *((relation.of_account.key,) if relation.of_account else ()),
    )
)

# What the connecting user may see of these is read from the org.
DESCRIBED: tuple[str, ...] = tuple(ROWS)
_A_REQUEST = 5  # describes in one API request (ports.SalesforceGateway.describe)
DESCRIBE_REQUESTS: tuple[tuple[str, ...], ...] = tuple(
    DESCRIBED[start : start + _A_REQUEST] for start in range(0, len(DESCRIBED), _A_REQUEST)
)

# Objects without a row that fields refer to: those whose name field is not called Name, and those
# whose is. Custom objects all have one called Name.
_OTHER_TITLES: Mapping[str, str] = {"Contract": "ContractNumber"}
_OTHERS_WITH_NAME = frozenset(
    {"Asset", "BusinessHours", "Campaign", "Entitlement", "Group", "Pricebook2", "Product2"}
    | {"Profile", "RecordType", "User", "UserRole"}
)


def row_of(object: str) -> StandardObject:
    """The object's row; an empty one for an object that has none."""
    known = ROWS.get(object)
    if known is not None:
        return known
    title = _OTHER_TITLES.get(object, "Name")
    return StandardObject(name=object, prefix="", tab=object, title=(title,), head=())


def logs_mail(object: str) -> bool:
    """Whether messages are logged on records of this object."""
    person = row_of(object).person
    return person is not None and person.logs_mail


def title_field(object: str) -> str:
    """The field by which records of an object are searched for and told apart."""
    return row_of(object).title[0]


def has_name(object: str) -> bool:
    """Whether its records are known to have a field called Name."""
    row = ROWS.get(object)
    if row is not None:
        return row.title[0] == "Name"
    return object in _OTHERS_WITH_NAME or object.endswith("__c")


def record_page(instance_url: str, object: str, record_id: str) -> str:
    """The address of a record's page in Lightning."""
    return f"{instance_url}/lightning/r/{object}/{record_id}/view"


def related_list_page(instance_url: str, record_id: str, related_list: str) -> str:
    """The address of one of a Contact's related lists in Lightning."""
    return f"{instance_url}/lightning/r/{CONTACT.name}/{record_id}/related/{related_list}/view"


def emails_are_searched(schemas: Mapping[str, ObjectSchema]) -> bool:
    """Whether people have to be found by SOSL instead of SOQL, because the org encrypts email
    addresses (not filterable). SOSL may miss a person who exists."""
    emails = (schemas[name].fields.get("Email") for name in PERSON_NAMES if name in schemas)
    return any(spec is not None and not spec.filterable for spec in emails)
