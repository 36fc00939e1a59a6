"""A runtime for services alone: a real database, fakes for what is outside."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from cryptography.fernet import Fernet

from keeping_plugin.config import Config
from keeping_plugin.crypto import TokenVault
from keeping_plugin.models import Database
from keeping_plugin.ports import Clock, LoginStore
from keeping_plugin.services.limits import ConcurrencyLimit, RateLimiter
from keeping_plugin.services.runtime import ClockWatch, Runtime
from keeping_plugin.testing import FakeHelpDesk, FakeQueue
from keeping_plugin.times import Times
from keeping_plugin.types import Tokens


class RealClock:
    """This machine's clocks, waiting for nobody."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("services never sleep")


class NoSalesforce:
    """Login hosts and orgs that a test does not mean to ask."""

    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise AssertionError("this test asks no Salesforce")

    def authorize_url(self, redirect_uri: str, store: LoginStore) -> str:
        return self()

    def exchange(self, arguments: Mapping[str, str], store: LoginStore) -> Tokens:
        return self()

    def refresh(self, tokens: Tokens) -> Tokens:
        return self()

    def revoke(self, login_url: str, token: str) -> None:
        return self()


def make_runtime(database: Database, **parts: Any) -> Runtime:
    """The runtime of one process; `parts` are the fields that the test cares about."""
    clock: Clock = parts.get("clock") or RealClock()
    times = parts.get("times") or Times()
    config = Config.from_mapping(
        {
            "KEEPING_SECRET_KEYS": Fernet.generate_key().decode(),
            "KEEPING_REDIS_URL": "redis://127.0.0.1:1/0",
            "KEEPING_SALESFORCE_CLIENT_ID": "client",
            "KEEPING_SALESFORCE_CLIENT_SECRET": "secret",
        }
    )
    nobody = NoSalesforce()
    return Runtime(
        **{
            "name": "keeping",
            "config": config,
            "times": times,
            "clock": clock,
            "watch": ClockWatch(clock, times),
            "database": database,
            "vault": TokenVault(config.secret_keys),
            "queue": FakeQueue(),
            "helpdesk": FakeHelpDesk(),
            "gateways": nobody,
            "oauth": nobody,
            "org_facts": nobody,
            "keep_login": nobody,
            "concurrency": ConcurrencyLimit(share=10.0),
            "rate": RateLimiter((1000, 1000), clock.monotonic),
            "host_session": nobody,
            "host_engines": tuple,
            "end_host_transaction": lambda: None,
            "host_known": lambda: True,
            **parts,
        }
    )


def oauth(**methods: Any) -> NoSalesforce:
    """Login hosts that answer these questions so, and no others."""
    hosts = NoSalesforce()
    vars(hosts).update(methods)
    return hosts
