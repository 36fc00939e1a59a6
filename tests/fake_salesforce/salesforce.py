"""Salesforce in memory: one org, its users, its faults, and a gateway for each connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from keeping_plugin.errors import CallNotStarted, SalesforceError
from keeping_plugin.ports import Clock
from keeping_plugin.testing.clock import FakeClock
from keeping_plugin.types import NewRecord, ObjectSchema, TaskLook, Visibility
from tests.fake_salesforce.gateway import FakeGateway
from tests.fake_salesforce.org import (
    DuplicateRule,
    FakeOrg,
    shipped_offers,
    shipped_schemas,
    stamp,
)


@dataclass(slots=True)
class _Fault:
    verb: str
    error: SalesforceError
    after: bool
    times: int | None

    def strikes(self, verb: str, *, after: bool) -> bool:
        if self.verb not in {verb, "*"} or self.after is not after or self.times == 0:
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass(slots=True)
class _RowFault:
    error: SalesforceError
    where: Callable[[NewRecord], bool]
    times: int | None
    kept: bool
    more_than: int


@dataclass(frozen=True, slots=True)
class FakeCall:
    """One API request that was answered or failed: whose, which verb, how many rows."""

    user_id: str
    verb: str
    rows: int


class FakeSalesforce:
    """An org that behaves as the real one does for the verbs of `ports.SalesforceGateway`.

    It is a `ports.Gateways`: every connection acts as the default user until `users_of` says
    otherwise. `used` counts API requests.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        schemas: Mapping[str, ObjectSchema] | None = None,
        name: str = "Fake org",
        is_sandbox: bool = False,
        api_limit: int = 15_000,
    ) -> None:
        self.clock: Clock = clock or FakeClock()
        offers = {} if schemas else shipped_offers()
        self.org = FakeOrg(dict(schemas or shipped_schemas()), self.clock, offers=offers)
        self.name, self.is_sandbox = name, is_sandbox
        self.org_id = self.org.new_id("Organization")
        self.used, self.limit = 0, api_limit
        # Mail domains of which so many further questions tell only that there is too much.
        self.crowded: dict[str, int] = {}
        self.visibility = Visibility(dict.fromkeys(("Account", "Contact", "Lead")))
        self.calls: list[FakeCall] = []
        self.looks: list[TaskLook] = []
        self.users_of: dict[int, str] = {}
        self.metadata_changed = "Wed, 6 May 2026 09:00:00 GMT"
        self.user_id = self.add_user("integration@example.com")
        self.admin_id = self.add_user("admin@example.com", "Admin")
        self.hidden: set[str] = set()  # objects whose records the users cannot read
        self._faults: list[_Fault] = []
        self._row_faults: list[_RowFault] = []
        self._meanwhile: list[tuple[str, Callable[[], object]]] = []

    def __call__(self, connection_id: int, *, deadline: float | None = None) -> FakeGateway:
        return FakeGateway(self, self.users_of.get(connection_id, self.user_id))

    def gateway(self, user_id: str | None = None) -> FakeGateway:
        """A gateway in the name of a user."""
        return FakeGateway(self, user_id or self.user_id)

    # What an administrator would do in Salesforce itself.

    def add_user(self, username: str, last_name: str = "User", *, email: str = "") -> str:
        """A user who may do everything; his id."""
        fields = {"Username": username, "LastName": last_name, "IsActive": True}
        return self.org.insert("User", {**fields, "Email": email or username}, by="")

    def add_queue(self, name: str, objects: Sequence[str]) -> str:
        """A queue for records of these objects; its id."""
        queue_id = f"00G{len(self.org.queues):012}AAA"
        self.org.queues[queue_id] = (name, frozenset(objects))
        return queue_id

    def add(self, object: str, **fields: Any) -> str:
        """A record as it is given, unchecked; its id."""
        return self.org.insert(object, fields, by=self.user_id)

    def update(self, object: str, record_id: str, **changes: Any) -> None:
        """Change a record, unchecked, as an administrator would."""
        self.org.change(object, self.org.rows[object][record_id[:15]], changes, by=self.admin_id)

    def delete(self, object: str, record_id: str) -> None:
        """Put a record into the recycle bin, as an administrator would."""
        row = self.org.rows[object][record_id[:15]]
        row |= {"IsDeleted": True, "LastModifiedById": self.admin_id}

    def merge(self, object: str, master_id: str, loser_id: str) -> None:
        """Merge two records into the first: the other is deleted, and names it."""
        self.update(object, loser_id, MasterRecordId=master_id)
        self.delete(object, loser_id)

    def convert(self, lead_id: str) -> str:
        """Convert a Lead; the id of the Contact it becomes."""
        lead = self.org.rows["Lead"][lead_id[:15]]
        account_id = self.add("Account", Name=lead.get("Company"))
        contact_id = self.add(
            "Contact",
            FirstName=lead.get("FirstName"),
            LastName=lead.get("LastName"),
            Email=lead.get("Email"),
            AccountId=account_id,
        )
        lead |= {
            "IsConverted": True,
            "ConvertedContactId": contact_id,
            "ConvertedAccountId": account_id,
            "ConvertedDate": stamp(self.clock.now())[:10],
        }
        for task in self.org.of("Task"):
            if task.get("WhoId") == lead["Id"]:
                task["WhoId"] = contact_id
        return contact_id

    def fields(self, object: str, record_id: str) -> Mapping[str, Any]:
        """What stands in a record, deleted or not."""
        return dict(self.org.rows[object][record_id[:15]])

    def rows(self, object: str) -> Sequence[Mapping[str, Any]]:
        """Every record of an object that is not deleted, oldest first."""
        return [dict(row) for row in self.org.of(object)]

    def make_unique(self, object: str, field: str) -> None:
        """A value of this field may stand once."""
        self.org.unique.add((object, field))

    def duplicate_rule(self, object: str, *fields: str, may_save: bool = True) -> None:
        """Refuse a save that equals another record in these fields."""
        self.org.duplicate_rules.append(DuplicateRule(object, fields, may_save))

    # What may go wrong.

    def fail(
        self, verb: str, error: SalesforceError, *, after: bool = False, times: int | None = 1
    ) -> None:
        """Let calls of a verb ("*": any; "find tasks": finds that look for Tasks) end with an
        error; `after`: their work is done and only the answer is lost. `times` None stands until
        `mend`."""
        self._faults.append(_Fault(verb, error, after, times))

    def refuse_rows(
        self,
        error: SalesforceError,
        where: Callable[[NewRecord], bool] = lambda record: True,
        *,
        times: int | None = 1,
        kept: bool = False,
        more_than: int = 0,
    ) -> None:
        """Let rows of `create_many` end with an error; `kept`: the record is there all the same.
        `more_than`: only while a call carries more rows, as the limits of triggers do."""
        self._row_faults.append(_RowFault(error, where, times, kept, more_than))

    def meanwhile(self, verb: str, action: Callable[[], object]) -> None:
        """Let something happen once, after the next call of a verb left and before its work; for
        "find answered" and the like, after its work."""
        self._meanwhile.append((verb, action))

    def mend(self) -> None:
        """Forget every fault."""
        self._faults.clear()
        self._row_faults.clear()

    # For its gateways.

    @contextmanager
    def call(
        self, user_id: str, verb: str, *, start_by: float | None = None, rows: int = 0
    ) -> Iterator[None]:
        """One API request."""
        if start_by is not None and self.clock.monotonic() > start_by:
            raise CallNotStarted("the call came too late to be started")
        self.used += 1
        self.calls.append(FakeCall(user_id, verb, rows))
        self._strike(verb, after=False)
        self._happen(verb)
        yield
        self._strike(verb, after=True)
        self._happen(f"{verb} answered")

    def look(self, tasks: TaskLook) -> None:
        """A find that also looks for Tasks."""
        self.looks.append(tasks)
        self._strike("find tasks", after=False)

    def _happen(self, moment: str) -> None:
        for entry in [entry for entry in self._meanwhile if entry[0] == moment][:1]:
            self._meanwhile.remove(entry)
            entry[1]()

    def _strike(self, verb: str, *, after: bool) -> None:
        for fault in self._faults:
            if fault.strikes(verb, after=after):
                raise fault.error

    def row_fault(self, record: NewRecord, rows: int) -> tuple[SalesforceError | None, bool]:
        """The error this row of a call with so many is to end with, and whether its record is
        kept."""
        for fault in self._row_faults:
            if fault.times != 0 and rows > fault.more_than and fault.where(record):
                fault.times = None if fault.times is None else fault.times - 1
                return fault.error, fault.kept
        return None, True
