"""The queries of one panel: everyone with an address and what stands around each of them.

Built from schemas alone: an object or field that the connecting user cannot see is never asked for,
because one unknown name fails a whole query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from keeping_plugin.errors import PermissionDenied
from keeping_plugin.objects import (
    ACCOUNT,
    AROUND,
    CONTACT,
    LEAD,
    PEOPLE,
    PERSON_ACCOUNT,
    PERSON_NAMES,
    TO_ACCOUNT,
    Children,
    StandardObject,
)
from keeping_plugin.objects import CONVERSION as _BECAME
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import soql
from keeping_plugin.types import ObjectSchema

MAX_PEOPLE = 20
# Records of one object around one person. More are read than are shown: the open ones among them
# are offered too, and how many there are is said.
MAX_CHILDREN = 20
# One contact may have several roles in one opportunity.
_ROLES_EACH = 2
# With a number in the subject the record may be an old one. (A statement may hold a relationship
# once, so that one is not asked for by itself.)
_MAX_CHILDREN_TO_SEARCH = 200
_MAX_ACCOUNTS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """What a company chose to see of what its org has, and the numbers by which a conversation's
    subject may name a record."""

    schemas: Mapping[str, ObjectSchema]
    chosen: Mapping[str, Sequence[str]]
    numbers: tuple[str, ...] = ()
    person: str = ""  # the id of a person who is shown whatever their address
    # Fields that find a person whom Email does not, by object.
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Asked for every record of an answer.
    _fields: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def has(self, object: str, *fields: str) -> bool:
        """Whether the org shows this object, with these fields."""
        schema = self.schemas.get(object)
        return schema is not None and all(field in schema.fields for field in fields)

    @property
    def others_are_indexed(self) -> bool:
        """Whether searching `others` costs next to nothing: each of them has an index."""
        return all(
            self.schemas[object].fields[name].indexed
            for object, by in self.others.items()
            for name in by
        )

    def fields(self, object: str) -> tuple[str, ...]:
        """The chosen fields that the org has, in the order chosen. `Owner.Name` counts as had when
        some field's relationship is called Owner. Raises InvalidInput for what is no name."""
        if object not in self._fields:
            self._fields[object] = self._chosen_fields(object)
        return self._fields[object]

    def _chosen_fields(self, object: str) -> tuple[str, ...]:
        schema = self.schemas[object]
        chosen = names.checked_paths(self.chosen.get(object, ()))
        relationships: frozenset[str] = frozenset()
        if any("." in field for field in chosen):
            relationships = frozenset(spec.relationship for spec in schema.fields.values())
        return tuple(
            field
            for field in chosen
            if field in schema.fields or ("." in field and field.partition(".")[0] in relationships)
        )

    @property
    def account(self) -> str | None:
        """The relationship from a Contact to its Account, when both can be read."""
        if not (self.has(ACCOUNT.name) and self.has(CONTACT.name, TO_ACCOUNT)):
            return None
        return self.schemas[CONTACT.name].fields[TO_ACCOUNT].relationship or ACCOUNT.name

    def leads_to(self, parent: str, relationship: str, child: str, *fields: str) -> bool:
        """Whether the org shows this child relationship, and the object that is read through it."""
        schema = self.schemas.get(parent)
        return schema is not None and relationship in schema.children and self.has(child, *fields)

    def around(self, row: StandardObject, relation: Children, of: str = CONTACT.name) -> bool:
        """Whether the records of this object around a Contact, or a Lead, are read."""
        wanted = not relation.optional or bool(self.chosen.get(row.name))
        return wanted and self.leads_to(of, relation.relationship, row.name)

    def most(self, relation: Children) -> int:
        """How many rows of such a relationship are read for each Contact."""
        if relation.optional:
            return relation.most
        if relation.number and self.numbers:
            return _MAX_CHILDREN_TO_SEARCH
        return MAX_CHILDREN * (_ROLES_EACH if relation.through else 1)

    def latest(self, object: str, field: str, prefix: str = "") -> str:
        """Most recent first, by a field that the org may not show; ids rise with time."""
        return prefix + (field if self.has(object, field) else "Id") + " DESC NULLS LAST"


def queries(
    forms: Sequence[str], shown: Shown, ids: Mapping[str, Sequence[str]] | None = None
) -> dict[str, str]:
    """The statements by name, at most five. `ids` names the people that a search has found already,
    by object, in an org whose addresses cannot stand in a query. Raises PermissionDenied when the
    user sees people but not their addresses."""
    for name in PERSON_NAMES:
        if shown.has(name) and not shown.has(name, "Email"):
            raise PermissionDenied(f"The connected Salesforce user may not read {name}.Email.")
    wanted = {name: soql.address_in(forms) for name in PERSON_NAMES}
    if ids is not None:
        wanted = {name: soql.id_in(found) for name, found in ids.items() if found}
    for row in PEOPLE:
        if shown.person.startswith(row.prefix):
            also = wanted.get(row.name)
            alone = soql.id_in([shown.person])
            wanted[row.name] = soql.either(also, shown.person) if also else alone
    return _queries(wanted, shown)


