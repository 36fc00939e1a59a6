"""The queries of one panel: everyone with an address and what stands around each of them.

Built from schemas alone: an object or field that the connecting user cannot see is never asked for,
because one unknown name fails a whole query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeping_plugin.errors import PermissionDenied
from keeping_plugin.salesforce import names
from keeping_plugin.salesforce.queries import soql
from keeping_plugin.types import ObjectSchema

PEOPLE = 20
CASES = 5
OPPORTUNITIES = 3
# One contact may have several roles in one opportunity, so more roles are read than are shown.
_ROLES = 4 * OPPORTUNITIES
_ACCOUNT_OPPORTUNITIES = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """What a company chose to see of what its org has."""

    schemas: Mapping[str, ObjectSchema]
    chosen: Mapping[str, Sequence[str]]
    # Asked for every record of an answer.
    _fields: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def has(self, object: str, *fields: str) -> bool:
        """Whether the org shows this object, with these fields."""
        schema = self.schemas.get(object)
        return schema is not None and all(field in schema.fields for field in fields)

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
        if not (self.has("Account") and self.has("Contact", "AccountId")):
            return None
        return self.schemas["Contact"].fields["AccountId"].relationship or "Account"

    def latest(self, object: str, field: str, prefix: str = "") -> str:
        """Most recent first, by a field that the org may not show; ids rise with time."""
        return prefix + (field if self.has(object, field) else "Id") + " DESC NULLS LAST"


def queries(
    forms: Sequence[str], shown: Shown, ids: Mapping[str, Sequence[str]] | None = None
) -> dict[str, str]:
    """The statements by name, at most five. `ids` names the people that a search has found already,
    by object, in an org whose addresses cannot stand in a query. Raises PermissionDenied when the
    user sees people but not their addresses."""
    for person in ("Contact", "Lead"):
        if shown.has(person) and not shown.has(person, "Email"):
            raise PermissionDenied(f"The connected Salesforce user may not read {person}.Email.")
    wanted = {name: soql.email_in(forms) for name in ("Contact", "Lead")}
    if ids is not None:
        wanted = {name: soql.id_in(found) for name, found in ids.items() if found}
    contact, lead = wanted.get("Contact"), wanted.get("Lead")
    made: dict[str, str] = {}
    if shown.has("Contact") and contact:
        made["contacts"] = _contacts([contact], shown)
        if shown.has("Contact", "AccountId"):
            made |= _deals("account_deals", "SELECT AccountId FROM Contact", [contact], shown)
    if shown.has("Lead") and lead:
        made["leads"] = _leads(lead, shown)
    if shown.has("Contact") and lead and shown.has("Lead", "ConvertedContactId", "IsConverted"):
        converted = [lead, "IsConverted = true"]
        became = _among("Id", "SELECT ConvertedContactId FROM Lead", converted)
        made["converted"] = _contacts([became], shown)
        if shown.has("Contact", "AccountId") and shown.has("Lead", "ConvertedAccountId"):
            accounts = "SELECT ConvertedAccountId FROM Lead"
            made |= _deals("converted_deals", accounts, converted, shown)
    return made


def _contacts(where: Sequence[str], shown: Shown) -> str:
    fields = ["Id", "Email", *shown.fields("Contact")]
    fields += [name for name in ("AccountId", "IsPersonAccount") if shown.has("Contact", name)]
    if shown.account:
        fields += [f"{shown.account}.{name}" for name in ("Id", *shown.fields("Account"))]
    children = shown.schemas["Contact"].children
    if "Cases" in children and shown.has("Case"):
        fields.append(
            _children(
                ["Id", *shown.fields("Case")], "Cases", shown.latest("Case", "CreatedDate"), CASES
            )
        )
    if "OpportunityContactRoles" in children and shown.has("Opportunity"):
        fields.append(
            _children(
                [f"Opportunity.{name}" for name in ("Id", *shown.fields("Opportunity"))],
                "OpportunityContactRoles",
                shown.latest("Opportunity", "LastModifiedDate", "Opportunity."),
                _ROLES,
            )
        )
    order = shown.latest("Contact", "LastModifiedDate")
    return soql.select(fields, "Contact", where=where, order=order, limit=PEOPLE)


def _children(fields: Sequence[str], relationship: str, order: str, limit: int) -> str:
    return "(" + soql.select(fields, relationship, order=order, limit=limit) + ")"


def _leads(address: str, shown: Shown) -> str:
    open_ones = ["IsConverted = false"] if shown.has("Lead", "IsConverted") else []
    return soql.select(
        ("Id", "Email", *shown.fields("Lead")),
        "Lead",
        where=[address, *open_ones],
        order=shown.latest("Lead", "LastModifiedDate"),
        limit=PEOPLE,
    )


def _deals(name: str, accounts: str, where: Sequence[str], shown: Shown) -> dict[str, str]:
    """The open opportunities of the accounts that these people belong to, where the org shows
    them."""
    if not shown.has("Opportunity", "AccountId", "IsClosed"):
        return {}
    statement = soql.select(
        ("Id", "AccountId", *shown.fields("Opportunity")),
        "Opportunity",
        where=["IsClosed = false", _among("AccountId", accounts, where)],
        order=shown.latest("Opportunity", "LastModifiedDate"),
        limit=_ACCOUNT_OPPORTUNITIES,
    )
    return {name: statement}


def _among(field: str, selection: str, where: Sequence[str]) -> str:
    """A semi-join: what the people found point at, without a second round trip."""
    return field + " IN (" + selection + " WHERE " + " AND ".join(where) + ")"
