"""What one user may do with one record, and the organization-wide defaults that say so."""

from __future__ import annotations

from enum import IntFlag
from typing import Any


class Access(IntFlag):
    """Rights on a record. They are independent: a default may allow a transfer but no deletion."""

    NONE = 0
    READ = 1
    EDIT = 2
    DELETE = 4
    TRANSFER = 8
    FULL = 31
    """All of them, sharing the record with others included."""


#: object -> the values of its organization-wide default -> what it gives everybody. The values are
#: those of Organization.Default…Access; None is Private. Activities are set up under Task.
_PUBLIC = {"None": Access.NONE, "Read": Access.READ, "Edit": Access.READ | Access.EDIT}
_TRANSFERABLE = {**_PUBLIC, "ReadEditTransfer": Access.READ | Access.EDIT | Access.TRANSFER}
CONTROLLED = "ControlledByParent"
DEFAULTS: dict[str, dict[str, Access]] = {
    "Account": _PUBLIC,
    "Contact": {**_PUBLIC, CONTROLLED: Access.NONE},
    "Lead": _TRANSFERABLE,
    "Opportunity": _PUBLIC,
    "Case": _TRANSFERABLE,
    "Task": {"None": Access.NONE, CONTROLLED: Access.NONE},
}
#: What an org has before its administrator chooses.
FACTORY = {
    "Account": "Edit",
    "Contact": CONTROLLED,
    "Lead": "ReadEditTransfer",
    "Opportunity": "Edit",
    "Case": "ReadEditTransfer",
    "Task": "None",
}
#: The highest right is what UserRecordAccess.MaxAccessLevel names.
LEVELS = (
    (Access.FULL, "All"),
    (Access.TRANSFER, "Transfer"),
    (Access.DELETE, "Delete"),
    (Access.EDIT, "Edit"),
    (Access.READ, "Read"),
)


def level_name(access: Access) -> str:
    """``None``, ``Read``, ``Edit``, ``Delete``, ``Transfer`` or ``All``."""
    return next((name for level, name in LEVELS if level & access == level), "None")


#: field of UserRecordAccess -> what it takes.
ACCESS_FLAGS = {
    "HasReadAccess": Access.READ,
    "HasEditAccess": Access.EDIT,
    "HasDeleteAccess": Access.DELETE,
    "HasTransferAccess": Access.TRANSFER,
    "HasAllAccess": Access.FULL,
}


def access_row(user_id: str, record_id: str, found: Access) -> dict[str, Any]:
    """The fields of UserRecordAccess about one user and one record."""
    return {
        "Id": record_id,
        "UserId": user_id,
        "RecordId": record_id,
        **{name: needed & found == needed for name, needed in ACCESS_FLAGS.items()},
        "MaxAccessLevel": level_name(found),
    }


def checked_defaults(given: dict[str, str]) -> dict[str, str]:
    """A whole set of defaults; ValueError for an object or a value that there is not."""
    for name, value in given.items():
        if name not in DEFAULTS:
            raise ValueError(f"sharing knows {', '.join(DEFAULTS)}, not {name!r}")
        if value not in DEFAULTS[name]:
            raise ValueError(f"{name} takes {', '.join(DEFAULTS[name])}, not {value!r}")
    return FACTORY | given
