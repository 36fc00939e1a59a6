"""The inbox itself: the list, a conversation, and writing."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime, make_msgid
from io import BytesIO

from email_validator import EmailNotValidError, validate_email
from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from demo.inbox import queries
from demo.inbox.accounts import check_form_token, logged_in, require_person
from demo.inbox.intake import receive, write
from demo.inbox.mime.headers import Correspondent, as_written
from demo.inbox.models import Conversation, Mailbox

bp = Blueprint("inbox", __name__)
bp.before_request(check_form_token)

MAX_TEXT = 200_000
SHOWN_KINDS = frozenset({"image/gif", "image/jpeg", "image/png", "text/plain"})
# What the form for a test mail begins with: somebody whom Salesforce does not know.
TEST_MAIL = {
    "from": "sabine.mueller@example.com",
    "name": "Müller, Sabine",
    "subject": "Quote for twelve paddles",
    "text": (
        "Hello,\n\nplease send me a quote for twelve touring paddles, 220 cm, delivered to "
        "Kassel.\n\nKind regards\nSabine Müller\nFulda Kanu GmbH"
    ),
}
TEST_REPLY = "Thank you, that helps. When can you deliver?"


@bp.get("/")
@logged_in
def conversations() -> ResponseReturnValue:
    person = require_person()
    boxes = queries.mailboxes(person.company_id)
    chosen = request.args.get("mailbox", "")
    mailbox = _own_mailbox(chosen) if chosen else None
    words = request.args.get("q", "").strip()[:200]
    listing = queries.conversations(
        person.company_id,
        mailbox_id=mailbox.id if mailbox else None,
        words=words,
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "inbox/conversations.html",
        mailbox=mailbox,
        mailbox_names={box.id: box.name for box in boxes},
        listing=listing,
        words=words,
    )


@bp.get("/conversations/<int:conversation_id>")
@logged_in
def conversation(conversation_id: int) -> ResponseReturnValue:
    return _conversation_page(_own_conversation(conversation_id))


@bp.post("/conversations/<int:conversation_id>/reply")
@logged_in
def reply(conversation_id: int) -> ResponseReturnValue:
    found = _own_conversation(conversation_id)
    text = request.form.get("text", "")
    if not found.customer_email:
        flash("This message has no sender address, so you cannot reply to it.", "bad")
        return _conversation_page(found, text=text), 422
    if not text.strip() or len(text) > MAX_TEXT:
        flash(f"Enter 1 to {MAX_TEXT:,} characters.", "bad")
        return _conversation_page(found, text=text), 422
    subject = found.subject
    write(
        found.mailbox,
        to=Correspondent(found.customer_email, found.customer_name),
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}",
        text=text.replace("\r\n", "\n"),
        conversation=found,
    )
    flash("Reply added to the conversation.", "good")
    return _latest(conversation_id)


@bp.route("/compose", methods=["GET", "POST"])
@logged_in
def compose() -> ResponseReturnValue:
    """A conversation that begins with us."""
    form = request.form if request.method == "POST" else request.args
    if request.method == "GET":
        return render_template("inbox/compose.html", form=form)
    mailbox = _own_mailbox(form.get("mailbox", ""))
    subject, text = form.get("subject", "").strip(), form.get("text", "")
    try:
        to = Correspondent(_address(form.get("to", "")), form.get("name", "").strip()[:200])
        _check_texts(subject, text)
    except ValueError as error:
        flash(str(error), "bad")
        return render_template("inbox/compose.html", form=form), 422
    stored = write(mailbox, to=to, subject=subject, text=text.replace("\r\n", "\n"))
    flash("New conversation started.", "good")
    return _latest(stored.conversation_id)


@bp.route("/test-mail", methods=["GET", "POST"])
@logged_in
def test_mail() -> ResponseReturnValue:
    """A customer's mail for trying things: made here, taken in like any other."""
    form = request.form if request.method == "POST" else request.args
    answered = form.get("conversation", type=int)
    found = _own_conversation(answered) if answered else None
    if request.method == "GET":
        filled = {**(TEST_MAIL if found is None else {"text": TEST_REPLY}), **form}
        return render_template("inbox/test_mail.html", form=filled, conversation=found)
    mailbox = found.mailbox if found else _own_mailbox(form.get("mailbox", ""))
    subject, text = form.get("subject", "").strip(), form.get("text", "")
    try:
        sender = _address(form.get("from", ""))
        _check_texts(subject, text)
    except ValueError as error:
        flash(str(error), "bad")
        return render_template("inbox/test_mail.html", form=form, conversation=found), 422
    mail = EmailMessage(policy=SMTPUTF8)
    mail["From"] = as_written(" ".join(form.get("name", "").split())[:200], sender)
    mail["To"] = mailbox.address
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain="mail.example.com")
    references = (
        [one.reference for one in queries.messages(found.id) if one.reference] if found else []
    )
    if references:
        mail["In-Reply-To"] = f"<{references[-1]}>"
    mail.set_content(text)
    stored = receive(mailbox, mail.as_bytes(), delivery_id=uuid.uuid4().hex)
    flash("Test mail received.", "good")
    return _latest(stored.conversation_id)


@bp.get("/messages/<message_id>/files/<int:place>")
@logged_in
def attachment(message_id: str, place: int) -> ResponseReturnValue:
    """One attachment, shown where a browser does that without running anything of it."""
    found = queries.attached(require_person().company_id, message_id, place)
    if found is None:
        abort(404)
    name, kind, content = found
    shown = kind in SHOWN_KINDS
    response = send_file(
        BytesIO(content),
        mimetype=kind if shown else "application/octet-stream",
        as_attachment=not shown,
        download_name=name,
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _latest(conversation_id: int) -> ResponseReturnValue:
    return redirect(url_for(".conversation", conversation_id=conversation_id, _anchor="latest"))


def _conversation_page(found: Conversation, text: str = "") -> str:
    return render_template(
        "inbox/conversation.html",
        conversation=found,
        mailbox=found.mailbox,
        messages=queries.messages(found.id),
        text=text,
    )


def _own_conversation(conversation_id: int) -> Conversation:
    found = None
    if conversation_id < 2**31:
        found = queries.conversation(require_person().company_id, conversation_id)
    if found is None:
        abort(404)
    return found


def _own_mailbox(mailbox_id: str) -> Mailbox:
    found = queries.mailbox(require_person().company_id, mailbox_id)
    if found is None:
        abort(404)
    return found


def _address(typed: str) -> str:
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(f"The address {typed.strip()!r} cannot be used: {error}") from error


def _check_texts(subject: str, text: str) -> None:
    if not subject or len(subject) > 500:
        raise ValueError("Enter a subject of at most 500 characters.")
    if not text.strip() or len(text) > MAX_TEXT:
        raise ValueError(f"Enter 1 to {MAX_TEXT:,} characters.")
