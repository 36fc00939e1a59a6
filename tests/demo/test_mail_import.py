"""Importing a folder or an mbox: every file becomes a message or is named with its reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from demo import mail_import
from demo.inbox.database import db
from demo.inbox.models import Conversation, Message
from demo.mail_import import CannotImport, Report, delivery_id, import_mail
from tests.demo.visitor import TOKEN, Visitor

Import = Callable[[Path], Report]


@pytest.fixture
def mail_dir(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "mail"
    folder.mkdir()
    return folder


@pytest.fixture
def url(inbox: Flask) -> Iterator[str]:
    """The inbox on a port."""
    server = make_server("127.0.0.1", 0, inbox, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def take_in(url: str) -> Import:
    def run(path: Path) -> Report:
        return import_mail(
            path, inbox=url, mailbox_address="support@outdoor.example.com", token=TOKEN
        )

    return run


def eml(subject: str, *, date: str = "Wed, 6 May 2026 10:00:00 +0000", more: str = "") -> bytes:
    return f"From: jo@example.com\nSubject: {subject}\nDate: {date}\n{more}\nText\n".encode()


def test_every_real_message_becomes_a_message_or_is_named(
    take_in: Import, shared: Path, inbox: Flask, visit: Callable[[str], Visitor]
) -> None:
    report = take_in(shared / "mail" / "rubymail")
    assert (report.files, report.messages, report.unreadable) == (103, 103, [])
    again = take_in(shared / "mail" / "rubymail")
    assert (again.stored, again.known) == (0, 103)
    with inbox.app_context():
        held = db.session.query(Message).filter(Message.mailbox_id == "support").count()
        seeded = db.session.query(Message).filter(Message.id.startswith("support.seed-")).count()
        numbers = db.session.scalars(
            db.select(Conversation.id).filter_by(company_id="outdoor")
        ).all()
    assert held - seeded == 103
    maya = visit("maya@outdoor.example.com")
    for number in numbers:
        assert maya.client.get(f"/conversations/{number}").status_code == 200
    assert "Säying Hello" in maya.get("/?q=S%C3%A4ying").text_content()


def test_unreadable_files_are_named_with_their_reason_and_the_rest_goes_on(
    take_in: Import, mail_dir: Path
) -> None:
    (mail_dir / "a.eml").write_bytes(eml("good"))
    (mail_dir / "empty.eml").write_bytes(b"")
    (mail_dir / "picture.EML").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (mail_dir / "gone.eml").symlink_to(mail_dir / "nowhere")
    (mail_dir / "z.eml").write_bytes(eml("good too"))
    (mail_dir / "notes.txt").write_text("not mail")
    report = take_in(mail_dir)
    reasons = dict(report.unreadable)
    assert set(reasons) == {"empty.eml", "picture.EML", "gone.eml"}
    assert "empty" in reasons["empty.eml"]
    assert "no header" in reasons["picture.EML"]
    assert "No such file" in reasons["gone.eml"]
    assert (report.files, report.messages, report.skipped) == (5, 2, 1)
    assert report.sentence() == (
        "5 files: 2 messages, 3 unreadable, 1 other file left alone (not .eml)"
    )


def test_answers_find_what_they_answer_whatever_their_names(
    take_in: Import, mail_dir: Path, inbox: Flask
) -> None:
    (mail_dir / "a.eml").write_bytes(
        eml("Re: q", date="Thu, 7 May 2026 10:00:00 +0000", more="In-Reply-To: <q@x>\n")
    )
    (mail_dir / "b.eml").write_bytes(eml("q", more="Message-ID: <q@x>\n"))
    take_in(mail_dir)
    with inbox.app_context():
        first, answer = (db.session.get_one(Message, f"support.{one}.eml") for one in "ba")
        assert first.conversation_id == answer.conversation_id
        assert (first.opens_conversation, answer.opens_conversation) == (True, False)


def test_an_mbox_is_taken_in_message_by_message(
    take_in: Import, mail_dir: Path, inbox: Flask
) -> None:
    box = mail_dir / "archive.mbox"
    box.write_bytes(
        b"".join(b"From jo@example.com Wed May  6 10:00:00 2026\n" + eml(s) + b"\n" for s in "abc")
    )
    report = take_in(box)
    assert (report.files, report.messages) == (3, 3)
    assert take_in(box).known == 3
    with inbox.app_context():
        found = db.session.query(Conversation).filter(Conversation.subject.in_(list("abc"))).count()
    assert found == 3


def test_one_eml_file_is_a_folder_of_one(take_in: Import, mail_dir: Path) -> None:
    (mail_dir / "a.eml").write_bytes(eml("alone"))
    assert take_in(mail_dir / "a.eml").messages == 1


def test_nothing_to_import_is_said(take_in: Import, mail_dir: Path) -> None:
    for path in (mail_dir, mail_dir / "nowhere"):
        with pytest.raises(CannotImport, match=path.name):
            take_in(path)
    (mail_dir / "prose").write_text("no mail in here")
    with pytest.raises(CannotImport, match="holds no mail"):
        take_in(mail_dir / "prose")


def test_an_inbox_that_does_not_let_us_in_ends_the_import(url: str, mail_dir: Path) -> None:
    (mail_dir / "a.eml").write_bytes(eml("x"))
    with pytest.raises(CannotImport, match="token"):
        import_mail(mail_dir, inbox=url, mailbox_address="support@outdoor.example.com", token="no")
    with pytest.raises(CannotImport, match="no mailbox"):
        import_mail(mail_dir, inbox=url, mailbox_address="x@example.com", token=TOKEN)
    with pytest.raises(CannotImport, match="does not answer"):
        import_mail(
            mail_dir, inbox="http://127.0.0.1:1", mailbox_address="x@example.com", token=TOKEN
        )


def test_a_delivery_id_is_the_files_name_where_it_can_be() -> None:
    assert delivery_id("basic_email.eml") == "basic_email.eml"
    names = [
        "a/b.eml",
        "a-b.eml",
        "a b.eml",
        "ä.eml",
        ".eml",
        "-x.eml",
        "x" * 300 + ".eml",
        "\udcff.eml",
    ]
    ids = [delivery_id(name) for name in names]
    assert len(set(ids)) == len(ids)
    assert all(one.isascii() and one[0].isalnum() and len(one) <= 180 for one in ids)
    assert delivery_id("a/b.eml").startswith("a-b.eml-")


def test_the_module_runs_against_the_running_demo(
    url: str, mail_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (mail_dir / "a.eml").write_bytes(eml("x"))
    config = mail_dir / "inbox.json"
    config.write_text(f'{{"INBOX_URL": "{url}", "INBOX_DELIVERY_TOKEN": "{TOKEN}"}}')
    monkeypatch.setattr("sys.argv", ["x", str(mail_dir), "--config", str(config)])
    assert mail_import.main() == 0
    assert "1 files: 1 messages, 0 unreadable" in capsys.readouterr().out
