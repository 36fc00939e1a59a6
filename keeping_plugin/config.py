"""Every setting in one table: key, parser, default and one sentence for the guide."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from keeping_plugin import salesforce_hosts
from keeping_plugin.errors import ConfigurationError

_REQUIRED = object()
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one app, parsed. Field names are the keys without `KEEPING_`."""

    secret_keys: tuple[str, ...]
    redis_url: str
    salesforce_client_id: str
    salesforce_client_secret: str
    salesforce_login_urls: tuple[str, str]
    salesforce_api_version: str
    salesforce_allow_loopback: bool
    budget_share: float
    queue: str
    bind_key: str | None
    panel_limit: tuple[int, int]
    waiting_limit: int | None
    keep_days: int
    frame_ancestors: str
    base_url: str | None
    time_scale: float

    @classmethod
    def from_mapping(cls, config: Mapping[str, Any]) -> Config:
        """Parse a Flask config. Raises ConfigurationError naming the first key that is missing or
        malformed; touches no network."""
        values = {}
        for setting in SETTINGS:
            raw = config.get(setting.key, setting.default)
            if raw is _REQUIRED or (raw is None and setting.default is _REQUIRED):
                raise ConfigurationError(f"{setting.key} is missing: {setting.sentence}")
            try:
                values[setting.key.removeprefix("KEEPING_").lower()] = setting.parse(raw)
            except (ValueError, TypeError) as error:
                raise ConfigurationError(f"{setting.key} is malformed: {error}") from error
        made = cls(**values)
        made._check_login_urls()
        if made.time_scale != 1 and not config.get("TESTING"):
            raise ConfigurationError("KEEPING_TIME_SCALE is only allowed when TESTING is set")
        return made

    def _check_login_urls(self) -> None:
        # The client secret and every refresh token go to these hosts.
        for url in self.salesforce_login_urls:
            if not salesforce_hosts.origin_allowed(
                url, allow_loopback=self.salesforce_allow_loopback
            ):
                raise ConfigurationError(
                    f"KEEPING_SALESFORCE_LOGIN_URLS is malformed: {url} is not an https address of "
                    "a Salesforce host (a loopback address needs "
                    "KEEPING_SALESFORCE_ALLOW_LOOPBACK)"
                )


def _text(raw: Any) -> str:
    # Flask's from_prefixed_env reads a secret of digits alone as a number. A whole number can be
    # written back as it stood; a fraction cannot.
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("expected a non-empty string")
    return raw.strip()


def _parts(raw: Any, needed: str) -> list[Any]:
    """The items of a comma-separated string, or of a list."""
    if isinstance(raw, str):
        return [part.strip() for part in raw.split(",")]
    if isinstance(raw, list | tuple):
        return list(raw)
    raise ValueError(needed)


def _keys(raw: Any) -> tuple[str, ...]:
    # Fernet.generate_key() gives bytes.
    keys = [raw] if isinstance(raw, bytes) else _parts(raw, "expected Fernet keys")
    keys = [key.decode("latin-1") if isinstance(key, bytes) else key for key in keys]
    if not any(keys):
        raise ValueError("expected at least one key")
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except (ValueError, TypeError):
            # Never put the key itself into a message.
            raise ValueError(
                f"key {number} is not a Fernet key (32 bytes in URL-safe base64)"
            ) from None
    return tuple(keys)


def _redis(raw: Any) -> str:
    url = _text(raw)
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("expected a redis://, rediss:// or unix:// URL")
    try:
        _ = parts.port  # read when it is asked for
    except ValueError:
        # The address may hold a password, so it is not repeated.
        raise ValueError("its port is not a number from 0 to 65535") from None
    return url


def _login_urls(raw: Any) -> tuple[str, str]:
    needed = "expected two URLs: production, sandbox"
    urls = _parts(raw, needed)
    if len(urls) != 2:
        raise ValueError(needed)
    for url in urls:
        parts = urlsplit(url)
        plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
        if parts.scheme not in {"https", "http"} or not parts.hostname or not plain:
            raise ValueError(f"{url} is not the URL of a host")
    return urls[0].rstrip("/"), urls[1].rstrip("/")


def _version(raw: Any) -> str:
    version = str(raw) if isinstance(raw, float) else _text(raw)  # from_prefixed_env, again
    if not re.fullmatch(r"\d{2,3}\.0", version):
        raise ValueError("expected a version such as 66.0")
    return version


def _flag(raw: Any) -> bool:
    if isinstance(raw, int) and raw in {0, 1}:  # a bool is one of them
        return bool(raw)
    if isinstance(raw, str) and raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if isinstance(raw, str) and raw.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def _number(kind: type[_Number], raw: Any, needed: str) -> _Number:
    try:
        number = kind(raw)
    except (ValueError, TypeError):
        raise ValueError(needed) from None
    if isinstance(raw, bool) or (isinstance(raw, float) and number != raw):
        raise ValueError(needed)
    return number


def _share(raw: Any) -> float:
    needed = "expected a share above 0 and at most 1"
    share = _number(float, raw, needed)
    if not 0 < share <= 1:
        raise ValueError(needed)
    return share


