"""`fairness`: one message of a small company behind thousands of a large one, two workers."""

from __future__ import annotations

import time

from benchmarks.bench import Bench, Runs
from benchmarks.house import House
from benchmarks.machine import watched
from benchmarks.postgres import NoPostgres, Postgres

LATENCY = 150.0
MAX_SECONDS = 2.0  # seconds more


def measure(bench: Bench) -> None:
    """Each company has its org; the small one's message comes while the large one's are drained."""
    behind, runs = bench.size(50_000, 3_000), bench.size(20, 5)
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing(f"behind {behind:,} messages", str(error))
        return
    url = postgres.database("fairness")
    with House(bench.folder, url, companies=2, org_processes=2) as house:
        large, small = house.companies
        with house.working(2):
            house.orgs.latency(LATENCY)
            alone = Runs([_until_its_task(house, small, f"alone{n}") for n in range(runs)])
        house.store((large, f"customer{n % 900}@shop.example") for n in range(behind))
        behind_it = []
        with house.working(2), watched() as load:
            waiting = house.owed(large)
            for number in range(runs):
                seconds = _until_its_task(house, small, f"busy{number}")
                left = house.owed(large)
                if not left:  # it was behind nobody any more
                    break
                behind_it.append(seconds)
    case = f"one message behind {behind:,} of another company, 2 workers"
    if not behind_it:
        bench.missing(case, "the large company's mail was drained before the small one's came")
        return
    busy = Runs(behind_it)
    bench.point(
        case,
        max(busy.values) - alone.median,
        "s more to the Task, the slowest run",
        against=f"alone: {alone.median:.2f} s",
        ratio=busy.median / alone.median,
        runs=len(behind_it),
        spread=busy.spread,
        target="at most 2 s more",
        met=max(busy.values) - alone.median <= MAX_SECONDS,
        load=load,
        note=f"median {busy.median - alone.median:.2f} s more; {waiting:,} entries owed before, "
        f"{left:,} after",
    )


def _until_its_task(house: House, company: str, customer: str) -> float:
    began = time.monotonic()
    house.store([(company, f"{customer}@small.example")])
    house.await_settled(company, seconds=120)
    return time.monotonic() - began
