"""`python -m demo` starts everything and prints where it is. Ctrl-C or SIGTERM stops it.

MAIL=path (or --mail) imports a folder of .eml files or an mbox first; FRESH=1 (or --fresh) starts
over; PORT=number (or --port) is where free ports are looked for.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from demo.inbox.seeding.people import COMPANIES, FIRST_MAILBOX, PASSWORD, PEOPLE
from demo.mail_import import CannotImport, import_mail
from demo.processes import ROOT, ChildFailed
from demo.running import FIRST_PORT, CannotStart, Demo, clear
from demo.terminal import escaped
from salesforce_simulator.process import OrgDidNotStart

DATA = ROOT / "build" / "demo"


class _Stopped(Exception):
    """SIGTERM or SIGINT arrived."""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; the environment's MAIL, FRESH and PORT are its defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    env = os.environ
    mail = Path(env["MAIL"]) if env.get("MAIL") else None
    parser.add_argument("--mail", type=Path, default=mail)
    parser.add_argument(
        "--fresh", action="store_true", default=env.get("FRESH", "") not in ("", "0")
    )
    parser.add_argument("--port", type=int, default=int(env.get("PORT") or FIRST_PORT))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--person-accounts", action="store_true", help="an org with them, best with --fresh"
    )
    return parser.parse_args(arguments)


def say(part: str, line: str) -> None:
    """A line of progress."""
    print(escaped(f"  {part:<10}{line}"), flush=True)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _raise_stopped)
    try:
        if options.mail is not None and not options.mail.exists():
            raise CannotImport(f"there is no {options.mail}")
        if options.fresh:
            clear(options.data)
        print(f"Starting the demo in {options.data} ...", flush=True)
        with Demo(
            options.data,
            first_port=options.port,
            person_accounts=options.person_accounts,
            say=say,
        ) as demo:
            if options.mail is not None:
                _import(demo, options.mail)
            _introduce(demo)
            return _watch(demo)
    except _Stopped:
        print("\nStopped.", flush=True)
        return 0
    except (CannotStart, CannotImport, ChildFailed, OrgDidNotStart) as error:
        print(escaped(f"The demo stopped: {error}"), file=sys.stderr, flush=True)
        return 1


def _raise_stopped(_number: int, _frame: object) -> None:
    # One signal is enough: what follows is stopping, and nothing should cut that short.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


def _import(demo: Demo, path: Path) -> None:
    report = import_mail(
        path,
        inbox=demo.url,
        mailbox_address=FIRST_MAILBOX,
        token=demo.config["INBOX_DELIVERY_TOKEN"],
        say=lambda line: say("mail", line),
    )
    say("mail", report.sentence())


def _introduce(demo: Demo) -> None:
    domains = {key: (name, domain) for key, name, domain in COMPANIES}
    print(f"\nLog in at {demo.url} as (password: {PASSWORD})")
    for person, company, name, is_admin in PEOPLE:
        company_name, domain = domains[company]
        role = "admin" if is_admin else "agent"
        print(f"  {person + '@' + domain:<28}{name}, {role} of {company_name}")
    login = demo.org.production.login("admin")
    print(f"Connect Salesforce under Settings, Integrations as {login.username}")
    print(f"  (password: {login.password}); its records stand at {demo.org.production.base_url}")
    print("Operator commands: .venv/bin/flask --app demo.inbox.app keeping --help")
    print(f"\nready: {demo.url}", flush=True)


def _watch(demo: Demo) -> int:
    """Until a signal, or until a process ends that should not."""
    never = threading.Event()
    while (ended := demo.ended()) is None:
        never.wait(0.5)
    print(
        f"The {ended.name} exited with code {ended.exit_code}; from its log ({ended.log}):\n"
        f"{escaped(ended.log_tail())}",
        file=sys.stderr,
        flush=True,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
