"""Domain verbs on one connection's Salesforce org: the only door of this package for data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from keeping_plugin.errors import (
    InvalidInput,
    RecordNotFound,
    SalesforceError,
    SchemaStale,
)
from keeping_plugin.objects import title_field
from keeping_plugin.salesforce import errors, names, org
from keeping_plugin.salesforce.queries import accounts as domains_accounts
from keeping_plugin.salesforce.queries import (
    finding,
    inspecting,
    payloads,
    saving,
    searching,
    soql,
    successors,
    users,
    visibility,
)
from keeping_plugin.salesforce.queries import panel as panels
from keeping_plugin.salesforce.queries.panel_queries import Shown
from keeping_plugin.salesforce.schema import described
from keeping_plugin.salesforce.wire import composite
from keeping_plugin.salesforce.wire.calls import Calls, TokenSource
from keeping_plugin.salesforce.wire.composite import Sub
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.times import CALL
from keeping_plugin.types import (
    BackLink,
    ContactMatch,
    CreateLook,
    Described,
    DomainAccounts,
    Found,
    Inspection,
    LeadMatch,
    NewRecord,
    ObjectSchema,
    OrgFacts,
    PicklistValue,
    Record,
    Related,
    Saved,
    TaskLook,
    Usage,
    UserFound,
    Value,
    Visibility,
)

__all__ = ["Gateway", "TokenSource"]

_DESCRIBES = 5
_SEARCH_TEXT = 255


class Gateway:
    """`ports.SalesforceGateway` over HTTP; what each verb promises is said there.

    Make one for each piece of work, they are cheap: the transport keeps the connections.
    `deadline`: seconds for each whole call, further pages and the repeat after a refresh included.
    """

    def __init__(
        self,
        tokens: TokenSource,
        transport: Transport,
        *,
        version: str,
        deadline: float = CALL,
    ) -> None:
        self._calls = Calls(tokens, transport, version=version, seconds=deadline)
        self._tokens = tokens
        self._allow_loopback = transport.allow_loopback

    @property
    def usage(self) -> Usage | None:
        return self._calls.usage

    @property
    def server_date(self) -> datetime | None:
        return self._calls.server_date

    @property
    def requests(self) -> int:
        return self._calls.requests

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
        if tasks is not None:
            names.checked_id(tasks.created_by, "User")
        for name in (name for named in (fields or {}).values() for name in named):
            names.checked_field(name)
        with self._calls.verb("find", start_by=start_by):
            return finding.find(
                self._calls,
                addresses,
                tasks,
                chosen=chosen,
                by_search=by_search,
                account_owners=account_owners,
                fields=fields,
            )

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
        shown = Shown(schemas, fields, tuple(numbers), chosen, others or {})
        with self._calls.verb("panel"):
            return panels.panel(self._calls, address, shown)

    def successors(self, record_ids: Sequence[str]) -> Mapping[str, str]:
        with self._calls.verb("successors"):
            return successors.successors(self._calls, record_ids)

    def find_by_text(
        self, text: str, fields: Mapping[str, Sequence[str]], *, limit: int = 5
    ) -> Sequence[Record]:
        asked = {name: names.checked_paths(paths) for name, paths in fields.items()}
        with self._calls.verb("find_by_text"):
            return searching.by_text(self._calls, _searched(text), asked, limit)

    def read(self, object: str, record_id: str, fields: Sequence[str]) -> Record:
        paths = names.checked_paths(fields)
        statement = soql.record(
            names.checked_object(object), names.checked_id(record_id, object), paths
        )
        with self._calls.verb("read"):
            [rows] = composite.query_rows(self._calls, "read", statement)
            if not rows:
                raise RecordNotFound("The record does not exist or is not visible.")
            return payloads.record(rows[0], object, paths)

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
        with self._calls.verb("create", start_by=start_by):
            return saving.create(
                self._calls,
                object,
                fields,
                allow_duplicates=allow_duplicates,
                assign=assign,
                back=back,
            )

    def created(self, look: CreateLook) -> Sequence[Record]:
        """The records that match the look, the latest first."""
        for name in (look.field, look.back):
            if name:
                names.checked_field(name)
        names.checked_id(look.created_by, "User")
        names.checked_id(look.person_id, names.checked_object(look.person))
        statement = soql.created(look)
        with self._calls.verb("created"):
            [rows] = composite.query_rows(self._calls, "created", statement)
            fields = (title_field(names.checked_object(look.object)), "CreatedDate")
            return [payloads.record(row, look.object, fields) for row in rows]

    def accounts(
        self,
        domains: Sequence[str],
        *,
        person_accounts: bool,
        named: bool = True,
        first: int = 0,
        start_by: float | None = None,
    ) -> Mapping[str, DomainAccounts]:
        with self._calls.verb("accounts", start_by=start_by):
            return domains_accounts.accounts(
                self._calls, domains, person_accounts=person_accounts, named=named, first=first
            )

    def create_many(
        self, records: Sequence[NewRecord], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        if not records:
            return ()
        with self._calls.verb("create_many", start_by=start_by):
            return saving.create_many(self._calls, records)

    def read_many(
        self, object: str, record_ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Record]:
        paths = names.checked_paths(fields)
        ids = [names.checked_id(record_id, object) for record_id in record_ids]
        if not 0 < len(ids) <= inspecting.MAX_RECORDS:
            raise ValueError(f"1 to {inspecting.MAX_RECORDS} records, not {len(ids)}")
        statement = soql.select(("Id", *paths), object, where=[soql.id_in(ids)])
        with self._calls.verb("read_many"):
            [rows] = composite.query_rows(self._calls, "read_many", statement)
            found = [payloads.record(row, object, paths) for row in rows]
            return {each.id: each for each in found}

    def update_many(
        self, object: str, changes: Mapping[str, Mapping[str, Value]]
    ) -> Mapping[str, SalesforceError | None]:
        with self._calls.verb("update_many"):
            return saving.update_many(self._calls, object, changes)

    def inspect(
        self,
        object: str,
        record_ids: Sequence[str],
        related: Sequence[Related],
        *,
        start_by: float | None = None,
    ) -> Inspection:
        with self._calls.verb("inspect", start_by=start_by):
            return inspecting.inspect(self._calls, object, record_ids, related)

    def delete_many(
        self, record_ids: Sequence[str], *, start_by: float | None = None
    ) -> Sequence[Saved | SalesforceError]:
        with self._calls.verb("delete_many", start_by=start_by):
            return saving.delete_many(self._calls, record_ids)

    def update(
        self,
        object: str,
        record_id: str,
        changes: Mapping[str, Value],
        *,
        unless_modified_since: datetime | None = None,
        allow_duplicates: bool = False,
    ) -> None:
        with self._calls.verb("update"):
            saving.update(
                self._calls,
                object,
                record_id,
                changes,
                unless_modified_since=unless_modified_since,
                allow_duplicates=allow_duplicates,
            )

    def search(self, object: str, text: str, *, limit: int = 20) -> Sequence[Record]:
        wanted = _searched(text)
        names.checked_object(object)
        title = title_field(object)
        with self._calls.verb("search"):
            statement = soql.named_like(object, wanted, max(1, min(limit, 200)))
            try:
                [rows] = composite.query_rows(self._calls, "search", statement)
            except SchemaStale as error:
                # A title that is kept encrypted can be neither compared nor sorted.
                if not any(each.code == "INVALID_FIELD" for each in error.complaints):
                    raise
                rows = searching.named(self._calls, object, title, wanted, limit)
            return [payloads.record(row, object, (title,)) for row in rows]

    def users(self, addresses: Sequence[str], ids: Sequence[str] = ()) -> Sequence[UserFound]:
        with self._calls.verb("users"):
            return users.users(self._calls, addresses, ids)

    def users_named(self, text: str) -> Sequence[UserFound]:
        with self._calls.verb("users"):
            return users.named(self._calls, _searched(text))

    def describe(
        self, objects: Sequence[str], *, unless_modified: Mapping[str, str] | None = None
    ) -> Sequence[Described]:
        if not 0 < len(objects) <= _DESCRIBES:
            raise ValueError(f"1 to {_DESCRIBES} objects, not {len(objects)}")
        known = unless_modified or {}
        subs = {
            name: Sub(
                f"d{number}",
                f"sobjects/{names.checked_object(name)}/describe",
                headers={"If-Modified-Since": known[name]} if known.get(name) else {},
            )
            for number, name in enumerate(objects)
        }
        with self._calls.verb("describe"):
            answers = composite.ask_all(self._calls, "describe", list(subs.values()))
            found = [
                described(name, answers[sub.name], known.get(name, ""))
                for name, sub in subs.items()
            ]
        return [entry for entry in found if entry is not None]

    def picklist_values(
        self, object: str, record_type_id: str
    ) -> Mapping[str, Sequence[PicklistValue]]:
        kind = names.checked_id(record_type_id, "RecordType")
        path = f"ui-api/object-info/{names.checked_object(object)}/picklist-values/{kind}"
        with self._calls.verb("picklist_values"):
            return payloads.picklists(self._calls.ask("picklist_values", "GET", path).body)

    def closed_task_status(self) -> str | None:
        statement = soql.select(
            ("Id", "ApiName", "IsDefault", "SortOrder"), "TaskStatus", where=["IsClosed = true"]
        )
        with self._calls.verb("closed_task_status"):
            [rows] = composite.query_rows(self._calls, "closed_task_status", statement)
            return org.closed_status(rows)

    def org_facts(self) -> OrgFacts:
        """The org and the user behind the token, whose ids stand in its identity URL; before that
        the version of the API is agreed on, which is not counted."""
        with self._calls.verb("org_facts"):
            version = self._calls.agree_on_version()
            facts = org.facts(self._calls, self._tokens.current(), self._allow_loopback)
            return replace(facts, api_version=version)

    def visibility(self, user_id: str) -> Visibility:
        with self._calls.verb("visibility"):
            return visibility.visibility(self._calls, names.checked_id(user_id, "User"))

    def limits(self) -> Usage:
        """The API usage, read again by one call. The count that comes with the answer is exact;
        the one inside it may be five minutes old, and needs a right that many users lack."""
        with self._calls.verb("limits"):
            answer = self._calls.ask("limits", "GET", "limits", accept=frozenset({200, 403}))
            if answer.usage is not None:
                return answer.usage
            if answer.status != 200:
                raise errors.of_answer(answer, write=False)
            return payloads.daily_requests(answer.body)


def _searched(text: str) -> str:
    wanted = text.strip()
    if not 0 < len(wanted) <= _SEARCH_TEXT or not wanted.isprintable():
        raise InvalidInput("Type a few letters to search for.", field="text")
    return wanted
