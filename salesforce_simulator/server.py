"""The socket side: waitress, with the connection handed on so that faults can break it."""

from __future__ import annotations

import socket
import threading
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

THREADS = 48
#: Above what the service allows, so that its own 414 and 431 are the ones that answer.
HEADER_BYTES = 1024 * 1024


class _Task(WSGITask):  # type: ignore[misc]
    def get_environment(self) -> dict[str, object]:
        environ: dict[str, object] = super().get_environment()
        environ["salesforce_simulator.channel"] = self.channel
        return environ

    def set_close_on_finish(self) -> None:
        """The service keeps a connection after an answer without a body; waitress would not."""
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or asked or self.version != "1.1":
            super().set_close_on_finish()


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task


def _nothing_here(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    raise AssertionError("the server was started without its application")


class Server:
    """A waitress server on the loopback interface, run in a thread of its own.

    It holds its port from the beginning (0 takes a free one) and answers once started.
    """

    def __init__(self, port: int) -> None:
        self._server = create_server(
            _nothing_here,
            host="127.0.0.1",
            port=port,
            threads=THREADS,
            ident="sfdcedge",
            backlog=1024,
            connection_limit=1000,
            channel_timeout=600,
            max_request_header_size=HEADER_BYTES,
            max_request_body_size=64 * 1024 * 1024,
            inbuf_overflow=64 * 1024 * 1024,
            outbuf_overflow=128 * 1024 * 1024,
            clear_untrusted_proxy_headers=True,
        )
        self._server.channel_class = _Channel
        self._thread = threading.Thread(target=self._server.run, daemon=True, name="http")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.effective_port)

    def start(self, application: WSGIApplication) -> None:
        """Answer requests from now on."""
        self._server.application = application
        self._thread.start()

    def close(self) -> None:
        """Listen no more: a new connection is refused, open ones are closed."""
        # Closing alone leaves it open while the server's thread waits on it.
        self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for channel in list(self._server._map.values()):
            channel.close()

    def stop(self, *, seconds: float = 2.0) -> None:
        """Take no further call; those under way may finish for so long."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=seconds)
