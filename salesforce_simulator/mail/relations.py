"""EmailMessageRelation: who an email is from and to, and the lists of ids that tell the same."""

from __future__ import annotations

from salesforce_simulator.errors import refuse
from salesforce_simulator.mail.described import JUNCTION_FIELDS, RELATION_TYPES
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.records.removal import WITH
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

OBJECT = "EmailMessageRelation"


class Relations:
    """The people of messages."""

    def __init__(self, store: Store, catalog: Catalog, saves: Saves) -> None:
        self._store = store
        self._catalog = catalog
        self._saves = saves

    def of(self, message_id: str) -> list[Record]:
        """The live relations of a message: the sender first, then To, Cc, Bcc, others."""
        return sorted(
            self._where("EmailMessageId", message_id),
            key=lambda row: (RELATION_TYPES.index(row["RelationType"]), row["Id"]),
        )

    def of_person(self, person_id: str) -> list[Record]:
        """The live relations that name a Contact, Lead or User."""
        return self._where("RelationId", person_id)

    def _where(self, name: str, value: str) -> list[Record]:
        schema = self._catalog.find(OBJECT)
        field = schema.field(name) if schema is not None else None
        if schema is None or field is None:
            return []
        ids = self._store.ids_equal(schema.name, field, [value])
        found = self._store.get_many(sorted(ids)).values()
        return [row for row in found if not row.get("IsDeleted")]

    def check_new(self, message: Record, changes: Record) -> None:
        """Fill in what follows from the person; a second sender is refused, and the same person in
        the same place replaces the row that is there."""
        person = changes.get("RelationId")
        if person is None and not changes.get("RelationAddress"):
            text = "Required fields are missing: [RelationAddress]"
            raise refuse("REQUIRED_FIELD_MISSING", text, ["RelationAddress"])
        if person is not None:
            name, record = self._person(person)
            changes["RelationObjectType"] = name
            if not changes.get("RelationAddress"):
                changes["RelationAddress"] = record.get("Email")
        there = self.of(message["Id"])
        same = [row for row in there if _same(row, changes)]
        for row in same:
            self.put_away(row, row["Id"])
        others = [row for row in there if row not in same and not _same_person(row, changes)]
        if _sends(message, changes) and any(_sends(message, row) for row in others):
            raise refuse("LIMIT_EXCEEDED", "An email can't have more than 1 sender.")

    def check_change(self, changes: Record) -> None:
        """The person may be another one."""
        if changes.get("RelationId") is not None:
            changes["RelationObjectType"] = self._person(changes["RelationId"])[0]

    def _person(self, person_id: str) -> tuple[str, Record]:
        found = self._store.get(person_id)
        assert found is not None, "the lookup was checked before"
        return found

    def make(self, user: User, message: Record) -> None:
        """The rows that ``FromId`` and the lists of a new message ask for."""
        if message.get("FromId"):
            self._add(user, message["Id"], "FromAddress", message["FromId"])
        for name, kind in JUNCTION_FIELDS.items():
            for person in message.get(name) or ():
                self._add(user, message["Id"], kind, person)

    def replace(self, user: User, message: Record, names: list[str]) -> None:
        """Make the rows of these lists what the message says now; null removes them for good."""
        kinds = {JUNCTION_FIELDS[name] for name in names}
        for row in self.of(message["Id"]):
            if row["RelationType"] in kinds and row.get("RelationId"):
                self._store.drop(self._catalog.get(OBJECT), row)
        for name in names:
            for person in message.get(name) or ():
                self._add(user, message["Id"], JUNCTION_FIELDS[name], person)

    def _add(self, user: User, message_id: str, kind: str, person_id: str) -> None:
        name, record = self._person(person_id)
        values = {
            "EmailMessageId": message_id,
            "RelationType": kind,
            "RelationId": person_id,
            "RelationObjectType": name,
            "RelationAddress": record.get("Email"),
        }
        self._saves.create_row(user, OBJECT, values)

    def put_away(self, row: Record, root: str) -> None:
        """Into the bin, without what a deletion would bring about."""
        stamp = self._saves.stamp()
        gone = row | {"IsDeleted": True, WITH: root, "SystemModstamp": stamp}
        self._store.put(self._catalog.get(OBJECT), gone, row)

    def show(self, message: Record) -> Record:
        """Bring the lists of a message up to date; the message as stored."""
        schema = self._catalog.get("EmailMessage")
        lists = {
            name: [
                row["RelationId"]
                for row in self.of(message["Id"])
                if row["RelationType"] == kind and row.get("RelationId")
            ]
            or None
            for name, kind in JUNCTION_FIELDS.items()
            if schema.field(name) is not None
        }
        shown = message | lists
        if shown != message:
            self._store.put(schema, shown, message)
        return shown

    def move(self, old: str, new: str) -> list[str]:
        """Give one person's relations to another, each place once; ids of the messages."""
        schema = self._catalog.get(OBJECT)
        name = self._person(new)[0]
        for row in self.of_person(old):
            moved = row | {"RelationId": new, "RelationObjectType": name}
            self._store.put(schema, moved, row)
        seen: set[tuple[str, str]] = set()
        messages = []
        for row in self.of_person(new):
            place = (row["EmailMessageId"], row["RelationType"])
            if place in seen:
                self.put_away(row, row["Id"])
            seen.add(place)
            messages.append(row["EmailMessageId"])
        return list(dict.fromkeys(messages))


def _same(row: Record, other: Record) -> bool:
    if row["RelationType"] != other.get("RelationType"):
        return False
    return _same_person(row, other)


def _same_person(row: Record, other: Record) -> bool:
    if row.get("RelationId") or other.get("RelationId"):
        return bool(row.get("RelationId") == other.get("RelationId"))
    return _address(row) == _address(other)


def _sends(message: Record, row: Record) -> bool:
    """Whether a row takes the sender's place: by its type, or in incoming mail by its address."""
    if row.get("RelationType") == "FromAddress":
        return True
    sender = str(message.get("FromAddress") or "").lower()
    return bool(message.get("Incoming") and sender and _address(row) == sender)


def _address(row: Record) -> str:
    return str(row.get("RelationAddress") or "").lower()
