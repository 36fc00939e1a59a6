"""F2: everything at once, from a seed, so that a run can be repeated."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

from sqlalchemy.exc import OperationalError

from tests.faults import host
from tests.faults.processes import Running
from tests.faults.world import World, fresh

CALL_FAULTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("reset", {"when": "after"}),
    ("reset", {"when": "before"}),
    ("truncated", {"cut": "connection"}),
    ("html_ok", {"when": "after"}),
    ("bad_gateway", {"when": "after"}),
    ("internal_error", {"when": "after"}),
    ("fewer_rows", {}),
    ("hang", {"when": "after"}),
    ("late_commit", {"seconds": 1.0}),
    ("unavailable", {}),
    ("unauthorized", {}),
    ("row_refused", {"times": 20, "every": 3}),
)


def rage(world: World, *, messages: int, seed: int = 1, chunk: int = 20) -> None:
    """Store so many messages, some in one transaction, some of known customers, while workers and
    Redis are killed and Salesforce fails in every way; then let everything settle."""
    dice = random.Random(seed)
    mails = fresh(messages, per_customer=3)
    dice.shuffle(mails)
    over = threading.Event()
    workers = [world.flask("worker", "-n", "2") for _ in range(2)]

    def store() -> None:
        try:
            for start in range(0, messages, chunk):
                _store(world, mails[start : start + chunk])
                time.sleep(0.4)
        finally:
            over.set()

    storing = threading.Thread(target=store)
    storing.start()
    _break(world, dice, workers, over)  # here: a Redis ends with the thread that started it
    storing.join()
    world.org.clear_faults()
    world.await_settled(seconds=max(240, messages / 4))


def _store(world: World, mails: list[tuple[str, str | None]]) -> None:
    """Until the host has it: SQLite may be locked for a while."""
    while True:
        try:
            with world.in_app():
                for mail_id, customer in mails:
                    host.add(mail_id, customer)
                host.db.session.commit()
        except OperationalError:
            continue
        return


def _break(
    world: World, dice: random.Random, workers: list[Running], over: threading.Event
) -> None:
    while not over.wait(dice.uniform(0.1, 0.5)):
        match dice.randrange(8):
            case 0:
                _kill_one(dice.choice(workers), dice)
            case 1:
                world.redis.stop(signal.SIGKILL)
                over.wait(dice.uniform(0.0, 0.5))
                world.redis.start()
            case 2:
                world.redis.flush()
            case _:
                kind, options = dice.choice(CALL_FAULTS)
                world.org.fault(kind, **options)  # type: ignore[arg-type]
        world.injected += 1


def _kill_one(worker: Running, dice: random.Random) -> None:
    """Any of the supervisor's pairs, or one of their children."""
    pairs = worker.children()
    below = [pid for pair in pairs for pid in _children(pair)]
    if pairs + below:
        try:
            os.kill(dice.choice(pairs + below), signal.SIGKILL)
        except ProcessLookupError:
            return


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
