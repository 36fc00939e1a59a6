"""How the rows of a batch are to be written down: said by the delivery, written by `settle`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from keeping_plugin.errors import Complaint
from keeping_plugin.models import EntryState

# The reasons of entries whose record is ours (`delivery/actions` uses no others).
MADE: Final = frozenset({"created", "logged"})
# The reason of entries that an agent chose not to log.
KEPT_OUT: Final = "kept_out"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a row is to be written down. `wait` is in unscaled seconds from now; `marked` keeps the
    mark because the outcome of a send is still unknown; `looked_up`: the look has told that no
    send arrived; `refused`: Salesforce refused it for something that passes; `held`: it is due when
    an admin has reviewed it."""

    state: EntryState
    reason: str = ""
    wait: float | None = None
    record_id: str | None = None
    contact_id: str | None = None
    words: Any = None
    candidates: int = 0
    marked: bool = False
    looked_up: bool = False
    retried: bool = False
    refused: bool = False
    held: bool = False
    attempted: bool = False  # counts as one of the three attempts


def done(reason: str, record_id: str | None, **more: Any) -> Outcome:
    return Outcome(EntryState.DONE, reason, record_id=record_id, **more)


def cancelled(reason: str) -> Outcome:
    return Outcome(EntryState.CANCELLED, reason)


def later(reason: str, wait: float) -> Outcome:
    """Nothing was sent, or it was clearly refused for now."""
    return Outcome(EntryState.PENDING, reason, wait, retried=True)


def held() -> Outcome:
    """Not sent before an admin has seen it."""
    return Outcome(EntryState.PENDING, "held", held=True)


def unknown(wait: float | None = None) -> Outcome:
    """Sent once, and nobody can say yet whether it is there. Without `wait` the look stays due at
    the send time plus the settle time, as the mark set it."""
    return Outcome(EntryState.SENDING, "outcome_unclear", wait, marked=True)


def words(complaints: Sequence[Complaint]) -> Any:
    """Salesforce's own words, as the ledger keeps them."""
    return [[each.code, each.message, list(each.fields)] for each in complaints] or None
