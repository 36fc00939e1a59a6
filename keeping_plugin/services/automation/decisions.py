"""Judge a message and write what that calls for; read the judgement again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection as DbConnection
from sqlalchemy import func, select

from keeping_plugin.models import INSERTS, LIVE_OCCASION, Decision, Lane, SyncEntry
from keeping_plugin.rules import (
    BY_HAND,
    RULES,
    RULES_VERSION,
    Facts,
    Policy,
    Rule,
    Verdict,
    decide,
)
from keeping_plugin.services.ledger import entries
from keeping_plugin.types import Action, MessageArrived


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a message is judged, and by which rules: it arrived, a backfill reached it, or an agent
    logs it by hand. `reopens`: an entry that was cancelled before it was ever sent is granted
    again."""

    name: str = LIVE_OCCASION
    lane: Lane = Lane.LIVE
    run_id: int | None = None
    rules: tuple[Rule, ...] = RULES
    reopens: bool = False


LIVE = Occasion()
_BACKFILL = "backfill:"
_BY_HAND = "agent:"
_CORRECTED = "corrected:"


def backfill_occasion(run_id: int) -> Occasion:
    """The occasion of one backfill run: behind live mail, with Decisions of its own."""
    return Occasion(f"{_BACKFILL}{run_id}", Lane.BACKFILL, run_id, reopens=True)


def by_hand_occasion(database: DbConnection, message: MessageArrived) -> Occasion:
    """The occasion for an agent logging this message, numbered for each time it is asked."""
    earlier = database.scalar(
        select(func.count()).where(
            Decision.company_id == message.company_id,
            Decision.message_id == message.message_id,
            Decision.occasion.startswith(_BY_HAND),
        )
    )
    return Occasion(f"{_BY_HAND}{(earlier or 0) + 1}", rules=BY_HAND, reopens=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """`entries` counts rows that are owed now and were not before; `is_new` is false for a message
    that was judged on this occasion already, of which nothing is written again."""

    verdicts: tuple[Verdict, ...]
    is_new: bool
    entries: int


def corrected_occasion(entry: SyncEntry) -> Occasion:
    """The occasion of a message whose customer the host has corrected while this entry, claimed by
    a batch, was owed; what is granted anew stands in the entry's lane."""
    return Occasion(f"{_CORRECTED}{entry.claim}", Lane(entry.lane), entry.run_id)


def is_backfill(decision: Decision) -> bool:
    """Whether a backfill had the message judged."""
    return decision.occasion.startswith(_BACKFILL)


def judge_and_write(
    database: DbConnection,
    message: MessageArrived,
    policy: Policy,
    *,
    connection_id: int,
    epoch: int,
    occasion: Occasion = LIVE,
    judged_before: bool = True,
) -> Judged:
    """One Decision with every verdict, and one entry per granted action, in the caller's
    transaction. Of the same message delivered again, even at the same moment, one is written, and
    an action that was granted on another occasion is not asked for again, though retention may
    have removed its entry. `judged_before`: False when there is no other occasion, which saves
    asking."""
    facts = Facts.of(message, policy)
    verdicts = decide(occasion.rules, facts)
    common: dict[str, Any] = {
        "connection_id": connection_id,
        "company_id": message.company_id,
        "mailbox_id": message.mailbox_id,
        "conversation_id": message.conversation_id,
        "message_id": message.message_id,
    }
    decision = {
        **common,
        "occasion": occasion.name,
        "rules_version": RULES_VERSION,
        "verdicts": [[verdict.action.value, list(verdict.reasons)] for verdict in verdicts],
        "refused": not any(verdict.granted for verdict in verdicts),
        "facts": facts.kept(),
    }
    if database.dialect.name == "sqlite":
        decision["decided_at"] = datetime.now(UTC)
    written = database.execute(_WRITE[database.dialect.name], decision).one_or_none()
    if written is None:
        return Judged(verdicts, False, 0)
    time = written.decided_at
    rows = [
        {
            **common,
            "action": verdict.action,
            "lane": occasion.lane,
            "run_id": occasion.run_id,
            "epoch": epoch,
            "address": facts.address,
            "created_at": time,
            "by_agent": policy.asked_by or None if verdict.action == Action.LOG_TASK else None,
        }
        for verdict in verdicts
        if verdict.granted
    ]
    if not rows:
        return Judged(verdicts, True, 0)
    granted = _granted_before(database, common, occasion) if judged_before else frozenset()
    if occasion.reopens:
        again = (
            entries.grant_again(database, row, granted_before=row["action"] in granted)
            for row in rows
        )
        return Judged(verdicts, True, sum(again))
    rows = [row for row in rows if row["action"] not in granted]
    if not rows:
        return Judged(verdicts, True, 0)
    return Judged(verdicts, True, entries.grant(database, rows))


def _granted_before(
    database: DbConnection, message: Mapping[str, Any], occasion: Occasion
) -> frozenset[str]:
    """The actions that the message's other Decisions granted."""
    earlier = database.scalars(
        select(Decision.verdicts).where(
            Decision.company_id == message["company_id"],
            Decision.message_id == message["message_id"],
            Decision.connection_id == message["connection_id"],
            Decision.occasion != occasion.name,
        )
    )
    return frozenset(action for verdicts in earlier for action, why in verdicts if not why)


def _writing(insert: Any, **clock: Any) -> Any:
    written = insert(Decision).values(clock).on_conflict_do_nothing()
    return written.returning(Decision.id, Decision.decided_at)


# Kept whole: building them would cost the host's request more than executing them does.
_WRITE = {
    "sqlite": _writing(INSERTS["sqlite"]),
    # The clock by which the drain compares due times: the database's (models/database).
    "postgresql": _writing(INSERTS["postgresql"], decided_at=func.clock_timestamp()),
}


def verdicts_of(decision: Decision) -> tuple[Verdict, ...]:
    """The verdicts as they were given."""
    return tuple(Verdict(Action(action), tuple(reasons)) for action, reasons in decision.verdicts)


def facts_of(decision: Decision) -> Facts | None:
    """The facts of then. None when they are gone (retention), or were of another release's
    shape."""
    return Facts.restored(decision.facts) if decision.facts else None


def rules_of(decision: Decision) -> tuple[Rule, ...]:
    """Today's rules, as far as they were asked of the message then."""
    asked = {verdict.action for verdict in verdicts_of(decision)}
    return tuple(rule for rule in RULES if rule.action in asked)
