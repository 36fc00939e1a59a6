"""What the automations send, held against what the org takes.

An org may require fields of its own, hide or lock the ones we write, and keep other list values
than Salesforce ships. What an automation cannot do without is told before it is switched on; what
it can do without is left out of what is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from keeping_plugin.fieldtypes import ControlKind, field_type
from keeping_plugin.objects import CONTACT, LEAD, TASK, TO_ACCOUNT, emails_are_searched, row_of
from keeping_plugin.services.schema.fields import is_picklist
from keeping_plugin.types import Action, FieldSpec, ObjectSchema, Value


@dataclass(frozen=True, slots=True)
class Payload:
    """The fields that an automation writes. Without those of `needed` it is no use; for each of
    `optional`, what is missed where it may not be written."""

    object: str
    doing: str
    needed: Mapping[str, str]
    optional: Mapping[str, str]


PAYLOADS: Mapping[Action, Payload] = {
    Action.ADD_CONTACT: Payload(
        CONTACT.name,
        "added",
        needed={
            "LastName": "Salesforce requires one on every Contact",
            "Email": "people are found by their email address",
        },
        optional={"FirstName": "Contacts are added with their last name only"},
    ),
    Action.LOG_TASK: Payload(
        TASK.name,
        "logged",
        needed={
            "Subject": "it identifies logged messages",
            "WhoId": "it links the message to the Contact",
        },
        optional={
            "Description": "messages are logged without their text",
            "Status": "every logged message stays an open task",
            "ActivityDate": "logged messages have no date",
            "TaskSubtype": "logged messages look like tasks, not emails",
            "Priority": "logged messages get the org's default priority",
        },
    ),
}


# What is written where people are added as Leads.
LEADS = Payload(
    LEAD.name,
    "added",
    needed={
        "LastName": "Salesforce requires one on every Lead",
        "Company": "Salesforce requires one on every Lead",
        "Email": "people are found by their email address",
    },
    optional={"FirstName": "Leads are added with their last name only"},
)
_BY_OBJECT: Mapping[str, Payload] = {
    payload.object: payload for payload in (*PAYLOADS.values(), LEADS)
}
Defaults = Mapping[str, Mapping[str, Value]]
"""Values for new records by object and field."""


def payload_of(action: Action, *, lead: bool = False) -> Payload:
    """What an action writes; `lead`: people are added as Leads."""
    return LEADS if lead and action == Action.ADD_CONTACT else PAYLOADS[action]


# Set by the Account and the Owner of added people, or by what the message says: no default's.
_OTHERS = {CONTACT.name: {TO_ACCOUNT}, TASK.name: {"WhatId", "TaskWhoIds"}}


def takes_default(schema: ObjectSchema, spec: FieldSpec) -> bool:
    """Whether an admin may choose a value for this field of new records: nothing else writes it.
    Of lookup fields these are the record type and an org's own, whose value is a record's id."""
    payload = _BY_OBJECT[schema.name]
    written = {*payload.needed, *payload.optional, *_OTHERS.get(schema.name, ()), "OwnerId"}
    if spec.name in written or not spec.createable:
        return False
    return (
        spec.name == "RecordTypeId"
        or by_id(spec)
        or field_type(spec.type).control not in _NO_DEFAULT
    )


def by_id(spec: FieldSpec) -> bool:
    """Whether its value is chosen as the id of a record: a lookup field of the org's own."""
    return spec.custom and field_type(spec.type).control is ControlKind.LOOKUP


_NO_DEFAULT = (ControlKind.LOOKUP, ControlKind.READ_ONLY, ControlKind.PARTS)


def usable(schema: ObjectSchema | None, chosen: Mapping[str, Value]) -> dict[str, Value]:
    """Of the chosen values those that this org takes now."""
    if schema is None:
        return dict(chosen)
    return {name: value for name, value in chosen.items() if not _unusable(schema, name, value)}


def unusable(schema: ObjectSchema, chosen: Mapping[str, Value]) -> list[str]:
    """A sentence for each chosen value that this org does not take any more."""
    found = (_unusable(schema, name, value) for name, value in chosen.items())
    return [sentence for sentence in found if sentence]


