"""`recovery`: from kill -9 of every worker mid-batch to the last Task, at the real times."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.house import House
from benchmarks.machine import watched
from benchmarks.postgres import NoPostgres, Postgres
from demo.processes import Child

LATENCY = 1_000.0  # so that mid-batch lasts
MAX_SECONDS = 75.0
WORKERS = 2


def measure(bench: Bench) -> None:
    """The same mail twice: undisturbed, and with every worker killed while a call is under way."""
    messages = bench.size(400, 40)
    case = f"{messages} messages of 2 companies, {WORKERS} workers killed mid-batch"
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing(case, str(error))
        return
    with House(bench.folder, postgres.database("recovery"), companies=2) as house:
        with house.working(WORKERS):
            house.orgs.latency(LATENCY)
            began = time.monotonic()
            _store(house, messages, "undisturbed")
            house.await_settled(seconds=200)
            undisturbed = time.monotonic() - began
        house.orgs.reset_logs()
        with watched() as load:
            with house.working(WORKERS) as workers:
                began = time.monotonic()
                _store(house, messages, "killed")
                # The mark is committed before its call leaves, and the call takes a second.
                house.await_true(lambda: house.states_of("sending"), seconds=60)
                for worker in workers:
                    _kill(worker)
                gone = [partial(_has_ended, worker) for worker in workers]
                house.await_true(lambda: all(ended() for ended in gone), seconds=10)
                killed = time.monotonic()
                in_flight = house.states_of("sending")
            with house.working(WORKERS):
                house.await_settled(seconds=300)
                ended = time.monotonic()
        for org in house.orgs.all:
            org.control.wait_until_committed()
        tasks = house.orgs.count("SELECT Id FROM Task")
        contacts = house.orgs.count("SELECT Id FROM Contact")
    more = ended - began - undisturbed
    bench.point(
        case,
        more,
        "s more to the last Task",
        against=f"undisturbed: {undisturbed:.1f} s",
        ratio=(ended - began) / undisturbed,
        target="at most 75 s more",
        met=more <= MAX_SECONDS,
        load=load,
        note=f"{ended - killed:.1f} s from the kill to the last Task; {in_flight} entries were "
        "on their way when it came",
    )
    doubled = tasks - 2 * messages, contacts - 2 * messages
    bench.point(
        f"{case}: lost or doubled",
        abs(doubled[0]) + abs(doubled[1]),
        "Tasks and Contacts too many or too few",
        target="0",
        met=doubled == (0, 0),
        note=f"{tasks} Tasks, {contacts} Contacts",
    )


def _store(house: House, messages: int, kind: str) -> None:
    house.store(
        (company, f"{kind}{n}@shop.example") for n in range(messages // 2) for company in
        house.companies
    )  # fmt: skip


def _kill(worker: Child) -> None:
    """-9 to the pair: the parent that sweeps and the child that works."""
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    for pid in (worker.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)


def _has_ended(worker: Child) -> bool:
    return worker.exit_code is not None
