"""Inboxes with an org in memory, served to a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from tests.blueprints.inbox import open_inbox
from tests.browser.served import Served


@pytest.fixture
def unconnected(sqlite_url: str) -> Iterator[Served]:
    with open_inbox(sqlite_url) as inbox:
        server = make_server("127.0.0.1", 0, inbox.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(inbox=inbox, address=f"http://127.0.0.1:{server.port}")
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def served(unconnected: Served) -> Served:
    unconnected.inbox.connect()
    return unconnected
