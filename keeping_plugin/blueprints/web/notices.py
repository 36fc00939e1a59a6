"""What an admin reads after a step: kept in the host's session, shown once by our own pages.

Flask's flash belongs to the host: its pages would show ours, and ours would swallow its.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, session

_KEY = "keeping_notices"


class Notice(NamedTuple):
    """One sentence; `good` tells whether it went well."""

    text: str
    good: bool


def register(bp: Blueprint) -> None:
    """Give the blueprint's templates `keeping_notices()`, which hands out each notice once."""
    bp.context_processor(lambda: {"keeping_notices": pop_notices})


def add_notice(text: str, *, good: bool = True) -> None:
    """Show this on the next settings page."""
    session[_KEY] = [*session.get(_KEY, ()), [text, good]]


def pop_notices() -> list[Notice]:
    """The notices not shown yet."""
    return [Notice(*kept) for kept in session.pop(_KEY, ())]
