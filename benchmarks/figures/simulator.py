"""`simulator`: how soon the simulated org answers, and what a panel's composite costs it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from benchmarks.bench import Bench, Runs
from benchmarks.machine import Load, watched
from salesforce_simulator.oauth.consent import connect
from salesforce_simulator.process import OrgProcess

START_SECONDS = 1.0
COMPOSITE_MS = 10.0
#: What the simulator stands on, which its start cannot do without.
_DEPENDENCIES = "import cryptography.hazmat.primitives.asymmetric.rsa, flask, waitress"
_TICK = os.sysconf("SC_CLK_TCK")
_ROUND = 20
BASE = "/services/data/v66.0"


def measure(bench: Bench) -> None:
    """Processor time of the org's process, which a busy machine hardly changes; fresh processes and
    rounds of both sizes in turn."""
    _start(bench)
    _composite(bench)


def _start(bench: Bench) -> None:
    rounds = bench.size(15, 4)
    programs = {
        "simulator": [sys.executable, "-m", "salesforce_simulator"],
        "dependencies": [
            sys.executable,
            "-c",
            f"{_DEPENDENCIES}\nprint(flush=True)\nimport sys; sys.stdin.read()",
        ],
    }
    processor: dict[str, list[float]] = {name: [] for name in programs}
    clock: list[float] = []
    with watched() as load:
        for number in range(rounds + 1):
            for name, command in programs.items():
                began = time.perf_counter()
                with _until_it_speaks(command) as pid:
                    took, seconds = time.perf_counter() - began, _processor_seconds(pid)
                if number:  # the first one compiles
                    processor[name].append(seconds)
                    if name == "simulator":
                        clock.append(took)
    ours, floor = Runs(processor["simulator"]), Runs(processor["dependencies"])
    bench.point(
        "starting two orgs with their records",
        ours.median * 1000,
        "ms of processor time",
        against=f"its dependencies alone: {floor.median * 1000:.0f} ms",
        ratio=ours.median / floor.median,
        runs=rounds,
        spread=ours.spread,
        target="below 1 s",
        met=ours.median < START_SECONDS,
        load=load,
        note=f"{statistics.median(clock):.2f} s by the clock",
    )


@contextmanager
def _until_it_speaks(command: Sequence[str]) -> Iterator[int]:
    """Start a program and wait for its first line; its process id. It ends with the block."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            if not process.stdout.readline():
                raise RuntimeError(f"{command[-1]} ended before it was ready")
            yield process.pid
        finally:
            process.terminate()


