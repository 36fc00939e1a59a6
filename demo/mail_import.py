"""Import a folder of .eml files, or an mbox, the way live mail arrives.

Each message is delivered to the running inbox exactly as the mail server delivers: one POST to
`/incoming/<mailbox>`. Its delivery id is made from the file's name, so that importing the same
folder again doubles nothing. `python -m demo.mail_import PATH` uses the running demo.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mailbox
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path

import requests

from demo.inbox.mime.headers import Fields
from demo.inbox.seeding.people import CONFIG_FILE, FIRST_MAILBOX
from demo.terminal import escaped

_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_HEADER_BYTES = 65_536
_TIMEOUT = 120.0  # seconds, for one delivery


class CannotImport(Exception):
    """There is nothing to import from, or nowhere to deliver to."""


@dataclass(frozen=True, slots=True)
class MailFile:
    """One message to import: `name` is what a report calls it; `read()` may raise OSError."""

    name: str
    delivery_id: str
    read: Callable[[], bytes]


@dataclass(slots=True)
class Report:
    """What became of the files. Each is in exactly one of the three counts."""

    stored: int = 0
    known: int = 0  # from an earlier import
    unreadable: list[tuple[str, str]] = field(default_factory=list)  # name, reason
    skipped: int = 0  # other files of the folder, which were not looked at

    @property
    def messages(self) -> int:
        return self.stored + self.known

    @property
    def files(self) -> int:
        return self.messages + len(self.unreadable)

    def sentence(self) -> str:
        parts = [f"{self.files:,} files: {self.messages:,} messages"]
        if self.known:
            parts[0] += f" ({self.known:,} of them here already)"
        parts.append(f"{len(self.unreadable):,} unreadable")
        if self.skipped:
            files = "file" if self.skipped == 1 else "files"
            parts.append(f"{self.skipped:,} other {files} left alone (not .eml)")
        return ", ".join(parts)


@contextmanager
def mail_files(path: Path) -> Iterator[tuple[list[MailFile], int]]:
    """The messages of a folder or an mbox, oldest first so that answers find what they answer,
    and how many files of the folder are no .eml. Raises CannotImport."""
    with ExitStack() as opened:
        skipped = 0
        if path.is_dir():
            found, skipped = _folder(path)
        elif path.suffix.lower() == ".eml" and path.is_file():
            found = [MailFile(_printable(path.name), delivery_id(path.name), path.read_bytes)]
        elif path.is_file():
            box = opened.enter_context(closing(mailbox.mbox(path, create=False)))
            found = list(_mbox(path.name, box))
        else:
            raise CannotImport(f"{path} is neither a folder of .eml files nor an mbox")
        if not found:
            raise CannotImport(f"{path} holds no mail: neither .eml files nor an mbox's messages")
        now = datetime.now(UTC)
        yield sorted(found, key=lambda file: (_date(file, now), file.name)), skipped


def import_mail(
    path: Path,
    *,
    inbox: str,
    mailbox_address: str,
    token: str,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Deliver everything below `path` into one mailbox of the inbox at that URL. A file that cannot
    be read is reported with its reason, and the rest goes on. Raises CannotImport when the inbox
    itself does not answer or does not let us in."""
    with mail_files(path) as (files, skipped), requests.Session() as http:
        report = Report(skipped=skipped)
        http.trust_env = False
        http.headers.update({"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"})
        for number, file in enumerate(files, 1):
            reason = _deliver(http, f"{inbox}/incoming/{mailbox_address}", file, report)
            if reason:
                report.unreadable.append((file.name, reason))
                say(f"unreadable: {file.name}: {reason}")
            if number % 500 == 0:
                say(f"{number:,} of {len(files):,}")
    return report


def _deliver(http: requests.Session, url: str, file: MailFile, report: Report) -> str:
    """Why it could not be taken in, or ""."""
    try:
        raw = file.read()
    except OSError as error:
        return f"it cannot be opened: {error.strerror or error}"
    try:
        answer = http.post(url, params={"id": file.delivery_id}, data=raw, timeout=_TIMEOUT)
    except requests.RequestException as error:
        raise CannotImport(f"the inbox does not answer at {url}") from error
    if answer.status_code == 201:
        report.stored += 1
    elif answer.status_code == 200:
        report.known += 1
    elif answer.status_code in (401, 404):
        raise CannotImport(answer.json()["error"])
    elif answer.status_code == 413:
        return f"it is too large ({len(raw):,} bytes)"
    elif answer.status_code == 422:
        return str(answer.json()["error"])
    else:
        return f"the inbox could not store it (HTTP {answer.status_code})"
    return ""


def _folder(path: Path) -> tuple[list[MailFile], int]:
    found, skipped = [], 0
    for file in sorted(path.rglob("*")):
        if file.is_dir():
            continue
        if file.suffix.lower() != ".eml":
            skipped += 1
            continue
        name = file.relative_to(path).as_posix()
        found.append(MailFile(_printable(name), delivery_id(name), file.read_bytes))
    return found, skipped


def _mbox(name: str, box: mailbox.mbox) -> Iterator[MailFile]:
    for number, key in enumerate(box.keys(), 1):
        numbered = f"{name}#{number}"
        yield MailFile(_printable(numbered), delivery_id(numbered), partial(box.get_bytes, key))


def delivery_id(name: str) -> str:
    """An id made from a file's name: the name itself where it may stand in one, else what is left
    of it and a digest that tells it from its likes."""
    if _PLAIN_ID.fullmatch(name):
        return name
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip("._-")[-120:].lstrip("._-")
    return f"{plain or 'mail'}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:10]}"


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


def _date(file: MailFile, now: datetime) -> datetime:
    try:
        header = file.read()[:_HEADER_BYTES]
    except OSError:
        return now
    return Fields(BytesHeaderParser().parsebytes(header)).date(now=now)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.mail_import", description=__doc__)
    parser.add_argument("path", type=Path, help="a folder of .eml files, or an mbox")
    parser.add_argument("--mailbox", default=FIRST_MAILBOX, help="the mailbox's address")
    parser.add_argument("--config", type=Path, default=CONFIG_FILE, help="of the running demo")
    options = parser.parse_args()
    try:
        config = json.loads(options.config.read_text(encoding="utf-8"))
        report = import_mail(
            options.path,
            inbox=config["INBOX_URL"],
            mailbox_address=options.mailbox,
            token=config["INBOX_DELIVERY_TOKEN"],
            say=lambda line: print(escaped(line)),
        )
    except (CannotImport, FileNotFoundError) as error:
        print(escaped(str(error)), file=sys.stderr)
        return 1
    print(report.sentence())
    return 0


if __name__ == "__main__":
    sys.exit(main())
