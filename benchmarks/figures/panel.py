"""`panel`: opening the sidebar cold, beside the same composite sent by bare `requests`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

from benchmarks.bench import Bench, Runs, seconds_of
from benchmarks.grants import access, create
from benchmarks.house import House
from benchmarks.machine import watched

LATENCY = 150.0
CASES, DEALS = 5, 3


def measure(bench: Bench) -> None:
    """Each opening is another customer's, so that no card is known: a Contact with an Account, five
    Cases and three Opportunities. The floor sends the very body that the panel sends, every other
    time before it: who asks second finds the org warm."""
    opened = bench.size(60, 12)
    url = f"sqlite:///{bench.folder / 'panel.sqlite3'}"
    with House(bench.folder, url) as house:
        org, company = house.orgs.all[0], house.companies[0]
        addresses = [f"customer{number}@shop.example" for number in range(opened + 2)]
        _people(house, addresses)
        house.store((company, address) for address in addresses)
        conversations = house.conversations()
        with house.working(1):
            pass  # it describes the org
        house.orgs.latency(LATENCY)
        admin = house.client(company)
        granted = access(org)
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {granted.token}"
        bench.clean_up.callback(session.close)
        house.orgs.reset_logs()
        noted: list[tuple[str, str]] = []
        taken: dict[str, list[float]] = {"panel": [], "bare": []}
        with watched() as load, _noting(noted):
            path = "/salesforce/conversations/{}".format
            first = addresses[0]
            _open(admin, path(conversations[first]))
            [(target, text)] = noted
            _send(session, target, text)
            for number, address in enumerate(addresses[1:]):
                body = text.replace(quote(first), quote(address))
                works = {
                    "panel": partial(_open, admin, path(conversations[address])),
                    "bare": partial(_send, session, target, body),
                }
                noted.clear()
                for name in sorted(works, reverse=bool(number % 2)):
                    seconds = seconds_of(works[name])
                    if number:  # the first ones open connections and load the schema
                        taken[name].append(seconds)
                if noted != [(target, body)] * 2:
                    raise RuntimeError("the panel asks something else of each customer")
        # Half of what the org counted is the floor's.
        trips = house.orgs.counted("data_round_trips") / len(addresses) - 1
        counted = house.orgs.counted("api_requests") / len(addresses) - 1
    mine, bare_runs = Runs(taken["panel"]), Runs(taken["bare"])
    ratio = mine.median / bare_runs.median
    case = f"{opened} customers with Account, {CASES} Cases, {DEALS} Opportunities"
    bench.point(
        f"{case}: time",
        mine.median * 1000,
        "ms",
        against=f"the same composite by requests: {bare_runs.median * 1000:.0f} ms",
        ratio=ratio,
        runs=len(mine.values),
        spread=mine.spread,
        target="at most 1.15",
        met=ratio <= 1.15,
        load=load,
        note=f"{LATENCY:.0f} ms a round trip; ours holds the page's rendering",
    )
    bench.point(
        f"{case}: round trips", trips, "an opening", target="1", met=trips == 1, runs=len(addresses)
    )
    bench.point(
        f"{case}: API requests",
        counted,
        "an opening",
        target="1",
        met=counted == 1,
        runs=len(addresses),
    )


def _people(house: House, addresses: list[str]) -> None:
    org = house.orgs.all[0]
    accounts = create(org, "Account", [{"Name": f"Shop of {each}"} for each in addresses])
    rows = [
        {"LastName": "Customer", "Email": address, "AccountId": account}
        for address, account in zip(addresses, accounts, strict=True)
    ]
    contacts = create(org, "Contact", rows)
    create(
        org,
        "Case",
        [
            {"Subject": f"Case {n}", "ContactId": contact, "Status": "New", "Origin": "Email"}
            for contact in contacts
            for n in range(CASES)
        ],
    )
    create(
        org,
        "Opportunity",
        [
            {
                "Name": f"Deal {n}",
                "AccountId": account,
                "StageName": "Prospecting",
                "CloseDate": "2026-12-31",
            }
            for account in accounts
            for n in range(DEALS)
        ],
    )


def _open(client: Any, path: str) -> None:
    answer = client.get(path, headers={"X-Keeping-Fragment": "1"})
    if answer.status_code != 200 or b"Case 0" not in answer.data:
        raise RuntimeError(f"the panel answered {answer.status_code}")


def _send(session: requests.Session, target: str, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    found = session.post(target, data=body, headers=headers, timeout=30).json()
    if any(each["httpStatusCode"] != 200 for each in found["compositeResponse"]):
        raise RuntimeError(f"the org refused the composite: {found}")


@contextmanager
def _noting(noted: list[tuple[str, str]]) -> Iterator[None]:
    """Note where what leaves through requests goes, and its body."""
    send = HTTPAdapter.send

    def sending(self: HTTPAdapter, request: requests.PreparedRequest, **kwargs: Any) -> Any:
        noted.append((str(request.url), str(request.body)))
        return send(self, request, **kwargs)

    HTTPAdapter.send = sending  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        HTTPAdapter.send = send  # type: ignore[method-assign]
