"""`python -m demo.inbox --port PORT` serves the inbox."""

from __future__ import annotations

import argparse

from waitress import serve

from demo.inbox.app import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.inbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    serve(create_app(), host="127.0.0.1", port=options.port, threads=options.threads, ident=None)


if __name__ == "__main__":
    main()
