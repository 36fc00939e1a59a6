"""What other parts of the org do when a record is saved or goes: emails, files, shared activities.

Each is told of every save and every deletion, inside its transaction, and minds its own objects.
"""

from __future__ import annotations

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.results import User
from salesforce_simulator.store import Record


class Companion:
    """Does nothing; a part overrides what concerns it."""

    def turned_on(self, user: User, feature: str) -> None:
        """The org has got a feature; ``user`` is its administrator."""

    def check(
        self, user: User, schema: ObjectSchema, changes: Record, before: Record | None
    ) -> None:
        """Refuse what a user asks to save, or add to ``changes``; ``before`` is None for a new
        record. Records that follow from another one are not checked."""

    def saved(
        self, user: User, schema: ObjectSchema, record: Record, before: Record | None
    ) -> None:
        """A record has been stored."""

    def leaving(self, user: User, schema: ObjectSchema, record: Record, root: str) -> None:
        """A record is about to be deleted with ``root``, before its children are looked at."""

    def left(self, user: User, schema: ObjectSchema, record: Record) -> None:
        """A record lies in the recycle bin."""

    def restored(
        self, user: User, schema: ObjectSchema, record: Record, together: frozenset[str]
    ) -> None:
        """A record has come out of the recycle bin; ``together`` are all that did."""

    def moved(self, user: User, old: str, new: str) -> None:
        """What belonged to ``old`` belongs to ``new``: a merge, or a Lead that became a Contact."""
