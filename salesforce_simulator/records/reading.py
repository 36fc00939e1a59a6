"""Reading one record: the REST row of ``GET /sobjects/<Object>/<id>``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from salesforce_simulator.errors import no_such_column
from salesforce_simulator.metadata.rights import Rights
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import stored_value
from salesforce_simulator.results import User
from salesforce_simulator.store import Record


class Reading:
    """Shows records under a user's field-level security."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def row(
        self,
        user: User,
        schema: ObjectSchema,
        record: Record,
        names: Sequence[str] | None,
        api_version: str,
    ) -> dict[str, Any]:
        """``attributes`` first; INVALID_FIELD for a name the user cannot see."""
        if names is None:
            fields = [f for f in schema.fields.values() if self._rights.may_read(user, schema, f)]
        else:
            fields = []
            for name in names:
                field = self._rights.visible(user, schema, name.strip())
                if field is None:
                    raise no_such_column(name.strip(), schema.name)
                fields.append(field)
        url = f"/services/data/v{api_version}/sobjects/{schema.name}/{record['Id']}"
        row: dict[str, Any] = {"attributes": {"type": schema.name, "url": url}}
        row |= {field.name: stored_value(record, schema, field) for field in fields}
        row |= {field.name: f"{url}/{field.name}" for field in fields if field.type == "base64"}
        row.setdefault("Id", record["Id"])
        return row
