"""Logins on their way to Salesforce and back: one use, ten minutes, and only for who began them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Database, OAuthAttempt, now

_ORG = "login"  # no org is known yet; it keeps an attempt from opening as a grant


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempts:
    """The store of one person's login: `session_secret` stands in the host's session of the
    browser, `client_id` is the app's registration and `issuers` are the login hosts that may answer
    for it. What any other session, agent, company, registration or issuer asks for is not found.
    The database holds a digest and sealed text."""

    database: Database
    vault: TokenVault
    company_id: str
    agent_id: str
    client_id: str
    issuers: tuple[str, ...]
    session_secret: str

    def set(self, state: str, value: str, seconds: int) -> None:
        """Keep `value` for so many seconds, and forget whatever has expired."""
        with self.database.write() as session:
            at = now(session)
            session.execute(delete(OAuthAttempt).where(OAuthAttempt.expires_at <= at))
            session.add(
                OAuthAttempt(
                    key=self._key(state),
                    company_id=self.company_id,
                    agent_id=self.agent_id,
                    data=self.vault.seal({"value": value}, company=self.company_id, org=_ORG),
                    expires_at=at + timedelta(seconds=seconds),
                )
            )

    def take(self, state: str) -> str | None:
        """What was kept, forgotten in the same statement; None when there is nothing, it is too
        old, or somebody else's."""
        with self.database.write() as session:
            found = session.execute(
                delete(OAuthAttempt)
                .where(
                    OAuthAttempt.key == self._key(state),
                    OAuthAttempt.company_id == self.company_id,
                    OAuthAttempt.agent_id == self.agent_id,
                )
                .returning(OAuthAttempt.data, OAuthAttempt.expires_at)
            ).one_or_none()
            expired = found is not None and found.expires_at <= now(session)
        if found is None or expired:
            return None
        return self.vault.open(found.data, company=self.company_id, org=_ORG)["value"]

    def _key(self, state: str) -> str:
        parts = json.dumps([state, self.session_secret, self.client_id, self.issuers])
        return hashlib.sha256(parts.encode()).hexdigest()
