"""`workers`: the rate of 1, 2, 4 and 8 workers, where round trips dominate and not this machine."""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.house import House
from benchmarks.machine import watched
from benchmarks.postgres import NoPostgres, Postgres

LATENCY = 1_000.0
BATCH = 20  # messages a company: one batch


def measure(bench: Bench) -> None:
    """32 companies with an org each owe a batch of 20 messages; workers wait for their ring."""
    companies = bench.size(32, 4)
    counts = (1, 2, 4) if bench.quick else (1, 2, 4, 8)
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing(f"{companies} companies", str(error))
        return
    url = postgres.database("workers")
    one: float | None = None
    with House(bench.folder, url, companies=companies, org_processes=2) as house:
        with house.working(2):
            pass  # they describe the orgs
        house.orgs.latency(LATENCY)
        for number in counts:
            pairs = [
                (company, f"customer{n}.with{number}@shop.example")
                for n in range(BATCH)
                for company in house.companies
            ]
            with house.working(number):
                house.store(pairs, at_once=True)
                with watched() as load:
                    took = house.await_settled(seconds=400)
            one = took if one is None else one
            share = one / took / number
            bench.point(
                f"{number} worker{'s' if number > 1 else ''}, {companies} companies, batches of "
                f"{BATCH}, 1 s latency",
                len(pairs) / took,
                "messages a second",
                against="1 worker" if number > 1 else "",
                ratio=share if number > 1 else None,
                target="at least 0.85 of linear" if number in (2, 4) else "",
                met=share >= 0.85 if number in (2, 4) else None,
                load=load,
                note=f"{took:.1f} s",
            )
