"""The frozen values that the pages' templates show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """A value to show; ``href`` where it leads, ``label`` what it is called."""

    label: str
    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list: the first cell is the link to the record."""

    href: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A titled list of records of one object."""

    title: str
    object_name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True)
class People:
    """Who is in one place of an activity: ``From``, ``To``, ``With``."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """A Task in the timeline, or the email that made it.

    ``way`` is ``Received``, ``Sent`` or ``Draft`` of an email and empty of any other activity,
    ``headline`` what it says of itself.
    """

    href: str
    subject: str
    text: str
    status: str
    when: str
    subtype: str
    way: str = ""
    headline: str = ""
    people: tuple[People, ...] = ()
    files: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A record page."""

    object_name: str
    label: str
    title: str
    id: str
    highlights: tuple[Cell, ...]
    fields: tuple[Cell, ...]
    system: tuple[Cell, ...]
    related: tuple[Rows, ...]
    upcoming: tuple[Activity, ...]
    past: tuple[Activity, ...]
    has_timeline: bool


def quoted(text: str, *, like: bool = False) -> str:
    """A SOQL string literal; with ``like`` a pattern that contains the text."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    escaped = "".join(c for c in escaped if c.isprintable())
    if like:
        escaped = escaped.replace("%", "\\%").replace("_", "\\_")
        return f"'%{escaped}%'"
    return f"'{escaped}'"


def day(text: str) -> str:
    """A date of the API for people."""
    return f"{datetime.strptime(text, '%Y-%m-%d').replace(tzinfo=UTC):%d %b %Y}"


def moment(text: str) -> str:
    """A datetime of the API for people, in UTC; "" for "", as of a field that is not there."""
    return text and f"{datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%f%z'):%d %b %Y, %H:%M} UTC"


def file_size(size: int) -> str:
    """A number of bytes for people: ``12 KB``."""
    for unit, most in (("bytes", 1024), ("KB", 1024**2), ("MB", 1024**3)):
        if size < most:
            return f"{size * 1024 / most:.3g} {unit}"
    return f"{size / 1024**3:.3g} GB"
