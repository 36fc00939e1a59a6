"""`python -m demo.smoke MAIL`: the main job, headless, on real mail.

It starts a demo of its own, logs in, connects by OAuth, switches both automations on for the
support mailbox, imports MAIL through the inbox, waits for the drain, and reads back from the org.
The last line is JSON (docs/guide.md tells what each figure counts); what it noticed stands above.
Exits 1 when a message has no Decision, an entry is still pending or sending, or the org's records
and the ledger disagree.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from demo import driving
from demo.headless import Browser, PageFailed
from demo.inbox.seeding.people import FIRST_MAILBOX
from demo.ledger import Entry, Ledger
from demo.mail_import import CannotImport, Report, import_mail
from demo.processes import ROOT, ChildFailed
from demo.running import CannotStart, Demo, clear
from demo.terminal import escaped
from salesforce_simulator.control.client import Control
from salesforce_simulator.process import OrgDidNotStart

DATA = ROOT / "build" / "smoke"
_FIRST_PORT = 8850
_MAILBOX = "support"
_ADMIN = "maya@outdoor.example.com"
_MANY = 100  # ids in one query


def say(line: str) -> None:
    """What happens goes to stderr; stdout holds the one line of JSON."""
    print(escaped(f"smoke: {line}"), file=sys.stderr, flush=True)


def run(demo: Demo, mail: Path, *, seconds: float) -> tuple[dict[str, int], list[str]]:
    """The whole job on a demo that runs: the figures, and a sentence for whatever is wrong."""
    org = demo.org.production
    with Browser(demo.url) as browser:
        driving.log_in(browser, _ADMIN)
        login = org.login("admin")
        driving.connect(browser, login.username, login.password)
        driving.await_schema(browser)
        say(f"connected to {org.base_url} as {login.username}")
        driving.switch_on(browser, _MAILBOX)
        say("both automations are on")
    before = {name: _ids(org.control, name) for name in ("Contact", "Task")}
    ledger = Ledger(demo.database_url)
    seeded = ledger.messages(_MAILBOX)
    org.control.reset_log()
    report = import_mail(
        mail,
        inbox=demo.url,
        mailbox_address=FIRST_MAILBOX,
        token=demo.config["INBOX_DELIVERY_TOKEN"],
        say=say,
    )
    say(report.sentence())
    ledger.await_drained(seconds=seconds, say=say)
    used = org.control.counters()
    imported = ledger.messages(_MAILBOX) - seeded
    decisions = {
        message: verdicts for message, verdicts in ledger.decisions().items() if message in imported
    }
    entries = [entry for entry in ledger.entries() if entry.message_id in imported]
    after = {name: _ids(org.control, name) for name in ("Contact", "Task")}
    states = [entry.state for entry in entries]
    figures = {
        "files": report.files,
        "unreadable": len(report.unreadable),
        "messages": len(imported),
        "decisions": len(decisions),
        "contacts_created": len(after["Contact"] - before["Contact"]),
        "tasks_logged": len(after["Task"] - before["Task"]),
        "waiting": states.count("waiting"),
        "refused": sum(all(verdicts.values()) for verdicts in decisions.values()),
        "cancelled": states.count("cancelled"),
        "failed": states.count("failed"),
        "http_round_trips": used["http_round_trips"],
        "api_requests": used["api_requests"],
    }
    made = {name: after[name] - before[name] for name in after}
    wrong = [
        *_incomplete(report, imported, decisions, entries),
        *_disagreements(org.control, entries, contacts=made["Contact"], tasks=made["Task"]),
    ]
    return figures, wrong


def _incomplete(
    report: Report, imported: set[str], decisions: Iterable[str], entries: Sequence[Entry]
) -> Iterator[str]:
    """What would mean that something owed was lost, or is not settled."""
    if report.messages != len(imported):
        yield f"{report.messages} messages were taken in, but the inbox holds {len(imported)}"
    for message in sorted(imported - set(decisions)):
        yield f"{message} has no Decision"
    for entry in entries:
        if entry.state in ("pending", "sending"):
            yield f"{entry.action} of {entry.message_id} is still {entry.state} ({entry.reason})"


def _disagreements(
    org: Control, entries: Sequence[Entry], *, contacts: set[str], tasks: set[str]
) -> Iterator[str]:
    """Where the org's records and the ledger tell different stories."""
    done = [entry for entry in entries if entry.state == "done" and entry.record_id]
    logged = {entry.record_id: entry for entry in done if entry.action == "log_task"}
    added = {e.record_id: e for e in done if e.action == "add_contact" and e.record_id in contacts}
    if set(logged) != tasks:
        yield f"the ledger logged {len(logged)} Tasks, the org has {len(tasks)} new ones"
    if len(logged) != sum(entry.action == "log_task" for entry in done):
        yield "two messages stand on one Task"
    if set(added) != contacts:
        yield f"the ledger added {len(added)} Contacts, the org has {len(contacts)} new ones"
    for record in _read(org, "SELECT Id, WhoId FROM Task WHERE Id IN ({})", tasks & set(logged)):
        if record["WhoId"] != logged[record["Id"]].contact_id:
            yield f"Task {record['Id']} is on {record['WhoId']}, not where the ledger says"
    emails = [
        str(record["Email"]).lower()
        for record in _read(org, "SELECT Id, Email FROM Contact WHERE Id IN ({})", contacts)
    ]
    for email in sorted({email for email in emails if emails.count(email) > 1}):
        yield f"{email} was added {emails.count(email)} times"


def _ids(org: Control, name: str) -> set[str]:
    """Every record of an object that the org holds, deleted ones too."""
    return {str(record["Id"]) for record in org.query(f"SELECT Id FROM {name}", all_rows=True)}


def _read(org: Control, soql: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _MANY):
        quoted = ",".join(f"'{record_id}'" for record_id in ordered[start : start + _MANY])
        yield from org.query(soql.format(quoted))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m demo.smoke",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mail", type=Path, nargs="?", help="a folder of .eml files, or an mbox")
    parser.add_argument("--mail", type=Path, dest="named", help="the same")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=600.0, help="to wait for the drain")
    options = parser.parse_args(arguments)
    mail: Path | None = options.named or options.mail
    if mail is None:
        parser.error("name a folder of .eml files or an mbox: make smoke MAIL=path")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if not mail.exists():
            raise CannotImport(f"there is no {mail}")
        clear(options.data)
        with Demo(
            options.data, first_port=_FIRST_PORT, say=lambda part, line: say(f"{part}: {line}")
        ) as demo:
            figures, wrong = run(demo, mail, seconds=options.seconds)
    except (CannotStart, CannotImport, ChildFailed, OrgDidNotStart, PageFailed) as error:
        say(f"it could not go on: {error}")
        return 1
    for sentence in wrong:
        say(f"wrong: {sentence}")
    print(json.dumps(figures), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
