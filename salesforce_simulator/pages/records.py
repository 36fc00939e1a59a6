"""What the pages show: records with their labels, links, related lists and activities."""

from __future__ import annotations

from typing import Any

from salesforce_simulator.control.org_verbs import system_user
from salesforce_simulator.errors import OrgError
from salesforce_simulator.metadata.features import JUNCTION
from salesforce_simulator.pages.timeline import Timeline
from salesforce_simulator.pages.values import (
    Activity,
    Cell,
    Row,
    Rows,
    Shown,
    day,
    file_size,
    moment,
    quoted,
)
from salesforce_simulator.results import User
from salesforce_simulator.site import Site

TABS = ("Contact", "Lead", "Account", "Opportunity", "Case", "Task")
COLUMNS = {
    "Account": ("Name", "Type", "Industry", "Phone"),
    "Contact": ("Name", "Title", "Email", "Phone"),
    "Lead": ("Name", "Company", "Email", "Status"),
    "Opportunity": ("Name", "StageName", "Amount", "CloseDate"),
    "Case": ("CaseNumber", "Subject", "Status", "Priority"),
    "Task": ("Subject", "Status", "Priority", "ActivityDate"),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "Role", "IsPrimary"),
    "User": ("Name", "Username", "Email", "IsActive"),
    "EmailMessage": ("Subject", "FromAddress", "Incoming", "MessageDate"),
    "EmailMessageRelation": ("EmailMessageId", "RelationId", "RelationAddress", "RelationType"),
    "TaskRelation": ("RelationId", "IsWhat"),
    "ContentDocument": ("Title", "FileExtension", "ContentSize"),
    "ContentVersion": ("VersionNumber", "Title", "ContentSize", "CreatedDate"),
    "ContentDocumentLink": ("ContentDocumentId", "LinkedEntityId", "ShareType", "Visibility"),
}
_FILES = ("Files", "ContentDocumentLink", "LinkedEntityId")
_EMAILS = ("Emails", "EmailMessage", "RelatedToId")
_WRITTEN = ("Emails", "EmailMessageRelation", "RelationId")
#: object -> (title, object of the rows, field that points here)
RELATED = {
    "Account": (
        ("Contacts", "Contact", "AccountId"),
        ("Opportunities", "Opportunity", "AccountId"),
        ("Cases", "Case", "AccountId"),
        _EMAILS,
        _FILES,
    ),
    "Contact": (
        ("Cases", "Case", "ContactId"),
        ("Opportunity roles", "OpportunityContactRole", "ContactId"),
        _WRITTEN,
        _FILES,
    ),
    "Lead": (_WRITTEN, _FILES),
    "Opportunity": (
        ("Contact roles", "OpportunityContactRole", "OpportunityId"),
        _EMAILS,
        _FILES,
    ),
    "Case": (_EMAILS, _FILES),
    "Task": (
        ("People and records", "TaskRelation", "TaskId"),
        ("Emails", "EmailMessage", "ActivityId"),
        _FILES,
    ),
    "EmailMessage": (("People", "EmailMessageRelation", "EmailMessageId"), _FILES),
    "ContentDocument": (
        ("Versions", "ContentVersion", "ContentDocumentId"),
        ("Where it is", "ContentDocumentLink", "ContentDocumentId"),
    ),
}
#: Records that have no activities.
WITHOUT_TIMELINE = frozenset(
    {
        "Task",
        "User",
        "OpportunityContactRole",
        "TaskRelation",
        "EmailMessage",
        "EmailMessageRelation",
        "ContentDocument",
        "ContentVersion",
        "ContentDocumentLink",
    }
)
SEARCHED = {
    "Contact": ("Name", "Email"),
    "Lead": ("Name", "Email", "Company"),
    "Account": ("Name",),
    "Opportunity": ("Name",),
    "Case": ("CaseNumber", "Subject"),
    "Task": ("Subject",),
}
SYSTEM = (
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
    "OwnerId",
)
HIDDEN = frozenset({"Id", "IsDeleted", "PhotoUrl", "MasterRecordId", "VersionData"})
TITLES = {"Case": "Subject", "Task": "Subject", "OpportunityContactRole": "Role"}


