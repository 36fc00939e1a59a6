"""A database as version 0.1.0 left it: rows of every table, in every state that it knew.

Written with what the tables of revision 0001 have, not with the models, which move on.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from keeping_plugin.models.migrate import PREFIX
from tools.sample_rows import fill

RELEASED = "0001"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORG = "00D000000000001AAA"
USER = "005000000000001AAA"

STATES = ("pending", "sending", "waiting", "done", "failed", "cancelled")
REASONS = {
    "pending": ("", "contact_first", "unavailable", "person_gone", "rate_limited"),
    "sending": ("", "outcome_unclear"),
    "waiting": ("no_contact",),
    "done": ("created", "exists", "logged", "duplicate_rule", "confirmed"),
    "failed": ("rejected", "outcome_unknown", "no_outcome", "permission_denied"),
    "cancelled": ("disconnected", "other_org", "switched_off", "message_deleted", "no_contact"),
}
CONNECTIONS: tuple[dict[str, Any], ...] = (
    {"status": "live"},
    {"status": "live", "paused_until": NOW, "pause_reason": "rate_limited", "outages": 3},
    {"status": "live", "refresh_owner": "worker", "refresh_until": NOW},
    {"status": "live", "timeouts": 2, "activity_key_field": "Keeping_Key__c", "preflight": "{}"},
    {"status": "lost", "tokens": None, "lost_at": NOW, "lost_reason": "expired"},
    {
        "status": "disconnected",
        "current": False,
        "tokens": None,
        "disconnected_at": NOW,
        "epoch": 2,
    },
    {"status": "disconnected", "current": False, "confirmed": False},
)


def tables(connection: sa.Connection) -> dict[str, sa.Table]:
    """Our tables as they stand in this database, by name."""
    metadata = sa.MetaData()
    metadata.reflect(connection, only=lambda name, _: name.startswith(PREFIX))
    return dict(metadata.tables)


def write(connection: sa.Connection, known: dict[str, sa.Table], *, run: int = 0) -> None:
    """What 0.1.0 writes into the tables that it knows; `run` tells one time from the next."""
    first = 1 + 1_000 * run
    rows = [_connection(first + n, values) for n, values in enumerate(CONNECTIONS)]
    connection.execute(known["keeping_connection"].insert(), rows)
    connection.execute(known["keeping_sync_entry"].insert(), list(_entries(first)))
    decisions = [_decision(first, n) for n in range(3)]
    connection.execute(known["keeping_decision"].insert(), decisions)
    runs = [
        _run(first, n, state) for n, state in enumerate(("running", "paused", "done", "cancelled"))
    ]
    connection.execute(known["keeping_backfill_run"].insert(), runs)
    revocations = [
        _revocation(first, n, state) for n, state in enumerate(("pending", "done", "given_up"))
    ]
    connection.execute(known["keeping_revocation"].insert(), revocations)
    if run == 0:
        fill(connection, prefix=PREFIX)  # every other table, every column of it
    if connection.dialect.name == "postgresql":
        for table in known.values():
            if "id" in table.c and isinstance(table.c.id.type, sa.Integer):
                _count_on(connection, table)


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """The rows were given their ids; 0.1.0 had the database number them."""
    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
    newest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
    connection.execute(sa.select(sa.func.setval(sequence, newest)))


def _connection(number: int, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": number,
        "company_id": f"company-{number}",
        "org_id": ORG,
        "current": True,
        "status": "live",
        "epoch": 1,
        "org_name": "Acme",
        "is_sandbox": False,
        "instance_url": "https://acme.my.salesforce.com",
        "login_url": "https://login.salesforce.com",
        "identity_url": f"https://login.salesforce.com/id/{ORG}/{USER}",
        "user_id": USER,
        "username": "ada@acme.example.com",
        "scope": "api refresh_token openid",
        "tokens": b"sealed",
        "token_version": 3,
        "refresh_owner": None,
        "refresh_until": None,
        "connected_at": NOW - timedelta(days=20),
        "connected_by": "ada",
        "confirmed": True,
        "lost_at": None,
        "lost_reason": "",
        "disconnected_at": None,
        "disconnected_by": None,
        "api_used": 10,
        "api_limit": 15_000,
        "api_seen_at": NOW,
        "server_date": NOW,
        "paused_until": None,
        "pause_reason": "",
        "timeouts": 0,
        "outages": 0,
        "task_status": "Completed",
        "activity_key_field": None,
        "preflight": None,
        **values,
    }


def _entries(first: int) -> Any:
    """Every state with every reason, for both actions and lanes, with and without a mark and a
    claim."""
    number = 10 * first
    for state, action, lane, marked, claimed in itertools.product(
        STATES, ("ADD_CONTACT", "LOG_TASK"), ("a-live", "b-backfill"), (True, False), (True, False)
    ):
        for reason in REASONS[state]:
            number += 1
            settled = state in ("done", "failed", "cancelled")
            yield {
                "id": number,
                "connection_id": first + number % len(CONNECTIONS),
                "company_id": f"company-{first + number % len(CONNECTIONS)}",
                "mailbox_id": "sales",
                "conversation_id": f"c-{number}",
                "message_id": f"m-{number}",
                "action": action,
                "lane": lane,
                "run_id": None if lane == "a-live" else first,
                "epoch": 1,
                "address": f"p{number}@customer.example",
                "created_at": NOW - timedelta(hours=1),
                "state": state,
                "reason": reason,
                "words": '[["FIELD_CUSTOM_VALIDATION_EXCEPTION","No",[]]]' if settled else None,
                "due_at": None if settled else NOW,
                "settled_at": NOW if settled else None,
                "attempts": number % 3,
                "retries": number % 5,
                "waiting_since": NOW if state == "waiting" else None,
                "looks": number % 4,
                "batch_size": (None, 10, 1)[number % 3],
                "claim": "claim" if claimed else None,
                "claimed_until": NOW if claimed else None,
                "sent_at": NOW if marked else None,
                "sent_user_id": USER if marked else None,
                "sent_after": NOW if marked else None,
                "sent_epoch": 1 if marked else None,
                "record_id": "00T000000000001AAA" if state == "done" else None,
                "contact_id": None,
                "candidates": 1,
            }


def _decision(first: int, n: int) -> dict[str, Any]:
    return {
        "id": 10 * first + n,
        "connection_id": first,
        "company_id": f"company-{first}",
        "mailbox_id": "sales",
        "conversation_id": f"c-{first}",
        "message_id": f"d-{n}",
        "occasion": ("live", f"backfill:{first}", "live")[n],
        "decided_at": NOW,
        "rules_version": "1",
        "verdicts": "[]",
        "refused": n == 0,
        "facts": None if n else "{}",
    }


def _run(first: int, n: int, state: str) -> dict[str, Any]:
    ended = state in ("done", "cancelled")
    return {
        "id": first + n,
        "connection_id": first,
        "epoch": 1,
        "company_id": f"company-{first}",
        "mailbox_id": f"box-{n}",
        "since": NOW - timedelta(days=90),
        "started_by": "ada",
        "started_at": NOW,
        "finished_at": NOW if ended else None,
        "state": state,
        "after_id": "m-1",
        "seen": 5,
        "granted": 3,
        "reached_at": NOW,
        "claim": "job" if state == "running" else None,
        "claimed_until": NOW if state == "running" else None,
        "due_at": None if ended else NOW,
    }


def _revocation(first: int, n: int, state: str) -> dict[str, Any]:
    pending = state == "pending"
    return {
        "id": first + n,
        "connection_id": first + 5,
        "tokens": b"sealed" if pending else None,
        "created_at": NOW,
        "try_until": NOW + timedelta(days=1),
        "due_at": NOW if pending else None,
        "attempts": n,
        "state": state,
        "reason": "unavailable" if pending else "",
    }
