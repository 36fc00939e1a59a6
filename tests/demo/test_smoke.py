"""The smoke run tells the truth in one line of JSON, and fails when something owed is open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import smoke
from demo.ledger import Ledger
from demo.running import Demo
from tests.servers.demos import WarmDemo
from tests.servers.needs import needs
from tests.servers.ports import free_port

pytestmark = needs("redis")


def write(folder: Path, name: str, *, sender: str, subject: str, more: str = "") -> None:
    text = f"From: {sender}\nTo: support@outdoor.example.com\nSubject: {subject}\n{more}\nText\n"
    (folder / name).write_text(text)


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """Six files: two of one stranger, one of ours to them, a known person, a list, and no mail."""
    folder = tmp_path / "mail"
    folder.mkdir()
    stranger = "New Customer <new.customer@example.com>"
    write(folder, "a.eml", sender=stranger, subject="One", more="Message-ID: <one@x>\n")
    write(folder, "b.eml", sender=stranger, subject="Two")
    (folder / "c.eml").write_text(
        "From: help@outdoor.example.com\nTo: new.customer@example.com\n"
        "In-Reply-To: <one@x>\nSubject: Re: One\n\nAn answer\n"
    )
    write(folder, "d.eml", sender="emily.hart@example.org", subject="Known")
    write(folder, "e.eml", sender="list@example.net", subject="News", more="List-Id: <n>\n")
    (folder / "f.eml").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with WarmDemo(tmp_path_factory.mktemp("smoke") / "data", first_port=free_port()) as running:
        yield running


def test_every_figure_is_counted(demo: Demo, mail: Path) -> None:
    figures, wrong = smoke.run(demo, mail, seconds=60)
    assert wrong == []
    used = {name: figures.pop(name) for name in ("http_round_trips", "api_requests")}
    assert figures == {
        "files": 6,
        "unreadable": 1,
        "messages": 5,
        "decisions": 5,
        "contacts_created": 1,
        "tasks_logged": 4,
        "waiting": 1,  # the list's own mail: nobody is added for it
        "refused": 0,
        "cancelled": 0,
        "failed": 0,
    }
    assert 2 <= used["api_requests"] <= used["http_round_trips"] <= 30


def test_what_is_wrong_is_noticed(demo: Demo) -> None:
    """The figures come from two sides; a ledger that tells another story is caught."""
    org = demo.org.production.control
    entries = Ledger(demo.database_url).entries()
    assert list(smoke._incomplete(_report(1), {"lost"}, [], [])) == ["lost has no Decision"]
    assert "the inbox holds 0" in next(smoke._incomplete(_report(1), set(), [], []))
    assert list(smoke._disagreements(org, [], contacts=set(), tasks={"00T"})) == [
        "the ledger logged 0 Tasks, the org has 1 new ones"
    ]
    assert list(smoke._disagreements(org, [], contacts={"003000000000001AAA"}, tasks=set())) == [
        "the ledger added 0 Contacts, the org has 1 new ones"
    ]
    logged = [one for one in entries if one.action == "log_task" and one.state == "done"]
    tasks = {one.record_id for one in logged if one.record_id}
    twice = [*logged, logged[0]]
    found = list(smoke._disagreements(org, twice, contacts=set(), tasks=tasks))
    assert found == ["two messages stand on one Task"]


def _report(messages: int) -> smoke.Report:
    return smoke.Report(stored=messages)


def test_the_last_line_is_json_and_the_exit_status_says_whether_all_is_well(
    mail: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke.main([str(mail), "--data", str(tmp_path / "own")]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out.splitlines()[-1])
    assert list(figures) == [
        "files",
        "unreadable",
        "messages",
        "decisions",
        "contacts_created",
        "tasks_logged",
        "waiting",
        "refused",
        "cancelled",
        "failed",
        "http_round_trips",
        "api_requests",
    ]
    assert "unreadable: f.eml: it is empty" in said.err


def test_a_worker_that_does_not_drain_fails_the_run(
    mail: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = smoke.run

    def without_worker(demo: Demo, path: Path, *, seconds: float) -> object:
        worker = next(one for one in demo._children if one.name == "worker")
        monkeypatch.setattr(
            smoke.driving, "await_schema", _then(smoke.driving.await_schema, worker)
        )
        return run(demo, path, seconds=2)

    monkeypatch.setattr(smoke, "run", without_worker)
    monkeypatch.setattr(smoke, "Demo", WarmDemo)
    assert smoke.main([str(mail), "--data", str(tmp_path / "own")]) == 1
    said = capsys.readouterr()
    assert "is still pending" in said.err
    assert json.loads(said.out.splitlines()[-1])["tasks_logged"] == 0


def _then(await_schema: object, worker: object) -> object:
    def awaited(browser: object) -> object:
        page = await_schema(browser)  # type: ignore[operator]
        worker.stop()  # type: ignore[attr-defined]
        return page

    return awaited
