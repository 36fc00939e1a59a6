"""Which fields an agent may write, and why not where he may not."""

from __future__ import annotations

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

# Types that a form can print and read back; all else is shown and left alone.
WRITABLE_TYPES = frozenset(
    {
        "string",
        "textarea",
        "email",
        "phone",
        "url",
        "boolean",
        "int",
        "long",
        "double",
        "currency",
        "percent",
        "date",
        "datetime",
        "time",
        "picklist",
        "multipicklist",
        "combobox",
        "reference",
        "encryptedstring",
    }
)
COMPOUND_TYPES = frozenset({"address", "location"})


# In which order people write a name; describes have the last name first.
_NAME_ORDER = ("Salutation", "FirstName", "MiddleName", "LastName", "Suffix")


def parts(schema: ObjectSchema, name: str) -> tuple[FieldSpec, ...]:
    """The fields of which a compound one (an address, a geolocation, a person's Name) is made, in
    the order in which people write them; () for a plain field."""
    found = [spec for spec in schema.fields.values() if spec.compound == name and spec.name != name]
    order = {part: place for place, part in enumerate(_NAME_ORDER)}
    return tuple(sorted(found, key=lambda spec: order.get(spec.name, len(order))))


def is_compound(schema: ObjectSchema, name: str) -> bool:
    """Whether the field is written by its parts."""
    spec = schema.fields[name]
    if spec.type in COMPOUND_TYPES:
        return True
    return spec.name_field and not spec.updateable and bool(parts(schema, name))


def writable(schema: ObjectSchema, name: str, *, creating: bool = False) -> tuple[FieldSpec, ...]:
    """The fields that a form for `name` writes: itself, or its parts; () when it is read-only."""
    wanted = parts(schema, name) if is_compound(schema, name) else (schema.fields[name],)
    return tuple(
        spec
        for spec in wanted
        if spec.type in WRITABLE_TYPES and (spec.createable if creating else spec.updateable)
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
        return "Kept by Salesforce"
    if not schema.updateable:
        return "No permission"
    if spec.type not in WRITABLE_TYPES | COMPOUND_TYPES:
        return "Edit in Salesforce"
    if spec.createable:
        return "Set when created"
    return "No permission" if spec.permissionable else "Read-only"