class OrgPages:
    """Reads for the pages, as one user."""

    def __init__(self, site: Site, user: User) -> None:
        self._org, self._site, self._user = site.org, site, user
        self._timeline = Timeline(site.org, user, self._link)

    def tabs(self) -> list[dict[str, str]]:
        """The objects in the navigation."""
        names = self._queryable()
        return [{"name": n, "label": self._describe(n)["labelPlural"]} for n in TABS if n in names]

    def _queryable(self) -> set[str]:
        """The objects that the user sees and the org lets be queried."""
        entries = self._org.describe_global(self._user)["sobjects"]
        return {str(entry["name"]) for entry in entries if entry.get("queryable", True)}

    def _describe(self, object_name: str) -> dict[str, Any]:
        described = self._org.describe(self._user, object_name)
        label = described.get("label") or described["name"]
        return {"label": label, "labelPlural": f"{label}s", **described}

    def object_of(self, record_id: str) -> str | None:
        """The object whose ids start like this one."""
        for entry in self._org.describe_global(self._user)["sobjects"]:
            if entry.get("keyPrefix") == record_id[:3]:
                return str(entry["name"])
        return None

    def cards(self) -> list[dict[str, Any]]:
        """The objects of the navigation with how many records each has."""
        return [
            {
                **tab,
                "count": self._org.query(self._user, f"SELECT COUNT() FROM {tab['name']}")[
                    "totalSize"
                ],
            }
            for tab in self.tabs()
        ]

    def recent_tasks(self) -> list[Activity]:
        """The Tasks created last."""
        return self._timeline.recent(8)

    # -- lists -------------------------------------------------------------------------------------
    def listing(self, object_name: str, *, offset: int, limit: int) -> Rows:
        """A page of an object's records, newest first."""
        name = self._org.canonical_name(self._user, object_name)
        return self._rows(self._describe(name)["labelPlural"], name, None, limit, offset)

    def search(self, text: str) -> list[Rows]:
        """Records whose name, address or subject contains the text, by object."""
        groups = []
        for tab in self.tabs():
            fields = {field["name"] for field in self._describe(tab["name"])["fields"]}
            wanted = [name for name in SEARCHED[tab["name"]] if name in fields]
            if not wanted:
                continue
            where = " OR ".join(f"{name} LIKE {quoted(text, like=True)}" for name in wanted)
            found = self._rows(tab["label"], tab["name"], where, 10, 0)
            if found.rows:
                groups.append(found)
        return groups

    def _rows(
        self,
        title: str,
        object_name: str,
        where: str | None,
        limit: int,
        offset: int,
        *,
        without: str | None = None,
    ) -> Rows:
        described = self._describe(object_name)
        fields = {field["name"]: field for field in described["fields"]}
        columns = COLUMNS.get(object_name, ("Name",))
        wanted = [name for name in columns if name in fields and name != without] or ["Id"]
        clause = f" WHERE {where}" if where else ""
        order = " ORDER BY LastModifiedDate DESC" if "LastModifiedDate" in fields else ""
        offset_clause = f" OFFSET {min(offset, 2000)}" if offset else ""
        names = ", ".join(dict.fromkeys(["Id", *wanted]))
        answer = self._org.query(
            self._user,
            f"SELECT {names} FROM {object_name}{clause}{order} LIMIT {limit}{offset_clause}",
        )
        total = self._org.query(self._user, f"SELECT COUNT() FROM {object_name}{clause}")
        rows = []
        for record in answer["records"]:
            cells = tuple(self._cell(fields[name], record.get(name)) for name in wanted)
            href = cells[0].href or f"/lightning/r/{object_name}/{record['Id']}/view"
            rows.append(Row(href, cells))
        labels = tuple(_label(fields[name]) for name in wanted)
        return Rows(title, object_name, labels, tuple(rows), total["totalSize"])

    # -- one record --------------------------------------------------------------------------------
    def record(self, object_name: str, record_id: str) -> Shown:
        """Everything the record page shows; OrgError when there is no such record."""
        name = self._org.canonical_name(self._user, object_name)
        described = self._describe(name)
        values = self._org.read(self._user, name, record_id)
        fields = {field["name"]: field for field in described["fields"]}
        full_id = str(values["Id"])
        cells = {key: self._cell(field, values.get(key)) for key, field in fields.items()}
        title = self._title(name, fields, values)
        filled = [
            key for key in fields
            if key not in HIDDEN and cells[key].text and fields[key].get("type") != "address"
            and cells[key].text != title and values.get(key) is not False
        ]  # fmt: skip
        highlighted = [n for n in COLUMNS.get(name, ()) if n in filled and cells[n].text != title]
        objects = self._queryable()
        related = tuple(
            self._rows(text, child, f"{field} = {quoted(full_id)}", 10, 0, without=field)
            for text, child, field in RELATED.get(name, ())
            if child in objects and any(f["name"] == field for f in self._describe(child)["fields"])
        )
        upcoming, past = self._timeline.of(full_id)
        return Shown(
            name,
            described["label"],
            title,
            full_id,
            tuple(cells[n] for n in highlighted),
            tuple(cells[n] for n in filled if n not in SYSTEM),
            tuple(cells[n] for n in SYSTEM if n in filled),
            related,
            upcoming,
            past,
            name not in WITHOUT_TIMELINE,
        )

    def _title(self, name: str, fields: dict[str, Any], values: dict[str, Any]) -> str:
        own = next((n for n, field in fields.items() if field.get("nameField")), "Id")
        found = values.get(TITLES.get(name, own)) or values.get(own) or values["Id"]
        return str(found)

    def _cell(self, field: dict[str, Any], value: Any) -> Cell:
        label = _label(field)
        if value is None or value == "":
            return Cell(label, "")
        match field.get("type"):
            case "boolean":
                return Cell(label, "Yes" if value else "No")
            case "datetime":
                return Cell(label, moment(str(value)))
            case "date":
                return Cell(label, day(str(value)))
            case "reference":
                return self._link(label, str(value))
            case "url" if str(value).startswith(("http://", "https://")):
                return Cell(label, str(value), str(value))
            case "email":
                return Cell(label, str(value), f"mailto:{value}")
            case "currency":
                return Cell(label, f"{value:,.2f}")
            case "percent":
                return Cell(label, f"{value:g} %")
            case "picklist":
                entries = field.get("picklistValues") or ()
                labels = {entry.get("value"): entry.get("label") for entry in entries}
                return Cell(label, str(labels.get(value) or value))
            case "int" if field["name"] == "ContentSize":
                return Cell(label, file_size(int(value)))
            case kind if kind == JUNCTION:
                return Cell(label, ", ".join(self._link("", one).text for one in value))
            case "multipicklist":
                return Cell(label, ", ".join(str(value).split(";")))
        return Cell(label, str(value))

    def _link(self, label: str, record_id: str) -> Cell:
        object_name = self.object_of(record_id)
        if object_name is None:
            return Cell(label, record_id)
        fields = {f["name"]: f for f in self._describe(object_name)["fields"]}
        try:
            values = self._org.read(self._user, object_name, record_id)
        except OrgError:
            return self._unlinked(label, object_name, record_id, fields)
        title = self._title(object_name, fields, values)
        return Cell(label, title, f"/lightning/r/{object_name}/{record_id}/view")

    def _unlinked(
        self, label: str, object_name: str, record_id: str, fields: dict[str, Any]
    ) -> Cell:
        """A lookup to a record the user cannot open: its name shows all the same."""
        try:
            values = self._org.read(system_user(self._site), object_name, record_id)
        except OrgError:
            return Cell(label, f"{record_id} (deleted)")
        return Cell(label, self._title(object_name, fields, values))


def _label(field: dict[str, Any]) -> str:
    """A field's label; a reference is called after what it leads to."""
    label = str(field.get("label") or field["name"])
    kind = field.get("type")
    if kind == JUNCTION:
        return label.removesuffix(" IDs")
    return label.removesuffix(" ID") if kind == "reference" else label
