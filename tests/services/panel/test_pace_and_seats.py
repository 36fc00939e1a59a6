"""Who may ask how often, and how many may wait at once."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from keeping_plugin.errors import Crowded
from keeping_plugin.services.panel.pace import Pace
from keeping_plugin.services.panel.seats import Seats
from keeping_plugin.testing import FakeClock


def test_an_agent_and_a_company_have_limits_of_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    pace = Pace((2, 3), clock.monotonic)
    pace.step("acme", "gus")
    pace.step("acme", "gus")
    with pytest.raises(Crowded):
        pace.step("acme", "gus")
    pace.step("acme", "gil")
    with pytest.raises(Crowded):
        pace.step("acme", "ada")
    pace.step("other", "gus")
    warned = [record for record in caplog.records if record.message == "panel_limit_reached"]
    assert [record.__dict__["limit_of"] for record in warned] == ["agent", "company"]
    clock.advance(60)
    pace.step("acme", "gus")


def test_processes_that_count_together_share_one_limit() -> None:
    """Each would let six pass by itself."""
    counts: Counter[str] = Counter()

    def shared(name: str) -> int:
        counts[name] += 1
        return counts[name]

    clock = FakeClock()
    processes = [Pace((6, 10), clock.monotonic, shared=shared) for _ in range(3)]
    for number in range(6):
        processes[number % 3].step("acme", "gus")
    for pace in processes:
        with pytest.raises(Crowded):
            pace.step("acme", "gus")
    for number in range(4):  # what was refused to Gus counts against nobody else
        processes[number % 3].step("acme", "gil")
    with pytest.raises(Crowded):
        processes[0].step("acme", "ada")
    assert not any("acme" in name or "gus" in name for name in counts)


def test_a_shared_count_that_nobody_can_tell_leaves_the_process_its_own() -> None:
    pace = Pace((2, 3), FakeClock().monotonic, shared=lambda _: None)
    pace.step("acme", "gus")
    pace.step("acme", "gus")
    with pytest.raises(Crowded):
        pace.step("acme", "gus")


def test_the_next_one_hears_at_once_or_waits_a_moment() -> None:
    seats = Seats(share=0.0)
    with seats.seat():
        with pytest.raises(Crowded), seats.seat():
            pass
        with pytest.raises(Crowded), seats.seat(patience=0.01):
            pass
    with seats.seat():
        pass


def test_a_seat_that_comes_free_is_taken() -> None:
    seats = Seats(share=0.0)
    sitting, leave = threading.Event(), threading.Event()

    def sit() -> None:
        with seats.seat():
            sitting.set()
            leave.wait(10)

    thread = threading.Thread(target=sit)
    thread.start()
    assert sitting.wait(10)
    threading.Timer(0.05, leave.set).start()
    with seats.seat(patience=10):
        assert leave.is_set()
    thread.join()


def test_a_quarter_of_the_threads_may_sit() -> None:
    seats = Seats()
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(12)]
    for thread in threads:
        thread.start()
    allowed = int(threading.active_count() * 0.25)
    assert allowed >= 3
    try:
        held = [seats.seat() for _ in range(allowed)]
        for seat in held:
            seat.__enter__()
        with pytest.raises(Crowded), seats.seat():
            pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()
