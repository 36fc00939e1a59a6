"""The table of all events of an entry: from which states each comes, which state follows, and what
is kept of the mark. `entries` makes every statement from it. docs/delivery.md shows it;
tests/services/ledger hold code and table together.

The mark is what an entry keeps of a call that may have reached Salesforce. It is committed before
the call leaves, and stays until the outcome is known, whatever the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final

from keeping_plugin.models import EntryState

_PENDING, _SENDING, _WAITING = EntryState.PENDING, EntryState.SENDING, EntryState.WAITING
_DONE, _FAILED, _CANCELLED = EntryState.DONE, EntryState.FAILED, EntryState.CANCELLED

OWED: Final = (_PENDING, _SENDING, _WAITING)
FINAL: Final = (_DONE, _FAILED, _CANCELLED)
# A batch has an entry until it settles or releases it. If the company switches to another org
# meanwhile, the entry fails, but the batch still records its outcome.
BATCHED: Final = (*OWED, _FAILED)
ANY: Final = (*OWED, *FINAL)


class Mark(StrEnum):
    """What is kept of the mark, or whether there may be one."""

    ABSENT = "none"
    PRESENT = "present, kept"
    KEPT = "kept"
    SET = "set"
    TAKEN_OFF = "removed"
    GONE = "deleted too"
    PUT_BACK = "earlier one restored"
    IN_DOUBT = "kept while unclear, else removed"
    # A refused send says nothing about the one before it: only a lookup does.
    EARLIER = "kept while unclear, else removed or earlier one restored"


class Next(StrEnum):
    """What follows where it is not one state."""

    SAME = "the same"
    AS_CLAIMED = "as when claimed"
    SENDING_IF_MARKED = "sending if marked, else pending"
    NONE = "deleted"


UNCLAIMED: Final = {"claim": None, "claimed_until": None}
_NOT_WAITING: Final = {"waiting_since": None, "looks": 0}
_ENDED: Final = {"due_at": None, **UNCLAIMED}
_UNTRIED: Final[Mapping[str, Any]] = {
    "reason": "",
    "words": None,
    "settled_at": None,
    "attempts": 0,
    "retries": 0,
    "refused_since": None,
    "batch_size": None,
}
_AS_JUDGED: Final = {"released_at": None, "fingerprint": None}  # of this message and customer
AS_IF_NEW: Final = {**_UNTRIED, **_NOT_WAITING, **UNCLAIMED, **_AS_JUDGED}


@dataclass(frozen=True, slots=True)
class Step:
    """`comes_from` no state: there was no entry. `sets` are columns besides the state and the
    mark; a caller of `entries.happen` gives what depends on the moment."""

    comes_from: tuple[EntryState, ...]
    goes_to: EntryState | Next
    mark: Mark
    when: str
    sets: Mapping[str, Any] = field(default_factory=dict)


class Event(Enum):
    """The events of an entry."""

    GRANTED = Step((), _PENDING, Mark.ABSENT, "The rules grant an action.")
    GRANTED_AGAIN = Step(
        (_CANCELLED,),
        _PENDING,
        Mark.ABSENT,
        "A backfill or an agent grants it: reset to new.",
        AS_IF_NEW,
    )
    ASKED = Step(
        OWED, Next.SAME, Mark.ABSENT, "An agent logs it by hand; no batch has it.", UNCLAIMED
    )
    CLAIMED = Step(OWED, Next.SAME, Mark.KEPT, "A batch claims it.")
    RELEASED = Step(BATCHED, Next.SAME, Mark.KEPT, "Its batch releases it.", UNCLAIMED)
    POSTPONED = Step(BATCHED, Next.SAME, Mark.KEPT, "Due at another time, or for another reason.")
    MARKED = Step(OWED, _SENDING, Mark.SET, "A call is about to start.")
    UNMARKED = Step(BATCHED, _PENDING, Mark.TAKEN_OFF, "The call was refused or never sent.")
    PUT_BACK = Step((_PENDING,), Next.AS_CLAIMED, Mark.PUT_BACK, "An earlier send exists.")
    DONE = Step(BATCHED, _DONE, Mark.IN_DOUBT, "Created, found, or nothing to do.")
    FAILED = Step(BATCHED, _FAILED, Mark.EARLIER, "Refused; a person has to decide.")
    CANCELLED = Step(BATCHED, _CANCELLED, Mark.IN_DOUBT, "No longer to be sent.")
    LATER = Step(BATCHED, _PENDING, Mark.EARLIER, "Temporarily refused, or not sent yet.")
    UNCLEAR = Step(BATCHED, _SENDING, Mark.IN_DOUBT, "Sent, without a complete response.")
    WAITS = Step(BATCHED, _WAITING, Mark.IN_DOUBT, "Its customer has no Contact yet.")
    HELD = Step(
        BATCHED, _PENDING, Mark.TAKEN_OFF, "The brake holds it for review.", {"due_at": None}
    )
    RESUMED = Step((_PENDING,), _PENDING, Mark.ABSENT, "It was held until now.", {"reason": ""})
    NO_OUTCOME = Step(
        OWED,
        _FAILED,
        Mark.ABSENT,
        "Three batches of its own had no outcome.",
        {"reason": "no_outcome", "due_at": None},
    )
    CORRECTED = Step(
        OWED,
        _PENDING,
        Mark.ABSENT,
        "Granted for another customer; new address.",
        {"reason": "", **_NOT_WAITING, **UNCLAIMED, **_AS_JUDGED},
    )
    CONTACT_APPEARED = Step(
        (_PENDING, _WAITING),
        _PENDING,
        Mark.KEPT,
        "A Contact with its address exists; it waited, or was held.",
        {"reason": "", **_NOT_WAITING},
    )
    CUSTOMER_CHANGED = Step((_WAITING,), _PENDING, Mark.ABSENT, "Its message has another customer.")
    LOOKED_FOR = Step((_WAITING,), Next.SAME, Mark.ABSENT, "No Contact was found.")
    ABANDONED = Step(
        OWED, _CANCELLED, Mark.ABSENT, "Disconnected, expired, kept out, or not granted.", _ENDED
    )
    GIVEN_UP = Step(
        OWED,
        _FAILED,
        Mark.PRESENT,
        "It cannot be determined whether it arrived.",
        {"reason": "outcome_unknown", "due_at": None},
    )
    RETRIED = Step((_FAILED,), Next.SENDING_IF_MARKED, Mark.KEPT, "A person retries it.", _UNTRIED)
    CONFIRMED = Step(
        (_FAILED,),
        _DONE,
        Mark.TAKEN_OFF,
        "A person found it in Salesforce.",
        {"reason": "confirmed"},
    )
    UNDONE = Step((_DONE,), _DONE, Mark.ABSENT, "An undo deleted its record.", {"reason": "undone"})
    SENT_AGAIN = Step((_FAILED,), _PENDING, Mark.TAKEN_OFF, "A person did not find it.", _UNTRIED)
    ANNOTATED = Step(ANY, Next.SAME, Mark.KEPT, "Its note, fingerprint or error message changes.")
    FIELD_LOST = Step(
        ANY,
        Next.SAME,
        Mark.PRESENT,
        "The org's unique field was removed.",
        {"sent_key_field": None, "sent_key_at": None},
    )
    REMOVED = Step(ANY, Next.NONE, Mark.GONE, "Retention, or its person is erased.")
