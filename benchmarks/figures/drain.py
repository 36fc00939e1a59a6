"""`drain`: thousands of messages into the org, beside one job a message."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.bench import Bench, seconds_of
from benchmarks.grants import access, create
from benchmarks.house import House
from benchmarks.job_a_message import JobAMessage
from benchmarks.machine import watched
from benchmarks.orgs import Orgs
from benchmarks.postgres import NoPostgres, Postgres

LATENCY = 150.0  # ms a round trip
WORKERS = 4
RIVAL_SAMPLE = 400


def measure(bench: Bench) -> None:
    """On PostgreSQL with four workers: from the commit of all mail at once to the last outcome."""
    try:
        postgres = bench.clean_up.enter_context(Postgres())
    except NoPostgres as error:
        bench.missing("both cases", str(error))
        return
    _one_company(bench, postgres.database("one"))
    _many_companies(bench, postgres.database("many"))


def _one_company(bench: Bench, database_url: str) -> None:
    messages, customers = bench.size(10_000, 1_000), bench.size(3_000, 300)
    new = customers // 3
    rng = random.Random(7)
    addresses = [f"customer{n}@shop{n % 90}.example" for n in range(customers)]
    drawn = [*addresses, *rng.choices(addresses, k=messages - customers)]
    rng.shuffle(drawn)
    known = [{"LastName": "Known", "Email": address} for address in addresses[new:]]
    case = f"{messages:,} messages of {customers:,} customers, {new:,} new, one company"
    with House(bench.folder, database_url) as house:
        create(house.orgs.all[0], "Contact", known)
        with house.working(WORKERS):
            house.orgs.latency(LATENCY)
            house.orgs.reset_logs()
            house.store(((house.companies[0], address) for address in drawn), at_once=True)
            with watched() as load:
                took = house.await_settled(seconds=600)
        requests = house.orgs.counted()
        tasks = house.orgs.count("SELECT Id FROM Task")
        contacts = house.orgs.count("SELECT Id FROM Contact")
        if (tasks, contacts) != (messages, customers):
            said = f"{tasks:,} Tasks and {contacts:,} Contacts came of it: {house.states()}"
            bench.missing(case, said)
            return
    each, rate = requests / messages, messages / took
    rival = _rival(bench, drawn[: bench.size(RIVAL_SAMPLE, 100)], known)
    bench.point(
        f"{case}: requests",
        each,
        "API requests a message",
        target="at most 0.02",
        met=each <= 0.02,
        load=load,
        note=f"{requests:,} requests",
    )
    bench.point(
        f"{case}: requests, times fewer",
        rival.requests / each,
        "times fewer",
        against=f"{rival.said}: {rival.requests:.2f} a message",
        ratio=rival.requests / each,
        target="at least 50",
        met=rival.requests / each >= 50,
        load=load,
    )
    bench.point(
        f"{case}: rate",
        rate,
        "messages a second",
        against=f"{rival.said}: {rival.rate:.1f} a second",
        ratio=rate / rival.rate,
        target="at least 20",
        met=rate / rival.rate >= 20,
        load=load,
        note=f"{took:.1f} s from the mail's commit to the last outcome",
    )


@dataclass(frozen=True, slots=True)
class _Rival:
    said: str
    rate: float  # messages a second
    requests: float  # a message


def _rival(bench: Bench, sample: Sequence[str], known: Sequence[Mapping[str, str]]) -> _Rival:
    """The first messages of the same mail, in an org of its own that knows the same people."""
    folder = bench.folder / "rival"
    folder.mkdir()
    with Orgs(1, folder=folder) as orgs:
        org = orgs.all[0]
        create(org, "Contact", known)
        rival = JobAMessage(access(org), workers=WORKERS)
        orgs.latency(LATENCY)
        orgs.reset_logs()
        jobs = [(str(number), address) for number, address in enumerate(sample)]
        seconds = seconds_of(lambda: rival.send(jobs))
        return _Rival(
            f"one job a message, {WORKERS} workers, its first {len(sample)}",
            len(sample) / seconds,
            orgs.counted() / len(sample),
        )


def _many_companies(bench: Bench, database_url: str) -> None:
    companies, each = bench.size(100, 8), bench.size(100, 50)
    case = f"{companies * each:,} messages of {companies} companies"
    with House(bench.folder, database_url, companies=companies, org_processes=2) as house:
        pairs = [
            (company, f"customer{n}@shop.example")
            for n in range(each)
            for company in house.companies
        ]
        with house.working(WORKERS):
            house.orgs.latency(LATENCY)
            house.store(pairs, at_once=True)
            with watched() as load:
                took = house.await_settled(seconds=300)
        requests = [org.control.counters()["api_requests"] for org in house.orgs.all]
        done = house.orgs.count("SELECT Id FROM Task")
    if done != companies * each:
        bench.missing(case, f"{done:,} Tasks came of it")
        return
    bench.point(
        f"{case}: requests",
        max(requests),
        "API requests of the company with most",
        target="at most 4",
        met=max(requests) <= 4,
        load=load,
        note=f"{sum(requests) / companies:.2f} on average",
    )
    bench.point(
        f"{case}: time, {WORKERS} workers",
        took,
        "s",
        target="at most 60 s",
        met=took <= 60,
        load=load,
    )