def _unusable(schema: ObjectSchema, name: str, value: Value) -> str:
    spec = schema.fields.get(name)
    if spec is None:
        return f"{schema.name}.{name} no longer exists, or the connected user cannot see it."
    if not takes_default(schema, spec):
        return f"The connected user cannot edit “{spec.label}” ({schema.name}.{name})."
    if name == "RecordTypeId":
        offered = {kind.id[:15] for kind in schema.record_types if kind.available}
        if str(value)[:15] not in offered:
            return "The connected user can no longer use the chosen record type."
    elif is_picklist(spec):
        active = {entry.value for entry in spec.picklist if entry.active}
        gone = [part for part in str(value).split(";") if part not in active]
        if gone and (spec.restricted or spec.type == "multipicklist"):
            return f"“{spec.label}” ({schema.name}.{name}) no longer has the value “{gone[0]}”."
    return ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A field that stands in an automation's way, and what an admin of Salesforce can do about it.
    `blocks`: every message would fail; otherwise something is left out."""

    action: Action
    finding: str
    mend: str
    blocks: bool = True

    @property
    def sentence(self) -> str:
        """Both, for a page."""
        return f"{self.finding} {self.mend}"


def obstacles(
    schemas: Mapping[str, ObjectSchema],
    action: Action,
    *,
    lead: bool = False,
    defaults: Defaults = MappingProxyType({}),
) -> tuple[Obstacle, ...]:
    """Whatever keeps this automation, or a part of what it sends, from reaching the org; those that
    block it first. `lead`: people are added as Leads; `defaults`: what an admin has chosen for
    fields that a message does not provide."""
    payload = payload_of(action, lead=lead)
    schema = schemas.get(payload.object)
    if schema is None or not schema.createable:
        finding = f"The connected user does not have permission to create {payload.object}s."
        mend = f"Give the user read and create access to {payload.object} in a permission set."
        return (Obstacle(action, finding, mend),)
    found = [
        *_unwritable(schema, action, payload),
        *_required(schema, action, payload, usable(schema, defaults.get(schema.name, {}))),
        *_encrypted(schemas, action),
    ]
    return tuple(sorted(found, key=lambda one: not one.blocks))


def blocked(schemas: Mapping[str, ObjectSchema], action: Action) -> tuple[Obstacle, ...]:
    """The obstacles on which every message of this automation would fail."""
    return tuple(one for one in obstacles(schemas, action) if one.blocks)


def _unwritable(schema: ObjectSchema, action: Action, payload: Payload) -> Iterator[Obstacle]:
    for name, reason in {**payload.needed, **payload.optional}.items():
        spec = schema.fields.get(name)
        if spec is not None and spec.createable:
            continue
        called = f"“{spec.label}” ({schema.name}.{name})" if spec else f"{schema.name}.{name}"
        blocks = name in payload.needed
        yield Obstacle(
            action,
            f"The connected user cannot edit {called}: {reason}.",
            f"Give the user edit access to {name} in Salesforce (field-level security).",
            blocks=blocks,
        )


def _encrypted(schemas: Mapping[str, ObjectSchema], action: Action) -> Iterator[Obstacle]:
    if not emails_are_searched(schemas):
        return
    keeps = "This org encrypts email addresses, so people are found with Salesforce's search"
    mend = (
        "In Salesforce, encrypt Email with the deterministic scheme, or not at all, so that it can "
        "be filtered."
    )
    if action == Action.ADD_CONTACT:
        finding = (
            f"{keeps}, which can take 15 minutes to index a new person: it is not known in "
            "time whether a customer already exists, so nobody is added automatically."
        )
        yield Obstacle(action, finding, mend)
    else:
        finding = (
            f"{keeps}: a message from a new Contact is logged once the search has indexed them."
        )
        yield Obstacle(action, finding, mend, blocks=False)


def _required(
    schema: ObjectSchema, action: Action, payload: Payload, chosen: Mapping[str, Value]
) -> Iterator[Obstacle]:
    for name, spec in schema.fields.items():
        if name in payload.needed or not spec.required or fills_itself(spec) or name in chosen:
            continue
        if name in payload.optional:  # written always, or replaced by what the org offers
            continue
        or_here = _CHOOSE if takes_default(schema, spec) else ""
        place = (spec.custom and row_of(schema.name).custom_fields_on) or schema.name
        yield Obstacle(
            action,
            f"Salesforce requires “{spec.label}” ({schema.name}.{name}) on every "
            f"{schema.label}, and nothing in a message provides it, so no {schema.label} "
            f"would be {payload.doing}.",
            f"In Salesforce, give {name} a default value or make it optional (Setup, Object "
            f"Manager, {place}, Fields & Relationships).{or_here}",
        )


_CHOOSE = " Or choose a value for it on the Automation tab, under New people."


def fills_itself(spec: FieldSpec) -> bool:
    """Whether Salesforce fills the field in when a record is created without it."""
    if spec.defaulted_on_create or spec.default_value is not None:
        return True
    return any(value.default and value.active for value in spec.picklist)


def sendable(
    schema: ObjectSchema | None, fields: Mapping[str, Value], action: Action
) -> dict[str, Value]:
    """The fields of a new record as this org takes them: without those that may not be written and
    without list values that it does not have. Where a list must be filled in and has no default,
    its first value stands in. What the automation needs is sent whatever the describe says, so that
    Salesforce answers with its own words. All of them while nothing is described (None)."""
    if schema is None:
        return dict(fields)
    needed = payload_of(action, lead=schema.name == LEAD.name).needed
    sent: dict[str, Value] = {}
    for name, value in fields.items():
        if name in needed:
            sent[name] = value
            continue
        spec = schema.fields.get(name)
        if spec is None or not spec.createable:
            continue
        taken = _offered(spec, value) if is_picklist(spec) else value
        if taken is not None:
            sent[name] = taken
    return sent


def _offered(spec: FieldSpec, value: Value) -> Value:
    """The value, where it is one of the list's; else what Salesforce cannot do without."""
    active = [entry for entry in spec.picklist if entry.active]
    if value in {entry.value for entry in active}:
        return value
    if not spec.required or fills_itself(spec) or not active:
        return None
    return active[0].value


def _as_text(spec: FieldSpec) -> FieldSpec:
    """A lookup field as the id of a record, which is typed."""
    if not by_id(spec):
        return spec
    objects = " or ".join(spec.reference_to)
    return replace(spec, type="string", length=18, help_text=f"The id of a record: {objects}")


@dataclass(frozen=True, slots=True)
class _Described:
    """A schema is one object for one describe document, so its identity stands for it."""

    identity: int
    schema: ObjectSchema = field(compare=False)


def of_defaults(schema: ObjectSchema) -> ObjectSchema:
    """The fields for which an admin may choose a value; those that Salesforce fills in by itself
    need none."""
    return _of_defaults(_Described(id(schema), schema))


@lru_cache(maxsize=64)
def _of_defaults(described: _Described) -> ObjectSchema:
    fields = {
        name: _as_text(replace(spec, nillable=True) if fills_itself(spec) else spec)
        for name, spec in described.schema.fields.items()
        if takes_default(described.schema, spec)
    }
    return replace(described.schema, fields=fields)
