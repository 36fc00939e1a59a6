"""Runs our migrations on a connection that is handed in, with a version table of our own."""

from __future__ import annotations

from typing import Literal

from alembic import context

from keeping_plugin.models import Base
from keeping_plugin.models.base import Json, UtcDateTime
from keeping_plugin.models.migrate import VERSION_TABLE, is_ours


def _plain_type(kind: str, item: object, _: object) -> str | Literal[False]:
    # Migrations never import models: our column types are written as what they are underneath.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Json):
        return "sa.Text()"
    return False


connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    include_name=lambda name, type_, parents: type_ != "table" or is_ours(name),
    render_item=_plain_type,
    compare_type=True,
    compare_server_default=True,
)

with context.begin_transaction():
    context.run_migrations()
