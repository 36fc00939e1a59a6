"""The run that archives old activities: seen by ``/queryAll`` alone, and still changeable by id."""

from __future__ import annotations

from datetime import datetime, timedelta

from salesforce_simulator.metadata.catalog import Catalog
from salesforce_simulator.store import Store
from salesforce_simulator.values import show_datetime

ACTIVITIES = ("Task", "Event")
#: The setting that says that a run has archived something.
RUNS = "archiving"
YEAR = timedelta(days=365)


def archive_activities(store: Store, catalog: Catalog, now: datetime) -> int:
    """Archive closed activities whose day is 365 days past, or that have none and were created so
    long ago; a backfilled one therefore goes at the next run. How many were archived."""
    day, moment = (now - YEAR).date().isoformat(), show_datetime(now - YEAR)
    archived = 0
    for name in ACTIVITIES:
        schema = catalog.find(name)
        if schema is None:
            continue
        for record in store.scan(name, deleted=False):
            due = record.get("ActivityDate")
            old = str(due) <= day if due else str(record.get("CreatedDate")) <= moment
            if old and record.get("IsClosed") and not record.get("IsArchived"):
                store.put(schema, record | {"IsArchived": True}, record)
                archived += 1
    if archived:
        store.set_setting(RUNS, now.isoformat(), {"archived": archived})
    return archived
