"""`python -m demo` as a person runs it: one process to start and to stop."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from redis import Redis

from demo.ports import listen
from demo.running import CannotStart, clear
from tests.servers.demos import WarmDemo
from tests.servers.needs import ROOT, needs
from tests.servers.ports import free_port

pytestmark = needs("redis")
Start = Callable[..., "Run"]


class Run:
    """A demo in a process of its own, with what it said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def until_ready(self) -> str:
        """Its address."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            found = re.fullmatch(r"ready: (http://127\.0\.0\.1:\d+)\n", line)
            if found:
                return found[1]
        raise AssertionError("".join(self.said))

    def family(self) -> list[int]:
        """Every process below it."""
        found, look = [], [self.process.pid]
        while look:
            children = Path(f"/proc/{look.pop()}/task").glob("*/children")
            below = [int(pid) for file in children for pid in file.read_text().split()]
            found += below
            look += below
        return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runs: list[Run] = []

    def run(*options: str, data: Path = tmp_path / "data", port: int | None = None) -> Run:
        command = [sys.executable, "-m", "demo", "--data", str(data)]
        process = subprocess.Popen(
            [*command, "--port", str(port or free_port()), *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        runs.append(Run(process))
        return runs[-1]

    yield run
    for one in runs:
        one.process.terminate()
        one.process.wait(30)
        if one.process.stdout is not None:
            one.process.stdout.close()


def is_alive(pid: int) -> bool:
    """A zombie that nobody reaps counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def await_gone(pids: list[int]) -> None:
    end = time.monotonic() + 30
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def end(run: Run, how: signal.Signals) -> None:
    """Whatever ends it ends all it started."""
    family = run.family()
    assert len(family) >= 5  # redis, org, worker and its child, inbox
    run.process.send_signal(how)
    code = run.process.wait(30)
    await_gone(family)
    assert code == (0 if how != signal.SIGKILL else -signal.SIGKILL)


def test_a_second_start_keeps_what_the_first_one_held_and_fresh_forgets_it(
    start: Start, tmp_path: Path
) -> None:
    """Each of the three starts is ended by another signal, and leaves no process behind."""
    mail = tmp_path / "mail"
    mail.mkdir()
    (mail / "kept.eml").write_bytes(b"From: jo@example.com\nSubject: Kept\n\nHi")
    (mail / "bad.eml").write_bytes(b"")
    run = start("--mail", str(mail))
    url = run.until_ready()
    said = "".join(run.said)
    assert "unreadable: bad.eml: it is empty" in said
    assert "2 files: 1 messages, 1 unreadable" in said
    assert "maya@outdoor.example.com" in said
    assert requests.get(f"{url}/login", timeout=10).ok
    end(run, signal.SIGTERM)

    again = start("--mail", str(mail))
    url = again.until_ready()
    assert "1 messages (1 of them here already)" in "".join(again.said)
    assert requests.get(f"{url}/login", timeout=10).ok
    end(again, signal.SIGINT)

    fresh = start("--mail", str(mail), "--fresh")
    url = fresh.until_ready()
    assert "already" not in "".join(fresh.said)
    assert requests.get(f"{url}/login", timeout=10).ok
    end(fresh, signal.SIGKILL)


@pytest.mark.field_case("D14")
def test_two_that_start_at_once_are_told_from_each_other(start: Start, tmp_path: Path) -> None:
    """Both look for ports at the same moment. A third that looks at their folder or at their port
    leaves both alone."""
    port = free_port()
    runs = [start(data=tmp_path / name, port=port) for name in ("a", "b")]
    urls = [run.until_ready() for run in runs]
    assert len(set(urls)) == 2
    kept = [json.loads((tmp_path / name / "inbox.json").read_text()) for name in ("a", "b")]
    for name in ("INBOX_URL", "KEEPING_REDIS_URL", "KEEPING_SALESFORCE_LOGIN_URLS"):
        assert kept[0][name] != kept[1][name]
    for run, url, settings in zip(runs, urls, kept, strict=True):
        assert settings["INBOX_URL"] == url
        assert requests.get(f"{url}/login", timeout=10).ok
        with Redis.from_url(settings["KEEPING_REDIS_URL"]) as redis:
            assert redis.info("server")["process_id"] in run.family()
        assert run.process.poll() is None

    same_folder = start(data=tmp_path / "a")
    out, _ = same_folder.process.communicate(timeout=60)
    assert same_folder.process.returncode == 1
    assert "another demo is running" in out
    assert "Traceback" not in out

    end(runs[1], signal.SIGTERM)
    same_port = start(data=tmp_path / "c", port=int(urls[0].rpartition(":")[2]))
    assert same_port.until_ready() != urls[0]
    assert requests.get(f"{urls[0]}/login", timeout=10).ok


@pytest.mark.field_case("D14")
def test_ports_that_are_taken_while_it_starts_are_stepped_over(tmp_path: Path) -> None:
    """Its Redis is up; before the org is, somebody takes the org's port."""
    port = free_port()
    held: list[socket.socket] = []
    said: list[str] = []

    def say(part: str, line: str) -> None:
        said.append(f"{part}: {line}")
        if part == "redis":
            held.append(listen(port + 1))

    demo = WarmDemo(tmp_path / "data", first_port=port, say=say)
    with demo:
        taken = held[0].getsockname()[1]
        assert any(line == f"org: port {taken} was taken meanwhile" for line in said)
        assert demo.org.production.base_url.rpartition(":")[2] != str(taken)
        assert demo.config["KEEPING_SALESFORCE_LOGIN_URLS"][0] == demo.org.production.base_url
        assert requests.get(f"{demo.url}/login", timeout=10).ok
    held[0].close()


def test_mail_that_is_not_there_is_said_in_one_sentence(start: Start, tmp_path: Path) -> None:
    run = start("--mail", str(tmp_path / "nowhere"))
    out, _ = run.process.communicate(timeout=60)
    assert run.process.returncode == 1
    assert "there is no" in out
    assert "Traceback" not in out


def test_a_folder_that_no_demo_made_is_never_cleared(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    with pytest.raises(CannotStart, match="was not made by the demo"):
        clear(tmp_path)
    assert (tmp_path / "precious").exists()
