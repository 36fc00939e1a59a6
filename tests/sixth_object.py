"""The product with one more object: a row and a describe, and nothing else.

Run by `test_sixth_object.py` in a process of its own, since every module reads `objects` once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

_ROW = """
    StandardObject(
        name="Asset",
        prefix="02i",
        tab="Assets",
        aside=("Status",),
        baseline=("Name",),
        defaults=("Name", "SerialNumber", "Status"),
        relation=Children(
            relationship="Assets",
            most=2,
            closed="IsClosed",
            of_account=OfAccount(relationship="Assets", key="account_assets", heading="Others"),
        ),
        created=Created(
            first=("Name",), to={"Contact": "ContactId"}, subject="Name"
        ),
    ),
)

# Messages are logged as Tasks."""


_OBJECTS = Path(__file__).parents[1] / "keeping_plugin" / "objects.py"


class _WithRow(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        head, tail = _OBJECTS.read_text("utf-8").split("\n)\n\n# Messages are logged as Tasks.")
        code: CodeType = compile(head + _ROW + tail, _OBJECTS, "exec")
        return code


class AddRow(MetaPathFinder):
    """Loads `keeping_plugin.objects` with one more row."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, where it is that one."""
        if fullname != "keeping_plugin.objects":
            return None
        loader = _WithRow(fullname, str(_OBJECTS))
        return spec_from_file_location(fullname, _OBJECTS, loader=loader)


def main(database_url: str) -> None:
    """Raises what goes wrong."""
    sys.meta_path.insert(0, AddRow())
    from keeping_plugin.salesforce.queries.panel_queries import Shown, queries
    from keeping_plugin.services.schema import describe, preflight
    from keeping_plugin.services.schema.preflight import Outcome
    from salesforce_simulator.query.soql import parse
    from tests.blueprints.inbox import ADMIN, CUSTOMER, open_inbox, token, url
    from tests.fake_salesforce import shipped_schemas
    from tests.forms.samples import of_fields, spec

    shipped = shipped_schemas()
    case = shipped["Case"]
    kept = ("Id", "IsDeleted", "IsClosed", "ContactId", "AccountId", "CreatedDate")
    asset = of_fields(
        *(case.fields[name] for name in (*kept, "LastModifiedDate", "Status")),
        spec("string", name="Name", label="Name", length=255, name_field=True, nillable=False),
        spec("string", name="SerialNumber", label="Serial Number", length=80),
        name="Asset",
        label="Asset",
        label_plural="Assets",
        key_prefix="02i",
    )
    with open_inbox(database_url) as inbox:
        schemas = inbox.salesforce.org.schemas
        schemas["Asset"] = asset
        for parent in ("Contact", "Account"):
            children = {**schemas[parent].children, "Assets": "Asset"}
            schemas[parent] = replace(schemas[parent], children=children)
        inbox.connect()
        # The describe job reads it, and the rights check looks at it.
        with inbox.database.write() as session:
            describe.start_load(session, inbox.connection_id, at=describe.now(session))
        runtime = replace(inbox.runtime, database=inbox.database)
        describe.describe(runtime, inbox.connection_id)
        with inbox.database.read() as session:
            assert "Asset" in describe.schemas(session, inbox.connection_id)
        found = preflight.run(runtime, inbox.connection_id)
        [rights] = (line for line in found.lines if line.code == "rights_asset")
        assert rights.outcome is Outcome.PASSED, rights
        # An admin has a tab for it.
        client = inbox.client(ADMIN)
        page = client.get("/salesforce/settings/fields/Asset")
        assert page.status_code == 200
        assert "Serial" in page.text
        # The panel shows it around the person, in the one request that it took before.
        account = inbox.salesforce.add("Account", Name="Acme")
        jane = inbox.salesforce.add(
            "Contact", LastName="Doe", Email=CUSTOMER.email, AccountId=account
        )
        pump = inbox.salesforce.add("Asset", Name="Pump", SerialNumber="S-1", ContactId=jane)
        valve = inbox.salesforce.add("Asset", Name="Valve", AccountId=account)
        client = inbox.client()
        used = inbox.salesforce.used
        match = client.get(url(), headers={"Accept": "application/json"}).json["match"]
        assert inbox.salesforce.used == used + 1
        assert [record["id"] for record in match["assets"]] == [pump]
        assert [record["id"] for record in match["account_assets"]] == [valve]
        page = client.get(url())
        assert "Pump" in page.text
        assert "Assets</h3>" in page.text
        # Its fields are edited in place.
        path = url(f"/Asset/{pump}/edit/SerialNumber")
        data = {"sf_SerialNumber": "S-2", "csrf_token": token(client)}
        saved = client.post(path, data=data)
        assert saved.status_code == 200, saved.text
        assert inbox.salesforce.org.row("Asset", pump)["SerialNumber"] == "S-2"
        # An admin lets agents create them, and one does.
        admin = inbox.client(ADMIN)
        data = {"allow-Asset": "on", "csrf_token": token(admin)}
        assert admin.post("/salesforce/settings/creating", data=data).status_code == 303
        assert admin.get("/salesforce/settings/creating/Asset").status_code == 200
        client = inbox.client()
        assert client.get(url("/new/Asset")).status_code == 200
        data = {"sf_SerialNumber": "S-3", "csrf_token": token(client)}
        assert client.post(url("/new/Asset"), data=data).status_code == 200
        *_, made = inbox.salesforce.rows("Asset")
        assert (made["ContactId"], made["SerialNumber"]) == (jane, "S-3")
        assert made["Name"] == "Where is my order?"
        # The document of the JSON API names it.
        components = client.get("/salesforce/openapi.json").json["components"]["schemas"]
        assert "Asset" in components["ObjectName"]["enum"]
        assert components["Match"]["properties"].keys() == match.keys()
        # As many statements as before, which parse.
        fields = {name: tuple(schema.fields) for name, schema in schemas.items()}
        statements = queries([CUSTOMER.email], Shown(schemas, fields))
        assert len(statements) <= 5
        for statement in statements.values():
            parse(statement)
        assert statements.keys() == queries([CUSTOMER.email], Shown(shipped, fields)).keys()


if __name__ == "__main__":
    main(sys.argv[1])
