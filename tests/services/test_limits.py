"""Who may ask how often, and how many may wait at once."""

from __future__ import annotations

import sys
import threading
import types
from collections import Counter
from contextvars import copy_context

import greenlet
import pytest

from keeping_plugin.errors import TooBusy
from keeping_plugin.services.limits import ConcurrencyLimit, RateLimiter
from keeping_plugin.testing import FakeClock
from tests.services.sitting import sitting


def test_an_agent_and_a_company_have_limits_of_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    rate = RateLimiter((2, 3), clock.monotonic)
    rate.hit("acme", "gus")
    rate.hit("acme", "gus")
    with pytest.raises(TooBusy):
        rate.hit("acme", "gus")
    rate.hit("acme", "gil")
    with pytest.raises(TooBusy):
        rate.hit("acme", "ada")
    rate.hit("other", "gus")
    warned = [record for record in caplog.records if record.message == "panel_limit_reached"]
    assert [record.__dict__["limit_of"] for record in warned] == ["agent", "company"]
    clock.advance(60)
    rate.hit("acme", "gus")


def test_processes_that_count_together_share_one_limit() -> None:
    """Each would let six pass by itself."""
    counts: Counter[str] = Counter()

    def shared(name: str) -> int:
        counts[name] += 1
        return counts[name]

    clock = FakeClock()
    processes = [RateLimiter((6, 10), clock.monotonic, shared=shared) for _ in range(3)]
    for number in range(6):
        processes[number % 3].hit("acme", "gus")
    for rate in processes:
        with pytest.raises(TooBusy):
            rate.hit("acme", "gus")
    for number in range(4):  # what was refused to Gus counts against nobody else
        processes[number % 3].hit("acme", "gil")
    with pytest.raises(TooBusy):
        processes[0].hit("acme", "ada")
    assert not any("acme" in name or "gus" in name for name in counts)


def test_a_shared_count_that_nobody_can_tell_leaves_the_process_its_own() -> None:
    rate = RateLimiter((2, 3), FakeClock().monotonic, shared=lambda _: None)
    rate.hit("acme", "gus")
    rate.hit("acme", "gus")
    with pytest.raises(TooBusy):
        rate.hit("acme", "gus")


@pytest.mark.field_case("B4")
def test_the_next_one_hears_at_once_and_may_ask_again_soon() -> None:
    concurrency = ConcurrencyLimit(share=0.0)
    with sitting(concurrency, 1), pytest.raises(TooBusy) as refusal, concurrency.slot():
        pass
    assert refusal.value.soon
    with concurrency.slot():
        pass


def test_a_request_that_sits_takes_no_second_seat() -> None:
    concurrency = ConcurrencyLimit(share=0.0)
    with concurrency.slot(), concurrency.slot():
        assert concurrency.held
    assert not concurrency.held
    with sitting(concurrency, 1):
        assert not concurrency.held, "the seat of another request is not one's own"


def test_a_quarter_of_the_threads_may_sit() -> None:
    concurrency = ConcurrencyLimit()
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(12)]
    for thread in threads:
        thread.start()
    try:
        allowed = int(threading.active_count() * 0.25)
        assert allowed >= 3
        others = [(copy_context(), concurrency.slot()) for _ in range(allowed)]
        for request, seat in others:
            request.run(seat.__enter__)
        with pytest.raises(TooBusy), concurrency.slot():
            pass
        for request, seat in others:
            request.run(seat.__exit__, None, None, None)
        with concurrency.slot():
            pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_setting_says_how_many_may_sit() -> None:
    concurrency = ConcurrencyLimit(limit=2)
    with sitting(concurrency, 2), pytest.raises(TooBusy), concurrency.slot():
        pass


GREENLETS = {
    "gevent": ("gevent.monkey", "is_module_patched", "threading"),
    "eventlet": ("eventlet.patcher", "is_monkey_patched", "thread"),
}


@pytest.mark.field_case("D11")
@pytest.mark.parametrize("kind", GREENLETS)
def test_forty_greenlets_of_one_thread_may_all_sit(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real greenlets, and the one question that is asked of the library that patched the process:
    neither gevent nor eventlet is among our dependencies."""
    module, question, patched = GREENLETS[kind]
    library = types.ModuleType(module)
    monkeypatch.setattr(library, question, lambda name: name == patched, raising=False)
    monkeypatch.setitem(sys.modules, module, library)
    concurrency = ConcurrencyLimit()
    seated = []

    def request(number: int) -> None:
        with concurrency.slot():
            seated.append(number)
            hub.switch()

    hub = greenlet.getcurrent()
    greenlets = [greenlet.greenlet(request) for _ in range(40)]
    for number, each in enumerate(greenlets):
        each.switch(number)
    assert seated == list(range(40))
    for each in greenlets:
        each.switch()
    assert not concurrency.held
    monkeypatch.setattr(library, question, lambda name: False)
    assert concurrency.limit() < 40, "a library that is only imported patches nothing"
