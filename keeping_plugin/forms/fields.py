"""The control of each kind that `fieldtypes` names."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms.fields.core import UnboundField

from keeping_plugin.fieldtypes import ControlKind, ShownAs, field_type
from keeping_plugin.forms.choices import MultiPicklistControl, PicklistControl
from keeping_plugin.forms.controls import (
    BooleanControl,
    ComboboxControl,
    Control,
    EmailControl,
    PhoneControl,
    ReadOnlyControl,
    ReferenceControl,
    RichTextControl,
    TextAreaControl,
    TextControl,
    UrlControl,
)
from keeping_plugin.forms.quantities import (
    CoordinateControl,
    DateControl,
    DateTimeControl,
    NumberControl,
    TimeControl,
)
from keeping_plugin.services.schema.fields import is_rich, label_in
from keeping_plugin.types import FieldSpec, ObjectSchema

CONTROLS: Mapping[ControlKind, type[Control]] = {
    ControlKind.READ_ONLY: ReadOnlyControl,
    # Each part has a control of its own; the whole is only shown.
    ControlKind.PARTS: ReadOnlyControl,
    ControlKind.TEXT: TextControl,
    ControlKind.TEXT_AREA: TextAreaControl,
    ControlKind.EMAIL: EmailControl,
    ControlKind.PHONE: PhoneControl,
    ControlKind.URL: UrlControl,
    ControlKind.CHECKBOX: BooleanControl,
    ControlKind.NUMBER: NumberControl,
    ControlKind.DATE: DateControl,
    ControlKind.DATE_TIME: DateTimeControl,
    ControlKind.TIME: TimeControl,
    ControlKind.PICKLIST: PicklistControl,
    ControlKind.MULTI_PICKLIST: MultiPicklistControl,
    ControlKind.COMBOBOX: ComboboxControl,
    ControlKind.LOOKUP: ReferenceControl,
}


def control_type(schema: ObjectSchema, spec: FieldSpec) -> type[Control]:
    """The kind of field that reads and prints this one."""
    compound = schema.fields.get(spec.compound)
    if compound is not None and field_type(compound.type).shown is ShownAs.COORDINATES:
        return CoordinateControl
    kind = field_type(spec.type).control
    if kind is ControlKind.TEXT_AREA and is_rich(spec):
        return RichTextControl
    return CONTROLS[kind]


def control(
    schema: ObjectSchema, spec: FieldSpec, *, required: bool, read_only: bool = False
) -> UnboundField[Control]:
    """An unbound WTForms field for one field of a describe, with the org's own label and help."""
    made = ReadOnlyControl if read_only else control_type(schema, spec)
    return UnboundField(made, label_in(schema, spec), spec=spec, required=required)
