"""Ports of this machine: friendly ones when they are free, the next ones when they are not."""

from __future__ import annotations

import socket
from collections.abc import Collection


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket() as probe:
        # As the servers do it: a port that is merely cooling down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def first_free(start: int, *, taken: Collection[int] = ()) -> int:
    """The first free port from `start` on that is not among `taken`."""
    for port in range(start, 65_536):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no port from {start} on is free")


def listen(start: int) -> socket.socket:
    """A socket that listens on the first free port from `start` on. Whoever holds it has the port:
    between looking for one that is free and taking it, nobody else can."""
    for port in range(start, 65_536):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(128)
        except OSError:
            listening.close()
            continue
        return listening
    raise OSError(f"no port from {start} on is free")
