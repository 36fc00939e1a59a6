"""The socket side: waitress, with the connection handed on so that faults can break it."""

from __future__ import annotations

import socket
import threading
from wsgiref.types import WSGIApplication

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

THREADS = 48
#: Above what the service allows, so that its own 414 and 431 are the ones that answer.
HEADER_BYTES = 1024 * 1024


class _Task(WSGITask):  # type: ignore[misc]
    def get_environment(self) -> dict[str, object]:
        environ: dict[str, object] = super().get_environment()
        environ["demo.org.channel"] = self.channel
        return environ


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback interface; port 0 takes a free one."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(1024)
    return listening


class Server:
    """A waitress server over a socket that already listens, run in a thread of its own."""

    def __init__(self, application: WSGIApplication, listening: socket.socket) -> None:
        self._server = create_server(
            application,
            sockets=[listening],
            threads=THREADS,
            ident="sfdcedge",
            max_request_header_size=HEADER_BYTES,
            max_request_body_size=64 * 1024 * 1024,
            inbuf_overflow=64 * 1024 * 1024,
            outbuf_overflow=128 * 1024 * 1024,
            channel_timeout=600,
            connection_limit=1000,
            clear_untrusted_proxy_headers=True,
        )
        self._server.channel_class = _Channel
        self._thread = threading.Thread(target=self._server.run, daemon=True, name="http")

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self, *, seconds: float = 2.0) -> None:
        """Take no further call; those under way may finish for so long."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=seconds)
