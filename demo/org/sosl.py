"""SOSL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .query import Queries
from .results import User
from .store import Store


class Searches:
    def __init__(self, store: Store, queries: Queries) -> None:
        self._store = store
        self._queries = queries

    def run(self, user: User, sosl: str, *, api_version: str) -> dict[str, Any]:
        raise NotImplementedError

    def parameterized(
        self,
        user: User,
        text: str,
        *,
        scope: str,
        objects: Mapping[str, Sequence[str]],
        limit: int,
        api_version: str,
    ) -> dict[str, Any]:
        raise NotImplementedError
