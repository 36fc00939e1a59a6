"""KeepingSalesforce: the extension a host mounts, and the only place that wires the parts."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app

from keeping_plugin.blueprints import create_blueprint
from keeping_plugin.blueprints.panel import embed
from keeping_plugin.blueprints.web import guards
from keeping_plugin.config import Config
from keeping_plugin.crypto import TokenVault
from keeping_plugin.errors import ConfigurationError
from keeping_plugin.jobs.queue import INTERRUPTS, RqQueue
from keeping_plugin.models import Database
from keeping_plugin.ports import HelpDesk, SalesforceGateway
from keeping_plugin.salesforce.gateway import Gateway
from keeping_plugin.salesforce.oauth import SalesforceOAuth
from keeping_plugin.salesforce.wire.transport import Transport
from keeping_plugin.services.automation import intake
from keeping_plugin.services.connection.tokens import ConnectionTokens, HeldTokens
from keeping_plugin.services.limits import ConcurrencyLimit, RateLimiter
from keeping_plugin.services.operations import keys
from keeping_plugin.services.operations.forget import Forgotten, forget
from keeping_plugin.services.runtime import ClockWatch, Runtime
from keeping_plugin.state import current_runtime
from keeping_plugin.times import CALL, Times
from keeping_plugin.types import MessageArrived, OrgFacts, Tokens


class SystemClock:
    """`ports.Clock` of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class KeepingSalesforce:
    """The Flask extension that adds Salesforce to a shared inbox.

    >>> salesforce = KeepingSalesforce(app, helpdesk=InboxHelpDesk(), db=db)

    or, with an app factory, `salesforce = KeepingSalesforce()` and later
    `salesforce.init_app(app, helpdesk=..., db=...)`. This object keeps no state of an app, so it
    can serve several apps.
    """

    def __init__(
        self, app: Flask | None = None, *, helpdesk: HelpDesk | None = None, db: Any = None
    ) -> None:
        if app is None:
            return
        if helpdesk is None or db is None:
            raise ConfigurationError(
                "KeepingSalesforce(app, ...) needs helpdesk= and db=; without an app, call "
                "init_app(app, helpdesk=..., db=...) later."
            )
        self.init_app(app, helpdesk=helpdesk, db=db)

    def init_app(
        self,
        app: Flask,
        *,
        helpdesk: HelpDesk,
        db: Any,
        url_prefix: str = "/salesforce",
        name: str = "keeping",
    ) -> None:
        """Register the pages under `url_prefix`, on a blueprint called `name`.

        `db` is the host's Flask-SQLAlchemy object; the plugin's tables go into its database. Reads
        the KEEPING_* keys of `app.config` (docs/guide.md lists them). Raises ConfigurationError
        for a missing or malformed key, for a `helpdesk` that is a class or lacks one of HelpDesk's
        methods, and for a second registration; touches no network.
        """
        if "keeping" in app.extensions:
            raise ConfigurationError(
                "KeepingSalesforce is already registered on this app. Import that object "
                "where you need it instead of creating another; for another app, call "
                "init_app with that app."
            )
        _check_helpdesk(helpdesk)
        config = Config.from_mapping(app.config)
        if config.bind_key not in {None, *app.config.get("SQLALCHEMY_BINDS", ())}:
            raise ConfigurationError(
                f"KEEPING_BIND_KEY is malformed: SQLALCHEMY_BINDS has no {config.bind_key!r}"
            )
        app.extensions["keeping"] = _wire(config, helpdesk=helpdesk, db=db, name=name)
        app.register_blueprint(create_blueprint(name), url_prefix=url_prefix)
        embed.register(app)

    def message_arrived(self, message: MessageArrived) -> None:
        """Report a message that the host is storing in the transaction open on its `db.session`.
        The rules are evaluated, and their entries are written in that same transaction. Commit it
        as usual; a rollback removes the plugin's rows too.

        Needs an app context but no request. Raises TypeError or ValueError for wrong types and
        for ids outside 1 to 255 characters, and propagates database errors; never raises because
        of a message's content.
        """
        runtime = current_runtime()
        intake.message_arrived(runtime, runtime.host_session(), message)

    def forget(self, company_id: str, address: str) -> Forgotten:
        """Erase the plugin's data about one person of one company; Salesforce and your own mail are
        not changed. Needs an app context. Raises InvalidInput if `address` is not an email
        address."""
        return forget(current_runtime().database, company_id, address)


