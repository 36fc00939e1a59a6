"""`python -m demo.inbox --port PORT` serves the inbox; with `--fd` on a socket handed down."""

from __future__ import annotations

import argparse
import socket

from waitress import serve
from waitress.server import TcpWSGIServer

from demo.inbox.app import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.inbox", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int)
    where.add_argument("--fd", type=int, help="a listening socket handed down by the parent")
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    app = create_app()
    if options.fd is None:
        serve(app, host="127.0.0.1", port=options.port, threads=options.threads, ident=None)
        return
    door = socket.socket(fileno=options.fd)
    host, port = door.getsockname()
    # Not `serve(sockets=…)`, which looks up 0.0.0.0 all the same.
    TcpWSGIServer(
        app,
        _sock=door,
        bind_socket=False,
        host=host,
        port=port,
        threads=options.threads,
        ident=None,
    ).run()


if __name__ == "__main__":
    main()
