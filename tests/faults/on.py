"""Which databases a fault runs on: PostgreSQL in `make test`, both in `make faults`, unless it says
otherwise. "postgres-keyed" is PostgreSQL with an org that has the unique text field for us: Tasks
then carry their marker in it, too, and all of the table holds for that as well."""

from __future__ import annotations

import pytest


def on(*databases: str) -> pytest.MarkDecorator:
    """In `make test`, too, it runs on each of these."""
    return pytest.mark.faults_on(databases)


def only(*databases: str) -> pytest.MarkDecorator:
    """It is about these alone."""
    return pytest.mark.faults_only(databases)
