"""What the panel shows of an org in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.errors import Complaint, SchemaStale
from keeping_plugin.types import ContactMatch, LeadMatch, ObjectSchema, Record, Value
from tests.fake_salesforce.org import FakeOrg, Row

Schemas = Mapping[str, ObjectSchema]
Chosen = Mapping[str, Sequence[str]]


def panel(
    org: FakeOrg, address: str, schemas: Schemas, fields: Chosen
) -> Sequence[ContactMatch | LeadMatch]:
    """Contacts, those that a converted Lead became, then Leads; most recently changed first."""
    key = salesforce_key(address)
    leads = [row for row in _latest(org.of("Lead")) if _carries(row, key)]
    became = {row["ConvertedContactId"] for row in leads if row.get("IsConverted")}
    everyone = _latest(org.of("Contact"))
    contacts = [row for row in everyone if _carries(row, key)]
    contacts += [row for row in everyone if row["Id"] in became and row not in contacts]
    matches: list[ContactMatch | LeadMatch] = []
    if "Contact" in schemas:
        matches += [_contact(org, row, schemas, fields) for row in contacts]
    if "Lead" in schemas:
        matches += [
            LeadMatch(_records(org, "Lead", [row], schemas, fields)[0])
            for row in leads
            if not row.get("IsConverted")
        ]
    return tuple(matches)


def _contact(org: FakeOrg, row: Row, schemas: Schemas, fields: Chosen) -> ContactMatch:
    account = org.row("Account", row.get("AccountId") or "")
    roles = {
        role["OpportunityId"]
        for role in org.of("OpportunityContactRole")
        if role.get("ContactId") == row["Id"]
    }
    deals = _latest(org.of("Opportunity")) if "Opportunity" in schemas else []
    own = [deal for deal in deals if deal["Id"] in roles][:3]
    others = [
        deal
        for deal in deals
        if row.get("AccountId") is not None
        and deal.get("AccountId") == row["AccountId"]
        and not deal["IsClosed"]
        and deal["Id"] not in roles
    ]
    cases = [case for case in org.of("Case") if case.get("ContactId") == row["Id"]]
    cases.sort(key=lambda case: (case["CreatedDate"], case["Id"]), reverse=True)
    alone = row.get("IsPersonAccount") or account is None or "Account" not in schemas
    return ContactMatch(
        contact=_records(org, "Contact", [row], schemas, fields)[0],
        account=None if alone else _records(org, "Account", [account or {}], schemas, fields)[0],
        opportunities=_records(org, "Opportunity", own, schemas, fields),
        account_opportunities=_records(org, "Opportunity", others[: 3 - len(own)], schemas, fields),
        cases=_records(org, "Case", cases[:5], schemas, fields) if "Case" in schemas else (),
    )


def _records(
    org: FakeOrg, object: str, rows: Iterable[Row], schemas: Schemas, fields: Chosen
) -> tuple[Record, ...]:
    """The chosen fields that the schema has."""
    if object not in schemas:
        return ()
    has = schemas[object].fields
    relationships = {spec.relationship for spec in has.values()}
    asked = [
        name
        for name in fields.get(object, ())
        if name in has or ("." in name and name.partition(".")[0] in relationships)
    ]
    return tuple(
        Record(object, row["Id"], {name: value(org, object, row, name) for name in asked})
        for row in rows
    )


def value(org: FakeOrg, object: str, row: Row | None, path: str) -> Value:
    """A field, or one behind relationships; Salesforce does not mind the case of names."""
    name, _, rest = path.partition(".")
    schema = org.schemas[object]
    if not rest:
        spelt = {known.lower(): known for known in schema.fields}
        if name.lower() not in spelt:
            message = f"No such column '{name}' on entity '{object}'."
            raise SchemaStale(
                complaints=(Complaint("INVALID_FIELD", message),), object=object, field=name
            )
        found: Value = None if row is None else row.get(spelt[name.lower()])
        return found
    for spec in schema.fields.values():
        if spec.relationship == name:
            target = None if row is None else row.get(spec.name)
            for kind in spec.reference_to:
                parent = org.row(kind, target or "")
                if parent is not None:
                    return value(org, kind, parent, rest)
            return None
    raise SchemaStale(object=object, field=name)


def _latest(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["LastModifiedDate"], row["Id"]), reverse=True)


def _carries(row: Row, key: str | None) -> bool:
    return key is not None and salesforce_key(row.get("Email") or "") == key
