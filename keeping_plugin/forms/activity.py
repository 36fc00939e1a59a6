"""The Activity page's filter, as it stands in the address: read as it was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from keeping_plugin.errors import InvalidInput
from keeping_plugin.forms.days import UNREADABLE, read_day
from keeping_plugin.services.admin.activity import MAX_DAYS, Filter, Outcome, Period
from keeping_plugin.services.admin.activity_list import Place
from keeping_plugin.services.ledger.causes import MAX_LENGTH
from keeping_plugin.types import Action

DAYS = 14
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
Known = TypeVar("Known", Outcome, Action)
_NAMES = ("from", "to", "mailbox", "outcome", "action", "reason")


@dataclass(frozen=True, slots=True)
class ActivityForm:
    """What was typed, and what it means. Where it means nothing, `problems` says so by field and
    `filter` is that of the last 14 days."""

    typed: Mapping[str, str]
    filter: Filter
    problems: Mapping[str, str]

    @classmethod
    def read(cls, args: MultiDict[str, str], today: date) -> ActivityForm:
        """Read an address's arguments; `today` in UTC."""
        typed = {name: args.get(name, "").strip()[:MAX_LENGTH] for name in _NAMES}
        problems: dict[str, str] = {}
        period = _period(typed, today, problems)
        outcome = _one_of(Outcome, typed["outcome"])
        action = _one_of(Action, typed["action"])
        if typed["outcome"] and outcome is None:
            problems["outcome"] = "Choose one from the list."
        if typed["action"] and action is None:
            problems["action"] = "Choose one from the list."
        wanted = Filter(
            period=period,
            mailbox_id=typed["mailbox"],
            outcome=outcome,
            action=action or "",
            reason=typed["reason"],
        )
        if problems:
            wanted = Filter(period=Period(today - timedelta(days=DAYS - 1), today))
        return cls(typed, wanted, problems)

    def args(self, **changes: str | None) -> dict[str, str]:
        """The arguments of an address with this filter and some of it changed."""
        return {name: value for name, value in {**self.typed, **changes}.items() if value}


def _one_of(kind: type[Known], text: str) -> Known | None:
    return kind(text) if text in {each.value for each in kind} else None


def _period(typed: Mapping[str, str], today: date, problems: dict[str, str]) -> Period:
    last = _day(typed["to"], "to", problems) or today
    first = _day(typed["from"], "from", problems) or last - timedelta(days=DAYS - 1)
    if problems:
        return Period(first, last)
    if first > last:
        problems["from"] = "The first day is after the last day."
    elif (last - first).days >= MAX_DAYS:
        problems["from"] = f"At most {MAX_DAYS} days can be shown at once."
    return Period(first, last)


def _day(text: str, name: str, problems: dict[str, str]) -> date | None:
    if not text:
        return None
    day = read_day(text)
    if day is None:
        problems[name] = UNREADABLE
    return day


def place_text(place: Place) -> str:
    """A place in the list, for an address."""
    return f"{(place.at - _EPOCH) // timedelta(microseconds=1)}-{place.id}"


def read_place(text: str) -> Place | None:
    """The place that an address names; None for "". Raises InvalidInput."""
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise InvalidInput("This page of the list does not exist. Start from the first page.")
    try:
        at = _EPOCH + timedelta(microseconds=int(found[1]))
    except OverflowError as error:
        raise InvalidInput("This page of the list does not exist.") from error
    return Place(at, int(found[2]))
