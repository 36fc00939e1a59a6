"""Codes, grants and tokens of one login host, kept in SQLite; tokens are stored as digests only.

A *chain* is one approval by one user: its refresh tokens (several when rotation is on) and the
access tokens made from them. Revoking a chain ends all of them.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

ALPHABET = string.ascii_letters + string.digits + "._"

SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (
    id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL,
    made_at REAL NOT NULL, ended TEXT);
CREATE TABLE IF NOT EXISTS token (
    digest TEXT PRIMARY KEY, chain_id INTEGER NOT NULL REFERENCES chain(id),
    kind TEXT NOT NULL, issued_at REAL NOT NULL, used_at REAL NOT NULL, ended TEXT);
CREATE INDEX IF NOT EXISTS token_chain ON token(chain_id);
CREATE TABLE IF NOT EXISTS code (
    digest TEXT PRIMARY KEY, user_id TEXT NOT NULL, client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL, scope TEXT NOT NULL, challenge TEXT, nonce TEXT,
    issued_at REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS bound (digest TEXT PRIMARY KEY, thumbprint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS password (user_id TEXT PRIMARY KEY, password TEXT NOT NULL);
"""


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def fingerprint(token: str) -> str:
    """A short name for a token that tells it from others and gives nothing away."""
    return digest(token)[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as the store knows it. ``ended`` is the reason it no longer works, else None."""

    digest: str
    chain_id: int
    kind: Literal["access", "refresh"]
    user_id: str
    client_id: str
    scope: str
    issued_at: float
    used_at: float
    ended: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An authorization code. ``used`` is true from its first use on, whatever came of it."""

    user_id: str
    client_id: str
    redirect_uri: str
    scope: str
    challenge: str | None
    nonce: str | None
    issued_at: float
    used: bool


class TokenStore:
    """Everything a login host remembers. May be used from any thread."""

    def __init__(self, database: Path | str) -> None:
        self._db = sqlite3.connect(str(database), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._lock = threading.RLock()
        if database != ":memory:":
            self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Everything inside is one transaction that no other thread sees a half of."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return row

    def _run(self, sql: str, *values: Any) -> int:
        with self._lock:
            return self._db.execute(sql, values).rowcount

    # -- passwords and codes -----------------------------------------------------------------------
    def set_password(self, user_id: str, password: str) -> None:
        """Give a user a password; these are demo passwords and are printed at the start."""
        self._run("INSERT OR REPLACE INTO password VALUES (?, ?)", user_id, password)

    def password(self, user_id: str) -> str | None:
        """The user's password, None for one who cannot log in."""
        row = self._one("SELECT password FROM password WHERE user_id = ?", user_id)
        return None if row is None else str(row["password"])

    def add_code(
        self,
        *,
        user_id: str,
        client_id: str,
        redirect_uri: str,
        scope: str,
        challenge: str | None,
        nonce: str | None,
        now: datetime,
    ) -> str:
        """A new one-time code."""
        code = "aPrx" + "".join(secrets.choice(ALPHABET) for _ in range(72)) + "=="
        self._run(
            "INSERT INTO code VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            digest(code), user_id, client_id, redirect_uri, scope, challenge, nonce,
            now.timestamp(),
        )  # fmt: skip
        return code

    def use_code(self, code: str) -> Code | None:
        """The code as it stood before this use, or None if this host never issued it."""
        with self.exclusive():
            row = self._one("SELECT * FROM code WHERE digest = ?", digest(code))
            if row is None:
                return None
            self._run("UPDATE code SET used = 1 WHERE digest = ?", digest(code))
        values = {key: row[key] for key in row.keys() if key not in ("digest", "used")}  # noqa: SIM118
        return Code(**values, used=bool(row["used"]))

    # -- chains and tokens -------------------------------------------------------------------------
    def add_chain(self, *, user_id: str, client_id: str, scope: str, now: datetime) -> int:
        """A new approval."""
        with self._lock:
            cursor = self._db.execute(
                "INSERT INTO chain (user_id, client_id, scope, made_at) VALUES (?, ?, ?, ?)",
                (user_id, client_id, scope, now.timestamp()),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def approved(self, user_id: str, client_id: str, scope: str) -> bool:
        """Whether the user has a live approval of at least these scopes."""
        with self._lock:
            rows = self._db.execute(
                "SELECT scope FROM chain WHERE user_id = ? AND client_id = ? AND ended IS NULL",
                (user_id, client_id),
            ).fetchall()
        return any(set(scope.split()) <= set(row["scope"].split()) for row in rows)

    def add_token(
        self, chain_id: int, kind: Literal["access", "refresh"], text: str, now: datetime
    ) -> None:
        """Remember a token just made."""
        moment = now.timestamp()
        self._run(
            "INSERT INTO token VALUES (?, ?, ?, ?, ?, NULL)",
            digest(text), chain_id, kind, moment, moment,
        )  # fmt: skip

    def bind(self, token: str, thumbprint: str) -> None:
        """Tie a token to the key of that thumbprint."""
        self._run("INSERT OR REPLACE INTO bound VALUES (?, ?)", digest(token), thumbprint)

    def bound_to(self, token: Token) -> str | None:
        """The thumbprint of the key that a token is tied to."""
        row = self._one("SELECT thumbprint FROM bound WHERE digest = ?", token.digest)
        return None if row is None else str(row["thumbprint"])

    def find(self, token: str) -> Token | None:
        """What is known of a token, alive or ended; None if this host never issued it."""
        row = self._one(
            "SELECT t.digest, t.chain_id, t.kind, c.user_id, c.client_id, c.scope, t.issued_at, "
            "t.used_at, coalesce(t.ended, c.ended) AS ended "
            "FROM token t JOIN chain c ON c.id = t.chain_id WHERE t.digest = ?",
            digest(token),
        )
        return None if row is None else Token(**{key: row[key] for key in row.keys()})  # noqa: SIM118

    def touch(self, token: Token, now: datetime) -> None:
        """A session lives on by being used; written at most once a minute."""
        if now.timestamp() - token.used_at >= timedelta(minutes=1).total_seconds():
            self._run(
                "UPDATE token SET used_at = ? WHERE digest = ?", now.timestamp(), token.digest
            )

    def end_token(self, token: Token, reason: str) -> None:
        """End this token and no other."""
        self._run(
            "UPDATE token SET ended = ? WHERE digest = ? AND ended IS NULL", reason, token.digest
        )

    def end_chain(self, chain_id: int, reason: str) -> None:
        """End an approval with every token made from it."""
        self._run("UPDATE chain SET ended = ? WHERE id = ? AND ended IS NULL", reason, chain_id)

    def end_surplus(self, user_id: str, client_id: str, most: int) -> None:
        """End a user's oldest approvals of an app beyond the newest ``most``."""
        self._run(
            "UPDATE chain SET ended = 'surplus' WHERE ended IS NULL AND user_id = ? AND "
            "client_id = ? AND id NOT IN (SELECT id FROM chain WHERE ended IS NULL AND "
            "user_id = ? AND client_id = ? ORDER BY id DESC LIMIT ?)",
            user_id, client_id, user_id, client_id, most,
        )  # fmt: skip

    def end_access_tokens(self, reason: str, user_id: str | None = None) -> int:
        """End all access tokens (of one user); refresh tokens stay. How many were alive."""
        return self._run(
            "UPDATE token SET ended = ? WHERE kind = 'access' AND ended IS NULL AND chain_id IN "
            "(SELECT id FROM chain WHERE ended IS NULL AND (? IS NULL OR user_id = ?))",
            reason, user_id, user_id,
        )  # fmt: skip

    def end_chains(self, reason: str, user_id: str | None = None) -> int:
        """End all approvals (of one user). How many were alive."""
        return self._run(
            "UPDATE chain SET ended = ? WHERE ended IS NULL AND (? IS NULL OR user_id = ?)",
            reason, user_id, user_id,
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Live chains, live access tokens and live refresh tokens."""
        with self._lock:
            rows = self._db.execute(
                "SELECT t.kind AS kind, count(*) AS n "
                "FROM token t JOIN chain c ON c.id = t.chain_id "
                "WHERE t.ended IS NULL AND c.ended IS NULL GROUP BY t.kind"
            ).fetchall()
            alive = self._db.execute("SELECT count(*) AS n FROM chain WHERE ended IS NULL")
            chains = int(alive.fetchone()["n"])
        found = {row["kind"]: int(row["n"]) for row in rows}
        return {
            "chains": chains,
            "access_tokens": found.get("access", 0),
            "refresh_tokens": found.get("refresh", 0),
        }
