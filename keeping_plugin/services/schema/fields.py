"""Which fields agents may edit, and why others are read-only."""

from __future__ import annotations

from keeping_plugin.fieldtypes import ControlKind, ShownAs, field_type
from keeping_plugin.types import FieldSpec, ObjectSchema

# What Salesforce keeps itself, on every object (Object Reference, System Fields), and what only a
# conversion or merge sets.
_SYSTEM = frozenset(
    {
        "Id",
        "ConvertedAccountId",
        "ConvertedContactId",
        "ConvertedDate",
        "ConvertedOpportunityId",
        "CreatedById",
        "CreatedDate",
        "IsClosed",
        "IsConverted",
        "IsDeleted",
        "IsWon",
        "LastActivityDate",
        "LastModifiedById",
        "LastModifiedDate",
        "LastReferencedDate",
        "LastViewedDate",
        "MasterRecordId",
        "SystemModstamp",
    }
)

# In which order people write a name; describes have the last name first.
_NAME_ORDER = ("Salutation", "FirstName", "MiddleName", "LastName", "Suffix")


# An org with state and country picklists keeps each of these twice: as a code from a list, and as a
# text that Salesforce writes beside it.
_LISTED = ("State", "Country")
_CODE = "Code"


def in_use(schema: ObjectSchema, name: str) -> str:
    """The field that stands for this one in the org as it is: the code of a state or country where
    they are picked from lists (MailingStateCode for MailingState), the text where they no longer
    are, and any other field itself."""
    if name.endswith(_LISTED) and _is_code(schema, name + _CODE):
        return name + _CODE
    text = name.removesuffix(_CODE)
    if name not in schema.fields and text.endswith(_LISTED) and text in schema.fields:
        return text
    return name


def same_place(name: str) -> str:
    """One name for the code and the text of a state or country; any other name as it is."""
    text = name.removesuffix(_CODE)
    return text if text.endswith(_LISTED) else name


def _is_code(schema: ObjectSchema, name: str) -> bool:
    spec = schema.fields.get(name)
    return spec is not None and is_picklist(spec) and bool(spec.compound)


def is_rich(spec: FieldSpec) -> bool:
    """Whether its values are HTML. Describes of old API versions tell it of formulas only."""
    return spec.html_formatted or spec.extra_type == "richtextarea"


def is_picklist(spec: FieldSpec) -> bool:
    """Whether one of the org's values is picked."""
    return field_type(spec.type).control is ControlKind.PICKLIST


def is_lookup(spec: FieldSpec) -> bool:
    """Whether it refers to another record, and is shown by that one's name."""
    return field_type(spec.type).shown is ShownAs.NAME


def label_in(schema: ObjectSchema, spec: FieldSpec) -> str:
    """The org's own label. A code goes by the label of its text: people pick a state, not a state
    code. A reference is shown by name, so its " ID" goes, as in Salesforce."""
    text = schema.fields.get(spec.name.removesuffix(_CODE))
    if text is not None and text is not spec and in_use(schema, text.name) == spec.name:
        return text.label
    return spec.label.removesuffix(" ID") if is_lookup(spec) else spec.label


def parts(schema: ObjectSchema, name: str) -> tuple[FieldSpec, ...]:
    """The fields of which a compound one (an address, a geolocation, a person's Name) is made, in
    the order in which people write them, a state behind the country that it depends on; () for a
    plain field."""
    found = [
        spec
        for spec in schema.fields.values()
        if spec.compound == name and spec.name != name and in_use(schema, spec.name) == spec.name
    ]
    order = {part: place for place, part in enumerate(_NAME_ORDER)}
    found.sort(key=lambda spec: order.get(spec.name, len(order)))
    for spec in [one for one in found if one.controller]:
        above = next((one for one in found if one.name == spec.controller), None)
        if above is not None and found.index(above) > found.index(spec):
            found.remove(spec)
            found.insert(found.index(above) + 1, spec)
    return tuple(found)


def is_compound(schema: ObjectSchema, name: str) -> bool:
    """Whether the field is written by its parts."""
    spec = schema.fields[name]
    if field_type(spec.type).compound:
        return True
    return spec.name_field and not spec.updateable and bool(parts(schema, name))


def writable(schema: ObjectSchema, name: str, *, creating: bool = False) -> tuple[FieldSpec, ...]:
    """The fields that a form for `name` writes: itself, or its parts; () when it is read-only."""
    wanted = parts(schema, name) if is_compound(schema, name) else (schema.fields[name],)
    return tuple(
        spec
        for spec in wanted
        if field_type(spec.type).writable and (spec.createable if creating else spec.updateable)
    )


def why_read_only(schema: ObjectSchema, name: str) -> str | None:
    """A short reason why agents cannot edit this field, or None when they can."""
    spec = schema.fields[name]
    if writable(schema, name):
        return None
    if spec.calculated:
        return "Formula"
    if spec.auto_number:
        return "Numbered by Salesforce"
    if name in _SYSTEM or spec.type == "id":
        return "Set by Salesforce"
    if not schema.updateable:
        return "No permission"
    kind = field_type(spec.type)
    if not (kind.writable or kind.compound):
        return "Edit in Salesforce"
    if spec.createable:
        return "Set when created"
    return "No permission" if spec.permissionable else "Read-only"
