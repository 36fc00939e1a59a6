"""Other people's requests that wait for Salesforce."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from keeping_plugin.services.limits import ConcurrencyLimit


@contextmanager
def sitting(concurrency: ConcurrencyLimit, count: int) -> Iterator[None]:
    """So many others sit, each a request of its own."""
    leave, here = threading.Event(), threading.Barrier(count + 1)

    def sit() -> None:
        with concurrency.slot():
            here.wait(10)
            leave.wait(60)

    threads = [threading.Thread(target=sit) for _ in range(count)]
    for thread in threads:
        thread.start()
    here.wait(10)
    try:
        yield
    finally:
        leave.set()
        for thread in threads:
            thread.join()
