"""What is written to entries."""

from __future__ import annotations

from typing import Any

from keeping_plugin.models import SyncEntry

_FIELDS = (
    "sent_at",
    "sent_user_id",
    "sent_after",
    "sent_epoch",
    "sent_key_field",
    "sent_key_at",
)

NO_MARK: dict[str, Any] = dict.fromkeys(_FIELDS)


def mark_of(row: SyncEntry) -> dict[str, Any]:
    """The mark that the row carries, as column values."""
    return {name: getattr(row, name) for name in _FIELDS}


def take_mark_off(row: SyncEntry) -> None:
    """The outcome of the send is known."""
    for name in _FIELDS:
        setattr(row, name, None)
