"""The Audit tab shows the trail to the company's admins, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from lxml import html

from keeping_plugin.models import AuditRecord
from keeping_plugin.services.admin.audit_trail import PAGE
from keeping_plugin.services.audit import Audited
from keeping_plugin.wording.audit import TITLES
from tests.blueprints.inbox import ADMIN, INSTANCE, Inbox, open_inbox

AUDIT = "/salesforce/settings/audit"


@pytest.fixture
def inbox(sqlite_url: str) -> Iterator[Inbox]:
    with open_inbox(sqlite_url) as opened:
        opened.connect()
        yield opened


def done(inbox: Inbox, company_id: str = "acme", count: int = 1, **values: object) -> None:
    """Rows of one deed, all of them in the same second but the last."""
    at = datetime(2026, 5, 6, 9, 30, tzinfo=UTC)
    with inbox.database.write() as session:
        for number in range(count):
            late = timedelta(seconds=int(number == count - 1))
            row = {"company_id": company_id, "action": "denied", "detail": f"d{number}", **values}
            session.add(AuditRecord(at=at + late, **row))


def rows(inbox: Inbox, path: str = AUDIT) -> list[str]:
    answer = inbox.client(ADMIN).get(path)
    assert answer.status_code == 200, answer.text
    found = html.fromstring(answer.text).xpath("//li[@class='ks-activity__row']")
    return [" ".join(row.text_content().split()) for row in found]


def test_every_deed_has_a_title_for_people() -> None:
    assert set(TITLES) == set(Audited)


def test_nothing_yet_is_said(inbox: Inbox) -> None:
    assert "Nothing here yet." in inbox.client(ADMIN).get(AUDIT).text


def test_a_row_says_who_what_when_and_which_fields(inbox: Inbox) -> None:
    values = {"object": "Contact", "record_id": "003000000000001AAA", "fields": ["Phone", "Title"]}
    done(inbox, action="record_updated", agent_id="gus", detail="",
         connection_id=inbox.connection_id, **values)  # fmt: skip
    (row,) = rows(inbox)
    assert row.startswith("Changed a record in Salesforce: Contact gus · 06 May 2026, 09:30 UTC")
    assert "Phone, Title" in row
    page = html.fromstring(inbox.client(ADMIN).get(AUDIT).text)
    (link,) = page.xpath("//li[@class='ks-activity__row']//a/@href")
    assert link == f"{INSTANCE}/lightning/r/Contact/003000000000001AAA/view"


def test_ones_own_deeds_and_those_of_the_machine_are_told_apart(inbox: Inbox) -> None:
    done(inbox, agent_id=ADMIN.id, detail="mine")
    done(inbox, action="connection_lost", detail="")
    own, machine = sorted(rows(inbox))
    assert own.startswith("Access denied You")
    assert machine.startswith("Salesforce ended the connection Automatic")


def test_another_companys_deeds_are_not_shown(inbox: Inbox) -> None:
    done(inbox, "other", detail="theirs")
    assert rows(inbox) == []


def test_the_pages_show_every_row_once_newest_first(inbox: Inbox) -> None:
    done(inbox, count=2 * PAGE + 1)
    seen, path = [], AUDIT
    while path:
        seen += [int(row.rpartition(" d")[2]) for row in rows(inbox, path)]
        page = html.fromstring(inbox.client(ADMIN).get(path).text)
        path = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert seen == [2 * PAGE, *reversed(range(2 * PAGE))]


def test_people_automations_and_refusals_are_shown_alone(inbox: Inbox) -> None:
    done(inbox, agent_id="gus", action="fields_chosen", detail="")
    done(inbox, agent_id="gus", detail="panel")
    done(inbox, action="record_created", detail="")
    assert len(rows(inbox)) == 3
    assert len(rows(inbox, f"{AUDIT}?whose=people")) == 2
    (automatic,) = rows(inbox, f"{AUDIT}?whose=automatic")
    assert "Automatic" in automatic
    (refused,) = rows(inbox, f"{AUDIT}?whose=refused")
    assert refused.startswith("Access denied gus")


def test_the_next_page_stays_with_whose_it_is(inbox: Inbox) -> None:
    done(inbox, agent_id="gus", action="fields_chosen", detail="", count=PAGE + 1)
    done(inbox, action="record_created", detail="")
    page = html.fromstring(inbox.client(ADMIN).get(f"{AUDIT}?whose=people").text)
    (following,) = page.xpath("//a[@rel='next']/@href")
    (row,) = rows(inbox, following)
    assert row.startswith("Changed the fields agents see gus")


def test_a_switched_automation_names_its_mailbox(inbox: Inbox) -> None:
    done(
        inbox,
        agent_id="gus",
        action="automation_changed",
        record_id="sales",
        detail="log_tasks=true",
    )
    (row,) = rows(inbox)
    assert row.endswith("sales · logging Tasks on")


def test_whose_is_one_of_four(inbox: Inbox) -> None:
    assert inbox.client(ADMIN).get(f"{AUDIT}?whose=nobody").status_code == 400
    empty = inbox.client(ADMIN).get(f"{AUDIT}?whose=refused").text
    assert "Nothing of this kind yet." in empty


@pytest.mark.parametrize("after", ["x", "1-", "9" * 19 + "-1", "1-1-1"])
def test_a_place_that_is_none_is_refused(inbox: Inbox, after: str) -> None:
    assert inbox.client(ADMIN).get(f"{AUDIT}?after={after}").status_code == 400
