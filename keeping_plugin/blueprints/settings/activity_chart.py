"""Counts as small charts: one row of bars an outcome, all on one scale, and the same as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from keeping_plugin.blueprints.web.reader import number_text, reader
from keeping_plugin.services.admin.activity import Count, Outcome, Period
from keeping_plugin.wording.activity import OUTCOMES

HEIGHT = 32.0  # units of the drawing
_LOWEST = 1.5  # a day with one stays visible beside a day with a thousand
STEP, WIDTH = 10, 7  # from day to day, and of a bar

LABELS: Mapping[Outcome, str] = {Outcome(code): label for code, label in OUTCOMES.items()}
# Shown even when there are none: what an admin comes to see.
_ALWAYS = (Outcome.CREATED, Outcome.LOGGED, Outcome.REFUSED, Outcome.WAITING, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. `x`, `y` and `height` are units of the drawing; a day with none has no height."""

    day: date
    number: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Series:
    """One outcome, day by day."""

    outcome: Outcome
    label: str
    total: int
    bars: tuple[Bar, ...]

    @property
    def summary(self) -> str:
        """What a person who does not see the bars is told."""
        if not self.total:
            return f"{self.label}: none"
        most = max(self.bars, key=lambda bar: bar.number)
        total, number = number_text(self.total), number_text(most.number)
        return f"{self.label}: {total} in total, most on {day_text(most.day)}: {number}"


@dataclass(frozen=True, slots=True)
class Chart:
    """All series over the same days."""

    days: tuple[date, ...]
    top: int  # what the highest bar stands for
    series: tuple[Series, ...]
    by_mailbox: Sequence[tuple[str, Mapping[Outcome, int]]]  # the mailboxes' ids

    @property
    def width(self) -> int:
        return len(self.days) * STEP


def day_text(day: date) -> str:
    """A day as it stands under a chart."""
    return reader().short_day(day)


def chart(counts: Iterable[Count], period: Period) -> Chart:
    """Draw counts of a period."""
    daily: Counter[tuple[Outcome, str]] = Counter()
    totals: Counter[Outcome] = Counter()
    boxes: dict[str, Counter[Outcome]] = {}
    for count in counts:
        daily[count.outcome, count.day] += count.number
        totals[count.outcome] += count.number
        boxes.setdefault(count.mailbox_id, Counter())[count.outcome] += count.number
    days = period.days
    top = max(daily.values(), default=1)
    return Chart(
        days,
        top,
        tuple(
            Series(
                outcome,
                label,
                totals[outcome],
                tuple(
                    _bar(number, day, daily[outcome, day.isoformat()], top)
                    for number, day in enumerate(days)
                ),
            )
            for outcome, label in LABELS.items()
            if outcome in _ALWAYS or totals[outcome]
        ),
        sorted(boxes.items(), key=lambda box: (-sum(box[1].values()), box[0])),
    )


def _bar(place: int, day: date, number: int, top: int) -> Bar:
    height = round(max(_LOWEST, HEIGHT * number / top), 2) if number else 0.0
    return Bar(day, number, place * STEP, round(HEIGHT - height, 2), height)
