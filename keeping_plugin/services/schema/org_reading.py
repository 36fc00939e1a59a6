"""What reading an org's schema and rights is made of."""

from __future__ import annotations

from dataclasses import dataclass

from keeping_plugin.models import Database
from keeping_plugin.ports import Gateways
from keeping_plugin.times import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgReading:
    """The parts of the describe job and of the preflight."""

    database: Database
    times: Times
    gateways: Gateways
