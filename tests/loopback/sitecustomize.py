"""Importing this module confines the process to loopback, for good.

An audit hook sees every connection that Python code opens, whatever library opens it, and cannot be
removed. This folder stands on PYTHONPATH while the tests run, so the interpreters they start
import it too, by its name. A refusal is also written to the file that KEEPING_TEST_REFUSALS names:
code that swallows the error still fails its test.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

_CONNECTS = {"socket.connect", "socket.sendto"}
_RESOLVES = {"socket.getaddrinfo", "socket.gethostbyname"}


def is_loopback(host: Any) -> bool:
    """True for this machine's own addresses and for the absence of one."""
    if host in (None, "", b""):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(text.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_strangers(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTS:
        address = arguments[1]
        # A path or bytes is a Unix socket; so is anything that is not (host, port, ...).
        host = address[0] if isinstance(address, tuple) else None
    elif event in _RESOLVES:
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        sentence = f"{event} to {host!r}: the tests allow loopback only"
        refusals = os.environ.get("KEEPING_TEST_REFUSALS")
        if refusals:
            with open(refusals, "a", encoding="utf-8") as file:  # noqa: PTH123 - at start-up
                file.write(f"{sentence} (pid {os.getpid()})\n")
        raise PermissionError(sentence)


sys.addaudithook(_refuse_strangers)
