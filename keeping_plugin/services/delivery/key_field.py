"""The org's unique field for our Tasks, lost while mail is on its way."""

from __future__ import annotations

from sqlalchemy.orm import Session

from keeping_plugin.errors import SalesforceError
from keeping_plugin.models import now
from keeping_plugin.services.delivery.batch import Batch
from keeping_plugin.services.schema import describe, task_key


def refuses_key_field(batch: Batch, error: SalesforceError) -> bool:
    """Whether Salesforce refuses Tasks because of this field."""
    return task_key.is_refused(error, batch.connection.activity_key_field)


def lose_key_field(session: Session, batch: Batch) -> None:
    """Send without it from now on, and have the org described again; the sweep rings for that, if
    nobody else does."""
    task_key.keep(session, batch.connection.id, None)
    describe.start_load(session, batch.connection.id, at=now(session))
