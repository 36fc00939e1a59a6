"""Tokens at rest: Fernet text that names the company and the org it belongs to.

A row copied onto another company's does not open, because both names stand inside the encrypted
text; a stolen database opens nothing, because the keys come from configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from keeping_plugin.errors import NotReady


class TokenVault:
    """Seals and opens small secrets. The first key seals, every key opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: Mapping[str, str | None], *, company: str, org: str) -> bytes:
        """Encrypt, bound to this company and org."""
        plain = json.dumps({"company": company, "org": org, "secret": dict(secret)})
        return self._fernet.encrypt(plain.encode())

    def open(self, blob: bytes, *, company: str, org: str) -> dict[str, str | None]:
        """Decrypt what was sealed for this company and org. Raises NotReady when no key opens it
        or when it belongs to somebody else."""
        try:
            plain = json.loads(self._fernet.decrypt(blob))
        except InvalidToken as error:
            raise NotReady(
                "No key in KEEPING_SECRET_KEYS decrypts the stored tokens: restore the old "
                "key, or reconnect Salesforce."
            ) from error
        if (plain["company"], plain["org"]) != (company, org):
            raise NotReady("A stored token belongs to another company or org; reconnect.")
        secret: dict[str, str | None] = plain["secret"]
        return secret

    def rotate(self, blob: bytes) -> bytes:
        """The same text under the first key. Raises NotReady when no key opens it."""
        try:
            return self._fernet.rotate(blob)
        except InvalidToken as error:
            raise NotReady("No key in KEEPING_SECRET_KEYS decrypts a stored token.") from error
