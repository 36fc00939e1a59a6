"""Record types: which an agent may create with, and the picklist values that each allows."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from keeping_plugin.errors import NotReady, SalesforceError, TooBusy
from keeping_plugin.models import Database
from keeping_plugin.services.metering import Feature
from keeping_plugin.services.panel.view import Linked
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.times import PANEL_CALL
from keeping_plugin.types import Agent, ObjectSchema, PicklistValue, RecordType, Value

log = logging.getLogger("keeping_plugin.panel")

Picklists = Mapping[str, Sequence[PicklistValue]]

# By database (several apps of one process count their connections alike), connection, describe
# document (one schema object each) and record type; the schema is kept so that its identity cannot
# pass to another.
_Key = tuple[Database, int, int, str]
_cache: OrderedDict[_Key, tuple[ObjectSchema, Picklists]] = OrderedDict()
_lock = threading.Lock()
_SIZE = 256


def choices(schema: ObjectSchema) -> tuple[RecordType, ...]:
    """The record types to choose from when one is made; () when the org has none of its own."""
    own = tuple(kind for kind in schema.record_types if kind.available and not kind.master)
    return own if "RecordTypeId" in schema.fields else ()


def default(schema: ObjectSchema) -> RecordType | None:
    """The record type that a new record gets when nobody chooses."""
    offered = choices(schema)
    return next((kind for kind in offered if kind.default), offered[0] if offered else None)


def own_picklists(
    runtime: Runtime,
    agent: Agent,
    link: Linked,
    *,
    object: str,
    record_type_id: Value,
    names: Iterable[str],
) -> Picklists | None:
    """The values that a record type allows, by field; None when none of these fields is a
    picklist, when the org has no record types for the object, when the agent asks too often, or
    when Salesforce does not say: then a form offers what the describe has, and Salesforce refuses
    what does not fit."""
    schema = link.schemas[object]
    if not isinstance(record_type_id, str) or not any(
        kind.id[:15] == record_type_id[:15] and not kind.master for kind in schema.record_types
    ):
        return None
    if not any(schema.fields[name].picklist for name in names):
        return None
    key = (runtime.database, link.connection_id, id(schema), record_type_id)
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key][1]
    try:
        with runtime.asked_by(
            agent, link.connection_id, Feature.RECORDS, within=PANEL_CALL
        ) as gateway:
            found = gateway.picklist_values(object, record_type_id)
    except (SalesforceError, TooBusy, NotReady) as error:
        log.info("record_type_unread", extra={"code": error.code})
        return None
    with _lock:
        _cache[key] = (schema, found)
        while len(_cache) > _SIZE:
            _cache.popitem(last=False)
    return found
