"""Chosen values of lookup fields: ids of records, which have to be there when they are saved."""

from __future__ import annotations

from collections.abc import Mapping

from keeping_plugin.errors import InvalidInput, KeepingError, PermissionDenied, SchemaStale
from keeping_plugin.ports import SalesforceGateway
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent, FieldSpec, ObjectSchema, Value

NOT_THERE = (
    "The connected user finds no such record. Enter the id of a record that this field may refer "
    "to."
)


def problems(
    runtime: Runtime,
    agent: Agent,
    connection_id: int,
    schema: ObjectSchema,
    values: Mapping[str, Value],
) -> Mapping[str, KeepingError]:
    """What is wrong with these ids, by field: InvalidInput if there is no such record, else why
    Salesforce could not be asked. One request for a field and each object that it may refer to,
    none without values."""
    found: dict[str, KeepingError] = {}
    if not values:
        return found
    try:
        with runtime.asked_by(agent, connection_id, Feature.RECORDS, within=PANEL_CALL) as gateway:
            for name, value in values.items():
                if not _is_there(gateway, schema.fields[name], str(value)):
                    found[name] = InvalidInput(NOT_THERE, field=name)
    except KeepingError as error:
        return dict.fromkeys(values, error)
    return found


def _is_there(gateway: SalesforceGateway, spec: FieldSpec, record_id: str) -> bool:
    for object in spec.reference_to:
        try:
            if gateway.read_many(object, [record_id], ["Id"]):
                return True
        except (InvalidInput, PermissionDenied, SchemaStale):
            continue  # no id of this object, or one that this user may not read
    return False
