"""What the answering code tells the request log about a call."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Cost:
    """What one HTTP call amounts to: filled while it is answered, read by the request log."""

    api_requests: int = 1
    subrequests: int = 0
    rows: int = 0


@dataclass(slots=True)
class Trace:
    """Who called and what it was, as far as it is known."""

    call: str | None = None
    user: str | None = None
    token: str | None = None
    cost: Cost | None = None
    parts: list[str] = field(default_factory=list)
