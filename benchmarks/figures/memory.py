"""`memory`: a worker after 5,000 messages and after 30,000, some with bodies of 10 MB."""

from __future__ import annotations

from pathlib import Path

from benchmarks import host
from benchmarks.bench import Bench
from benchmarks.house import House
from benchmarks.postgres import NoPostgres, Postgres
from demo.processes import Child

MAX_MB, GROWTH = 120.0, 0.05  # MB, share
LARGE_BODY = 10_000_000  # characters
LARGE_EVERY = 500


def measure(bench: Bench) -> None:
    """Resident memory of the child that works, its parent's pages that it shares included."""
    first, last = bench.size(5_000, 2_000), bench.size(30_000, 4_000)
    case = f"a worker after {first:,} and {last:,} messages, every {LARGE_EVERY}th of 10 MB"
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing(case, str(error))
        return
    with House(bench.folder, postgres.database("memory")) as house:
        with house.working(1):
            pass  # it describes the org
        with house.working(1) as (worker,):
            early = _after(house, worker, first)
            late = _after(house, worker, last - first)
            peak = _status(_child(worker), "VmHWM")
    growth = late / early - 1
    bench.point(
        f"{case}: size",
        late,
        "MB",
        target="under 120 MB",
        met=late < MAX_MB,
        note=f"{early:.1f} MB after {first:,}; highest ever {peak:.0f} MB",
    )
    bench.point(
        f"{case}: growth",
        100 * growth,
        "%",
        against=f"itself after {first:,} messages",
        ratio=late / early,
        target="at most 5 %",
        met=growth <= GROWTH,
    )


def _after(house: House, worker: Child, messages: int) -> float:
    company = house.companies[0]
    stored = 0
    while stored < messages:
        part = min(LARGE_EVERY, messages - stored)
        house.store([(company, "large@shop.example")], text=f"{host.LARGE}{LARGE_BODY}")
        house.store((company, f"c{n % 400}@shop.example") for n in range(part - 1))
        stored += part
    house.await_settled(seconds=420)
    return _status(_child(worker), "VmRSS")


def _child(worker: Child) -> int:
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    return int(children[0])


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1000
    raise RuntimeError(f"/proc does not tell {name}")
