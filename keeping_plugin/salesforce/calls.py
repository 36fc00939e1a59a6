"""Authenticated calls: whose token, one refresh, and what each answer tells of the org's usage."""

from __future__ import annotations

from typing import Protocol

from keeping_plugin.types import Tokens


class TokenSource(Protocol):
    """One connection's tokens, kept in the database."""

    def current(self) -> Tokens:
        """The tokens as they stand. Raises NotConnected, ConnectionLost, NotReady."""

    def renew(self, stale_access_token: str) -> Tokens:
        """Tokens newer than the one Salesforce has just refused. One process refreshes, under the
        connection's refresh lease and with the row read again first; the others wait and get what
        it stored. Raises ConnectionLost, SalesforceUnavailable, RateLimited, NotReady."""
