"""The limits for new people, as an admin types them on the Automation tab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict

from keeping_plugin.services.people.policy import PeopleChoices

# What the form suggests where no limit is set.
SUGGESTED: Final[Mapping[str, int]] = {"an_hour": 30, "burst": 10}
LARGEST: Final = 10_000
NAMES: Final = tuple(SUGGESTED)


@dataclass(frozen=True, slots=True)
class BrakeForm:
    """What was typed: `on` are the limits switched on, `numbers` their numbers as text, `problems`
    what is wrong with them. `everywhere`: for every mailbox that has no limits of its own."""

    on: frozenset[str]
    numbers: Mapping[str, str]
    everywhere: bool
    problems: Mapping[str, str]

    @classmethod
    def of(cls, choices: PeopleChoices, *, everywhere: bool) -> BrakeForm:
        """The form as it stands before anybody types."""
        kept = {name: getattr(choices, name) for name in NAMES}
        numbers = {name: str(kept[name] or SUGGESTED[name]) for name in NAMES}
        return cls(frozenset(name for name in NAMES if kept[name]), numbers, everywhere, {})

    @classmethod
    def read(cls, form: MultiDict[str, str], count: Callable[[int], str]) -> BrakeForm:
        """Take what was sent. The number of a limit that is off may be anything. `count` is how the
        person writes a number."""
        on = frozenset(name for name in NAMES if f"{name}_on" in form)
        numbers = {name: form.get(name, "").strip()[:40] for name in NAMES}
        problems = {
            name: f"Enter a whole number from 1 to {count(LARGEST)}."
            for name in NAMES
            if name in on and _number(numbers[name]) is None
        }
        return cls(on, numbers, form.get("for") != "mailbox", problems)

    @property
    def limits(self) -> dict[str, int]:
        """The choices to be saved; 0 without a limit."""
        return {name: (_number(self.numbers[name]) or 0) * (name in self.on) for name in NAMES}


def _number(text: str) -> int | None:
    plain = text.replace(",", "")
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= len(str(LARGEST))):
        return None
    number = int(plain)
    return number if 1 <= number <= LARGEST else None
