"""Describe type -> form field, in one table."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms.fields.core import UnboundField

from keeping_plugin.forms.choices import MultiPicklistControl, PicklistControl
from keeping_plugin.forms.controls import (
    BooleanControl,
    ComboboxControl,
    Control,
    EmailControl,
    PhoneControl,
    ReadOnlyControl,
    ReferenceControl,
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
from keeping_plugin.services.schema.fields import label_in
from keeping_plugin.types import FieldSpec, ObjectSchema

# Compound types (address, location, a person's Name) are written by their parts, which have types
# of their own; everything that is not here is shown and left alone.
CONTROLS: Mapping[str, type[Control]] = {
    "string": TextControl,
    "encryptedstring": TextControl,  # it may read back masked; untouched, it is never sent
    "textarea": TextAreaControl,
    "email": EmailControl,
    "phone": PhoneControl,
    "url": UrlControl,
    "boolean": BooleanControl,
    "int": NumberControl,
    "long": NumberControl,
    "double": NumberControl,
    "currency": NumberControl,
    "percent": NumberControl,
    "date": DateControl,
    "datetime": DateTimeControl,
    "time": TimeControl,
    "picklist": PicklistControl,
    "multipicklist": MultiPicklistControl,
    "combobox": ComboboxControl,
    "reference": ReferenceControl,
}


def control_type(schema: ObjectSchema, spec: FieldSpec) -> type[Control]:
    """The kind of field that reads and prints this one."""
    compound = schema.fields.get(spec.compound)
    if compound is not None and compound.type == "location":
        return CoordinateControl
    return CONTROLS.get(spec.type, ReadOnlyControl)


def control(
    schema: ObjectSchema, spec: FieldSpec, *, required: bool, read_only: bool = False
) -> UnboundField[Control]:
    """An unbound WTForms field for one field of a describe, with the org's own label and help."""
    made = ReadOnlyControl if read_only else control_type(schema, spec)
    label = f"{spec.label} (UTC)" if made is DateTimeControl else label_in(schema, spec)
    return UnboundField(made, label, spec=spec, required=required)
