"""ActivityHistories and OpenActivities: a record's Tasks by whether they are closed.

They are read as child sets alone, and users without *View All Data* only in their fixed order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from salesforce_simulator.metadata.schema import ObjectSchema
from salesforce_simulator.query.binding import Scope
from salesforce_simulator.query.soql.complaints import plainly
from salesforce_simulator.query.soql.tree import FieldPath, OrderItem, Query

LARGEST = 499
"""Rows of one set for users without View All Data."""


@dataclass(frozen=True, slots=True)
class ActivityList:
    """Which Tasks a set shows, and as rows of which object."""

    object_name: str
    relationship: str
    closed: bool

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row of a Task as a row of the set."""
        url = row["attributes"]["url"].replace("/Task/", f"/{self.object_name}/")
        return row | {"attributes": {"type": self.object_name, "url": url}}


_LISTS = {
    "activityhistories": ActivityList("ActivityHistory", "ActivityHistories", closed=True),
    "openactivities": ActivityList("OpenActivity", "OpenActivities", closed=False),
}


def activity_list(query: Query) -> ActivityList | None:
    """The list that a child subquery is about, if it is one."""
    return _LISTS.get(query.source.lower())


def reference_of(task: ObjectSchema, parent: ObjectSchema) -> str | None:
    """The field of Task that leads to a record of the parent; an Account has the Tasks of its
    people and records, too. None for objects without activities."""
    what = task.field("WhatId")
    who = task.field("WhoId")
    if parent.name == "Account" and task.field("AccountId") is not None:
        return "AccountId"
    if who is not None and parent.name in who.references:
        return who.name
    if what is not None and parent.name in what.references:
        return what.name
    return None


def check_order(scope: Scope, query: Query) -> None:
    """The restriction on users without View All Data."""
    if "view_all_data" in scope.user.permissions:
        return
    found = _LISTS[query.source.lower()]
    way = "DESC" if found.closed else "ASC"
    wanted = [("activitydate", found.closed), ("lastmodifieddate", True)]
    given = [(_name(item), item.descending) for item in query.order_by]
    if given != wanted:
        raise plainly(
            f"There is an implementation restriction on {found.relationship}. When you query this "
            "relationship, security evaluation is implemented for users who don't have "
            "administrator permissions, and you must use a specific sort order: ActivityDate "
            f"{way}, LastModifiedDate DESC"
        )
    if query.where is not None or query.limit is None or query.limit > LARGEST:
        raise plainly(
            f"There is an implementation restriction on {found.relationship}. It takes no WHERE "
            f"and needs a LIMIT of at most {LARGEST}"
        )


def _name(item: OrderItem) -> str:
    return item.subject.text.lower() if isinstance(item.subject, FieldPath) else ""
