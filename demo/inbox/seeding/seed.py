"""What a fresh inbox holds: two companies with their people, and mail that arrived lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from mimetypes import guess_type

from flask.cli import FlaskGroup
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from demo.inbox.app import create_app, create_tables
from demo.inbox.database import db
from demo.inbox.intake import receive
from demo.inbox.mime.headers import as_written
from demo.inbox.models import Company, Mailbox, Person
from demo.inbox.seeding.mail import MAIL, SeedMail
from demo.inbox.seeding.people import COMPANIES, MAILBOXES, PASSWORD, PEOPLE


def seed() -> bool:
    """Fill an empty inbox; False when it holds something already."""
    if db.session.scalar(select(Company).limit(1)) is not None:
        return False
    domains = {company_id: domain for company_id, _, domain in COMPANIES}
    password = generate_password_hash(PASSWORD)
    db.session.add_all(Company(id=key, name=name, domain=at) for key, name, at in COMPANIES)
    db.session.flush()
    db.session.add_all(
        Person(
            id=key,
            company_id=company,
            name=name,
            email=f"{key}@{domains[company]}",
            password=password,
            is_admin=is_admin,
        )
        for key, company, name, is_admin in PEOPLE
    )
    boxes = {
        key: Mailbox(
            id=key,
            company_id=company,
            name=name,
            address=f"{local}@{domains[company]}",
            aliases=[f"{alias}@{domains[company]}" for alias in aliases],
            position=position,
        )
        for position, (key, company, name, local, aliases) in enumerate(MAILBOXES)
    }
    db.session.add_all(boxes.values())
    db.session.commit()
    now = datetime.now(UTC)
    for number, mail in enumerate(MAIL, 1):
        box = boxes[mail.mailbox]
        receive(box, _raw(mail, box, now).as_bytes(), delivery_id=f"seed-{number:02d}")
    return True


def _raw(mail: SeedMail, box: Mailbox, now: datetime) -> EmailMessage:
    """The message as it would have come over the wire."""
    message = EmailMessage(policy=SMTPUTF8)
    ours, customer = as_written(box.name, box.address), as_written(mail.name, mail.email)
    message["From"], message["To"] = (ours, customer) if mail.ours else (customer, ours)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(now - timedelta(hours=mail.hours_ago))
    message["Message-ID"] = f"<{mail.key}@mail.example.com>"
    if mail.answers:
        message["In-Reply-To"] = f"<{mail.answers}@mail.example.com>"
    for name, value in mail.headers:
        message[name] = value
    message.set_content(mail.html or mail.text, subtype="html" if mail.html else "plain")
    for name, content in mail.attachments:
        main, _, sub = str(guess_type(name)[0]).partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


def main() -> None:
    """`python -m demo.inbox.seeding.seed`: make or migrate all tables, fill an empty inbox."""
    app = create_app()
    # As an operator does it; the group finds the plugin's commands by their entry point.
    FlaskGroup(create_app=lambda: app).main(["keeping", "db", "upgrade"], standalone_mode=False)
    with app.app_context():
        create_tables()
        print("filled with sample mail" if seed() else "kept from last time")


if __name__ == "__main__":
    main()
