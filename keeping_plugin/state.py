"""What one app's plugin is made of, kept in `app.extensions["keeping"]`; never global."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import Engine

from keeping_plugin.config import Config
from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Database
from keeping_plugin.ports import Clock, Gateways, HelpDesk, JobQueue
from keeping_plugin.services.automation.backfill import Backfilling
from keeping_plugin.services.automation.intake import Intake
from keeping_plugin.services.connection.login import Login
from keeping_plugin.services.connection.revocation import Revoking
from keeping_plugin.services.delivery.parts import Delivery
from keeping_plugin.services.operations.doctor import Doctor
from keeping_plugin.services.panel.view import Panels
from keeping_plugin.services.schema.org_reading import OrgReading
from keeping_plugin.times import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The parts of one app, wired by `extension.KeepingSalesforce.init_app`."""

    name: str  # of the blueprint
    config: Config
    times: Times
    clock: Clock
    database: Database
    helpdesk: HelpDesk
    vault: TokenVault
    queue: JobQueue
    gateways: Gateways
    host_session: Callable[[], Any]  # the host's db.session registry
    host_engines: Callable[[], Iterable[Engine]]  # all of its binds; needs an app context
    # The admin's side: signing in, confirming and disconnecting; reading the org; giving back.
    login: Login
    schemas: OrgReading
    revoking: Revoking
    # The agents' side.
    panels: Panels
    # The automations' side.
    intake: Intake
    delivery: Delivery
    backfilling: Backfilling
    doctor: Doctor

    def check_ready(self) -> None:
        """Raises NotReady, with one sentence for the operator, when something outside is missing:
        Redis, or a key that opens the stored tokens."""
        for check in self.doctor.checks:
            check()


def current_state() -> State:
    """The state of the app that serves this request or job."""
    state: State = current_app.extensions["keeping"]
    return state
