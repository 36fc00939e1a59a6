"""`flask keeping ...`: what operators run."""

from __future__ import annotations

import os
import sys

import click
from flask import current_app
from flask.cli import AppGroup

from keeping_plugin import failpoints
from keeping_plugin.errors import KeepingError
from keeping_plugin.jobs import worker as workers
from keeping_plugin.models import migrate
from keeping_plugin.services import key_rotation
from keeping_plugin.services.delivery.sweep import sweep
from keeping_plugin.services.upkeep import keep_house
from keeping_plugin.state import State, current_state
from keeping_plugin.times import HOUR

keeping = AppGroup("keeping", help="Salesforce beside every conversation.")


@keeping.group("db")
def database() -> None:
    """The plugin's tables."""


@database.command("upgrade")
def upgrade() -> None:
    """Make or migrate the plugin's tables; safe to run again."""
    engine = current_state().database.engine
    migrate.upgrade(engine)
    click.echo(f"keeping tables at {migrate.current(engine)}")


@database.command("current")
def current() -> None:
    """Print the revision of the plugin's tables; exit 1 when they are not the newest."""
    stands, newest = migrate.current(current_state().database.engine), migrate.head()
    click.echo(stands or "none")
    if stands != newest:
        click.echo(f"The newest is {newest}: run `flask keeping db upgrade`.", err=True)
        sys.exit(1)


def _ready(state: State) -> None:
    """Refuse to start half-broken. Raises click.ClickException with one sentence."""
    if migrate.current(state.database.engine) != migrate.head():
        raise click.ClickException(
            "The plugin's tables are missing or old: run `flask keeping db upgrade`."
        )
    try:
        state.check_ready()
    except KeepingError as error:
        raise click.ClickException(str(error)) from error


@keeping.command("worker")
@click.option("-n", "--number", type=click.IntRange(1, 64), default=1, show_default=True)
def worker(number: int) -> None:
    """Sweep and work until SIGTERM. Run it under a supervisor (docs/guide.md, Operators)."""
    state = current_state()
    _ready(state)
    if current_app.testing and "KEEPING_FAILPOINT" in os.environ:
        failpoints.arm_from(os.environ["KEEPING_FAILPOINT"])
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    last = float("-inf")

    def sweep_once() -> None:
        nonlocal last
        sweep(state.delivery)
        if state.clock.monotonic() - last >= state.times.seconds(HOUR):
            last = state.clock.monotonic()
            _keep_house(state)

    if number == 1:
        sys.exit(workers.run_pair(app, state, sweep_once))
    sys.exit(workers.supervise(app, state, sweep_once, pairs=number))


def _keep_house(state: State) -> None:
    keep_house(state.database, state.times, keep_days=state.config.keep_days)


@keeping.command("tick")
def tick() -> None:
    """Sweep once, for cron."""
    state = current_state()
    sweep(state.delivery)
    _keep_house(state)


@keeping.command("rotate-keys")
def rotate_keys() -> None:
    """Seal every stored secret under the first key of KEEPING_SECRET_KEYS; afterwards the others
    can be taken out."""
    state = current_state()
    try:
        count = key_rotation.rotate(state.database, state.vault)
    except KeepingError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} stored secrets are sealed under the first key.")
