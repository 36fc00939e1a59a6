"""The verbs of `ports.SalesforceGateway` on an org in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from keeping_plugin.addresses import keys_by_salesforce, salesforce_key
from keeping_plugin.errors import (
    CallNotStarted,
    Complaint,
    InvalidInput,
    RecordChanged,
    RecordNotFound,
    RecordRejected,
    SalesforceError,
)
from keeping_plugin.types import (
    BackLink,
    ContactMatch,
    CreateLook,
    Described,
    DomainAccounts,
    Found,
    Inspected,
    Inspection,
    LeadMatch,
    NewRecord,
    ObjectSchema,
    OrgFacts,
    PersonFound,
    PicklistValue,
    Record,
    Related,
    Saved,
    TaskLook,
    Told,
    Usage,
    UserFound,
    Value,
    Visibility,
)
from tests.fake_salesforce.accounts import accounts
from tests.fake_salesforce.org import PREFIXES, Row
from tests.fake_salesforce.panel import check_filterable, panel, value

if TYPE_CHECKING:
    from tests.fake_salesforce.salesforce import FakeSalesforce

_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?", re.ASCII)
_TITLES = {"Case": "CaseNumber", "Task": "Subject"}


def _is(found: ContactMatch | LeadMatch, record_id: str) -> bool:
    return isinstance(found, LeadMatch) and found.lead.id == record_id


class FakeGateway:
    """One user's gateway. Records made by another gateway of the same org are seen at once."""

    def __init__(self, salesforce: FakeSalesforce, user_id: str) -> None:
        self._salesforce = salesforce
        self._org = salesforce.org
        self.user_id = user_id
        self.usage: Usage | None = None
        self.server_date: datetime | None = None
        self.requests = 0

    @contextmanager
    def _call(self, verb: str, *, start_by: float | None = None, rows: int = 0) -> Iterator[None]:
        """One API request; what its answer tells is known when it has one."""
        fake = self._salesforce
        self.requests += 1
        try:
            with fake.call(self.user_id, verb, start_by=start_by, rows=rows):
                yield
        except CallNotStarted:
            self.requests -= 1
            raise
        self.usage = Usage(fake.used, fake.limit)
        self.server_date = fake.clock.now().replace(microsecond=0)

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
        wanted = keys_by_salesforce(addresses)
        verb = "find" if fields is None else "find by fields"
        with self._call(verb, start_by=start_by, rows=len(addresses)):
            if tasks is not None:
                self._salesforce.look(tasks)
            by = fields if fields is not None else {"Contact": ("Email",), "Lead": ("Email",)}
            if addresses and not by_search:
                check_filterable(self._org, by)
            people: dict[str, list[PersonFound]] = {}
            for kind in ("Contact", "Lead"):
                for row in self._org.of(kind):
                    if row.get("IsConverted"):
                        continue
                    having = {key: "" for key, one in (chosen or {}).items() if one == row["Id"]}
                    for name in by.get(kind, ()):
                        for key in wanted.get(salesforce_key(row.get(name) or "") or "", ()):
                            having.setdefault(key, "" if fields is None else name)
                    for key, field in having.items():
                        created = datetime.fromisoformat(row["CreatedDate"])
                        asked = account_owners is not None
                        owner = self._account_owner(row["AccountId"]) if asked else None
                        email = row.get("Email") or ""
                        person = PersonFound(kind, row["Id"], email, created, owner, field)
                        people.setdefault(key, []).append(person)
            return Found(
                {
                    key: tuple(sorted(same, key=lambda one: (one.created_at, one.id)))
                    for key, same in people.items()
                },
                self._marked(tasks),
                {
                    account_id[:15]: self._account_owner(account_id)
                    for account_id in account_owners or ()
                    if self._org.row("Account", account_id)
                },
            )

    def _account_owner(self, account_id: str | None) -> str | None:
        account = self._org.row("Account", account_id or "")
        owner = account and self._org.row("User", account["OwnerId"])
        return owner["Id"] if owner and owner["IsActive"] else None

    def _marked(self, look: TaskLook | None) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for row in self._org.of("Task", deleted_too=True) if look else ():
            assert look is not None
            if row["CreatedById"][:15] != look.created_by[:15]:
                continue
            created = datetime.fromisoformat(row["CreatedDate"])
            if created < look.since.replace(microsecond=0):
                continue
            if look.until is not None and created > look.until:
                continue
            for marker in look.markers:
                if (row.get("Subject") or "").endswith(marker):
                    found[marker] = (*found.get(marker, ()), row["Id"])
        return found

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
        with self._call("panel"):
            found = panel(self._org, address, schemas, fields, numbers, chosen)
        kinds = {type(one) for one in found}
        if ContactMatch in kinds or not others or any(_is(one, chosen) for one in found):
            return found
        left = {kind: by for kind, by in others.items() if kind == "Contact" or not kinds}
        if not left:
            return found
        with self._call("panel"):
            more = panel(self._org, address, schemas, fields, numbers, others=left)
        return (*more, *found)

    def successors(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        next_of = {
            row["Id"]: row.get("MasterRecordId") or row.get("ConvertedContactId")
            for kind in ("Contact", "Lead")
            for row in self._org.of(kind, deleted_too=True)
        }
        with self._call("successors", rows=len(record_ids)):
            found = {}
            for record_id in record_ids:
                last = record_id
                while after := next_of.get(last):
                    last = after
                if last != record_id:
                    found[record_id] = last
            return found

    def find_by_text(
        self, text: str, fields: Mapping[str, Sequence[str]], *, limit: int = 5
    ) -> Sequence[Record]:
        words = [word.lower() for word in text.split() if sum(map(str.isalnum, word)) > 1]
        if not words or not text.isprintable():
            raise InvalidInput("Type at least three letters or digits.", field="q")
        searched = ("Name", "Company", "Email", "Phone")
        with self._call("find_by_text"):
            found = []
            for name, paths in fields.items():
                rows = [
                    row
                    for row in self._org.of(name)
                    if not row.get("IsConverted")
                    and all(
                        any(word in str(row.get(one) or "").lower() for one in searched)
                        for word in words
                    )
                ]
                for row in rows[:limit]:
                    told = {each: value(self._org, name, row, each) for each in paths}
                    found.append(Record(name, row["Id"], told))
            return found

    def read(self, object: str, record_id: str, fields: Sequence[str]) -> Record:
        self._check_id(object, record_id)
        with self._call("read"):
            row = self._there(object, record_id)
            return Record(
                object, row["Id"], {name: value(self._org, object, row, name) for name in fields}
            )

    def _check_id(self, object: str, record_id: str) -> None:
        if not _ID.fullmatch(record_id) or not record_id.startswith(PREFIXES.get(object, "")):
            raise InvalidInput("This is not a valid record id.", field="id")

    def _there(self, object: str, record_id: str) -> Row:
        row = self._org.row(object, record_id)
        if row is None:
            raise RecordNotFound(complaints=(Complaint("NOT_FOUND", "entity is deleted"),))
        return row

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
        for name, text in fields.items():
            if back is not None and isinstance(text, str) and "@{" in text:
                raise InvalidInput("This looks like a reference.", field=name)
        with self._call("create", start_by=start_by, rows=1):
            linked = self._there(back.object, back.record_id) if back is not None else {}
            if back is not None and back.unless_modified_since is not None:
                if datetime.fromisoformat(linked["LastModifiedDate"]) > back.unless_modified_since:
                    raise RecordChanged("The record was modified meanwhile.")
            saved = self._create(NewRecord(object, fields), allow_duplicates=allow_duplicates)
            if back is not None:
                self._org.change(back.object, linked, {back.field: saved.id}, by=self.user_id)
            return saved

    def created(self, look: CreateLook) -> Sequence[Record]:
        with self._call("created"):
            person = self._org.row(look.person, look.person_id) or {}
            title = _TITLES.get(look.object, "Name")
            return [
                Record(
                    look.object,
                    row["Id"],
                    {title: row.get(title), "CreatedDate": row["CreatedDate"]},
                )
                for row in reversed(list(self._org.of(look.object)))
                if row["CreatedById"][:15] == look.created_by[:15]
                and (
                    row["Id"] == person.get(look.back)
                    if look.back
                    else row.get(look.field) == look.person_id
                )
            ]

    def _create(self, record: NewRecord, *, allow_duplicates: bool) -> Saved:
        self._org.check(
            record.object, record.fields, creating=True, allow_duplicates=allow_duplicates
        )
        return Saved(self._org.insert(record.object, record.fields, by=self.user_id))

    def accounts(
        self,
        domains: Sequence[str],
        *,
        person_accounts: bool,
        named: bool = True,
        first: int = 0,
        start_by: float | None = None,
    ) -> Mapping[str, DomainAccounts]:
        with self._call("accounts", start_by=start_by, rows=len(domains)):
            told = dict(accounts(self._org, domains, person_accounts=person_accounts))
            for domain, left in self._salesforce.crowded.items():
                if left and domain in told:
                    self._salesforce.crowded[domain] -= 1
                    unanswered = Told(answered=False, crowd=2_000)
                    told[domain] = DomainAccounts(unanswered, told[domain].website)
            return told

    def create_many(
        self, records: Sequence[NewRecord], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        if not records:
            return ()
        with self._call("create_many", start_by=start_by, rows=len(records)):
            return [self._outcome(record, len(records)) for record in records]

    def _outcome(self, record: NewRecord, rows: int) -> Saved | SalesforceError:
        fault, kept = self._salesforce.row_fault(record, rows)
        if fault is not None and not kept:
            return fault
        try:
            saved = self._create(record, allow_duplicates=False)
        except SalesforceError as error:
            return error
        return fault or saved

    def read_many(
        self, object: str, record_ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Record]:
        with self._call("read_many", rows=len(record_ids)):
            rows = [self._org.row(object, record_id) for record_id in record_ids]
            return {
                row["Id"]: Record(
                    object,
                    row["Id"],
                    {name: value(self._org, object, row, name) for name in fields},
                )
                for row in rows
                if row is not None
            }

    def update_many(
        self, object: str, changes: Mapping[str, Mapping[str, Value]]
    ) -> Mapping[str, SalesforceError | None]:
        with self._call("update_many", rows=len(changes)):
            return {
                record_id: self._update(object, record_id, fields, len(changes))
                for record_id, fields in changes.items()
            }

    def _update(
        self, object: str, record_id: str, fields: Mapping[str, Value], rows: int
    ) -> SalesforceError | None:
        fault, kept = self._salesforce.row_fault(NewRecord(object, fields), rows)
        if fault is not None and not kept:
            return fault
        try:
            row = self._there(object, record_id)
            self._org.check(object, fields, creating=False, allow_duplicates=False, row=row)
            self._check_lookups(fields)
        except SalesforceError as error:
            return error
        self._org.change(object, row, fields, by=self.user_id)
        return fault

    def _check_lookups(self, fields: Mapping[str, Value]) -> None:
        account_id = fields.get("AccountId")
        if account_id is not None and self._org.row("Account", str(account_id)) is None:
            complaint = Complaint("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            raise RecordRejected(complaints=(complaint,))

    def inspect(
        self,
        object: str,
        record_ids: Sequence[str],
        related: Sequence[Related],
        *,
        start_by: float | None = None,
    ) -> Inspection:
        with self._call("inspect", start_by=start_by, rows=len(record_ids)):
            every = {row["Id"]: row for row in self._org.of(object, deleted_too=True)}
            rows = {each: every[each] for each in record_ids if each in every}
            tasks: dict[str, tuple[Inspected, ...]] = {}
            others: dict[str, tuple[str, ...]] = {}
            for each in related:
                if each.object in self._salesforce.hidden:
                    continue
                for record_id in rows:
                    is_task = (each.object, each.field) == ("Task", "WhoId")
                    there = self._org.referring(each, record_id, deleted_too=is_task)
                    if there and is_task:
                        tasks[record_id] = tuple(map(_inspected, there))
                    elif there:
                        others[record_id] = (*others.get(record_id, ()), each.object)
            return Inspection(
                {record_id: _inspected(row) for record_id, row in rows.items()},
                tasks,
                others,
                tuple(
                    dict.fromkeys(
                        each.object for each in related if each.object in self._salesforce.hidden
                    )
                ),
            )

    def delete_many(
        self, record_ids: Sequence[str], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        with self._call("delete_many", start_by=start_by, rows=len(record_ids)):
            return [self._delete(record_id, len(record_ids)) for record_id in record_ids]

    def _delete(self, record_id: str, rows: int) -> Saved | SalesforceError:
        object = next(name for name, prefix in PREFIXES.items() if record_id.startswith(prefix))
        fault, kept = self._salesforce.row_fault(NewRecord(object, {"Id": record_id}), rows)
        if fault is not None and not kept:
            return fault
        try:
            self._org.remove(object, self._there(object, record_id), by=self.user_id)
        except SalesforceError as error:
            return error
        return fault or Saved(record_id)

    def update(
        self,
        object: str,
        record_id: str,
        changes: Mapping[str, Value],
        *,
        unless_modified_since: datetime | None = None,
        allow_duplicates: bool = False,
    ) -> None:
        self._check_id(object, record_id)
        with self._call("update", rows=1):
            row = self._there(object, record_id)
            modified = datetime.fromisoformat(row["LastModifiedDate"])
            if unless_modified_since is not None:
                if modified > unless_modified_since.replace(microsecond=0):
                    raise RecordChanged("The record was modified meanwhile.")
            self._org.check(
                object, changes, creating=False, allow_duplicates=allow_duplicates, row=row
            )
            self._org.change(object, row, changes, by=self.user_id)

    def search(self, object: str, text: str, *, limit: int = 20) -> Sequence[Record]:
        wanted = text.strip().lower()
        if not wanted or not wanted.isprintable():
            raise InvalidInput("Type a few letters to search for.", field="text")
        title = _TITLES.get(object, "Name")
        with self._call("search"):
            found = [
                Record(object, row["Id"], {title: row.get(title)})
                for row in self._org.of(object)
                if wanted in str(row.get(title) or "").lower()
            ]
            return sorted(found, key=lambda one: str(one.fields[title]))[:limit]

    def users(self, addresses: Sequence[str], ids: Sequence[str] = ()) -> Sequence[UserFound]:
        wanted = {address.lower() for address in addresses}
        with self._call("users", rows=len(addresses)):
            return [
                user
                for user in (*self._active_users(), *self._queues())
                if user.id in ids
                or user.email.lower().removesuffix(".invalid") in wanted
                or {user.username.lower(), user.federation_id.lower()} & wanted
            ]

    def users_named(self, text: str) -> Sequence[UserFound]:
        wanted = text.strip().lower()
        with self._call("users"):
            found = [
                user
                for user in self._active_users()
                if wanted in user.name.lower()
                or user.username.lower().startswith(wanted)
                or user.email.lower().startswith(wanted)
            ]
            queues = [queue for queue in self._queues() if wanted in queue.name.lower()]
        return [
            *sorted(found, key=lambda user: user.name)[:20],
            *sorted(queues, key=lambda queue: queue.name)[:20],
        ]

    def _queues(self) -> list[UserFound]:
        return [
            UserFound(queue_id, name, "")
            for queue_id, (name, objects) in self._org.queues.items()
            if "Lead" in objects
        ]

    def _active_users(self) -> list[UserFound]:
        fields = ("Name", "Username", "Email", "FederationIdentifier")
        return [
            UserFound(row["Id"], *(str(row.get(name) or "") for name in fields))
            for row in self._org.of("User")
            if row["IsActive"] and row.get("UserType", "Standard") == "Standard"
        ]

    def describe(
        self, objects: Sequence[str], *, unless_modified: Mapping[str, str] | None = None
    ) -> Sequence[Described]:
        modified = self._salesforce.metadata_changed
        with self._call("describe"):
            return [
                Described(
                    name,
                    None
                    if (unless_modified or {}).get(name) == modified
                    else self._org.schemas[name],
                    modified,
                )
                for name in objects
                if name in self._org.schemas
            ]

    def picklist_values(
        self, object: str, record_type_id: str
    ) -> Mapping[str, Sequence[PicklistValue]]:
        with self._call("picklist_values"):
            return {
                spec.name: tuple(
                    replace(value, valid_for=None)
                    for value in self._org.offered(object, spec, record_type_id)
                    if value.active
                )
                for spec in self._org.schemas[object].fields.values()
                if spec.picklist
            }

    def closed_task_status(self) -> str | None:
        with self._call("closed_task_status"):
            return next((name for name, closed in self._org.statuses.items() if closed), None)

    def org_facts(self) -> OrgFacts:
        fake = self._salesforce
        with self._call("org_facts"):
            user = fake.fields("User", self.user_id)
            return OrgFacts(
                fake.org_id,
                fake.name,
                fake.is_sandbox,
                self.user_id,
                user["Username"],
                user.get("TimeZoneSidKey") or "GMT",
            )

    def visibility(self, user_id: str) -> Visibility:
        with self._call("visibility"):
            return self._salesforce.visibility

    def limits(self) -> Usage:
        with self._call("limits"):
            return Usage(self._salesforce.used, self._salesforce.limit)


def _inspected(row: Row) -> Inspected:
    return Inspected(
        id=row["Id"],
        created_by=row["CreatedById"],
        created_at=datetime.fromisoformat(row["CreatedDate"]),
        modified_by=row["LastModifiedById"],
        modified_at=datetime.fromisoformat(row["LastModifiedDate"]),
        deleted=row["IsDeleted"],
        converted=bool(row.get("IsConverted")),
        owner=row.get("WhoId") or "",
    )
