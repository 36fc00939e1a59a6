"""What the panel shows of an org in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from keeping_plugin.addresses import salesforce_key
from keeping_plugin.errors import Complaint, SchemaStale
from keeping_plugin.objects import AROUND
from keeping_plugin.types import ContactMatch, LeadMatch, ObjectSchema, Record, Value
from tests.fake_salesforce.org import FakeOrg, Row

Schemas = Mapping[str, ObjectSchema]
Chosen = Mapping[str, Sequence[str]]


def panel(
    org: FakeOrg,
    address: str,
    schemas: Schemas,
    fields: Chosen,
    numbers: Sequence[str] = (),
    chosen: str = "",
    others: Chosen | None = None,
) -> Sequence[ContactMatch | LeadMatch]:
    """Contacts, those that a converted Lead became, then Leads; most recently changed first.
    `others`: by these fields, in place of Email."""
    key = salesforce_key(address)
    if others is not None:
        check_filterable(org, others)

    def by(row: Row, kind: str) -> str | None:
        if others is None:
            return "" if _carries(row, key) or row["Id"] == chosen else None
        having = [name for name in others.get(kind, ()) if _carries(row, key, name)]
        return having[0] if having else None

    leads = [row for row in _latest(org.of("Lead")) if by(row, "Lead") is not None]
    became = {row["ConvertedContactId"] for row in leads if row.get("IsConverted")}
    everyone = _latest(org.of("Contact"))
    contacts = [row for row in everyone if by(row, "Contact") is not None]
    contacts += [row for row in everyone if row["Id"] in became and row not in contacts]
    matches: list[ContactMatch | LeadMatch] = []
    if "Contact" in schemas:
        matches += [
            replace(_contact(org, row, schemas, fields, numbers), by=by(row, "Contact") or "")
            for row in contacts
        ]
    if "Lead" in schemas:
        matches += [
            replace(_lead(org, row, schemas, fields), by=by(row, "Lead") or "")
            for row in leads
            if not row.get("IsConverted")
        ]
    return tuple(matches)


def _lead(org: FakeOrg, row: Row, schemas: Schemas, fields: Chosen) -> LeadMatch:
    around: dict[str, tuple[Record, ...]] = {}
    counts: dict[str, tuple[int, bool]] = {}
    for one, relation in AROUND:
        own = _children(org, "Lead", row, relation.relationship)
        if relation.optional and one.name in schemas and fields.get(one.name):
            latest = _latest(own.values(), relation.order)[: relation.most]
            around[one.key] = _records(org, one.name, latest, schemas, fields)
            counts[one.key] = len(own), False
    lead = _records(org, "Lead", [row], schemas, fields)[0]
    return LeadMatch(lead, around=around, counts=counts)


def _contact(
    org: FakeOrg, row: Row, schemas: Schemas, fields: Chosen, numbers: Sequence[str]
) -> ContactMatch:
    account = org.row("Account", row.get("AccountId") or "")
    around: dict[str, tuple[Record, ...]] = {}
    counts: dict[str, tuple[int, bool]] = {}
    for one, relation in AROUND:
        known = one.name in schemas and (not relation.optional or bool(fields.get(one.name)))
        own = _children(org, "Contact", row, relation.relationship, relation.through)
        latest = _latest(own.values() if known else (), relation.order)
        shown = latest[: relation.most]
        if known:
            counts[one.key] = len(own), False
        closed = relation.closed
        first = sorted(shown, key=lambda child: bool(closed and child.get(closed)))
        around[one.key] = _records(org, one.name, first, schemas, fields)
        if closed:
            behind = [child for child in latest[relation.most :] if not child.get(closed)]
            around[one.more_key] = _records(org, one.name, behind, schemas, fields)
        if relation.number:
            theirs = _children(org, "Account", account or {}, relation.relationship)
            named = (own | theirs).values() if known else ()
            rows = [child for child in named if child.get(relation.number) in numbers]
            around[one.named_key] = _records(org, one.name, rows, schemas, fields)
        more = relation.of_account
        if more is not None:
            others = _children(org, "Account", account or {}, more.relationship) if known else {}
            spare = [
                child for key, child in others.items() if key not in own and not child.get(closed)
            ]
            room = relation.most - len(shown)
            spare = _latest(spare, relation.order)[:room]
            around[more.key] = _records(org, one.name, spare, schemas, fields)
    alone = row.get("IsPersonAccount") or account is None or "Account" not in schemas
    return ContactMatch(
        contact=_records(org, "Contact", [row], schemas, fields)[0],
        account=None if alone else _records(org, "Account", [account or {}], schemas, fields)[0],
        around=around,
        counts=counts,
    )


def _children(
    org: FakeOrg, object: str, parent: Row, relationship: str, through: str = ""
) -> dict[str, Row]:
    """What refers to a record by a child relationship, or what those rows lead to, by id."""
    child = org.schemas[object].children.get(relationship)
    if child is None or "Id" not in parent:
        return {}
    specs = org.schemas[child].fields.values()
    lookups = [spec.name for spec in specs if object in spec.reference_to]
    rows = [row for row in org.of(child) if parent["Id"] in map(row.get, lookups)]
    if through:
        [spec] = (spec for spec in specs if spec.relationship == through)
        [target] = spec.reference_to
        led = (org.row(target, row.get(spec.name) or "") for row in rows)
        rows = [row for row in led if row is not None]
    return {row["Id"]: row for row in rows}


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


def _latest(rows: Iterable[Row], by: str = "LastModifiedDate") -> list[Row]:
    return sorted(rows, key=lambda row: (row[by], row["Id"]), reverse=True)


def _carries(row: Row, key: str | None, name: str = "Email") -> bool:
    return key is not None and salesforce_key(row.get(name) or "") == key


def check_filterable(org: FakeOrg, by: Chosen) -> None:
    """Refuse fields by which Salesforce cannot filter, or which are not there."""
    for kind, names in by.items():
        for name in names if kind in org.schemas else ():
            spec = org.schemas[kind].fields.get(name)
            if spec is None:
                message = f"No such column '{name}' on entity '{kind}'."
            elif not spec.filterable:
                message = f"field '{name}' can not be filtered in a query call"
            else:
                continue
            raise SchemaStale(
                complaints=(Complaint("INVALID_FIELD", message),), object=kind, field=name
            )
