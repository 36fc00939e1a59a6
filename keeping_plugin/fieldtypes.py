"""The types of a describe result (Object Reference, Field Types): one row each.

To add a type, add a row to `FIELD_TYPES` (CONTRIBUTING.md). A row names the control that edits its
values, which `forms/` builds, and how they are shown, which `services/panel/display` does. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ControlKind(StrEnum):
    """What a form offers for a value."""

    READ_ONLY = "read_only"
    PARTS = "parts"  # a control for each field of which a compound one is made
    TEXT = "text"
    TEXT_AREA = "text_area"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    CHECKBOX = "checkbox"
    NUMBER = "number"
    DATE = "date"
    DATE_TIME = "date_time"
    TIME = "time"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi_picklist"
    COMBOBOX = "combobox"
    LOOKUP = "lookup"


class ShownAs(StrEnum):
    """How people read a value."""

    NOTHING = "nothing"  # no panel shows it, and no admin can choose it
    TEXT = "text"
    LABEL = "label"  # of the picklist's entry
    LABELS = "labels"
    YES_NO = "yes_no"
    NUMBER = "number"
    WHOLE_NUMBER = "whole_number"
    AMOUNT = "amount"  # with its currency, where the org has several
    PERCENT = "percent"
    DAY = "day"
    MOMENT = "moment"
    TIME = "time"
    MAIL_LINK = "mail_link"
    DIAL_LINK = "dial_link"
    WEB_LINK = "web_link"
    NAME = "name"  # of the record that it refers to
    ADDRESS = "address"
    COORDINATES = "coordinates"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """One type: `label` is what Salesforce's own Setup calls it."""

    name: str
    label: str
    control: ControlKind
    shown: ShownAs

    @property
    def writable(self) -> bool:
        """Whether a form can print a value and read it back; all else is shown and left alone."""
        return self.control not in (ControlKind.READ_ONLY, ControlKind.PARTS)

    @property
    def compound(self) -> bool:
        """Whether it is written by its parts, which have types of their own."""
        return self.control is ControlKind.PARTS

    @property
    def offered(self) -> bool:
        """Whether an admin can choose it for the panel."""
        return self.shown is not ShownAs.NOTHING


def _row(name: str, label: str, control: ControlKind, shown: ShownAs) -> FieldType:
    return FieldType(name=name, label=label, control=control, shown=shown)


_C, _S = ControlKind, ShownAs

FIELD_TYPES: Mapping[str, FieldType] = MappingProxyType(
    {
        row.name: row
        for row in (
            _row("string", "Text", _C.TEXT, _S.TEXT),
            _row("textarea", "Text area", _C.TEXT_AREA, _S.TEXT),
            # It may read back masked; untouched, it is never sent.
            _row("encryptedstring", "Encrypted text", _C.TEXT, _S.TEXT),
            _row("email", "Email", _C.EMAIL, _S.MAIL_LINK),
            _row("phone", "Phone", _C.PHONE, _S.DIAL_LINK),
            _row("url", "URL", _C.URL, _S.WEB_LINK),
            _row("picklist", "Picklist", _C.PICKLIST, _S.LABEL),
            _row("multipicklist", "Multi-select picklist", _C.MULTI_PICKLIST, _S.LABELS),
            _row("combobox", "Picklist or text", _C.COMBOBOX, _S.TEXT),
            _row("boolean", "Checkbox", _C.CHECKBOX, _S.YES_NO),
            _row("int", "Number", _C.NUMBER, _S.WHOLE_NUMBER),
            _row("long", "Number", _C.NUMBER, _S.WHOLE_NUMBER),
            _row("double", "Number", _C.NUMBER, _S.NUMBER),
            _row("currency", "Currency", _C.NUMBER, _S.AMOUNT),
            _row("percent", "Percent", _C.NUMBER, _S.PERCENT),
            _row("date", "Date", _C.DATE, _S.DAY),
            _row("datetime", "Date and time", _C.DATE_TIME, _S.MOMENT),
            _row("time", "Time", _C.TIME, _S.TIME),
            _row("reference", "Lookup", _C.LOOKUP, _S.NAME),
            _row("address", "Address", _C.PARTS, _S.ADDRESS),
            _row("location", "Geolocation", _C.PARTS, _S.COORDINATES),
            _row("id", "Id", _C.READ_ONLY, _S.TEXT),
            # Files, and values without a form that a panel could show.
            _row("base64", "File", _C.READ_ONLY, _S.NOTHING),
            _row("anyType", "Any type", _C.READ_ONLY, _S.NOTHING),
            _row("complexvalue", "Structured value", _C.READ_ONLY, _S.NOTHING),
            _row("json", "JSON", _C.READ_ONLY, _S.NOTHING),
        )
    }
)


def field_type(name: str) -> FieldType:
    """The row of a describe type. Of a type that Salesforce has added since: shown as text, under
    its own name, and never written."""
    return FIELD_TYPES.get(name) or _row(name, name, _C.READ_ONLY, _S.TEXT)
