"""ContentVersion, ContentDocument and ContentDocumentLink as an org describes them.

Their fields are documented (Object Reference). No complete recording was at hand, so that the rest
of their describes is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salesforce_simulator.mail.described import junction
from salesforce_simulator.metadata.features import BY, Child, Feature, Spec, described_object

VERSION, DOCUMENT, LINK = "ContentVersion", "ContentDocument", "ContentDocumentLink"
#: What a file may be linked to, besides its owner.
LINKED = ["Account", "Case", "Contact", "EmailMessage", "Lead", "Opportunity", "Task"]
OPTIONS = frozenset(
    {
        "junction_lists",
        "blocked",
        "block_html",
        "largest_bytes",
        "file_storage_bytes",
        "data_storage_bytes",
        "versions_per_day",
    }
)

_VERSION: tuple[Spec, ...] = (
    ("ContentDocumentId", "ContentDocument ID", "reference", 18, "CFN"),
    ("IsLatest", "Is Latest", "boolean", 0, "FD"),
    ("VersionNumber", "Version Number", "string", 20, "FN"),
    ("Title", "Title", "string", 255, "CUFD"),
    ("Description", "Description", "textarea", 1000, "CUN"),
    ("ReasonForChange", "Reason For Change", "string", 1000, "CUFN"),
    ("PathOnClient", "Path On Client", "string", 500, "CFN"),
    ("FileType", "File Type", "string", 20, "FN"),
    ("FileExtension", "File Extension", "string", 40, "FN"),
    ("VersionData", "Version Data", "base64", 0, "CN"),
    ("ContentSize", "Size", "int", 0, "FN"),
    ("Checksum", "Checksum", "string", 50, "FN"),
    ("FirstPublishLocationId", "First Publish Location ID", "reference", 18, "CFN"),
    ("Origin", "Content Origin", "picklist", 40, "CFD"),
    ("OwnerId", "Owner ID", "reference", 18, "CUFD"),
)
_VERSION_MORE: dict[str, dict[str, Any]] = BY | {
    "ContentDocumentId": {"referenceTo": [DOCUMENT], "relationshipName": "ContentDocument"},
    "Title": {"nameField": True},
    "FirstPublishLocationId": {
        "referenceTo": [*LINKED, "User"],
        "relationshipName": "FirstPublishLocation",
    },
    "Origin": {"restrictedPicklist": True, "picklistValues": ["C", "*H"]},
    "OwnerId": {"referenceTo": ["User"], "relationshipName": "Owner"},
}
_DOCUMENT: tuple[Spec, ...] = (
    ("OwnerId", "Owner ID", "reference", 18, "UFD"),
    ("Title", "Title", "string", 255, "UFD"),
    ("Description", "Description", "textarea", 1000, "UN"),
    ("LatestPublishedVersionId", "Latest Published Version ID", "reference", 18, "FN"),
    ("FileType", "File Type", "string", 20, "FN"),
    ("FileExtension", "File Extension", "string", 40, "FN"),
    ("ContentSize", "Size", "int", 0, "FN"),
)
_DOCUMENT_MORE: dict[str, dict[str, Any]] = BY | {
    "Title": {"nameField": True},
    "OwnerId": {"referenceTo": ["User"], "relationshipName": "Owner"},
    "LatestPublishedVersionId": {
        "referenceTo": [VERSION],
        "relationshipName": "LatestPublishedVersion",
    },
}
_LINK: tuple[Spec, ...] = (
    ("LinkedEntityId", "Linked Entity ID", "reference", 18, "CF"),
    ("ContentDocumentId", "ContentDocument ID", "reference", 18, "CF"),
    ("ShareType", "Share Type", "picklist", 40, "CUFN"),
    ("Visibility", "Visibility", "picklist", 40, "CUFN"),
)
_LINK_MORE: dict[str, dict[str, Any]] = BY | {
    "LinkedEntityId": {"referenceTo": [*LINKED, "User"], "relationshipName": "LinkedEntity"},
    "ContentDocumentId": {"referenceTo": [DOCUMENT], "relationshipName": "ContentDocument"},
    "ShareType": {"restrictedPicklist": True, "picklistValues": ["V", "C", "I"]},
    "Visibility": {
        "restrictedPicklist": True,
        "picklistValues": ["*AllUsers", "InternalUsers", "SharedUsers"],
    },
}


def files_feature(options: Mapping[str, Any]) -> Feature:
    """The three objects; with ``junction_lists`` also ``EmailMessage.ContentDocumentIds``."""
    version = described_object(
        VERSION, "Content Version", "068", _VERSION, _VERSION_MORE, deletable=False
    )
    document = described_object(
        DOCUMENT, "Content Document", "069", _DOCUMENT, _DOCUMENT_MORE, createable=False
    )
    link = described_object(LINK, "Content Document Link", "06A", _LINK, _LINK_MORE)
    lists = junction("ContentDocumentIds", "Content Document IDs", [DOCUMENT])
    parents = [
        child
        for parent in LINKED
        for child in (
            Child(
                parent,
                LINK,
                "LinkedEntityId",
                "ContentDocumentLinks",
                cascade=True,
                junctions=("ContentDocumentIds",) if parent == "EmailMessage" else (),
            ),
            Child(parent, VERSION, "FirstPublishLocationId", None),
        )
    ]
    return Feature(
        objects=(version, document, link),
        fields=(("EmailMessage", lists),) if options.get("junction_lists") else (),
        children=(
            *parents,
            Child(DOCUMENT, VERSION, "ContentDocumentId", "ContentVersions", cascade=True),
            Child(DOCUMENT, LINK, "ContentDocumentId", "ContentDocumentLinks", cascade=True),
        ),
    )
