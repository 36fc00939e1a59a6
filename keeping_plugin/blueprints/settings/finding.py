"""How agents find people: the search of the whole org, the fields that they add addresses to, and
the records that they chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from keeping_plugin.blueprints.settings.tabs import tabs
from keeping_plugin.blueprints.web import guards, notices
from keeping_plugin.errors import InvalidInput
from keeping_plugin.objects import PEOPLE, record_page, row_of
from keeping_plugin.services.connection import connect
from keeping_plugin.services.people import finding, picks
from keeping_plugin.services.people.finding import Finding
from keeping_plugin.services.schema import describe
from keeping_plugin.state import current_runtime
from keeping_plugin.types import Agent, FieldSpec, ObjectSchema


class AddressField(NamedTuple):
    """The fields that an admin may select for one object. `gone`: the selected field is no longer
    offered; `finds`: it finds people, too."""

    object: str
    tab: str
    named: str
    offered: list[FieldSpec]
    visible: bool
    finds: bool

    @property
    def gone(self) -> bool:
        return bool(self.named) and self.named not in {spec.name for spec in self.offered}


def _address_fields(policy: Finding, schemas: Mapping[str, ObjectSchema]) -> Iterator[AddressField]:
    for row in PEOPLE:
        schema = schemas.get(row.name)
        offered = finding.addable_fields(schema) if schema is not None else []
        named = policy.add_to.get(row.name, "")
        finds = named in policy.found_by.get(row.name, ())
        yield AddressField(row.name, row.tab, named, offered, schema is not None, finds)


def _save(session: Session, agent: Agent, schemas: Mapping[str, ObjectSchema]) -> None:
    wanted = "search" in request.form
    finding.allow_search(session, agent, wanted)
    for each in _address_fields(finding.load(session, agent.company_id), schemas):
        field = request.form.get(f"address_{each.object}", each.named)
        if field not in {"", each.named, *(spec.name for spec in each.offered)}:
            raise InvalidInput("The connected user cannot edit this field.", field=field)
        if finding.name_address_field(session, agent, each.object, field) and field:
            finding.find_by(session, agent, schemas[each.object], field)
    notices.add_notice("Agents can search Salesforce." if wanted else "The search is off.")


def finding_page() -> ResponseReturnValue:
    """Show the switches and the choices; change one of them."""
    agent = guards.admin()
    database = current_runtime().database
    if request.method == "POST":
        address = request.form.get("remove", "")
        with database.write() as session:
            row = connect.current(session, agent.company_id)
            if not address:
                schemas = describe.schemas(session, row.id) if row is not None else {}
                _save(session, agent, schemas)
            elif row is not None and picks.take_back(session, agent, row.id, address):
                notices.add_notice("The choice was removed. This address is found by Email again.")
        return redirect(url_for(".finding"), 303)
    sought = request.args.get("q", "").strip()[:255]
    with database.read() as session:
        row = connect.current(session, agent.company_id)
        chosen, count = finding.choices(session, row.id, sought) if row is not None else ([], 0)
        policy = finding.load(session, agent.company_id)
        schemas = describe.schemas(session, row.id) if row is not None else {}
    instance = row.instance_url if row is not None else ""
    return render_template(
        "keeping/settings/finding.html",
        tabs=tabs("settings"),
        search=policy.search,
        address_fields=list(_address_fields(policy, schemas)),
        found_by=[(row_of(name).tab, fields) for name, fields in policy.found_by.items() if fields],
        chosen=[(each, record_page(instance, each.object, each.record_id)) for each in chosen],
        count=count,
        q=sought,
    )