def by_other_fields(
    forms: Sequence[str], shown: Shown, fields: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """The same statements for those with the address in one of these fields, by object. Raises
    InvalidInput for what is no name."""
    named = {name: names.checked_paths(by) for name, by in fields.items() if by}
    wanted = {name: soql.address_in(forms, by) for name, by in named.items()}
    return _queries(wanted, shown, named)


def _queries(
    wanted: Mapping[str, str], shown: Shown, by: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> dict[str, str]:
    contact, lead = wanted.get(CONTACT.name), wanted.get(LEAD.name)
    made: dict[str, str] = {}
    if shown.has(CONTACT.name) and contact:
        made["contacts"] = _contacts([contact], shown, by.get(CONTACT.name, ()))
        if shown.has(CONTACT.name, TO_ACCOUNT):
            made |= _accounts("accounts", (TO_ACCOUNT, CONTACT.name), [contact], shown)
    if shown.has(LEAD.name) and lead:
        made["leads"] = _leads(lead, shown, by.get(LEAD.name, ()))
    if shown.has(CONTACT.name) and lead and shown.has(LEAD.name, _BECAME.contact, _BECAME.flag):
        converted = [lead, _BECAME.converted]
        became = _among((_BECAME.contact, LEAD.name), converted)
        made["converted"] = _contacts([became], shown)
        if shown.has(CONTACT.name, TO_ACCOUNT) and shown.has(LEAD.name, _BECAME.account):
            accounts = (_BECAME.account, LEAD.name)
            made |= _accounts("converted_accounts", accounts, converted, shown)
    return made


def _contacts(where: Sequence[str], shown: Shown, by: Sequence[str] = ()) -> str:
    fields = ["Id", "Email", *by, *shown.fields(CONTACT.name)]
    fields += [name for name in (TO_ACCOUNT, PERSON_ACCOUNT.flag) if shown.has(CONTACT.name, name)]
    if shown.account:
        fields += [f"{shown.account}.{name}" for name in ("Id", *shown.fields(ACCOUNT.name))]
    fields += _around(CONTACT.name, shown)
    order = shown.latest(CONTACT.name, "LastModifiedDate")
    return soql.select(fields, CONTACT.name, where=where, order=order, limit=MAX_PEOPLE)


def _around(person: str, shown: Shown) -> list[str]:
    """The subqueries for what stands around each Contact, or each Lead."""
    return [
        _children(row, relation, shown)
        for row, relation in AROUND
        if shown.around(row, relation, person)
    ]


def _children(row: StandardObject, relation: Children, shown: Shown) -> str:
    """The subquery for the records of one object around each person."""
    prefix = f"{relation.through}." if relation.through else ""
    return _subquery(
        [prefix + name for name in ("Id", *shown.fields(row.name))],
        relation.relationship,
        order=shown.latest(row.name, relation.order, prefix),
        limit=shown.most(relation),
    )


def _subquery(
    fields: Sequence[str], relationship: str, *, order: str, limit: int, where: Sequence[str] = ()
) -> str:
    return "(" + soql.select(fields, relationship, where=where, order=order, limit=limit) + ")"


def _leads(address: str, shown: Shown, by: Sequence[str]) -> str:
    unconverted = [_BECAME.unconverted] if shown.has(LEAD.name, _BECAME.flag) else []
    return soql.select(
        ("Id", "Email", *by, *shown.fields(LEAD.name), *_around(LEAD.name, shown)),
        LEAD.name,
        where=[address, *unconverted],
        order=shown.latest(LEAD.name, "LastModifiedDate"),
        limit=MAX_PEOPLE,
    )


def _accounts(
    name: str, pointer: tuple[str, str], where: Sequence[str], shown: Shown
) -> dict[str, str]:
    """What else belongs to the Accounts of these people: one statement, of however many objects.
    Some of it belongs to the people themselves, so there is room for that."""
    children = [
        _subquery(
            ("Id", *shown.fields(row.name)),
            more.relationship,
            where=[f"{relation.closed} = false"],
            order=shown.latest(row.name, relation.order),
            limit=relation.most + MAX_CHILDREN,
        )
        for row, relation in AROUND
        if (more := relation.of_account) is not None
        and shown.leads_to(ACCOUNT.name, more.relationship, row.name, relation.closed)
    ]
    children += [
        _subquery(
            ("Id", *shown.fields(row.name)),
            relation.relationship,
            where=[soql.one_of(relation.number, shown.numbers)],
            order=shown.latest(row.name, relation.order),
            limit=relation.most,
        )
        for row, relation in AROUND
        if relation.number
        and shown.numbers
        and shown.leads_to(ACCOUNT.name, relation.relationship, row.name, relation.number)
    ]
    if not children:
        return {}
    fields, among = ("Id", *children), [_among(pointer, where)]
    return {name: soql.select(fields, ACCOUNT.name, where=among, limit=_MAX_ACCOUNTS)}


def _among(pointer: tuple[str, str], where: Sequence[str]) -> str:
    """A semi-join: the records that a lookup of the people found points at, without a second round
    trip."""
    lookup, object = pointer
    return "Id IN (" + soql.select([lookup], object, where=where) + ")"
