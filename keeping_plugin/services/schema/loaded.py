"""Schemas that this process has loaded before, by the digest of their document.

A describe stays as it is for days while every request needs it: with the digest at hand neither the
document's text is fetched again nor anything parsed twice, and one document is one ObjectSchema, by
which the form classes made of it are found again. A digest names its content, so that companies may
share an entry.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from keeping_plugin.types import ObjectSchema
from keeping_plugin.types.schema_document import load_schema

MAX_CHARACTERS = 16_000_000  # characters of documents: some 40 companies with large orgs


class LoadedSchemas:
    """The least recently used go first. Safe for threads."""

    def __init__(self, most: int = MAX_CHARACTERS) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[str, tuple[ObjectSchema, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> ObjectSchema | None:
        """The schema, if this process has loaded it before."""
        with self._lock:
            kept = self._kept.get(digest)
            if kept is None:
                return None
            self._kept.move_to_end(digest)
            return kept[0]

    def load(self, digest: str, document: str) -> ObjectSchema:
        """The schema of a document with this digest."""
        schema = load_schema(document)
        with self._lock:
            there = self._kept.get(digest)
            if there is not None:  # another thread was faster; one document stays one object
                return there[0]
            self._kept[digest] = schema, len(document)
            self._size += len(document)
            while self._size > self._most and len(self._kept) > 1:
                _, (_, length) = self._kept.popitem(last=False)
                self._size -= length
        return schema


LOADED = LoadedSchemas()
