"""A right is lost between two describes: no page, JSON, log or column of ours holds the query that
Salesforce echoes, nor an address in what it says."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from keeping_plugin.models import Base, MailboxPolicy
from keeping_plugin.services.delivery.drain import drain
from tests.security.routes import ROUTES, For
from tests.security.town import ADMINS, AGENTS, Town

QUERY = re.compile(
    r"\bSELECT\b[^<]{0,200}\bFROM\b|\bWHERE\b[^<]{0,80}=|ERROR at Row", re.IGNORECASE
)
COMPLAINT = re.compile(r"No such column[^<\"]{0,400}|is not supported[^<\"]{0,400}")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What our own loggers say, with their fields."""
    said = io.StringIO()

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.write(f"{record.getMessage()} {record.__dict__}\n")

    handler, logger = Everything(), logging.getLogger("keeping_plugin")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield said
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.field_case("A20")
@pytest.mark.parametrize("lost", ["field", "object"])
def test_no_query_and_no_address_of_it_stands_anywhere(
    town: Town, logged: io.StringIO, lost: str
) -> None:
    control = town.org_of("acme").control
    user = town.org_of("acme").login("admin").username
    ids = town.ids["acme"]
    on = {"company_id": "acme", "mailbox_id": ids.mailbox, "add_contacts": True, "log_tasks": True}
    with town.house.app.app_context(), town.state.database.write() as session:
        session.merge(MailboxPolicy(**on))

    def allow(allowed: bool) -> None:
        if lost == "field":
            control.field_rights(user, "Contact", "Email", readable=allowed, editable=allowed)
        else:
            rights = dict.fromkeys(("create", "read", "edit", "delete"), allowed)
            control.object_rights(user, "Contact", **rights)

    answers: list[tuple[str, str]] = []
    allow(False)
    try:
        conversation = town.desk.conversation("acme", ids.conversation)
        assert conversation is not None
        town.arrive("acme", conversation, number=7)
        found = town.current("acme")
        assert found is not None
        with town.house.app.app_context():
            drain(town.state, found.id)
        for route in ROUTES:
            if route.method != "GET" or route.whom is For.ANYBODY:
                continue
            person = ADMINS["acme"] if route.whom is For.ADMINS else AGENTS["acme"]
            path, _ = route.filled(ids)
            for headers in ({}, {"Accept": "application/json"}):
                answer = town.visitor(person).client.get(path, headers=headers, buffered=True)
                answers.append((f"{route.name} {headers}", answer.text))
    finally:
        allow(True)
    told = "".join(text for _, text in answers)
    assert COMPLAINT.search(told), "Salesforce's own words do stand there"
    for name, text in answers:
        assert not QUERY.search(text), (name, QUERY.search(text))
        for words in COMPLAINT.findall(text):
            assert ids.customer.email not in words, name
    assert not QUERY.search(logged.getvalue())
    assert ids.customer.email not in logged.getvalue()
    with town.house.app.app_context(), town.state.database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)):
                for column, value in row._mapping.items():
                    assert not QUERY.search(str(value)), f"{table.name}.{column}"
                    if column in ("words", "pause_words"):
                        assert ids.customer.email not in str(value)
    row = town.current("acme")
    assert row is not None
    assert row.pause_reason == "read_refused"
