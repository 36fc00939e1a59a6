"""Picklists: the org's values, those of a record's type, and those that depend on another field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keeping_plugin.fieldtypes import ControlKind, field_type
from keeping_plugin.forms import widgets
from keeping_plugin.forms.controls import Control
from keeping_plugin.types import FieldSpec, PicklistValue, Value


class Controller:
    """The field on which a dependent picklist depends, and what it says when the form is read.
    `in_form`: it can be changed in the same form. `told`: its value may be shown."""

    def __init__(
        self,
        spec: FieldSpec,
        label: str,
        value: Value,
        *,
        changed: bool,
        in_form: bool,
        told: bool = True,
    ) -> None:
        self.spec, self.label, self.value = spec, label, value
        self.changed, self.in_form, self.told = changed, in_form, told
        self._is_checkbox = field_type(spec.type).control is ControlKind.CHECKBOX

    def entries(self) -> list[tuple[int, str, str]]:
        """Index (as `valid_for` counts: inactive entries too, a checkbox has 0 and 1), value and
        label of everything that it can say."""
        if self._is_checkbox:
            return [(0, "false", f"{self.label}: no"), (1, "true", f"{self.label}: yes")]
        return [(i, v.value, v.label) for i, v in enumerate(self.spec.picklist)]

    @property
    def index(self) -> int | None:
        """The entry that it says; None for nothing, or for a value that is none of them."""
        if self._is_checkbox:
            return int(bool(self.value))
        return next((i for i, value, _ in self.entries() if value == self.value), None)

    @property
    def shown(self) -> str:
        """What it says, for people."""
        if self._is_checkbox:
            return "yes" if self.value else "no"
        return next((label for _, value, label in self.entries() if value == self.value), "nothing")

    def allows(self, value: PicklistValue) -> bool:
        """Whether a dependent value goes with what it says."""
        return value.valid_for is None or self.index in value.valid_for


class PicklistControl(Control):
    """One of the org's values, or the one the record has already. `values` are those of the
    record's type where it has its own."""

    widget: Any = widgets.Select()

    def __init__(self, label: str = "", *, spec: FieldSpec, **kwargs: Any) -> None:
        super().__init__(label, spec=spec, **kwargs)
        self.values: Sequence[PicklistValue] = spec.picklist
        self.controller: Controller | None = None

    @property
    def depends(self) -> str:
        above = self.controller
        if above is None:
            return ""
        if above.in_form:
            return f"The choices depend on {above.label}."
        if above.value in (None, ""):
            return f"The choices depend on {above.label}, which is empty: fill that in first."
        if not above.told:
            return f"Choices for {above.label}."
        return f"Choices for {above.label} “{above.shown}”."

    def offered(self) -> list[PicklistValue]:
        """What may be chosen whatever the controlling field says: active values, and the record's
        own, retired or unknown though it may be."""
        offered = [value for value in self.values if value.active]
        for own in self._own():
            if own not in {value.value for value in offered}:
                known = {value.value: value.label for value in self.spec.picklist}
                offered.append(PicklistValue(own, known.get(own, own), active=False))
        return offered

    def _own(self) -> list[str]:
        return [str(self.before)] if self.before not in (None, "") else []

    def _check_one(self, chosen: str) -> None:
        for value in self.offered():
            if value.value != chosen:
                continue
            controller = self.controller
            if controller is None or not value.active or controller.allows(value):
                return
            raise ValueError(
                f"“{value.label}” is not available for {controller.label} “{controller.shown}”."
            )
        raise ValueError("Choose one of the listed values.")

    @property
    def touched(self) -> bool:
        # A value that no longer goes with its controlling field is looked at again.
        return super().touched or (self.controller is not None and self.controller.changed)

    def check(self) -> None:
        self._check_one(str(self.data))


class MultiPicklistControl(PicklistControl):
    """Any number of the org's values; Salesforce joins them with semicolons."""

    widget = widgets.Checkboxes()
    offers_many = True

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        if not valuelist:
            return
        chosen = ";".join(dict.fromkeys(str(value) for value in valuelist if value != ""))
        if self.mark(chosen) != self.shown_mark:
            self.changed = True
            self.data = chosen or None

    def print_(self, value: Value) -> str:
        # Salesforce keeps them in its own order, whatever was sent.
        return ";".join(sorted(str(value).split(";"))) if value else ""

    def _own(self) -> list[str]:
        return str(self.before).split(";") if self.before else []

    @property
    def chosen(self) -> list[str]:
        return str(self.data).split(";") if self.data else []

    def check(self) -> None:
        for chosen in self.chosen:
            self._check_one(chosen)
