"""Bad configuration stops the start with one sentence that names the key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from keeping_plugin import ConfigurationError
from keeping_plugin.config import SETTINGS, Config
from tests.hosts.houses import CONFIG, bare

REQUIRED = [key for key in CONFIG if key.startswith("KEEPING_")]
MALFORMED: dict[str, list[Any]] = {
    "KEEPING_SECRET_KEYS": ["", "too-short", "x" * 44, [], 7, b"short"],
    "KEEPING_REDIS_URL": [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1",
        6379,
        "redis://127.0.0.1:six/0",
        "redis://127.0.0.1:65536/0",
    ],
    "KEEPING_SALESFORCE_CLIENT_ID": ["", "  ", 1.5, True],
    "KEEPING_SALESFORCE_CLIENT_SECRET": ["", "  ", 1e300, []],
    "KEEPING_SALESFORCE_LOGIN_URLS": [
        "https://login.salesforce.com",
        "https://a.example, ftp://b.example",
        "https://a.example/path, https://b.example",
        "http://127.0.0.1:1, http://127.0.0.1:2",
        "https://login.salesforce.com, https://127.0.0.1:2",
        "https://login.salesforce.com, http://test.salesforce.com",
        "https://login.salesforce.com, https://test.salesforce.com:8443",
        "https://login.salesforce.com, https://test.salesforce.com.evil.example",
        "https://login.salesforce.com@evil.example, https://test.salesforce.com",
        7,
    ],
    "KEEPING_SALESFORCE_API_VERSION": ["", "v66.0", "66", 66.5, 66],
    "KEEPING_SALESFORCE_ALLOW_LOOPBACK": ["perhaps", 2, []],
    "KEEPING_BUDGET_SHARE": ["much", 0, 1.2, -1, True, []],
    "KEEPING_QUEUE": ["", "two words", "a" * 65],
    "KEEPING_BIND_KEY": ["", 7],
    "KEEPING_PANEL_LIMIT": ["60", "0,600", "a,b", 60, (1, 2, 3), [1.5, 2]],
    "KEEPING_WAITING_LIMIT": ["many", 0, -1, 2.5, True, []],
    "KEEPING_KEEP_DAYS": ["long", 0, -3, 1.5],
    "KEEPING_FRAME_ANCESTORS": ["", "'self'; script-src *", "a\r\nb"],
    "KEEPING_BASE_URL": [
        "",
        "inbox.example.com",
        "ftp://inbox.example.com",
        "https://inbox.example.com/app",
        "https://a@inbox.example.com",
        "https://inbox.example.com?x",
        "https://inbox.example.com\r\nX: y",
        "https://inbox.example.com:65536",
        "https://inbox.example.com:0",
        "https://..",
        "https://[:::::]",
        7,
    ],
    "KEEPING_TIME_SCALE": ["fast", 0, -1],
}
UNUSABLE = [(key, value) for key, values in MALFORMED.items() for value in values]


def test_every_setting_has_a_malformed_example_here() -> None:
    assert set(MALFORMED) == {setting.key for setting in SETTINGS}


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(sqlite_url: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{key} is missing: ") as refusal:
        bare(sqlite_url, **{key: None})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("key", "value"), UNUSABLE)
def test_a_malformed_key_is_named(sqlite_url: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^{key} is (malformed|missing): ") as refusal:
        bare(sqlite_url, **{key: value})
    assert "\n" not in str(refusal.value)


def test_login_hosts_are_salesforces_or_loopback_by_configuration(sqlite_url: str) -> None:
    """The client secret goes to them, so no other host passes, whatever else is allowed."""
    own = "https://acme.my.salesforce.com, https://acme--uat.sandbox.my.salesforce.com/"
    bare(sqlite_url, KEEPING_SALESFORCE_LOGIN_URLS=own)
    loopback = {
        "KEEPING_SALESFORCE_LOGIN_URLS": "http://127.0.0.1:1, http://localhost:2",
        "KEEPING_SALESFORCE_ALLOW_LOOPBACK": True,
    }
    bare(sqlite_url, **loopback)
    for foreign in ("http://[::1]:1", "http://127.0.0.2", "https://login.example"):
        elsewhere = f"https://login.salesforce.com, {foreign}"
        with pytest.raises(ConfigurationError, match="KEEPING_SALESFORCE_LOGIN_URLS"):
            bare(sqlite_url, **loopback | {"KEEPING_SALESFORCE_LOGIN_URLS": elsewhere})


def test_what_is_missing_is_said_in_words(sqlite_url: str) -> None:
    """Python's own complaints (`invalid literal for int()`) tell an operator nothing."""
    for key, value in UNUSABLE:
        with pytest.raises(ConfigurationError) as refusal:
            bare(sqlite_url, **{key: value})
        said = str(refusal.value)
        assert not re.search(r"literal|object|unpack|convert|iterable|argument", said), said


def test_values_as_from_prefixed_env_reads_them(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 66.0 for a number, and a consumer secret of digits alone as well."""
    key = Fernet.generate_key()
    for name, value in {
        "KEEPING_SALESFORCE_CLIENT_SECRET": "9123456789012345678",
        "KEEPING_SALESFORCE_API_VERSION": "66.0",
        "KEEPING_PANEL_LIMIT": "[30, 300]",
        "KEEPING_BUDGET_SHARE": "0.5",
        "KEEPING_QUEUE": "7",
        "KEEPING_SALESFORCE_ALLOW_LOOPBACK": "1",
    }.items():
        monkeypatch.setenv(f"HOUSE_{name}", value)
    app = Flask("house")
    app.config.from_mapping(CONFIG, KEEPING_SECRET_KEYS=key)
    app.config.from_prefixed_env("HOUSE")
    config = Config.from_mapping(app.config)
    assert config.salesforce_client_secret == "9123456789012345678"
    assert config.salesforce_api_version == "66.0"
    assert config.panel_limit == (30, 300)
    assert config.budget_share == 0.5
    assert config.queue == "7"
    assert config.salesforce_allow_loopback is True
    assert config.secret_keys == (key.decode(),)


def test_a_secret_never_stands_in_the_refusal(sqlite_url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        bare(sqlite_url, KEEPING_SECRET_KEYS="c0ffee-this-was-meant-to-be-a-key")
    assert "c0ffee" not in str(refusal.value)


def test_a_time_scale_is_refused_outside_testing(sqlite_url: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape("KEEPING_TIME_SCALE is only allowed")):
        bare(sqlite_url, TESTING=False, KEEPING_TIME_SCALE=0.1)


def test_a_bind_the_host_does_not_have_is_named(sqlite_url: str) -> None:
    with pytest.raises(ConfigurationError, match="KEEPING_BIND_KEY"):
        bare(sqlite_url, KEEPING_BIND_KEY="elsewhere")


@pytest.mark.field_case("B13")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("HTTPS://Inbox.Example.com/", "https://inbox.example.com"),
        ("https://inbox.example.com:8443", "https://inbox.example.com:8443"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("http://my_inbox:5000", "http://my_inbox:5000"),
    ],
)
def test_the_address_of_the_inbox_is_read_as_salesforce_compares_it(
    written: str, read: str
) -> None:
    assert Config.from_mapping({**CONFIG, "KEEPING_BASE_URL": written}).base_url == read
