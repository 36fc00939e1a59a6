"""Sealed rows under the newest key, and whether every one of them opens at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Connection, Database, OAuthAttempt, Revocation
from keeping_plugin.services import audit
from keeping_plugin.services.audit import Audited

CHUNK = 500  # rows a transaction

# Every column that holds sealed text, with its table's key.
SEALED: tuple[tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]], ...] = (
    (Connection.id, Connection.tokens),
    (Revocation.id, Revocation.tokens),
    (OAuthAttempt.key, OAuthAttempt.data),
)


def _chunks(
    database: Database,
    key: InstrumentedAttribute[Any],
    blob: InstrumentedAttribute[Any],
) -> Iterator[list[tuple[Any, bytes]]]:
    last: Any = None
    while True:
        query = select(key, blob).where(blob.is_not(None)).order_by(key).limit(CHUNK)
        if last is not None:
            query = query.where(key > last)
        with database.read() as session:
            rows = [(row[0], bytes(row[1])) for row in session.execute(query)]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def rotate(database: Database, vault: TokenVault) -> int:
    """Seal every stored secret anew under the first key; returns how many there were.

    A row that changed meanwhile is left: what changed it sealed it with the first key already.
    Raises NotReady when no key opens a row; rows before it stay rotated, none is lost.
    """
    count = 0
    for key, blob in SEALED:
        for rows in _chunks(database, key, blob):
            with database.write() as session:
                for row_key, old in rows:
                    session.execute(
                        update(key.class_)
                        .where(key == row_key, blob == old)
                        .values({blob.key: vault.rotate(old)})
                    )
                count += len(rows)
    with database.write() as session:
        audit.record(session, Audited.KEYS_ROTATED, company_id="", detail=str(count))
    return count


def check(database: Database, vault: TokenVault) -> None:
    """Raises NotReady when a stored secret opens with none of the keys."""
    for key, blob in SEALED:
        for rows in _chunks(database, key, blob):
            for _, sealed in rows:
                vault.rotate(sealed)
