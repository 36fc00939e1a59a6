"""Objects and fields of an org, from describe results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# A field's value as in Salesforce's JSON; compound values (address, location) are mappings.
Value = str | int | float | bool | None | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One picklist value. `valid_for` has the indexes of the controlling field's values (inactive
    ones counted) for which it is available, or None if there is no controlling field."""

    value: str
    label: str
    active: bool = True
    default: bool = False
    valid_for: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of a describe result, named as in Salesforce's documentation (DescribeFieldResult).

    `length` counts characters, `precision` all digits, `scale` the decimal places, `digits` the
    digits of an int. Keys that an old API version does not return have their least permissive
    value.
    """

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    createable: bool = False
    updateable: bool = False
    nillable: bool = True
    defaulted_on_create: bool = False
    default_value: Value = None
    calculated: bool = False
    auto_number: bool = False
    custom: bool = False
    name_field: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    filterable: bool = False
    sortable: bool = False
    encrypted: bool = False
    permissionable: bool = False  # a profile or permission set may take it away
    html_formatted: bool = False
    extra_type: str = ""
    compound: str = ""
    help_text: str = ""
    picklist: tuple[PicklistValue, ...] = ()
    restricted: bool = False
    controller: str = ""
    reference_to: tuple[str, ...] = ()
    relationship: str = ""

    @property
    def indexed(self) -> bool:
        """Whether Salesforce is documented to answer a filter by it from an index (Large Data
        Volumes, Indexes): Email of people, unique fields and external ids."""
        return self.unique or self.external_id or self.id_lookup

    @property
    def required(self) -> bool:
        """Salesforce refuses a create without this field: createable, not nillable, no default."""
        return self.createable and not self.nillable and not self.defaulted_on_create


@dataclass(frozen=True, slots=True)
class RecordType:
    id: str
    name: str
    developer_name: str
    available: bool
    default: bool
    master: bool


@dataclass(frozen=True, slots=True)
class Related:
    """Records of another object that refer to a record: by which field, and the name by which a
    subquery asks for them ("" if it cannot)."""

    object: str
    field: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSchema:
    """One object as the connected user sees it: fields they cannot read are absent. `deletable` and
    `related` are not cached (processes of 0.1.0 read the cache): only a fresh describe has them."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    createable: bool
    updateable: bool
    queryable: bool
    fields: Mapping[str, FieldSpec]
    record_types: tuple[RecordType, ...] = ()
    children: Mapping[str, str] = field(default_factory=dict)  # relationship name -> object
    deletable: bool = field(default=False, compare=False)
    related: tuple[Related, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Described:
    """The result of a describe: `schema` is None if nothing changed since `last_modified`."""

    object: str
    schema: ObjectSchema | None
    last_modified: str  # Salesforce's own header, sent back verbatim
