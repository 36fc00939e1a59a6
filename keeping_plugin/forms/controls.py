"""WTForms fields that read, print and give back Salesforce values.

`data` is always a value as Salesforce's JSON carries it. A field counts as `changed` only when what
came in differs from what was printed for the person, so that an untouched value is never refused
and never sent, and an input missing from the request changes nothing. What was printed travels with
the form as a fingerprint (`was_<ApiName>`), since the record may have changed since.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

from wtforms import Field
from wtforms.validators import StopValidation

from keeping_plugin.addresses import address_key
from keeping_plugin.fieldtypes import field_type
from keeping_plugin.forms import widgets
from keeping_plugin.locales import Reader
from keeping_plugin.mail.clean import clean, length
from keeping_plugin.mail.rich_text import as_text, from_text
from keeping_plugin.types import FieldSpec, Value

WAS = "was_"


class Control(Field):
    """A field that prints one value as text and parses it back: `print_(parse(text)) == text`
    wherever Salesforce stores what it is sent."""

    widget: Any = widgets.Text()
    reader: Reader | None = None  # who fills it in; None for a program
    # What a template has to know to frame it.
    offers_search = False
    offers_many = False

    def __init__(
        self, label: str = "", *, spec: FieldSpec, required: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(label, description=spec.help_text, **kwargs)
        self.spec = spec
        self.kind = field_type(spec.type).control
        self.required = required
        # The form sets these: an untouched value is the record's own; ids of selects that depend
        # on this field.
        self.editing = False
        self.controls: list[str] = []

    @property
    def depends(self) -> str:
        """On which other field its choices depend, in a sentence; "" where on none."""
        return ""

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        self.was: str | None = None
        if formdata is not None:
            self.was = formdata.get(WAS + self.spec.name)
        super().process(formdata, *args, **kwargs)

    def process_data(self, value: Any) -> None:
        self.before: Value = value
        self.data: Value = value
        self.typed: str | None = None
        self.changed = False  # the person made it another value than was shown

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        if not valuelist:
            return
        text = str(valuelist[-1])
        tidy = self.tidy(text)
        if _fingerprint(tidy) == self.shown_mark:
            return
        self.changed = True
        self.typed = text
        self.data = self.parse(tidy) if tidy else None

    def pre_validate(self, form: Any) -> None:
        if not self.touched and (self.editing or not self.empty):
            raise StopValidation
        if self.empty and self.required:
            raise StopValidation(f"{self.label.text} is required.")
        if not self.empty:
            try:
                self.check()
            except ValueError as error:
                raise StopValidation(str(error)) from error

    @property
    def empty(self) -> bool:
        """Whether nothing is filled in."""
        return self.data is None or self.data == ""

    @property
    def shown_mark(self) -> str:
        """The fingerprint of what was printed for the person."""
        return self.was if self.was is not None else self.mark(self.before)

    def mark(self, value: Value) -> str:
        """The fingerprint of a value: equal for values that print alike."""
        return _fingerprint(self.tidy(self.print_(value)))

    @property
    def touched(self) -> bool:
        """Whether what the person did makes it worth checking."""
        return self.changed

    def tidy(self, text: str) -> str:
        """The text as it is compared and kept."""
        return clean(text).strip()

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


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


class TextControl(Control):
    """Any text: at most `length` characters. Salesforce trims blanks at both ends."""

    def check(self) -> None:
        used, limit = length(str(self.data)), self.spec.length
        if limit and used > limit:
            reader = self.reader or Reader()
            numbers = (reader.number(Decimal(number)) for number in (used, limit))
            raise ValueError("{} characters is too long: the limit is {}.".format(*numbers))


class TextAreaControl(TextControl):
    widget = widgets.TextArea()


class RichTextControl(TextAreaControl):
    """HTML, edited as the text that it is; what is more than text has no such control."""

    def print_(self, value: Value) -> str:
        return (as_text(str(value)) or str(value)) if value else ""

    def tidy(self, text: str) -> str:
        return super().tidy(text).replace("\r\n", "\n")

    def parse(self, text: str) -> Value:
        return from_text(text, like=str(self.before or ""))


class EmailControl(TextControl):
    widget = widgets.Text("email", autocomplete="off")

    def check(self) -> None:
        super().check()
        if address_key(str(self.data)) is None:
            raise ValueError("Enter an email address, such as name@example.com.")


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

    def print_(self, value: Value) -> str:
        return "true" if value else "false"

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        if not valuelist:
            return
        ticked = any(value not in ("", "false", "False", False) for value in valuelist)
        if self.mark(ticked) != self.shown_mark:
            self.changed = True
            self.data = ticked

    @property
    def empty(self) -> bool:
        return False


class ComboboxControl(TextControl):
    """Free text with suggestions."""

    widget = widgets.Combobox()


_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?")


Offered = Callable[[Sequence[str]], Collection[str]]
"""Given objects: the records of them that may be chosen, by their ids' first 15 characters."""


class ReferenceControl(Control):
    """Another record, by id; found by a search over the objects it may refer to.

    `name_shown` is the name of the record at hand, `found` what a search came back with, `offered`
    says what may be chosen beside the record at hand; without it anything may.
    """

    widget = widgets.Reference()
    offers_search = True

    def __init__(self, label: str = "", *, spec: FieldSpec, **kwargs: Any) -> None:
        super().__init__(label, spec=spec, **kwargs)
        self.name_shown = ""
        self.sought = ""
        # An owner is a person far more often than a queue.
        people = [kind for kind in spec.reference_to if kind == "User"]
        self.sought_in = next(iter((*people, *spec.reference_to)), "")
        self.found: list[tuple[str, str]] | None = None
        self.offered: Offered | None = None

    def shown(self) -> str:
        """The name of the record that is chosen now, or its id when nobody told it."""
        if self.data == self.before and self.name_shown:
            return self.name_shown
        return dict(self.found or ()).get(str(self.data), str(self.data or ""))

    def parse(self, text: str) -> Value:
        if not _ID.fullmatch(text):
            raise ValueError("Choose a record from the list.")
        return text

    def check(self) -> None:
        chosen = str(self.data)[:15]
        if self.offered is None or chosen == str(self.before or "")[:15]:
            return
        if chosen not in self.offered(self.spec.reference_to):
            raise ValueError(
                "None of your searches in the last hour found this record. Search for it by "
                "name, then choose it."
            )


class ReadOnlyControl(Control):
    """Shown, never written: of a type we do not know, or not to be edited."""

    widget = widgets.Plain()

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Whatever came in, nothing changes."""
