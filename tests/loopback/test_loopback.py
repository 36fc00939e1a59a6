from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loopback.sitecustomize import is_loopback


@pytest.mark.parametrize(
    "host", [None, "", "localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1"]
)
def test_this_machine_is_loopback(host: str | None) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com", "fe80::1%lo"]
)
def test_anything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('login.salesforce.example', 443)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    ],
)
def test_a_process_started_by_a_test_is_refused_and_written_down(
    attempt: str, tmp_path: Path
) -> None:
    """Also when the program swallows the error."""
    refusals = tmp_path / "refusals"
    program = f"import socket\ntry:\n    {attempt}\nexcept OSError as error:\n    print(error)"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KEEPING_TEST_REFUSALS": str(refusals)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "the tests allow loopback only" in run.stdout
    assert "the tests allow loopback only" in refusals.read_text()
