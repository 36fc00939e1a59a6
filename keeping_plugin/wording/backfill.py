"""Importing earlier mail: what the Automation tab says about a run."""

from __future__ import annotations

from collections.abc import Mapping

_ENDED: Mapping[str, str] = {
    "done": "The mail since {since} was imported",
    "cancelled": "The import of mail since {since} was cancelled",
}


def ended_sentence(state: str, since: str) -> str:
    """How a run ended, without a full stop: when and what it did follow."""
    return _ENDED.get(state, _ENDED["cancelled"]).format(since=since)
