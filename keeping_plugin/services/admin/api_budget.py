"""The org's API allowance as its admins see it: how much is used, by what, and where we stop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from keeping_plugin.errors import Complaint
from keeping_plugin.models import Connection, now
from keeping_plugin.services import metering
from keeping_plugin.services.metering import UsedBy
from keeping_plugin.wording.pauses import LASTING, PAUSES, words_of
from keeping_plugin.wording.salesforce_errors import ErrorSentence

DAYS = 30  # of the table of who used it


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Requests of the last 24 hours, as Salesforce counts them for all programs of the org; None
    before its first answer. `stops_at` is where automations stop. `paused_until` is None unless
    they pause now."""

    used: int | None
    limit: int | None
    seen_at: datetime | None
    share: float
    stops_at: int | None
    paused_until: datetime | None
    pause: str
    words: tuple[tuple[Complaint, ErrorSentence | None], ...]  # Salesforce's, for the pause
    by: Sequence[UsedBy]
    days: int = DAYS

    @property
    def stopped(self) -> bool:
        """Whether the share is used up."""
        return self.used is not None and self.stops_at is not None and self.used >= self.stops_at


def budget(session: Session, connection: Connection, *, share: float) -> Budget:
    """How a connection stands. Salesforce is not asked."""
    limit = connection.api_limit
    until = connection.paused_until
    lasting = connection.pause_reason in LASTING
    paused = until is not None and (lasting or until > now(session))
    return Budget(
        used=connection.api_used,
        limit=limit,
        seen_at=connection.api_seen_at,
        share=share,
        stops_at=None if limit is None else math.ceil(share * limit),
        paused_until=until if paused else None,
        pause=PAUSES.get(connection.pause_reason, connection.pause_reason) if paused else "",
        words=words_of(connection.pause_words) if paused else (),
        by=metering.used_by(session, connection.id, days=DAYS),
    )
