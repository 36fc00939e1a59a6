"""EmailMessage, EmailMessageRelation and TaskRelation as an org describes them.

No complete recording of them exists in public. Names, labels and types of EmailMessage's fields
are those of a trimmed recording, lengths and properties are documented (Object Reference), the
rest is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.metadata.features import (
    BY,
    JUNCTION,
    Child,
    Feature,
    Spec,
    described_field,
    described_object,
)

PEOPLE = ["Contact", "Lead", "User"]
#: The field of EmailMessage that lists the people of a type.
JUNCTION_FIELDS = {"ToIds": "ToAddress", "CcIds": "CcAddress", "BccIds": "BccAddress"}
RELATED = ["Account", "Campaign", "Case", "Opportunity"]
_SOURCES = [
    "Einstein Activity Capture",
    "Einstein Activity Capture Limited",
    "Email Integration App Manual",
    "Migrated Captured Email",
]

_MESSAGE: tuple[Spec, ...] = (
    ("ParentId", "Case ID", "reference", 18, "CFN"),
    ("ActivityId", "Activity ID", "reference", 18, "CFN"),
    ("TextBody", "Text Body", "textarea", 131_072, "CUN"),
    ("HtmlBody", "HTML Body", "textarea", 131_072, "CUN"),
    ("Headers", "Headers", "textarea", 32_000, "CUN"),
    ("Subject", "Subject", "string", 3000, "CUFN"),
    ("Name", "Email Message Name", "string", 255, "FN"),
    ("FromName", "From Name", "string", 1000, "CUFN"),
    ("FromAddress", "From Address", "email", 1000, "CUFN"),
    ("ToAddress", "To Address", "string", 4000, "CUFN"),
    ("CcAddress", "CC Address", "string", 4000, "CUFN"),
    ("BccAddress", "BCC Address", "string", 4000, "CUFN"),
    ("Incoming", "Is Incoming", "boolean", 0, "CFD"),
    ("HasAttachment", "Has Attachment", "boolean", 0, "FD"),
    ("Status", "Status", "picklist", 40, "CUFD"),
    ("MessageDate", "Message Date", "datetime", 0, "CUFN"),
    ("ReplyToEmailMessageId", "Email Message ID", "reference", 18, "CFN"),
    ("IsExternallyVisible", "Is Externally Visible", "boolean", 0, "CUFD"),
    ("MessageIdentifier", "Message ID", "string", 765, "CUFLN"),
    ("ThreadIdentifier", "Thread ID", "string", 765, "CUFLN"),
    ("ClientThreadIdentifier", "Client Thread ID", "string", 765, "CUFN"),
    ("FromId", "From ID", "reference", 18, "CFN"),
    ("IsClientManaged", "Is Client Managed", "boolean", 0, "CFD"),
    ("AttachmentIds", "Attachment Ids", "string", 0, "N"),
    ("RelatedToId", "Related To ID", "reference", 18, "CUFN"),
    ("IsTracked", "Is Tracked", "boolean", 0, "CFD"),
    ("IsOpened", "Opened?", "boolean", 0, "FD"),
    ("FirstOpenedDate", "First Opened", "datetime", 0, "CFN"),
    ("LastOpenedDate", "Last Opened", "datetime", 0, "CFN"),
    ("IsBounced", "Bounced?", "boolean", 0, "FD"),
    ("Source", "Source", "picklist", 255, "CFN"),
)
_MESSAGE_MORE: dict[str, dict[str, Any]] = BY | {
    "ParentId": {"referenceTo": ["Case"], "relationshipName": "Parent"},
    "ActivityId": {"referenceTo": ["Task"]},
    "ReplyToEmailMessageId": {
        "referenceTo": ["EmailMessage"],
        "relationshipName": "ReplyToEmailMessage",
    },
    "FromId": {"referenceTo": PEOPLE},
    "RelatedToId": {"referenceTo": RELATED, "relationshipName": "RelatedTo"},
    "Name": {"nameField": True},
    "IsExternallyVisible": {"defaultValue": True},
    "Source": {"restrictedPicklist": True, "picklistValues": _SOURCES},
    "Status": {
        "restrictedPicklist": True,
        "picklistValues": [
            {"value": str(number), "label": label, "defaultValue": number == 0}
            for number, label in enumerate(("New", "Read", "Replied", "Sent", "Forwarded", "Draft"))
        ],
    },
}
_RELATION: tuple[Spec, ...] = (
    ("EmailMessageId", "Email Message ID", "reference", 18, "CF"),
    ("RelationId", "Relation ID", "reference", 18, "CUFN"),
    ("RelationType", "Relation Type", "picklist", 40, "CF"),
    ("RelationAddress", "Relation Address", "string", 255, "CFN"),
    ("RelationObjectType", "Relation Object Type", "picklist", 40, "FN"),
)
RELATION_TYPES = ["FromAddress", "ToAddress", "CcAddress", "BccAddress", "OtherAddress"]
_RELATION_MORE: dict[str, dict[str, Any]] = BY | {
    "EmailMessageId": {"referenceTo": ["EmailMessage"], "relationshipName": "EmailMessage"},
    "RelationId": {"referenceTo": PEOPLE, "relationshipName": "Relation"},
    "RelationType": {"restrictedPicklist": True, "picklistValues": RELATION_TYPES},
    "RelationObjectType": {"picklistValues": PEOPLE},
}
_TASK_RELATION: tuple[Spec, ...] = (
    ("RelationId", "Relation ID", "reference", 18, "CFN"),
    ("TaskId", "Task ID", "reference", 18, "CF"),
    ("IsWhat", "Is What", "boolean", 0, "CFD"),
    ("AccountId", "Account ID", "reference", 18, "FN"),
)
_TASK_RELATION_MORE: dict[str, dict[str, Any]] = BY | {
    "TaskId": {"referenceTo": ["Task"], "relationshipName": "Task"},
    "RelationId": {
        "referenceTo": ["Account", "Campaign", "Case", "Contact", "Lead", "Opportunity"],
        "relationshipName": "Relation",
    },
    "AccountId": {"referenceTo": ["Account"], "relationshipName": "Account"},
}


def junction(name: str, label: str, leads_to: list[str]) -> dict[str, Any]:
    """A JunctionIdList field: a list of ids in JSON, neither filterable nor sortable."""
    return described_field((name, label, JUNCTION, 0, "CUN"), {"referenceTo": leads_to})


def mail_feature(options: Mapping[str, Any]) -> Feature:
    """EmailMessage and EmailMessageRelation. ``junction_lists``: describe tells ``ToIds``,
    ``CcIds`` and ``BccIds``, which the trimmed recording does not."""
    message = described_object("EmailMessage", "Email Message", "02s", _MESSAGE, _MESSAGE_MORE)
    relation = described_object(
        "EmailMessageRelation", "Email Message Relation", "0CZ", _RELATION, _RELATION_MORE
    )
    labels = {"ToIds": "To IDs", "CcIds": "CC IDs", "BccIds": "BCC IDs"}
    lists = [junction(name, labels[name], PEOPLE) for name in JUNCTION_FIELDS]
    emails = [Child(parent, "EmailMessage", "RelatedToId", "Emails") for parent in RELATED]
    people = [
        Child(parent, "EmailMessageRelation", "RelationId", "EmailMessageRelations", cascade=True)
        for parent in ("Contact", "Lead")
    ]
    return Feature(
        objects=(message, relation),
        fields=tuple(("EmailMessage", raw) for raw in lists)
        if options.get("junction_lists")
        else (),
        children=(
            *emails,
            *people,
            Child("Case", "EmailMessage", "ParentId", "EmailMessages", cascade=True),
            Child("Task", "EmailMessage", "ActivityId", None),
            Child(
                "EmailMessage",
                "EmailMessageRelation",
                "EmailMessageId",
                "EmailMessageRelations",
                cascade=True,
                junctions=tuple(JUNCTION_FIELDS),
            ),
        ),
    )


def shared_activities_feature(_: Mapping[str, Any]) -> Feature:
    """TaskRelation, ``Task.TaskWhoIds`` and the counts."""
    relation = described_object(
        "TaskRelation",
        "Task Relation",
        "0RT",
        _TASK_RELATION,
        _TASK_RELATION_MORE,
        updateable=False,
        triggerable=False,
        undeletable=False,
    )
    counts = [
        described_field((name, label, "int", 0, "FN"), {})
        for name, label in (("WhoCount", "Relation Count"), ("WhatCount", "Related To Count"))
    ]
    fields = [junction("TaskWhoIds", "Related IDs", PEOPLE[:2]), *counts]
    return Feature(
        objects=(relation,),
        fields=tuple(("Task", raw) for raw in fields),
        children=(
            Child("Task", "TaskRelation", "TaskId", "TaskRelations", cascade=True),
            *(
                Child(parent, "TaskRelation", "RelationId", "TaskRelations", cascade=True)
                for parent in ("Contact", "Lead", "Account", "Opportunity", "Case")
            ),
        ),
    )
