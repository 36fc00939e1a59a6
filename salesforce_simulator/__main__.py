"""``python -m salesforce_simulator``: a production and a sandbox org, each on its own port.

The first line on stdout is JSON and comes once both listen; everything else goes to stderr.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import logging
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from salesforce_simulator.app import create_exchange
from salesforce_simulator.clock import OrgClock
from salesforce_simulator.metadata.catalog import FEATURES
from salesforce_simulator.metadata.recordings import NoDescribes
from salesforce_simulator.metadata.seed import LOGINS, seed, seed_users
from salesforce_simulator.org import Org
from salesforce_simulator.server import Server
from salesforce_simulator.site import ConnectedApp, Kind, Site, Start, make_site

NAMES: dict[Kind, str] = {
    "production": "Example Outdoor Company",
    "sandbox": "Example Outdoor Company (sandbox)",
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m salesforce_simulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="port of the production org (0: a free one)")
    add("--sandbox-port", type=int, default=0, help="port of the sandbox org (0: a free one)")
    add("--data", type=Path, help="folder that keeps records and tokens (default: memory)")
    add("--describe", type=Path, help="folder of recorded describe results, <Object>.json")
    add("--latency", type=float, default=0, metavar="MS", help="added to each call")
    add("--allow-redirect", action="append", default=[], metavar="URI", help="callback address")
    add("--client-id", help="default: made up, and kept in the data folder")
    add("--client-secret", help="default: made up, and kept in the data folder")
    add("--api-limit", type=int, default=15_000, help="API requests per 24 hours")
    add("--activity-key-field", metavar="NAME", help="a unique external id on Task, e.g. Key__c")
    add("--person-accounts", action="store_true", help="the package's objects with them")
    add("--rotate-refresh-tokens", action="store_true", help="each refresh gives a new token")
    add("--feature", action="append", default=[], choices=sorted(FEATURES), help="may be repeated")
    add("--no-seed", action="store_true", help="users only, no records")
    add("--die-with-parent", action="store_true", help="end when the starting process ends")
    return parser.parse_args(arguments)


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent ends; exit if it has ended already."""
    parent = os.getppid()
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


def connected_app(options: argparse.Namespace) -> ConnectedApp:
    """The client registration: given, kept from the last start, or made up."""
    kept: dict[str, str] = {}
    file = None if options.data is None else options.data / "client.json"
    if file is not None and file.exists():
        kept = json.loads(file.read_text("utf-8"))
    client_id = options.client_id or kept.get("client_id") or f"3MVG9.{secrets.token_hex(30)}"
    secret = options.client_secret or kept.get("client_secret") or secrets.token_hex(32).upper()
    if file is not None:
        file.write_text(json.dumps({"client_id": client_id, "client_secret": secret}), "utf-8")
    return ConnectedApp(
        client_id=client_id, client_secret=secret, redirect_uris=set(options.allow_redirect)
    )


def open_site(
    kind: Kind, options: argparse.Namespace, *, clock: OrgClock, app: ConnectedApp, port: int
) -> Site:
    """An org with its users and, the first time, its records."""
    data: Path | None = options.data
    org = Org(
        database=":memory:" if data is None else data / f"org-{kind}.sqlite",
        clock=clock,
        name=NAMES[kind],
        sandbox=kind == "sandbox",
        describe_dir=options.describe,
        activity_key_field=options.activity_key_field,
        person_accounts=options.person_accounts,
    )
    site = make_site(
        kind=kind,
        base_url=f"http://127.0.0.1:{port}",
        org=org,
        clock=clock,
        data=data,
        app=app,
        start=Start(
            api_limit=options.api_limit,
            latency_ms=options.latency,
            rotate_refresh_tokens=options.rotate_refresh_tokens,
        ),
    )
    for feature in options.feature:
        org.use_feature(feature, {})
    is_new = seed_users(site)
    if is_new and not options.no_seed:
        seed(site)
    return site


def announcement(sites: dict[Kind, Site], app: ConnectedApp) -> dict[str, Any]:
    """What the first line of stdout says."""
    said: dict[str, Any] = {
        "event": "listening",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    for kind, site in sites.items():
        said[kind] = {
            "base_url": site.base_url,
            "organization_id": site.organization_id,
            "objects_from_package": list(site.org.missing_objects),
            "logins": [
                {
                    "username": login.username(kind),
                    "password": login.password,
                    "about": login.about,
                }
                for login in LOGINS
            ],
        }
    return said


def for_people(sites: dict[Kind, Site]) -> str:
    """The same for somebody who reads it in a terminal."""
    lines = [f"{kind}: {site.base_url}" for kind, site in sites.items()]
    lines += [f"log in as {LOGINS[0].username('production')}, password {LOGINS[0].password}"]
    missing = sites["production"].org.missing_objects
    if missing:
        lines += [f"from the package's own set: {', '.join(missing)}"]
    return "\n".join(lines)


def main() -> int:
    """Run until SIGTERM or SIGINT; 2 when there is nothing to run, with a sentence."""
    options = parse()
    if options.die_with_parent:
        die_with_parent()
    program = "python -m salesforce_simulator"
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=f"{program}: %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.data is not None:
        options.data.mkdir(parents=True, exist_ok=True)
    app, clock = connected_app(options), OrgClock()
    ports: dict[Kind, int] = {"production": options.port, "sandbox": options.sandbox_port}
    try:
        servers = {kind: Server(port) for kind, port in ports.items()}
        sites: dict[Kind, Site] = {
            kind: open_site(kind, options, clock=clock, app=app, port=server.port)
            for kind, server in servers.items()
        }
    except (NoDescribes, OSError) as error:  # no such folder, a port that is taken
        print(f"{program}: {error}", file=sys.stderr)
        return 2
    sites["production"].peer, sites["sandbox"].peer = sites["sandbox"], sites["production"]
    for kind, server in servers.items():
        server.start(create_exchange(sites[kind]))
    print(json.dumps(announcement(sites, app)), flush=True)
    if sys.stderr.isatty():
        print(for_people(sites), file=sys.stderr)
    stop.wait()
    for server in servers.values():
        server.stop()
    for site in sites.values():
        site.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
