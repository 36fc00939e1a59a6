"""The org's SQLite file: records as JSON, an index of the values that queries look for, settings.

One connection under one re-entrant lock: statements take microseconds, so threads queue rather
than meet each other's locks. Nested transactions are savepoints. Records once read stay in memory,
up to a number; nobody changes a record it was given, a changed one is a new dict.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from salesforce_simulator.metadata.schema import FieldSchema, ObjectSchema
from salesforce_simulator.values import folded

Record = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS record (
    id TEXT PRIMARY KEY, object TEXT NOT NULL, deleted INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_object ON record (object, deleted, id);
CREATE TABLE IF NOT EXISTS value (
    object TEXT NOT NULL, field TEXT NOT NULL, value NOT NULL, id TEXT NOT NULL, -- no affinity
    PRIMARY KEY (object, field, value, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequence (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blob (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""
_MANY = 500
_REMEMBERED = 20_000


def index_key(field: FieldSchema, value: Any) -> Any:
    """How a value stands in the index: folded text unless the field minds case."""
    if isinstance(value, str) and not field.case_sensitive and field.type != "reference":
        return folded(value)
    return value


class Store:
    """Records by object and id. Every method may be called from any thread."""

    def __init__(self, database: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._known: dict[str, tuple[str, Record]] = {}
        self._written: set[str] = set()
        self._db = sqlite3.connect(
            str(database), isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock, so that several reads see one state."""
        with self._lock:
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or none; nested transactions are savepoints of the outer one."""
        with self._lock:
            name = f"level_{self._depth}"
            self._db.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            outer = self._depth == 0
            self._depth += 1
            try:
                yield
            except BaseException:
                for record_id in self._written:
                    self._known.pop(record_id, None)
                if outer:
                    self._db.execute("ROLLBACK")
                else:
                    self._db.execute(f"ROLLBACK TO {name}")
                    self._db.execute(f"RELEASE {name}")
                raise
            else:
                self._db.execute("COMMIT" if outer else f"RELEASE {name}")
            finally:
                self._depth -= 1
                if outer:
                    self._written.clear()

    # -- records -----------------------------------------------------------------------------------
    def get(self, record_id: str) -> tuple[str, Record] | None:
        """(object, record) of an 18-character id, deleted ones included."""
        with self._lock:
            self._read([record_id])
            return self._known.get(record_id)

    def get_many(self, record_ids: Iterable[str]) -> dict[str, Record]:
        """Records by id, of any object; unknown ids are missing."""
        wanted = list(dict.fromkeys(record_ids))
        found: dict[str, Record] = {}
        with self._lock:
            for start in range(0, len(wanted), _MANY):
                some = wanted[start : start + _MANY]
                self._read(some)
                found |= {i: self._known[i][1] for i in some if i in self._known}
        return found

    def _read(self, record_ids: list[str]) -> None:
        """Bring records into memory; the oldest ones there make room."""
        unknown = [i for i in record_ids if i not in self._known]
        if not unknown:
            return
        marks = ",".join("?" * len(unknown))
        rows = self._db.execute(
            f"SELECT id, object, body FROM record WHERE id IN ({marks})", unknown
        ).fetchall()
        for record_id, object_name, body in rows:
            self._known[record_id] = (object_name, json.loads(body))
        surplus = len(self._known) - _REMEMBERED
        if surplus > 0:
            kept = set(record_ids)
            for old in [i for i in islice(self._known, surplus + _MANY) if i not in kept]:
                del self._known[old]

    def scan(self, object_name: str, *, deleted: bool) -> list[Record]:
        """Every record of an object in the order of ids; with ``deleted`` the bin's as well."""
        states = (0, 1) if deleted else (0,)
        with self._lock:
            ids = [
                row[0]
                for state in states
                for row in self._db.execute(
                    "SELECT id FROM record WHERE object = ? AND deleted = ? ORDER BY id",
                    (object_name, state),
                )
            ]
            return list(self.get_many(sorted(ids) if deleted else ids).values())

    def count(self, object_name: str) -> int:
        """How many records of an object are not deleted."""
        with self._lock:
            row = self._db.execute(
                "SELECT count(*) FROM record WHERE object = ? AND deleted = 0", (object_name,)
            ).fetchone()
        return int(row[0])

    def put(self, schema: ObjectSchema, record: Record, before: Record | None) -> None:
        """Store a record, in a transaction; ``before`` is what is stored of it, None if new."""
        body = json.dumps(record, separators=(",", ":"))
        with self._lock:
            assert self._depth, "records are stored in transactions"
            self._db.execute(
                "INSERT INTO record VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
                "SET deleted = excluded.deleted, body = excluded.body",
                (record["Id"], schema.name, int(bool(record.get("IsDeleted"))), body),
            )
            self._known[record["Id"]] = (schema.name, record)
            self._written.add(record["Id"])
            old, new = [], []
            for field in schema.indexed:
                was = before.get(field.name) if before is not None else None
                now = record.get(field.name)
                if was == now:
                    continue
                key = (schema.name, field.name)
                if was is not None:
                    old.append((*key, index_key(field, was), record["Id"]))
                if now is not None:
                    new.append((*key, index_key(field, now), record["Id"]))
            if old:
                self._db.executemany(
                    "DELETE FROM value WHERE object = ? AND field = ? AND value = ? AND id = ?", old
                )
            if new:
                self._db.executemany("INSERT OR IGNORE INTO value VALUES (?, ?, ?, ?)", new)

    def drop(self, schema: ObjectSchema, record: Record) -> None:
        """Forget a record altogether, in a transaction: it never lies in the recycle bin."""
        with self._lock:
            assert self._depth, "records are dropped in transactions"
            self._db.execute("DELETE FROM record WHERE id = ?", (record["Id"],))
            self._db.execute(
                "DELETE FROM value WHERE object = ? AND id = ?", (schema.name, record["Id"])
            )
            self._known.pop(record["Id"], None)

    # -- the index ---------------------------------------------------------------------------------
    def ids_equal(self, object_name: str, field: FieldSchema, values: Iterable[Any]) -> set[str]:
        """Ids of records whose field holds one of the values."""
        keys = list({index_key(field, value) for value in values})
        found: set[str] = set()
        with self._lock:
            for start in range(0, len(keys), _MANY):
                some = keys[start : start + _MANY]
                marks = ",".join("?" * len(some))
                found.update(
                    row[0]
                    for row in self._db.execute(
                        "SELECT id FROM value WHERE object = ? AND field = ? "
                        f"AND value IN ({marks})",
                        (object_name, field.name, *some),
                    )
                )
        return found

    def ids_between(
        self, object_name: str, field: FieldSchema, low: Any, high: Any, *, limit: int
    ) -> set[str] | None:
        """Ids with ``low <= value <= high`` (None: open); None when more than ``limit``."""
        clauses, values = ["object = ?", "field = ?"], [object_name, field.name]
        if low is not None:
            clauses.append("value >= ?")
            values.append(index_key(field, low))
        if high is not None:
            clauses.append("value <= ?")
            values.append(index_key(field, high))
        with self._lock:
            rows = self._db.execute(
                f"SELECT id FROM value WHERE {' AND '.join(clauses)} LIMIT ?",
                (*values, limit + 1),
            ).fetchall()
        return None if len(rows) > limit else {row[0] for row in rows}

    def reindex(self, schema: ObjectSchema) -> None:
        """Rebuild the index of an object whose fields have changed."""
        with self.transaction():
            self._db.execute("DELETE FROM value WHERE object = ?", (schema.name,))
            entries = [
                (schema.name, field.name, index_key(field, record[field.name]), record["Id"])
                for record in self.scan(schema.name, deleted=True)
                for field in schema.indexed
                if record.get(field.name) is not None
            ]
            self._db.executemany("INSERT OR IGNORE INTO value VALUES (?, ?, ?, ?)", entries)

    # -- files -------------------------------------------------------------------------------------
    def put_blob(self, name: str, body: bytes) -> None:
        """Keep the bytes of a file by their checksum."""
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (name, body))

    def blob(self, name: str) -> bytes | None:
        """The bytes of that checksum."""
        with self._lock:
            row = self._db.execute("SELECT body FROM blob WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    # -- sequences and settings --------------------------------------------------------------------
    def next_number(self, name: str) -> int:
        """1, 2, 3 … per name."""
        with self._lock:
            row = self._db.execute(
                "INSERT INTO sequence VALUES (?, 1) ON CONFLICT (name) DO UPDATE "
                "SET last = last + 1 RETURNING last",
                (name,),
            ).fetchone()
        return int(row[0])

    def settings(self, kind: str) -> dict[str, Any]:
        """Every setting of a kind by name."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name, body FROM setting WHERE kind = ? ORDER BY name", (kind,)
            ).fetchall()
        return {name: json.loads(body) for name, body in rows}

    def set_setting(self, kind: str, name: str, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Keep a setting across restarts."""
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO setting VALUES (?, ?, ?)", (kind, name, json.dumps(value))
            )

    def drop_settings(self, kind: str) -> None:
        """Forget every setting of a kind."""
        with self._lock:
            self._db.execute("DELETE FROM setting WHERE kind = ?", (kind,))