def _positive(raw: Any) -> float:
    number = _number(float, raw, "expected a number above 0")
    if not number > 0:
        raise ValueError("expected a number above 0")
    return number


def _days(raw: Any) -> int:
    days = _number(int, raw, "expected a whole number of days")
    if days < 1:
        raise ValueError("expected at least one day")
    return days


def _queue(raw: Any) -> str:
    name = _text(raw)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise ValueError("only letters, digits, _ and - are allowed")
    return name


def _optional(raw: Any) -> str | None:
    return None if raw is None else _text(raw)


def _limits(raw: Any) -> tuple[int, int]:
    needed = "expected two limits per minute, for one agent and for one company, such as 60,600"
    counts = [_number(int, part, needed) for part in _parts(raw, needed)]
    if len(counts) != 2 or min(counts) < 1:
        raise ValueError(needed)
    return counts[0], counts[1]


def _waiting(raw: Any) -> int | None:
    if raw is None:
        return None
    needed = "expected a whole number of requests per process, at least 1"
    if (count := _number(int, raw, needed)) < 1:
        raise ValueError(needed)
    return count


def _ancestors(raw: Any) -> str:
    value = _text(raw)
    if re.search(r"[;,\r\n]", value):
        raise ValueError("expected a frame-ancestors source list, such as 'self'")
    return value


_HOST_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"


def _base_url(raw: Any) -> str | None:
    if raw is None:
        return None
    url = _text(raw).rstrip("/")
    found = re.fullmatch(
        rf"https?://(?:{_HOST_LABEL}(?:\.{_HOST_LABEL}){{0,20}}|\[([0-9a-f:.]{{2,45}})\])"
        r"(?::(\d{1,5}))?",
        url,
        re.IGNORECASE | re.ASCII,
    )
    if found is None:
        raise ValueError("expected a scheme and a host, such as https://inbox.example.com")
    if found[1] is not None:
        IPv6Address(found[1])
    if found[2] is not None and not 0 < int(found[2]) < 65_536:
        raise ValueError("its port is not a number from 1 to 65535")
    return url.lower()  # Salesforce compares the whole address letter by letter


class Setting(NamedTuple):
    key: str
    parse: Callable[[Any], Any]
    default: Any
    sentence: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "KEEPING_SECRET_KEYS",
        _keys,
        _REQUIRED,
        "Fernet keys that encrypt tokens, newest first, separated by commas.",
    ),
    Setting("KEEPING_REDIS_URL", _redis, _REQUIRED, "Redis URL for the RQ queue."),
    Setting(
        "KEEPING_SALESFORCE_CLIENT_ID",
        _text,
        _REQUIRED,
        "Consumer key of your Salesforce External Client App.",
    ),
    Setting(
        "KEEPING_SALESFORCE_CLIENT_SECRET", _text, _REQUIRED, "Consumer secret of the same app."
    ),
    Setting(
        "KEEPING_SALESFORCE_LOGIN_URLS",
        _login_urls,
        ("https://login.salesforce.com", "https://test.salesforce.com"),
        "Login hosts for production and sandbox, in this order.",
    ),
    Setting(
        "KEEPING_SALESFORCE_API_VERSION",
        _version,
        "66.0",
        "Newest REST API version to use; an org that does not support it yet is called with its "
        "own newest.",
    ),
    Setting(
        "KEEPING_SALESFORCE_ALLOW_LOOPBACK",
        _flag,
        False,
        "Allow a simulated org on this machine; never set it in production.",
    ),
    Setting(
        "KEEPING_BUDGET_SHARE",
        _share,
        0.8,
        "Share of the org's daily API allowance at which automations stop.",
    ),
    Setting("KEEPING_QUEUE", _queue, "keeping", "Name of the RQ queue."),
    Setting(
        "KEEPING_BIND_KEY",
        _optional,
        None,
        "Flask-SQLAlchemy bind of the database with your messages; the plugin's tables go "
        "there too.",
    ),
    Setting(
        "KEEPING_PANEL_LIMIT",
        _limits,
        (60, 600),
        "Requests per minute that may reach Salesforce from all processes: for one agent, "
        "for one company.",
    ),
    Setting(
        "KEEPING_WAITING_LIMIT",
        _waiting,
        None,
        "How many requests of one web process may wait for Salesforce at once; by default a "
        "quarter of its threads, or 250 under gevent or eventlet.",
    ),
    Setting(
        "KEEPING_KEEP_DAYS",
        _days,
        400,
        "Days for which finished entries, the facts of decisions and the audit trail are kept.",
    ),
    Setting(
        "KEEPING_FRAME_ANCESTORS",
        _ancestors,
        "'self'",
        "Who may frame the plugin's pages (the CSP frame-ancestors list).",
    ),
    Setting(
        "KEEPING_BASE_URL",
        _base_url,
        None,
        "Scheme and host of your inbox for Salesforce's login callback; without it they are "
        "taken from the request's Host header (which Flask's `TRUSTED_HOSTS` can restrict).",
    ),
    Setting(
        "KEEPING_TIME_SCALE",
        _positive,
        1.0,
        "Scales every time constant in tests; only allowed with TESTING.",
    ),
)
