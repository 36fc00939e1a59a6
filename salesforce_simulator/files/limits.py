"""What an org lets in: blocked types, sizes, storage, versions a day.

The codes are documented, their words assumed unless a comment says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from salesforce_simulator.errors import refuse
from salesforce_simulator.files.described import VERSION
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.store import Record, Store
from salesforce_simulator.values import show_datetime

#: 2 GB, the largest file the service takes (documented).
LARGEST = 2 * 1024**3
#: Versions in 24 hours, Developer Edition (documented).
VERSIONS_PER_DAY = 2500
#: What a record takes of the data storage; an email its bodies as well (documented).
RECORD_BYTES = 2048
_HTML = frozenset(
    {"htm", "html", "htt", "htx", "mhtm", "mhtml", "shtm", "shtml", "acgi", "svg", "xhtml"}
)


def check_file(
    store: Store, changes: Record, data: bytes, options: Mapping[str, Any], now: datetime
) -> None:
    """Refuse a file for its type, its size, the storage that is left, or the day's count."""
    extension = changes.get("FileExtension") or ""
    if extension in {str(one).lower().lstrip(".") for one in options.get("blocked") or ()}:
        message = f"File type {extension} is not allowed"
        raise refuse("FILE_EXTENSION_NOT_ALLOWED", message, ["PathOnClient"])
    if options.get("block_html") and extension in _HTML:
        message = "HTML files can't be uploaded"
        raise refuse("HTML_FILE_UPLOAD_NOT_ALLOWED", message, ["PathOnClient"])
    if len(data) > options.get("largest_bytes", LARGEST):
        raise refuse("FILE_SIZE_LIMIT_EXCEEDED", "File size limit exceeded", ["VersionData"])
    storage = options.get("file_storage_bytes")
    if storage is not None and file_bytes(store) + len(data) > storage:
        raise refuse("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")
    since = show_datetime(now - timedelta(days=1))
    made = [row for row in store.scan(VERSION, deleted=True) if str(row["CreatedDate"]) > since]
    if len(made) >= options.get("versions_per_day", VERSIONS_PER_DAY):
        # The words are stated by practitioners, the code is assumed.
        raise refuse("LIMIT_EXCEEDED", "ContentPublication Limit exceeded.")


def check_record(store: Store, catalog: Catalog, changes: Record, limit: int) -> None:
    """Refuse a record that the data storage has no room for."""
    if data_bytes(store, catalog) + _bytes_of(changes) > limit:
        raise refuse("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")


def file_bytes(store: Store) -> int:
    """The file storage that is used: every version that is not deleted."""
    return sum(int(row.get("ContentSize") or 0) for row in store.scan(VERSION, deleted=False))


def data_bytes(store: Store, catalog: Catalog) -> int:
    """The data storage that is used, files apart."""
    total = 0
    for name in catalog.names():
        if name.startswith("Content"):
            continue
        if name == "EmailMessage":
            total += sum(_bytes_of(row) for row in store.scan(name, deleted=False))
        else:
            total += store.count(name) * RECORD_BYTES
    return total


def _bytes_of(record: Record) -> int:
    bodies = (record.get("TextBody"), record.get("HtmlBody"))
    return RECORD_BYTES + sum(len(str(body).encode()) for body in bodies if body)
