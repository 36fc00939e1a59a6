"""Which databases a fault runs on in `make test`; `make faults` runs all of them on both."""

from __future__ import annotations

import pytest


def on(*databases: str) -> pytest.MarkDecorator:
    """The test runs once on each of these."""
    return pytest.mark.parametrize("world", databases, indirect=True)
