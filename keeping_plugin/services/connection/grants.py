"""The OAuth grant of a connection as it lies in the database: sealed, moved, never copied."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import NotReady
from keeping_plugin.models import Connection, Revocation
from keeping_plugin.times import REVOKE_LIMIT, Times
from keeping_plugin.types import Tokens


def seal(vault: TokenVault, tokens: Tokens, *, company_id: str, org_id: str) -> bytes:
    """Encrypt a grant, bound to its company and org."""
    return vault.seal(asdict(tokens), company=company_id, org=org_id)


def unseal(vault: TokenVault, blob: bytes, *, company_id: str, org_id: str) -> Tokens:
    """The grant again. Raises NotReady when no key opens it or it is another company's."""
    secret = vault.open(blob, company=company_id, org=org_id)
    try:
        return Tokens(
            access_token=secret["access_token"] or "",
            refresh_token=secret["refresh_token"],
            instance_url=secret["instance_url"] or "",
            login_url=secret["login_url"] or "",
            identity_url=secret["identity_url"] or "",
            scope=secret["scope"] or "",
        )
    except KeyError as error:
        raise NotReady("A stored grant is not one of ours; reconnect Salesforce.") from error


def give_back(session: Session, connection: Connection, *, at: datetime, times: Times) -> int:
    """Move a connection's grant into a revocation row, due at once: nothing but the revoke job
    reads it from there. Returns the row's id, 0 when there was no grant."""
    blob, connection.tokens = connection.tokens, None
    connection.token_version += 1
    connection.refresh_owner = connection.refresh_until = None
    return 0 if blob is None else revocation(session, connection.id, blob, at=at, times=times)


def revocation(
    session: Session, connection_id: int, blob: bytes, *, at: datetime, times: Times
) -> int:
    """Have a sealed grant revoked; returns the row's id."""
    row = Revocation(
        connection_id=connection_id,
        tokens=blob,
        created_at=at,
        try_until=at + times.span(REVOKE_LIMIT),
        due_at=at,
    )
    session.add(row)
    session.flush()
    return row.id
