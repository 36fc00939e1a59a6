"""The timeline of a record: its Tasks, and for those of emails the direction, people and files.

A Task shows on its person and its record, with Shared Activities on all of its people. An email
shows where its Task does, so that of several people only the Task's own sees it there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from salesforce_simulator.org import Org
from salesforce_simulator.pages.values import Activity, Cell, People, day, file_size, moment, quoted
from salesforce_simulator.results import User

_PLACES = {"FromAddress": "From", "ToAddress": "To", "CcAddress": "Cc", "BccAddress": "Bcc"}
_TASK = "Id, Subject, Description, Status, ActivityDate, CreatedDate, TaskSubtype"
_MESSAGE = (
    "Id, ActivityId, Subject, TextBody, Incoming, FromName, FromAddress, ToAddress, CcAddress, "
    "MessageDate, CreatedById, Status"
)
Link = Callable[[str, str], Cell]


class Timeline:
    """Reads activities as one user; ``link`` makes a cell out of a label and a record's id."""

    def __init__(self, org: Org, user: User, link: Link) -> None:
        self._org = org
        self._user = user
        self._link = link
        entries = org.describe_global(user)["sobjects"]
        self._objects = frozenset(
            str(entry["name"]) for entry in entries if entry.get("queryable", True)
        )

    def recent(self, limit: int) -> list[Activity]:
        """The Tasks created last."""
        return self._activities("Id != null", ("CreatedDate DESC",), limit)

    def of(self, record_id: str) -> tuple[tuple[Activity, ...], tuple[Activity, ...]]:
        """What is to be done about a record, and what has been done."""
        account = record_id.startswith("001")
        places = ("AccountId" if account else "WhoId", "WhatId")
        clauses = [f"{name} = {quoted(record_id)}" for name in places if self._has("Task", name)]
        shared = self._in("TaskRelation", "RelationId, TaskId", "RelationId", [record_id])
        if shared:
            ids = ", ".join(quoted(row["TaskId"]) for row in shared)
            clauses.append(f"Id IN ({ids})")
        if not clauses:
            return (), ()
        here = f"({' OR '.join(clauses)})"
        by_day = ("ActivityDate DESC NULLS LAST", "CreatedDate DESC")
        if not self._has("Task", "IsClosed"):
            return (), tuple(self._activities(here, by_day, 50, newest_first=True))
        upcoming = self._activities(f"{here} AND IsClosed = false", ("ActivityDate ASC",), 50)
        past = self._activities(f"{here} AND IsClosed = true", by_day, 50, newest_first=True)
        return tuple(upcoming), tuple(past)

    def _activities(
        self, where: str, order: Sequence[str], limit: int, *, newest_first: bool = False
    ) -> list[Activity]:
        """The Tasks of a condition, in an order of which fields that are not there are left out."""
        if "Task" not in self._objects:
            return []
        wanted = _TASK.split(", ")
        known = ", ".join(name for name in wanted if self._has("Task", name))
        sorting = ", ".join(one for one in order if self._has("Task", one.split()[0]))
        clause = f" ORDER BY {sorting}" if sorting else ""
        soql = f"SELECT {known} FROM Task WHERE {where}{clause} LIMIT {limit}"
        tasks: list[dict[str, Any]] = [dict.fromkeys(wanted) | r for r in self._rows(soql)]
        ids = [str(task["Id"]) for task in tasks]
        messages = {
            m["ActivityId"]: m for m in self._in("EmailMessage", _MESSAGE, "ActivityId", ids)
        }
        message_ids = [str(message["Id"]) for message in messages.values()]
        relations = self._in(
            "EmailMessageRelation",
            "EmailMessageId, RelationId, RelationType, RelationAddress",
            "EmailMessageId",
            message_ids,
        )
        files = self._files([*ids, *message_ids])
        shared = self._in("TaskRelation", "TaskId, RelationId, IsWhat", "TaskId", ids)
        if newest_first:  # emails of one day by their own time

            def moment_of(task: dict[str, Any]) -> tuple[str, str]:
                message = messages.get(task["Id"], {})
                at = message.get("MessageDate") or task["CreatedDate"] or ""
                return str(task["ActivityDate"] or ""), str(at)

            tasks.sort(key=moment_of, reverse=True)
        shown = []
        for task in tasks:
            message = messages.get(task["Id"])
            if message is None:
                people = [row for row in shared if row["TaskId"] == task["Id"]]
                shown.append(self._plain(task, people, files.get(task["Id"], ())))
            else:
                people = [row for row in relations if row["EmailMessageId"] == message["Id"]]
                both = (*files.get(task["Id"], ()), *files.get(message["Id"], ()))
                shown.append(self._email(task, message, people, both))
        return shown

    def _rows(self, soql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._org.query(self._user, soql)["records"]
        return found

    def _in(
        self, object_name: str, fields: str, field: str, ids: Sequence[str]
    ) -> list[dict[str, Any]]:
        """The records of an object whose ``field`` holds one of the ids. A field that the object
        lacks, as a trimmed recording may, is None."""
        wanted = fields.split(", ")
        known = [name for name in wanted if self._has(object_name, name)]
        if not ids or field not in known:
            return []
        listed = ", ".join(map(quoted, ids))
        soql = f"SELECT {', '.join(known)} FROM {object_name} WHERE {field} IN ({listed})"
        return [dict.fromkeys(wanted) | row for row in self._rows(soql)]

    def _has(self, object_name: str, name: str) -> bool:
        if object_name not in self._objects:
            return False
        head, dot, _ = name.partition(".")
        described = self._org.describe(self._user, object_name)["fields"]
        return (head + "Id" if dot else head) in {field["name"] for field in described}

    # -- Tasks -------------------------------------------------------------------------------------
    def _plain(
        self, task: dict[str, Any], people: Sequence[dict[str, Any]], files: Sequence[Cell]
    ) -> Activity:
        """A Task without a message. Of subtype Email it always reads as one that was sent, since
        only EmailMessage.Incoming carries the direction."""
        subtype = str(task["TaskSubtype"] or "Task")
        who = [self._link("With", row["RelationId"]) for row in people if not row["IsWhat"]]
        due = task["ActivityDate"]
        return Activity(
            f"/lightning/r/Task/{task['Id']}/view",
            str(task["Subject"] or "(no subject)"),
            str(task["Description"] or ""),
            str(task["Status"] or ""),
            day(str(due)) if due else moment(str(task["CreatedDate"] or "")),
            subtype,
            headline="You sent an email" if subtype == "Email" else "",
            people=(People("With", tuple(who)),) if who else (),
            files=tuple(files),
        )

    # -- emails ------------------------------------------------------------------------------------
    def _email(
        self,
        task: dict[str, Any],
        message: dict[str, Any],
        relations: Sequence[dict[str, Any]],
        files: Sequence[Cell],
    ) -> Activity:
        people = self._people(message, relations)
        mine = message["CreatedById"] == self._user.id
        agent = "you" if mine else self._link("", message["CreatedById"]).text
        if message["Status"] == "5":
            way, headline = "Draft", ""
        elif message["Incoming"]:
            way = "Received"
            sender = next((one for one in people if one.label == "From"), None)
            name = sender.cells[0].text if sender is not None else "Somebody"
            headline = f"{name} sent {agent} an email"
        else:
            way = "Sent"
            to = next((one for one in people if one.label == "To"), None)
            names = ", ".join(cell.text for cell in to.cells) if to is not None else ""
            headline = f"{agent[:1].upper()}{agent[1:]} sent an email" + (names and f" to {names}")
        return Activity(
            f"/lightning/r/EmailMessage/{message['Id']}/view",
            str(message["Subject"] or "(no subject)"),
            str(message["TextBody"] or ""),
            str(task["Status"] or ""),
            moment(str(message["MessageDate"])),
            "Email",
            way=way,
            headline=headline,
            people=people,
            files=tuple(files),
        )

    def _people(
        self, message: dict[str, Any], relations: Sequence[dict[str, Any]]
    ) -> tuple[People, ...]:
        """Everybody by their place: records by name, strangers by address."""
        found: dict[str, list[Cell]] = {label: [] for label in _PLACES.values()}
        for row in relations:
            label = _PLACES.get(row["RelationType"], "Others")
            person = row["RelationId"]
            address = str(row["RelationAddress"] or "")
            cell = self._link(label, person) if person else Cell(label, address)
            found.setdefault(label, []).append(cell)
        if not found["From"]:
            name = message["FromName"] or message["FromAddress"]
            found["From"] = [Cell("From", str(name))] if name else []
        for field, label in (("ToAddress", "To"), ("CcAddress", "Cc")):
            addresses = [one.strip() for one in str(message[field] or "").split(";")]
            found[label] += [Cell(label, address) for address in addresses if address]
        return tuple(People(label, tuple(cells)) for label, cells in found.items() if cells)

    # -- files -------------------------------------------------------------------------------------
    def _files(self, ids: Sequence[str]) -> dict[str, list[Cell]]:
        rows = self._in(
            "ContentDocumentLink",
            "LinkedEntityId, ContentDocumentId, ContentDocument.Title, "
            "ContentDocument.FileExtension, ContentDocument.ContentSize",
            "LinkedEntityId",
            ids,
        )
        found: dict[str, list[Cell]] = {}
        for row in rows:
            document = row["ContentDocument"]
            if document is None:
                continue
            extension = document["FileExtension"]
            name = f"{document['Title']}.{extension}" if extension else str(document["Title"])
            text = f"{name} ({file_size(int(document['ContentSize'] or 0))})"
            href = f"/lightning/r/ContentDocument/{row['ContentDocumentId']}/view"
            found.setdefault(row["LinkedEntityId"], []).append(Cell("File", text, href))
        return found
