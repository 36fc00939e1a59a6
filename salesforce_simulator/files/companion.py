"""Files beside the saves: a version makes its document and its links."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.errors import refuse
from salesforce_simulator.files import limits
from salesforce_simulator.files.described import DOCUMENT, LINK, VERSION
from salesforce_simulator.mail.messages import require_open
from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.records.companions import Companion
from salesforce_simulator.records.saves import Saves
from salesforce_simulator.results import User
from salesforce_simulator.store import Record, Store

MESSAGE = "EmailMessage"
LIST = "ContentDocumentIds"
_TYPES = {"txt": "TEXT", "jpg": "JPG", "jpeg": "JPG", "docx": "WORD_X", "xlsx": "EXCEL_X"}


class Files(Companion):
    """Without effect until the org has the feature ``files``."""

    def __init__(self, store: Store, catalog: Catalog, saves: Saves, clock: OrgClock) -> None:
        self._store = store
        self._catalog = catalog
        self._saves = saves
        self._clock = clock

    @property
    def _options(self) -> dict[str, Any] | None:
        return self._catalog.features.get("files")

    # -- before a save -----------------------------------------------------------------------------
    def check(
        self, user: User, schema: ObjectSchema, changes: Record, before: Record | None
    ) -> None:
        options = self._options
        if options is None:
            return
        if before is None and options.get("data_storage_bytes") is not None:
            if schema.name not in {VERSION, LINK}:
                limit = int(options["data_storage_bytes"])
                limits.check_record(self._store, self._catalog, changes, limit)
        if schema.name == VERSION and before is None:
            self._check_version(user, changes, options)
        elif schema.name == LINK and before is None:
            self._check_link(user, changes)

    def _check_version(self, user: User, changes: Record, options: dict[str, Any]) -> None:
        given = changes.pop("VersionData", None)
        needed = {"VersionData": given, "PathOnClient": changes.get("PathOnClient")}
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise refuse("REQUIRED_FIELD_MISSING", message, missing)
        try:
            data = base64.b64decode(str(given), validate=True)
        except binascii.Error:
            message = "VersionData: the value is not base64"
            raise refuse("JSON_PARSER_ERROR", message, None) from None
        name = PurePosixPath(PureWindowsPath(str(changes["PathOnClient"])).name)
        extension = name.suffix.lower().lstrip(".")[:40] or None
        changes |= {
            "FileExtension": extension,
            "FileType": _TYPES.get(extension or "", (extension or "unknown").upper())[:20],
            "ContentSize": len(data),
            "Checksum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        }
        if not changes.get("Title"):
            changes["Title"] = (name.stem or str(name))[:255]
        limits.check_file(self._store, changes, data, options, self._clock.now())
        if changes.get("FirstPublishLocationId"):
            self._require_open(user, changes["FirstPublishLocationId"])
        self._store.put_blob(changes["Checksum"], data)

    def _check_link(self, user: User, changes: Record) -> None:
        entity, document = changes.get("LinkedEntityId"), changes.get("ContentDocumentId")
        if not entity or not document:
            return  # required, which is looked at later
        self._require_open(user, entity)
        if any(link["LinkedEntityId"] == entity for link in self._links(document)):
            message = (
                "duplicate value found: <unknown> duplicates value on record with id: <unknown>"
            )
            raise refuse("DUPLICATE_VALUE", message)

    def _require_open(self, user: User, entity: str) -> None:
        """Files of a message follow the same rule as its people."""
        found = self._store.get(entity)
        if found is not None and found[0] == MESSAGE:
            require_open(user, found[1], "LinkedEntityId")

    # -- after a save ------------------------------------------------------------------------------
    def saved(
        self, user: User, schema: ObjectSchema, record: Record, before: Record | None
    ) -> None:
        if self._options is None:
            return
        if schema.name == VERSION and before is None:
            self._publish(user, schema, record)
        elif schema.name == LINK:
            self._show(record)
        elif schema.name == MESSAGE:
            for document in record.get(LIST) or ():
                if all(row["LinkedEntityId"] != record["Id"] for row in self._links(document)):
                    self._link(user, document, record["Id"], "V")

    def _publish(self, user: User, schema: ObjectSchema, record: Record) -> None:
        """The document of a version: a new one with its links, or the next version of one."""
        documents = self._catalog.get(DOCUMENT)
        shown = ("Title", "Description", "FileType", "FileExtension", "ContentSize", "OwnerId")
        values = {name: record.get(name) for name in shown}
        document = record.get("ContentDocumentId")
        found = self._store.get(document) if document else None
        number = 1
        if found is None:
            document = self._saves.create_row(user, DOCUMENT, values)
        else:
            number += len(self._versions(str(document), record["Id"]))
            for older in self._versions(str(document), record["Id"]):
                self._store.put(schema, older | {"IsLatest": False}, older)
        latest = {
            "ContentDocumentId": document,
            "IsLatest": True,
            "VersionNumber": str(number),
        }
        self._store.put(schema, record | latest, record)
        stored = self._store.get(str(document))
        assert stored is not None
        published = stored[1] | values | {"LatestPublishedVersionId": record["Id"]}
        self._store.put(documents, published, stored[1])
        if found is None:
            self._link(user, str(document), record["OwnerId"], "I")
            if record.get("FirstPublishLocationId"):
                self._link(user, str(document), record["FirstPublishLocationId"], "V")

    def _link(self, user: User, document: str, entity: str, share: str) -> None:
        values = {"ContentDocumentId": document, "LinkedEntityId": entity, "ShareType": share}
        self._saves.create_row(user, LINK, values)

    def _show(self, link: Record) -> None:
        """A message shows that it has files, and which."""
        found = self._store.get(link["LinkedEntityId"])
        if found is None or found[0] != MESSAGE or found[1].get("IsDeleted"):
            return
        schema, message = self._catalog.get(MESSAGE), found[1]
        links = self._where(LINK, "LinkedEntityId", message["Id"])
        shown = message | {"HasAttachment": bool(links)}
        if schema.field(LIST) is not None:
            shown[LIST] = [one["ContentDocumentId"] for one in links] or None
        self._store.put(schema, shown, message)

    def left(self, user: User, schema: ObjectSchema, record: Record) -> None:
        if self._options is not None and schema.name == LINK:
            self._show(record)

    def moved(self, user: User, old: str, new: str) -> None:
        """Each file is linked once; those of a Lead go to the Contact it became (assumed)."""
        if self._options is None:
            return
        schema, seen = self._catalog.get(LINK), set()
        rows = [
            *self._where(LINK, "LinkedEntityId", new),
            *self._where(LINK, "LinkedEntityId", old),
        ]
        for row in rows:
            if row["ContentDocumentId"] in seen:
                self._store.drop(schema, row)
            elif row["LinkedEntityId"] != new:
                self._store.put(schema, row | {"LinkedEntityId": new}, row)
            seen.add(row["ContentDocumentId"])

    def restored(
        self, user: User, schema: ObjectSchema, record: Record, together: frozenset[str]
    ) -> None:
        if self._options is not None and schema.name == LINK:
            self._show(record)

    # -- rows --------------------------------------------------------------------------------------
    def _links(self, document: str) -> list[Record]:
        return self._where(LINK, "ContentDocumentId", document)

    def _versions(self, document: str, without: str) -> list[Record]:
        found = self._where(VERSION, "ContentDocumentId", document)
        return [row for row in found if row["Id"] != without]

    def _where(self, object_name: str, name: str, value: str) -> list[Record]:
        schema = self._catalog.get(object_name)
        field = schema.field(name)
        ids = set() if field is None else self._store.ids_equal(schema.name, field, [value])
        found = self._store.get_many(sorted(ids)).values()
        return [row for row in found if not row.get("IsDeleted")]
