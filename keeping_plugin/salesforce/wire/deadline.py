"""Connections that end with their call: one deadline over everything a call reads and writes.

A read timeout of the usual kind starts anew with each byte, so it never ends a server that drips.
Here every operation on the socket, headers included, gets what is left of the whole call; and the
first byte of a request leaves only if the call's start time has not passed.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from keeping_plugin.errors import CallNotStarted
from keeping_plugin.salesforce.wire.answer_sizes import FRAMING, LARGEST

_CHUNK = 65_536
# An idle connection may have died without a word; asking on it would look like an unclear outcome.
_IDLE_SECONDS = 20.0


class Call:
    """One call in progress, several HTTP requests of one verb included.

    `start_by` and the deadline are readings of `monotonic`. `sent` is true once the current request
    may have put a byte on the wire. `max_bytes` bounds the body of each answer, unpacked, and
    `received` counts what came in of the current one, packed, headers included.
    """

    __slots__ = ("ends_at", "max_bytes", "monotonic", "received", "requests", "sent", "start_by")

    def __init__(
        self,
        *,
        seconds: float,
        start_by: float | None,
        monotonic: Callable[[], float],
        max_bytes: int = LARGEST,
    ) -> None:
        self.monotonic = monotonic
        self.ends_at = monotonic() + seconds
        self.start_by = start_by
        self.max_bytes = max_bytes
        self.sent = False
        self.requests = 0
        self.received = 0

    def remaining(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self.ends_at - self.monotonic()
        if left <= 0:
            raise TimeoutError("the call's deadline has passed")
        return left

    @property
    def has_time(self) -> bool:
        """The deadline has not passed."""
        return self.monotonic() < self.ends_at

    def read(self, count: int) -> None:
        """Count bytes that came in. Raises OSError when they are more than any answer has: a body
        is counted as it is unpacked, but http.client and urllib3 read lines without an end."""
        self.received += count
        if self.received > self.max_bytes + FRAMING:
            raise OSError("the answer is too large")

    def about_to_write(self) -> None:
        """The last act before the socket is written to. Raises CallNotStarted, TimeoutError."""
        if self.sent:
            return
        self.remaining()
        if self.start_by is not None and self.monotonic() > self.start_by:
            raise CallNotStarted("the call came too late to be started")
        self.sent = True


_current: ContextVar[Call] = ContextVar("keeping_salesforce_call")


def current_call() -> Call | None:
    """The call this thread is making, if any."""
    return _current.get(None)


@contextmanager
def calling(call: Call) -> Iterator[Call]:
    """Make it this thread's call; an outer one (the one whose token is being refreshed) waits."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


class _Reader(io.RawIOBase):
    """The reading end of a socket, under the current call's deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open until it is closed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        call = _current.get()
        self._sock.settimeout(call.remaining())
        count = self._raw.readinto(buffer)
        call.read(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class DeadlineSocket:
    """A connected socket, TLS or plain, as http.client uses one."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.used_at = time.monotonic()

    def sendall(self, data: Any, flags: int = 0) -> None:
        call = _current.get()
        call.about_to_write()
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _CHUNK):
            self._sock.settimeout(call.remaining())
            self._sock.sendall(view[start : start + _CHUNK], flags)
        self.used_at = time.monotonic()

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        if "r" not in mode:
            raise ValueError("only reading goes through a file")
        self.used_at = time.monotonic()
        return io.BufferedReader(_Reader(self._sock))

    def fileno(self) -> int:
        return self._sock.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = DeadlineSocket(self.sock)


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock = DeadlineSocket(self.sock)


def _too_old(connection: Any) -> bool:
    sock = connection.sock
    return isinstance(sock, DeadlineSocket) and time.monotonic() - sock.used_at > _IDLE_SECONDS


class PlainPool(HTTPConnectionPool):
    """urllib3's pool, over sockets with a deadline, forgetting those that were idle for long."""

    ConnectionCls = _PlainConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if _too_old(connection):
            connection.close()
        return connection


class TlsPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _TlsConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if _too_old(connection):
            connection.close()
        return connection