def current_salesforce() -> KeepingSalesforce:
    """The extension of the current app, for code that cannot import the extension object. Needs an
    app context."""
    if "keeping" not in current_app.extensions:
        raise ConfigurationError("KeepingSalesforce is not registered on this app.")
    return KeepingSalesforce()


def _check_helpdesk(helpdesk: object) -> None:
    """Raises ConfigurationError if this is not a HelpDesk, naming what is missing."""
    if isinstance(helpdesk, type):
        name = helpdesk.__name__
        raise ConfigurationError(f"helpdesk= needs an instance: pass {name}(), not {name}.")

    def answers(question: str) -> bool:
        method = getattr(helpdesk, question, None)
        # A subclass of HelpDesk inherits its method stubs, which return None.
        return (
            callable(method) and getattr(method, "__func__", None) is not vars(HelpDesk)[question]
        )

    questions = [each for each in vars(HelpDesk) if not each.startswith("_")]
    missing = [each for each in questions if not answers(each)]
    if missing:
        raise ConfigurationError(
            f"helpdesk= needs every method of HelpDesk; {type(helpdesk).__name__} has no "
            f"{', '.join(missing)}."
        )


def _wire(config: Config, *, helpdesk: HelpDesk, db: Any, name: str) -> Runtime:
    times = Times(config.time_scale)
    clock = SystemClock()
    vault = TokenVault(config.secret_keys)
    database = Database(lambda: db.engines[config.bind_key])
    queue = RqQueue(config.redis_url, name=config.queue, times=times, monotonic=clock.monotonic)
    concurrency = ConcurrencyLimit(limit=config.waiting_limit)
    rate = RateLimiter(config.panel_limit, clock.monotonic, shared=queue.counted)
    transport = Transport(
        allow_loopback=config.salesforce_allow_loopback,
        monotonic=clock.monotonic,
        gate=lambda: guards.hold_slot(concurrency, rate),
    )

    def gateways(connection_id: int, *, deadline: float | None = None) -> SalesforceGateway:
        return Gateway(
            ConnectionTokens(runtime, connection_id),
            transport,
            version=config.salesforce_api_version,
            deadline=deadline or times.seconds(CALL),
        )

    def keep_login(connection_id: int) -> None:
        ConnectionTokens(runtime, connection_id).keep_in_use()

    def org_facts(granted: Tokens) -> OrgFacts:
        gateway = Gateway(HeldTokens(granted), transport, version=config.salesforce_api_version)
        return gateway.org_facts()

    def keys_open() -> None:
        """KEEPING_SECRET_KEYS opens every stored token."""
        keys.check(database, vault)

    runtime = Runtime(
        name=name,
        config=config,
        times=times,
        clock=clock,
        watch=ClockWatch(clock, times),
        database=database,
        vault=vault,
        queue=queue,
        helpdesk=helpdesk,
        gateways=gateways,
        oauth=SalesforceOAuth(config, transport, clock),
        org_facts=org_facts,
        keep_login=keep_login,
        concurrency=concurrency,
        rate=rate,
        host_session=db.session,
        host_engines=lambda: db.engines.values(),
        end_host_transaction=lambda: db.session.rollback(),
        host_known=lambda: bool(config.base_url or current_app.config.get("TRUSTED_HOSTS")),
        checks=(queue.check, keys_open),
        interrupts=INTERRUPTS,
    )
    return runtime
