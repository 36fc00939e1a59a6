"""May a record be deleted again? Pure, from what Salesforce was found to hold."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from datetime import timedelta

from keeping_plugin.objects import TASK
from keeping_plugin.types import Inspected, Inspection, ObjectSchema, Related

# A trigger or a flow of the org may save the record once more while it is created; that call is
# answered or abandoned within 20 s.
SAVED_WITH = timedelta(seconds=20)
MAX_TASKS = 199  # beside their person: a step deletes at most 200 records

# What Salesforce keeps of a record by itself, and views of what another relationship holds; none is
# anybody's work (Object Reference).
_BOOKKEEPING = frozenset(
    {
        "ActivityHistories",
        "AttachedContentDocuments",
        "CombinedAttachments",
        "ContactCleanInfos",
        "DuplicateRecordItems",
        "FeedSubscriptionsForEntity",
        "Histories",
        "LeadCleanInfos",
        "NotesAndAttachments",
        "OpenActivities",
        "RecordActionHistories",
        "RecordActions",
        "Shares",
        "TaskWhoRelations",
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`left` is why a record is not deleted, a code of wording.corrections.LEFT; "" if it may be.
    `gone`: our own earlier call has deleted it. `tasks` are ours, and go with it."""

    left: str = ""
    detail: str = ""
    gone: bool = False
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known besides the records: who is connected, which Tasks the ledger knows as made by
    us, and which records agents made or changed in the panel."""

    user_id: str
    our_tasks: Container[str]
    agents_records: Container[str]


def worth_asking(schema: ObjectSchema) -> tuple[Related, ...]:
    """The relationships that may hold somebody's work. A standard one without a name cannot be
    asked for record by record: those are Salesforce's own (change events, insights)."""
    return tuple(
        each
        for each in schema.related
        if each.name not in _BOOKKEEPING
        and (each.name or each.object.endswith("__c") or each.object == "TaskRelation")
    )


def judge(
    record_id: str, inspection: Inspection, evidence: Evidence, *, sent: bool = False
) -> Verdict:
    """What becomes of one record; `sent`: a call that deletes it has left, and nobody knows yet
    what became of that."""
    record = inspection.records.get(record_id)
    if record is None:
        return Verdict("unclear" if sent else "not_visible")
    tasks = inspection.tasks.get(record_id, ())
    # Deleted by whoever was connected when the call left, perhaps not the user of today: it was
    # sent only because the same user had created it.
    if record.deleted and sent and record.modified_by == record.created_by:
        along = (task.id for task in tasks if task.deleted and task.id in evidence.our_tasks)
        return Verdict(gone=True, tasks=tuple(along))
    if record.deleted:
        return Verdict("gone")
    if record.converted:
        return Verdict("converted")
    if record.created_by != evidence.user_id:
        return Verdict("other_user")
    if _is_changed(record, evidence):
        return Verdict("changed")
    others = inspection.others.get(record_id, ())
    if others:
        return Verdict("has_records", ", ".join(others))
    if inspection.unreadable:
        return Verdict("unreadable", ", ".join(inspection.unreadable))
    return _with_tasks([task for task in tasks if not task.deleted], evidence)


def _with_tasks(tasks: Collection[Inspected], evidence: Evidence) -> Verdict:
    if any(task.id not in evidence.our_tasks for task in tasks):
        return Verdict("has_records", TASK.name)
    if any(_is_changed(task, evidence) for task in tasks):
        return Verdict("task_changed")
    if len(tasks) > MAX_TASKS:
        return Verdict("too_many_tasks")
    return Verdict(tasks=tuple(task.id for task in tasks))


def _is_changed(record: Inspected, evidence: Evidence) -> bool:
    return (
        record.modified_by != record.created_by
        or record.modified_at - record.created_at > SAVED_WITH
        or record.id in evidence.agents_records
    )


def fitting(verdicts: Iterable[tuple[int, Verdict]], most: int) -> list[int]:
    """The items to delete in one step, in order, with at most so many records in all."""
    chosen: list[int] = []
    left = most
    for item_id, verdict in verdicts:
        if verdict.left or verdict.gone:
            continue
        size = 1 + len(verdict.tasks)
        if size > left and chosen:
            break
        chosen.append(item_id)
        left -= size
    return chosen
