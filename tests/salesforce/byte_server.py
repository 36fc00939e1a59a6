"""A server that answers with the very bytes a test wants, in the time it wants."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket, bytes], None]


@dataclass(slots=True)
class Wire:
    """`requests` holds what came in, one entry a request, heads and bodies together."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


def read_request(sock: socket.socket) -> bytes:
    """One whole request, or what came of it before the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        part = sock.recv(65_536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def reply(
    body: bytes,
    *,
    status: str = "200 OK",
    kind: str = "application/json",
    headers: str = "Connection: close\r\n",
) -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}"
    return head.encode() + b"\r\n" + body


def says(answer: bytes) -> Script:
    """Answer every request with these bytes, then hang up."""

    def script(sock: socket.socket, request: bytes) -> None:
        sock.sendall(answer)

    return script


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Wire]:
    """Run the script for each connection, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
        open_ones: list[socket.socket] = []

        def serve(sock: socket.socket) -> None:
            with contextlib.suppress(OSError), sock:
                request = read_request(sock)
                if request:
                    wire.requests.append(request)
                    script(sock, request)

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                open_ones.append(sock)
                threading.Thread(target=serve, args=(sock,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            wire.released.set()
            # Closing alone does not wake accept() on Linux.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(5)
            for sock in open_ones:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