def _processor_seconds(pid: int) -> float:
    """What a process has used so far, to a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _composite(bench: Bench) -> None:
    people = {"the records of the seed": 0, "20,000 Contacts more": bench.size(20_000, 2_000)}
    rounds = bench.size(15, 4)
    with OrgProcess() as small, OrgProcess(options=["--api-limit", "1000000"]) as large:
        works = {}
        for (name, count), process in zip(people.items(), (small, large), strict=True):
            works[name] = _Panel(process, count)
            bench.clean_up.callback(works[name].close)
        with watched() as load:
            for number in range(rounds + 1):
                for work in works.values():
                    work.ask(counted=number > 0)
        plain = Runs(works["the records of the seed"].taken)
        for name, work in works.items():
            _point(bench, name, people[name], Runs(work.taken), Runs(work.bare), plain, load)


def _point(
    bench: Bench, name: str, count: int, ours: Runs, bare: Runs, plain: Runs, load: Load
) -> None:
    case = name if not count else f"{count:,} Contacts more"
    bench.point(
        f"a panel's composite of five queries, {case}",
        ours.median * 1000,
        "ms of processor time",
        against=f"the list of versions, which asks nothing: {bare.median * 1000:.2f} ms",
        ratio=ours.median / bare.median,
        runs=len(ours.values) * _ROUND,
        spread=ours.spread,
        target="at most 10 ms",
        met=ours.median * 1000 <= COMPOSITE_MS,
        load=load,
        note="" if not count else f"{ours.median / plain.median:.2f} times the seed's",
    )


class _Panel:
    """One org and what a panel asks it, beside a call that costs the server and nothing else."""

    def __init__(self, process: OrgProcess, people: int) -> None:
        self.taken: list[float] = []
        self.bare: list[float] = []
        self._pid = process.pid
        grant = connect(process, process.production)
        self._url = grant.instance_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {grant.access_token}"
        for start in range(0, people, 200):
            rows = [_person(number) for number in range(start, min(people, start + 200))]
            body = {"allOrNone": True, "records": rows}
            self._session.post(f"{self._url}{BASE}/composite/sobjects", json=body, timeout=60)

    def ask(self, *, counted: bool) -> None:
        """A round of each, the answers checked."""
        body = _composite_of("anna.deboer@example.com")
        began = _processor_seconds(self._pid)
        for _ in range(_ROUND):
            answer = self._session.post(f"{self._url}{BASE}/composite", json=body, timeout=60)
            [contacts, *others] = answer.json()["compositeResponse"]
            if len(contacts["body"]["records"][0]["Cases"]["records"]) != 5 or any(
                other["httpStatusCode"] != 200 for other in others
            ):
                raise RuntimeError(f"the org answered something else: {answer.text[:500]}")
        middle = _processor_seconds(self._pid)
        for _ in range(_ROUND):
            self._session.get(f"{self._url}/services/data", timeout=60).raise_for_status()
        if counted:
            self.taken.append((middle - began) / _ROUND)
            self.bare.append((_processor_seconds(self._pid) - middle) / _ROUND)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _person(number: int) -> dict[str, Any]:
    address = f"person{number}@example.com"
    return {"attributes": {"type": "Contact"}, "LastName": f"Person {number}", "Email": address}


def _composite_of(address: str) -> dict[str, Any]:
    """The five statements of a panel for one address."""
    mail = f"Email IN ('{address}')"
    person = (
        "Id, Email, Name, Phone, Title, AccountId, Account.Id, Account.Name, Account.Phone, "
        "(SELECT Id, CaseNumber, Subject, Status, Priority, CreatedDate FROM Cases "
        "ORDER BY CreatedDate DESC NULLS LAST LIMIT 5), (SELECT Opportunity.Id, Opportunity.Name, "
        "Opportunity.StageName, Opportunity.Amount, Opportunity.CloseDate "
        "FROM OpportunityContactRoles ORDER BY Opportunity.LastModifiedDate DESC NULLS LAST "
        "LIMIT 20)"
    )
    deal = "Id, AccountId, Name, StageName, Amount, CloseDate"
    latest = "ORDER BY LastModifiedDate DESC NULLS LAST LIMIT 10"
    became = _select("ConvertedContactId", "Lead", f"{mail} AND IsConverted = true")
    accounts = _select("ConvertedAccountId", "Lead", f"{mail} AND IsConverted = true")
    own = _select("AccountId", "Contact", mail)
    statements = (
        _select(person, "Contact", mail, latest),
        _select(deal, "Opportunity", f"IsClosed = false AND AccountId IN ({own})", latest),
        _select("Id, Email, Name, Company", "Lead", f"{mail} AND IsConverted = false", latest),
        _select(person, "Contact", f"Id IN ({became})", latest),
        _select(deal, "Opportunity", f"IsClosed = false AND AccountId IN ({accounts})", latest),
    )
    parts = [
        {"method": "GET", "referenceId": f"q{n}", "url": f"{BASE}/query?q={quote(statement)}"}
        for n, statement in enumerate(statements)
    ]
    return {"allOrNone": False, "compositeRequest": parts}


def _select(fields: str, source: str, where: str, rest: str = "") -> str:
    return f"SELECT {fields} FROM {source} WHERE {where} {rest}".strip()  # noqa: S608 - SOQL
