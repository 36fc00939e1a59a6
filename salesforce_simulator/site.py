"""One port of the simulated service: an org together with its login host, faults and log."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from salesforce_simulator.clock import OrgClock
from salesforce_simulator.control.request_log import RequestLog
from salesforce_simulator.faults.orders import Faults
from salesforce_simulator.moving import Home
from salesforce_simulator.oauth.bounds import check_hours, checked_ranges
from salesforce_simulator.oauth.dpop import Proofs
from salesforce_simulator.oauth.store import TokenStore
from salesforce_simulator.org import Org
from salesforce_simulator.records.recently_viewed import RecentlyViewed
from salesforce_simulator.rest.usage import ApiUsage

Kind = Literal["production", "sandbox"]


@dataclass(slots=True, kw_only=True)
class Settings:
    """What an administrator of the org, or of the connected app, could have set up.

    Durations in seconds unless the name says otherwise. All can be changed while it runs.
    """

    #: A session ends after so long without a call (it slides).
    session_seconds: float = 7200
    #: An authorization code is refused after so long.
    code_seconds: float = 600
    #: Each refresh returns a new refresh token; an old one used again revokes the chain.
    rotate_refresh_tokens: bool = False
    #: How long a token request takes; a second one for the same token is refused meanwhile.
    token_request_ms: float = 0
    #: The app's setting that makes PKCE obligatory; a challenge that was sent is always checked.
    require_pkce: bool = False
    #: open: any user may approve. must_be_installed: refused for users without the permission
    #: "approve_uninstalled_apps". admin_approved: refused at the token endpoint.
    app_policy: Literal["open", "must_be_installed", "admin_approved"] = "open"
    #: Where the refusal of an app that is not installed shows up.
    app_refusal: Literal["page", "callback"] = "callback"
    #: Logins per user and hour, refreshes included.
    logins_per_hour: int = 3600
    #: False: API_DISABLED_FOR_ORG for everybody.
    api_enabled: bool = True
    #: Added to each call of ``/services``.
    latency_ms: float = 0
    #: What ``@{rows[0].id}`` gives for a refused row of a collection: nothing, which halts the
    #: subrequest, or (true) null.
    refused_rows_are_null: bool = False
    #: Versions that answer with a deprecation warning, beside 31.0 to 40.0 from version 68.0 on.
    deprecated_versions: list[str] = field(default_factory=list)
    #: The oldest and newest API version served.
    oldest_version: int = 31
    newest_version: int = 66
    #: Versions that are served no more: 410, and not listed.
    retired_versions: list[str] = field(default_factory=list)
    #: Hours (``22:00-04:00`` in UTC, or always) in which records can only be read, and in which
    #: every call is refused.
    read_only: str = ""
    maintenance: str = ""
    #: From which addresses codes are redeemed and tokens refreshed; empty means from anywhere.
    token_addresses: list[str] = field(default_factory=list)
    #: A refresh token ends so long after its last use; 0 means never.
    refresh_idle_days: float = 0
    #: So many approvals of a user live; one more ends the oldest. 0 means any number.
    tokens_per_user: int = 0
    #: Tokens are bound by DPoP, so Bearer is refused; and the token endpoint asks for a nonce.
    dpop: bool = False
    dpop_nonce: bool = False
    #: The login host answers token requests 302 to the org's own host, once the org has one.
    logins_at_own_host: bool = False

    def change(self, values: dict[str, Any]) -> None:
        """Set several at once; ValueError for an unknown name or a value of another type."""
        known = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no setting named {name!r}; there are {', '.join(sorted(known))}")
            current = known[name]
            number = isinstance(current, int | float) and not isinstance(current, bool)
            fits = isinstance(value, int | float) if number else isinstance(value, type(current))
            if not fits or (number and isinstance(value, bool)):
                raise ValueError(f"{name} wants a {type(current).__name__}, got {value!r}")
        checked_ranges(values.get("token_addresses", []))
        for name in ("read_only", "maintenance"):
            check_hours(values.get(name, ""))
        for name, value in values.items():
            setattr(self, name, value)

    def deprecated(self, version: str) -> bool:
        """Whether a version answers with a warning."""
        old = self.newest_version >= 68 and 31 <= float(version) <= 40
        return old or version in self.deprecated_versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the command line asked for and a reset goes back to."""

    api_limit: int = 15_000
    latency_ms: float = 0
    rotate_refresh_tokens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedApp:
    """The client registration, known to both login hosts as a packaged app would be."""

    client_id: str
    client_secret: str
    redirect_uris: set[str]
    name: str = "Keeping"


@dataclass(slots=True, kw_only=True)
class Site:
    """An org behind one port, which is its login host and its instance host at once."""

    kind: Kind
    base_url: str
    org: Org
    clock: OrgClock
    tokens: TokenStore
    app: ConnectedApp
    settings: Settings
    faults: Faults
    log: RequestLog
    usage: ApiUsage
    start: Start
    #: The DPoP proofs that were used.
    proofs: Proofs
    #: The other login host; set once both exist.
    peer: Site | None = None
    #: Where the org is, once it has moved away from the login host, and where it was before.
    home: Home = field(default_factory=Home)
    #: What each user looked at or saved last.
    recent: RecentlyViewed = field(default_factory=RecentlyViewed)
    #: Signs the cookies of the login pages.
    cookie_secret: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def cookie(self) -> str:
        """Cookies do not tell ports apart, so each host's has its own name."""
        return f"simulated_org_{self.kind}"

    @property
    def instance_url(self) -> str:
        """Where the org is served."""
        return self.home.url or self.base_url

    @property
    def organization_id(self) -> str:
        """The org's 18-character id."""
        return self.org.organization_id

    def identity_url(self, user_id: str) -> str:
        """The ``id`` of token answers."""
        return f"{self.base_url}/id/{self.organization_id}/{user_id}"

    def close(self) -> None:
        """Close the databases and every address it moved to."""
        self.home.come_back()
        self.org.close()
        self.tokens.close()


def make_site(
    *,
    kind: Kind,
    base_url: str,
    org: Org,
    clock: OrgClock,
    data: Path | None,
    app: ConnectedApp,
    start: Start,
) -> Site:
    """A site over ``org``; tokens live in ``data``, or in memory when that is None."""
    database = ":memory:" if data is None else data / f"tokens-{kind}.sqlite"
    return Site(
        kind=kind,
        base_url=base_url,
        org=org,
        clock=clock,
        tokens=TokenStore(database),
        app=app,
        settings=Settings(
            latency_ms=start.latency_ms, rotate_refresh_tokens=start.rotate_refresh_tokens
        ),
        faults=Faults(),
        log=RequestLog(clock),
        usage=ApiUsage(clock, limit=start.api_limit),
        start=start,
        proofs=Proofs(clock),
    )
