"""The whole database as text, and what differs between two looks at it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from sqlalchemy.engine import make_url

from tests.security.town import Town

_TABLE = re.compile(r'INSERT INTO "?(\w+)"?')


def dump(town: Town) -> list[str]:
    """What `sqlite3 .dump` prints, a line a statement; binary columns as hexadecimal."""
    path = make_url(str(town.house.app.config["SQLALCHEMY_DATABASE_URI"])).database
    assert path is not None
    with sqlite3.connect(path) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def changed_tables(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The tables with a row in one dump that the other does not have."""
    differing = set(before) ^ set(after)
    return {found[1] for line in differing if (found := _TABLE.match(line))}
