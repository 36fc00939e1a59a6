"""RQ's entry points: four lines each. Everything they do stands in services."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from rq.timeouts import BaseTimeoutException

from keeping_plugin.services.automation.backfill import advance
from keeping_plugin.services.connection import revocation
from keeping_plugin.services.corrections import account_writes
from keeping_plugin.services.corrections import undo as undoing
from keeping_plugin.services.delivery.drain import drain as drain_connection
from keeping_plugin.services.people import agents
from keeping_plugin.services.people import preflight as people
from keeping_plugin.services.runtime import Runtime
from keeping_plugin.services.schema import describe as schema
from keeping_plugin.state import current_runtime

log = logging.getLogger("keeping_plugin.jobs")


class JobFailed(Exception):
    """A job ended in an error that was logged by its type. RQ keeps an exception's text in Redis,
    and the text of a database or Salesforce error may hold customer data: this one holds none."""


def _run(name: str, row_id: int, work: Callable[[Runtime], None]) -> None:
    began = time.monotonic()
    outcome = "ok"
    try:
        work(current_runtime())
    except BaseTimeoutException:
        outcome = "timeout"
        raise
    except Exception as error:  # noqa: BLE001  the one place around a job
        outcome = type(error).__name__
        raise JobFailed(outcome) from None
    finally:
        seconds = round(time.monotonic() - began, 3)
        log.info(
            "job", extra={"job": name, "row_id": row_id, "outcome": outcome, "seconds": seconds}
        )


def drain(connection_id: int) -> None:
    """Send what this connection owes."""
    _run("drain", connection_id, lambda runtime: drain_connection(runtime, connection_id))


def describe(connection_id: int) -> None:
    """Read the org's objects and fields again, once a day also which users its agents are, and look
    up Accounts whose attaching got no answer."""

    def work(runtime: Runtime) -> None:
        schema.describe(runtime, connection_id, more=people.lines(runtime))
        agents.refresh_daily(runtime, connection_id)
        account_writes.settle_daily(runtime, connection_id)

    _run("describe", connection_id, work)


def backfill(run_id: int) -> None:
    """Take a backfill run some pages further."""
    _run("backfill", run_id, lambda runtime: advance(runtime, run_id))


def revoke(revocation_id: int) -> None:
    """Give a grant back to Salesforce."""
    _run("revoke", revocation_id, lambda runtime: revocation.revoke(runtime, revocation_id))


def undo(run_id: int) -> None:
    """Take an undo some steps further."""
    _run("undo", run_id, lambda runtime: undoing.advance(runtime, run_id))
