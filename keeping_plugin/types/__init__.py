"""The plugin's value types: frozen dataclasses without I/O.

`inbox` has the host's values, `schema` and `records` those of Salesforce; `describe_result`
and `schema_document` read and write schemas. Ids are `str` of 1 to 255 characters, times are aware
UTC datetimes.
"""

from keeping_plugin.types.inbox import (
    Action,
    Address,
    Agent,
    Conversation,
    Direction,
    Mailbox,
    Message,
    MessageArrived,
    OpenedBy,
)
from keeping_plugin.types.records import (
    ContactMatch,
    Found,
    Inspected,
    Inspection,
    LeadMatch,
    Match,
    NewRecord,
    NoMatch,
    OrgFacts,
    PersonFound,
    Record,
    Saved,
    SeveralMatches,
    TaskLook,
    Tokens,
    Usage,
)
from keeping_plugin.types.schema import (
    Described,
    FieldSpec,
    ObjectSchema,
    PicklistValue,
    RecordType,
    Related,
    Value,
)

__all__ = [
    "Action",
    "Address",
    "Agent",
    "ContactMatch",
    "Conversation",
    "Described",
    "Direction",
    "FieldSpec",
    "Found",
    "Inspected",
    "Inspection",
    "LeadMatch",
    "Mailbox",
    "Match",
    "Message",
    "MessageArrived",
    "NewRecord",
    "NoMatch",
    "ObjectSchema",
    "OpenedBy",
    "OrgFacts",
    "PersonFound",
    "PicklistValue",
    "Record",
    "RecordType",
    "Related",
    "Saved",
    "SeveralMatches",
    "TaskLook",
    "Tokens",
    "Usage",
    "Value",
]
