"""The simulated org: records, metadata, rights and rules behind one class, without HTTP.

Every method takes the acting user first and works under that user's object rights and field-level
security. Refusals are ``OrgError``. All methods may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from .clock import OrgClock
from .results import FieldRights, LeadConversion, ObjectRights, SaveOptions, User

Fields = Mapping[str, Any]
API_VERSION = "66.0"


class Org:
    """One org in one SQLite file (``":memory:"`` for a passing one).

    ``describe_dir`` is a folder of recorded describe results (``<Object>.json``); objects it lacks
    come from the package's own set and are named in ``missing_objects``. ``activity_key_field``
    adds a unique external-id text field of that name to Task. ``name`` and ``sandbox`` become the
    Organization row. Reopening a database keeps its records, users, rights and rules.
    """

    missing_objects: tuple[str, ...]
    """Objects the describe folder lacks, taken from the package's own set."""
    organization_id: str
    clock: OrgClock

    def __init__(
        self,
        *,
        database: Path | str,
        clock: OrgClock,
        name: str,
        sandbox: bool,
        describe_dir: Path | None = None,
        activity_key_field: str | None = None,
    ) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Close the database."""
        raise NotImplementedError

    # -- users -----------------------------------------------------------------------------------
    def users(self) -> list[User]:
        """Every user, active or not, oldest first."""
        raise NotImplementedError

    def user(self, user_id: str) -> User:
        """The user with this 15- or 18-character id; KeyError if there is none."""
        raise NotImplementedError

    def user_by_username(self, username: str) -> User | None:
        """The user who logs in with ``username`` (case does not matter)."""
        raise NotImplementedError

    def add_user(
        self,
        *,
        username: str,
        email: str,
        last_name: str,
        first_name: str | None = None,
        active: bool = True,
        permissions: frozenset[str] | None = None,
    ) -> User:
        """Add a user with rights on everything; ``permissions`` None means all of them."""
        raise NotImplementedError

    def set_user_active(self, user_id: str, active: bool) -> User:
        """Activate or deactivate a user."""
        raise NotImplementedError

    # -- metadata --------------------------------------------------------------------------------
    def object_names(self, user: User) -> list[str]:
        """Canonical names of the objects the user may read, sorted."""
        raise NotImplementedError

    def canonical_name(self, user: User, object_name: str) -> str:
        """The object's name in canonical case; OrgError 404 when unknown or invisible."""
        raise NotImplementedError

    def describe(self, user: User, object_name: str) -> dict[str, Any]:
        """The describe result without what the user cannot read; OrgError 404 when invisible."""
        raise NotImplementedError

    def describe_global(self, user: User) -> dict[str, Any]:
        """``{"encoding", "maxBatchSize", "sobjects": [...]}``."""
        raise NotImplementedError

    def metadata_changed_at(self, user: User) -> datetime:
        """When metadata or rights that affect this user last changed (one instant for all)."""
        raise NotImplementedError

    def picklist_values(self, user: User, object_name: str, record_type_id: str) -> dict[str, Any]:
        """The ``picklist-values`` answer of the UI API: ``{"picklistFieldValues": {...}}``."""
        raise NotImplementedError

    # -- records ---------------------------------------------------------------------------------
    def create(
        self, user: User, object_name: str, fields: Fields, options: SaveOptions = SaveOptions()
    ) -> str:
        """Create a record; its 18-character id. ``attributes`` in ``fields`` is checked, dropped."""
        raise NotImplementedError

    def update(
        self,
        user: User,
        object_name: str,
        record_id: str,
        fields: Fields,
        options: SaveOptions = SaveOptions(),
    ) -> str:
        """Change a record; its 18-character id. OrgError 412 when ``unmodified_since`` fails."""
        raise NotImplementedError

    def delete(self, user: User, object_name: str, record_id: str) -> str:
        """Put a record into the recycle bin; its 18-character id."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def merge(self, user: User, object_name: str, master_id: str, loser_id: str) -> None:
        """Merge: children move to the master, the loser is deleted with ``MasterRecordId``."""
        raise NotImplementedError

    def convert_lead(
        self, user: User, lead_id: str, *, opportunity_name: str | None = None
    ) -> LeadConversion:
        """Convert a Lead into a Contact and an Account; its Tasks move to the Contact."""
        raise NotImplementedError

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or none: rolls back on any exception; nested ones are savepoints.

        The org's lock is held until the end, so no other thread sees a half.
        """
        raise NotImplementedError
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
        raise NotImplementedError

    def query_more(
        self, user: User, locator: str, *, api_version: str = API_VERSION
    ) -> dict[str, Any]:
        """The next batch; ``locator`` is the last path segment, e.g. ``0r8...-2000``."""
        raise NotImplementedError

    def query_columns(self, user: User, soql: str) -> dict[str, Any]:
        """``?columns=true``: the ``columnMetadata`` of a query, without its rows."""
        raise NotImplementedError

    def search(
        self, user: User, sosl: str, *, api_version: str = API_VERSION
    ) -> dict[str, Any]:
        """A SOSL answer: ``{"searchRecords": [...]}``."""
        raise NotImplementedError

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
        """``/parameterizedSearch``: ``objects`` maps each sobject to the fields wanted ([] = Id)."""
        raise NotImplementedError

    # -- the administrator of the org --------------------------------------------------------------
    def add_field(self, object_name: str, field: Mapping[str, Any]) -> None:
        """Add a field by its describe dict; ``name`` and ``type`` suffice, the rest is derived."""
        raise NotImplementedError

    def remove_field(self, object_name: str, field_name: str) -> None:
        """Delete a field and its values."""
        raise NotImplementedError

    def set_object_rights(self, user: User, object_name: str, rights: ObjectRights) -> None:
        """Replace a user's rights on an object."""
        raise NotImplementedError

    def set_field_rights(
        self, user: User, object_name: str, field_name: str, rights: FieldRights
    ) -> None:
        """Replace a user's field-level security on one field."""
        raise NotImplementedError

    def add_validation_rule(
        self,
        object_name: str,
        condition: str,
        message: str,
        *,
        error_field: str | None = None,
    ) -> None:
        """Refuse saves for which ``condition``, written as a SOQL WHERE clause, is true."""
        raise NotImplementedError

    def add_duplicate_rule(
        self,
        object_name: str,
        name: str,
        *,
        action: Literal["block", "alert"],
        match_on: Sequence[str],
        match_object: str | None = None,
        message: str = "Use one of these records?",
    ) -> None:
        """Refuse saves that equal another record in every field of ``match_on``.

        ``match_object`` compares with another object (a new Contact against Leads).
        """
        raise NotImplementedError

    def set_assignment_rule(self, object_name: str, owner_id: str | None) -> None:
        """New Leads or Cases get this owner when ``auto_assign`` is on; None removes the rule."""
        raise NotImplementedError

    def clear_rules(self) -> None:
        """Remove every validation, duplicate and assignment rule."""
        raise NotImplementedError
