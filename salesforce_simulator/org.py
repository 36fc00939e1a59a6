"""The simulated org: records and queries behind one class, without HTTP.

Every method takes the acting user first and works under that user's object rights and field-level
security. Refusals are ``OrgError``. All methods may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import not_found, refuse
from salesforce_simulator.files import limits as storage
from salesforce_simulator.files.companion import Files
from salesforce_simulator.mail.archiving import archive_activities
from salesforce_simulator.mail.companion import Mail
from salesforce_simulator.mail.shared_activities import SharedActivities
from salesforce_simulator.metadata.administration import Administration
from salesforce_simulator.query.run import Queries
from salesforce_simulator.query.sosl import Searches
from salesforce_simulator.records.conversion import ConversionOrder, convert
from salesforce_simulator.records.reading import Reading
from salesforce_simulator.records.removal import Removal
from salesforce_simulator.results import LeadConversion, SaveOptions, User
from salesforce_simulator.sharing.access import Access
from salesforce_simulator.values import show_datetime

Fields = Mapping[str, Any]
API_VERSION = "66.0"


class Org(Administration):
    """One org in one SQLite file (``":memory:"`` for a passing one).

    ``describe_dir`` is a folder of recorded describe results (``<Object>.json``); objects it lacks
    come from the package's own set and are named in ``missing_objects``. ``activity_key_field``
    adds a unique external-id text field of that name to Task. ``person_accounts`` describes the
    package's own objects as an org with person accounts does. ``name`` and ``sandbox`` become the
    Organization row. Reopening a database keeps its records, users, rights and rules.
    """

    def __init__(
        self,
        *,
        database: Path | str,
        clock: OrgClock,
        name: str,
        sandbox: bool,
        describe_dir: Path | None = None,
        activity_key_field: str | None = None,
        person_accounts: bool = False,
    ) -> None:
        super().__init__(
            database=database,
            clock=clock,
            name=name,
            sandbox=sandbox,
            describe_dir=describe_dir,
            activity_key_field=activity_key_field,
            person_accounts=person_accounts,
        )
        self._queries = Queries(self._store, self._catalog, self._rights, clock)
        self._searches = Searches(self._store, self._queries, clock)
        self._removal = Removal(self._store, self._catalog, self._rights, self._saves)
        self._reading = Reading(self._rights)
        self._saves.companions += [
            Mail(self._store, self._catalog, self._saves, self._removal, clock),
            SharedActivities(self._store, self._catalog, self._saves),
            Files(self._store, self._catalog, self._saves, clock),
        ]

    # -- records ---------------------------------------------------------------------------------
    def create(
        self, user: User, object_name: str, fields: Fields, options: SaveOptions = SaveOptions()
    ) -> str:
        """Create a record; its 18-character id. ``attributes`` is only checked for the type."""
        schema = self._object(user, object_name)
        with self.transaction():
            return self._saves.create(user, schema, fields, options)

    def update(
        self,
        user: User,
        object_name: str,
        record_id: str,
        fields: Fields,
        options: SaveOptions = SaveOptions(),
    ) -> str:
        """Change a record; its 18-character id. OrgError 412 when ``unmodified_since`` fails."""
        schema = self._object(user, object_name)
        with self.transaction():
            return self._saves.update(user, schema, record_id, fields, options)

    def delete(self, user: User, object_name: str, record_id: str) -> str:
        """Put a record into the recycle bin; its 18-character id."""
        schema = self._object(user, object_name)
        with self.transaction():
            return self._removal.delete(user, schema, record_id)

    def upsert(
        self,
        user: User,
        object_name: str,
        key_field: str,
        key_value: str,
        fields: Fields,
        options: SaveOptions = SaveOptions(),
        *,
        update_only: bool = False,
    ) -> tuple[str, bool]:
        """Create or change by an external id or idLookup field: (id, created).

        ``SeveralMatches`` carries the ids when the value is not unique.
        """
        schema = self._object(user, object_name)
        field = self._saves.key_field(user, schema, key_field)
        with self.transaction():
            return self._saves.upsert(
                user, schema, field, key_value, fields, options, update_only=update_only
            )

    def read(
        self,
        user: User,
        object_name: str,
        record_id: str,
        fields: Sequence[str] | None = None,
        *,
        api_version: str = API_VERSION,
    ) -> dict[str, Any]:
        """The REST record, ``attributes`` first; all readable fields when ``fields`` is None."""
        schema = self._object(user, object_name)
        record = self._saves.reachable(user, schema, record_id, Access.READ, reading=True)
        return self._reading.row(user, schema, record, fields, api_version)

    def read_by_key(
        self,
        user: User,
        object_name: str,
        key_field: str,
        key_value: str,
        fields: Sequence[str] | None = None,
        *,
        api_version: str = API_VERSION,
    ) -> dict[str, Any]:
        """``read`` by an external id or idLookup field; ``SeveralMatches`` as in ``upsert``."""
        schema = self._object(user, object_name)
        field = self._saves.key_field(user, schema, key_field)
        found = self._saves.by_key(user, schema, field, key_value)
        if found is None:
            raise not_found()
        return self.read(user, schema.name, found, fields, api_version=api_version)

    def merge(self, user: User, object_name: str, master_id: str, *loser_ids: str) -> None:
        """Merge up to three records: children move to the master, the losers are deleted with
        ``MasterRecordId``."""
        schema = self._object(user, object_name)
        if not 1 <= len(loser_ids) <= 2:
            message = "A merge takes a master and one or two other records"
            raise refuse("LIMIT_EXCEEDED", message)
        with self.transaction():
            for loser_id in loser_ids:
                self._removal.merge(user, schema, master_id, loser_id)

    def convert_lead(self, user: User, lead_id: str, **order: Any) -> LeadConversion:
        """Convert a Lead into a Contact and an Account; its activities move along. ``order`` are
        the fields of ``ConversionOrder``; TypeError for others."""
        with self.transaction():
            return convert(
                store=self._store,
                catalog=self._catalog,
                rights=self._rights,
                clock=self.clock,
                saves=self._saves,
                user=user,
                lead_id=lead_id,
                order=ConversionOrder(**order),
            )

    def use_feature(self, name: str, options: Fields) -> None:
        """Have a feature from now on, or change its options: see ``catalog.FEATURES``. ValueError
        for one that does not exist and for options it has not."""
        users = self.users()
        with self.transaction():
            is_new = name not in self._catalog.features
            self._catalog.add_feature(name, options)
            self._rights.audit_fields = "audit_fields" in self._catalog.features
            self._rights.touch()
            for companion in self._saves.companions if is_new and users else ():
                companion.turned_on(users[0], name)

    def file_content(self, user: User, version_id: str) -> bytes:
        """The bytes of a ContentVersion; OrgError 404 when the user does not see it."""
        schema = self._object(user, "ContentVersion")
        record = self._saves.reachable(user, schema, version_id, Access.READ, reading=True)
        return self._store.blob(str(record.get("Checksum"))) or b""

    def storage(self) -> dict[str, tuple[int, int]]:
        """By kind of storage, ``file`` and ``data``: the bytes there are, and those used; only
        kinds that the feature ``files`` limits."""
        options = self._catalog.features.get("files") or {}
        used = {
            "file": lambda: storage.file_bytes(self._store),
            "data": lambda: storage.data_bytes(self._store, self._catalog),
        }
        limits = {kind: options.get(f"{kind}_storage_bytes") for kind in used}
        return {
            kind: (int(most), used[kind]()) for kind, most in limits.items() if most is not None
        }

    def undelete(self, user: User, record_id: str) -> list[str]:
        """Take a record out of the recycle bin with what was deleted with it; their ids."""
        with self.transaction():
            return self._removal.undelete(user, record_id)

    def empty_bin(self, *, days: float = 15) -> int:
        """Forget what was deleted so many days ago; how many records."""
        with self.transaction():
            return self._removal.empty_bin(show_datetime(self.clock.now() - timedelta(days=days)))

    def archive_activities(self) -> int:
        """Run the archiving of old closed activities; how many it archived."""
        with self.transaction():
            return archive_activities(self._store, self._catalog, self.clock.now())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or none: rolls back on any exception; nested ones are savepoints.

        The org's lock is held until the end, so no other thread sees a half.
        """
        with self._store.transaction():
            yield

    # -- queries ---------------------------------------------------------------------------------
    def query(
        self,
        user: User,
        soql: str,
        *,
        all_rows: bool = False,
        batch_size: int = 2000,
        api_version: str = API_VERSION,
    ) -> dict[str, Any]:
        """A SOQL answer: totalSize, done, records and, beyond a batch, nextRecordsUrl.

        ``all_rows`` is ``/queryAll``: deleted and archived rows are seen.
        """
        return self._queries.run(
            user, soql, all_rows=all_rows, batch_size=batch_size, api_version=api_version
        )

    def query_more(
        self, user: User, locator: str, *, api_version: str = API_VERSION
    ) -> dict[str, Any]:
        """The next batch; ``locator`` is the last path segment, e.g. ``0r8...-2000``."""
        return self._queries.more(user, locator, api_version=api_version)

    def query_columns(self, user: User, soql: str) -> dict[str, Any]:
        """``?columns=true``: the ``columnMetadata`` of a query, without its rows."""
        return self._queries.columns(user, soql)

    def explain(self, user: User, soql: str, *, api_version: str = API_VERSION) -> dict[str, Any]:
        """``?explain=``: how a query would be answered, without its rows."""
        return self._queries.explain(user, soql, api_version=api_version)

    def search(self, user: User, sosl: str, *, api_version: str = API_VERSION) -> dict[str, Any]:
        """A SOSL answer: ``{"searchRecords": [...]}``."""
        return self._searches.run(user, sosl, api_version=api_version)

    def set_search_delay(self, delay: timedelta) -> None:
        """How long after a write a search finds it; SOQL always finds it at once."""
        self._searches.delay = delay

    def parameterized_search(
        self,
        user: User,
        text: str,
        *,
        scope: str = "ALL",
        objects: Mapping[str, Sequence[str]],
        limit: int = 2000,
        api_version: str = API_VERSION,
    ) -> dict[str, Any]:
        """``/parameterizedSearch``: ``objects`` maps sobjects to the fields wanted ([]: Id)."""
        return self._searches.parameterized(
            user, text, scope=scope, objects=objects, limit=limit, api_version=api_version
        )
