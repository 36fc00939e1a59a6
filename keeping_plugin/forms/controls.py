"""WTForms fields that read, print and give back Salesforce values.

`data` is always a value as Salesforce's JSON carries it. A field counts as `changed` only when what
came in differs from what it printed, so that an untouched value is never refused and never sent,
and an input missing from the request changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from wtforms import Field
from wtforms.validators import StopValidation

from keeping_plugin.addresses import address_key
from keeping_plugin.forms import widgets
from keeping_plugin.types import FieldSpec, Value


class Control(Field):
    """A field that prints one value as text and parses it back: `print_(parse(text)) == text`
    wherever Salesforce stores what it is sent."""

    widget: Any = widgets.Text()

    def __init__(
        self, label: str = "", *, spec: FieldSpec, required: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(label, description=spec.help_text, **kwargs)
        self.spec = spec
        self.required = required
        # The form sets these: an untouched value is the record's own; ids of selects that depend
        # on this field.
        self.editing = False
        self.controls: list[str] = []

    def process_data(self, value: Any) -> None:
        self.before: Value = value
        self.data: Value = value
        self.typed: str | None = None

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        if not valuelist:
            return
        text = str(valuelist[-1])
        self.typed = text
        if self.tidy(text) == self.tidy(self.print_(self.before)):
            self.data = self.before
            return
        tidy = self.tidy(text)
        self.data = self.parse(tidy) if tidy else None

    def pre_validate(self, form: Any) -> None:
        if not self.touched and (self.editing or not self.empty):
            raise StopValidation
        if self.empty and self.required:
            raise StopValidation(f"{self.label.text} is required.")
        if not self.empty:
            self.check()

    @property
    def empty(self) -> bool:
        """Whether nothing is filled in."""
        return self.data is None or self.data == ""

    @property
    def changed(self) -> bool:
        """Whether the person made it another value."""
        return self.data != self.before and not (self.empty and self.before in (None, ""))

    @property
    def touched(self) -> bool:
        """Whether what the person did makes it worth checking."""
        return self.changed

    def tidy(self, text: str) -> str:
        """The text as it is compared and kept."""
        return clean_text(text).strip()

    def print_(self, value: Value) -> str:
        """The text that stands in the input."""
        return "" if value is None else str(value)

    def parse(self, text: str) -> Value:
        """The value of a text that is not empty. Raises ValueError with a sentence."""
        return text

    def check(self) -> None:
        """Raises ValueError with a sentence when a changed value cannot be saved."""

    def _value(self) -> str:
        return self.typed if self.typed is not None else self.print_(self.data)


class TextControl(Control):
    """Any text: at most `length` characters. Salesforce trims blanks at both ends."""

    def check(self) -> None:
        length, limit = len(str(self.data)), self.spec.length
        if limit and length > limit:
            raise ValueError(f"{length:,} characters are too many: at most {limit:,} fit here.")


class TextAreaControl(TextControl):
    widget = widgets.TextArea()


class EmailControl(TextControl):
    widget = widgets.Text("email", autocomplete="off")

    def check(self) -> None:
        super().check()
        if address_key(str(self.data)) is None:
            raise ValueError("This is not an e-mail address. One looks like name@example.com.")


class PhoneControl(TextControl):
    widget = widgets.Text("tel", autocomplete="off")


class UrlControl(TextControl):
    # Salesforce takes www.example.com as it is; a browser's own url input would refuse it.
    widget = widgets.Text("text", inputmode="url")


class BooleanControl(Control):
    """A checkbox; a hidden empty input beside it tells "not ticked" from "not asked"."""

    widget = widgets.Checkbox()

    def process_data(self, value: Any) -> None:
        super().process_data(bool(value))

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        if valuelist:
            self.data = any(value not in ("", "false", "False", False) for value in valuelist)

    @property
    def empty(self) -> bool:
        return False


class ComboboxControl(TextControl):
    """Free text with suggestions."""

    widget = widgets.Combobox()


_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")


class ReferenceControl(Control):
    """Another record, by id; found by a search over the objects it may refer to.

    `name_shown` is the name of the record at hand, `found` what a search came back with.
    """

    widget = widgets.Reference()

    def __init__(self, label: str = "", *, spec: FieldSpec, **kwargs: Any) -> None:
        super().__init__(label, spec=spec, **kwargs)
        self.name_shown = ""
        self.sought = ""
        self.sought_in = spec.reference_to[0] if spec.reference_to else ""
        self.found: list[tuple[str, str]] | None = None

    def shown(self) -> str:
        """The name of the record that is chosen now, or its id when nobody told it."""
        if self.data == self.before and self.name_shown:
            return self.name_shown
        return dict(self.found or ()).get(str(self.data), str(self.data or ""))

    def parse(self, text: str) -> Value:
        if not _ID.fullmatch(text):
            raise ValueError("Choose a record from the list.")
        return text


class ReadOnlyControl(Control):
    """Shown, never written: of a type we do not know, or not to be edited."""

    widget = widgets.Plain()

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Whatever came in, nothing changes."""


def clean_text(text: str) -> str:
    """Line ends as \\n; no NUL, other control characters or lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isprintable():
        return text
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"} else ""
        for char in text
    )
